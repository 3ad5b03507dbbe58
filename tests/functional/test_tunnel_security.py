# SPDX-License-Identifier: Apache-2.0
"""What comes out of a tunnel, field by field, and what must not come out of it."""
import re

from lab import wait_until
from topology import FAMILIES, guest_addresses, tunnel_bridges, underlay, underlay_address


def test_geneve_options_are_fields(lab):
    """The bridge's TLV map holds on the way in and out, for cached packets too, and its changes at once."""
    a, b = underlay(lab)
    guests = []
    for which, host in enumerate((a, b)):
        host.start()
        tunnel_bridges(host, families=())
        underlay_address(host, "br-phy", 4, which)
        host.vsctl("add-port br-int gnv0 -- set interface gnv0 type=geneve ofport_request=9 options:key=5 options:remote_ip=" +
                   FAMILIES[4][1 - which])
        vm = lab.guest("xy"[which])
        lab.veth(host, "v0", vm, "eth0")
        guest_addresses(vm, which)
        host.vsctl("add-port br-int v0 -- set interface v0 ofport_request=1")
        host.ofctl("add-tlv-map", "br-int", "{class=0x102,type=0x21,len=8}->tun_metadata0,{class=0x102,type=0x22,len=4}->tun_metadata5")
        guests.append(vm)
    x, y = guests
    a.add_flows("br-int", "in_port=1,actions=set_field:0x1122334455667788->tun_metadata0,set_field:0xa1b2c3d4->tun_metadata5,output:9\n"
                          "in_port=9,actions=output:1\n")
    b.add_flows("br-int", "priority=9,in_port=9,tun_metadata0=0x1122334455667788,tun_metadata5=0xa1b2c3d4/0xffff0000,actions=output:1\n"
                          "priority=1,in_port=9,actions=drop\nin_port=1,actions=output:9\n")
    x.wait_for_ping("10.0.0.2", 10, "an answer")
    assert x.ping("10.0.0.2", count=10) == 10

    def count():
        return int(re.search(r"n_packets=(\d+).*priority=9", b.ofctl("dump-flows", "br-int"))[1])
    assert count() >= 11
    # Another value is another flow, although the outer header is the same.
    a.ofctl("mod-flows", "br-int", "in_port=1,actions=set_field:0x1122334455667789->tun_metadata0,set_field:0xa1b2c3d4->tun_metadata5,output:9")
    assert not x.ping("10.0.0.2", count=2, timeout=2, check=False)
    a.ofctl("mod-flows", "br-int", "in_port=1,actions=set_field:0x1122334455667788->tun_metadata0,set_field:0xa1b2ffff->tun_metadata5,output:9")
    assert x.ping("10.0.0.2", count=3) == 3


def refused(host, reason, wire, inside, frame):
    """FRAME, sent to HOST on WIRE, is counted as dropped for REASON, and nothing of it comes INSIDE."""
    while inside.recv(0.05):
        pass
    before = host.drops(reason)
    wire.send(frame)
    wait_until(lambda: host.drops(reason) > before, 5, "%s for %s" % (reason, frame.hex()))
    assert not any(b"INSIDE" in f for f in inside.recv(0.05)), frame.hex()


def test_decapsulation_is_a_border(lab):
    """Every way to be wrong is dropped with its reason, and the inner frame comes nowhere."""
    from scapy.all import GRE, IP, UDP, Ether, Raw, fragment
    from scapy.layers.vxlan import VXLAN
    a, b = underlay(lab)
    a.start()
    tunnel_bridges(a, families=(4,))
    underlay_address(b, "eth0", 4, 1)
    a.vsctl("add-port br-int vx0 -- set interface vx0 type=vxlan options:remote_ip=192.168.7.2 options:key=100"
            " -- add-port br-int gre0 -- set interface gre0 type=gre options:remote_ip=192.168.7.2 options:key=7"
            " -- add-port br-int gnv0 -- set interface gnv0 type=geneve options:remote_ip=192.168.7.2 options:key=5")
    x = lab.guest("x")
    lab.veth(a, "x", x, "eth0")
    x.ip("link set eth0 up")
    a.vsctl("add-port br-int x")
    assert b.ping("192.168.7.1", count=1)
    mac = re.search(r"ether (\S+)", a.ip("link show br-phy"))[1]
    wire, inside = b.raw("eth0"), x.raw("eth0")
    inner = Ether(src="02:00:00:00:0b:02", dst="02:00:00:00:0b:01") / IP(src="10.9.9.9", dst="10.9.9.8") / UDP() / Raw(b"INSIDE" * 5)
    outer = Ether(dst=mac) / IP(src="192.168.7.2", dst="192.168.7.1", flags="DF")
    vx = outer / UDP(sport=40000, dport=4789, chksum=0)
    gnv = outer / UDP(sport=40000, dport=6081, chksum=0)

    def arrives(frame):
        wire.send(bytes(frame))
        return any(b"INSIDE" in f for f in inside.recv(0.15, want=20) if b"INSIDE" in f)

    def geneve(header):
        return gnv / Raw(bytes.fromhex(header)) / inner
    good = (vx / VXLAN(flags=8, vni=100) / inner, outer / GRE(proto=0x6558, key_present=1, key=7) / inner,
            geneve("0000655800000500"), geneve("0200655800000500" "0102010100000000"))
    for frame in good:
        wait_until(lambda: arrives(frame), 5, "a good packet")
    whole = bytes(good[0])
    bad = [
        ("tnl_no_port", vx / VXLAN(flags=8, vni=101) / inner),
        ("tnl_no_port", outer / GRE(proto=0x6558, key_present=1, key=8) / inner),
        ("tnl_bad_header", vx / VXLAN(flags=0, vni=100) / inner),
        ("tnl_bad_header", vx / Raw(bytes.fromhex("8800000000006400")) / inner),
        ("tnl_bad_header", vx / Raw(bytes.fromhex("0800000000006401")) / inner),
        ("tnl_bad_header", outer / GRE(proto=0x0800, key_present=1, key=7) / inner[IP]),
        ("tnl_bad_header", Ether(dst=mac) / IP(src="192.168.7.2", dst="192.168.7.1", proto=47) /
         Raw(bytes.fromhex("6000655800000007")) / inner),
        ("tnl_bad_header", geneve("4000655800000500")),
        ("tnl_bad_header", geneve("0000080000000500")),
        ("tnl_bad_header", gnv / Raw(bytes.fromhex("3f00655800000500")) / Raw(b"INSIDE")),
        ("tnl_bad_header", geneve("0200655800000500" "0102010300000000")),     # an option longer than all of them
        ("tnl_critical_option", geneve("0240655800000500" "0102810100000000")),
        ("tnl_bad_csum", outer / UDP(sport=40000, dport=4789, chksum=0x1234) / VXLAN(flags=8, vni=100) / inner),
        ("tnl_bad_csum", outer / GRE(proto=0x6558, chksum_present=1, chksum=0x1234, key_present=1, key=7) / inner),
        ("tnl_no_port", Ether(dst=mac) / IP(src="192.168.7.77", dst="192.168.7.1") / vx[UDP] / VXLAN(flags=8, vni=100) / inner),
    ]
    for reason, frame in bad:
        refused(a, reason, wire, inside, bytes(frame))
    # Cut anywhere, it is never more than what was sent; and the daemon lives.
    for n in range(14, len(whole), 3):
        wire.send(whole[:n])
    # A tunnel in the tunnel is payload; to our own address it does not come out twice.
    nested = vx / VXLAN(flags=8, vni=100) / Ether(src="02:00:00:00:0b:02", dst=mac) / good[0][IP]
    wire.send(bytes(nested))
    # Fragments: whole again, in any order; a hole is not filled.
    pieces = [bytes(Ether(dst=mac) / p) for p in fragment((IP(src="192.168.7.2", dst="192.168.7.1", id=77) / vx[UDP] /
                                                           VXLAN(flags=8, vni=100) / inner / Raw(b"y" * 1200)), fragsize=400)]
    for order in (pieces, pieces[::-1]):
        inside.recv(0.05)
        for p in order:
            wire.send(p)
        wait_until(lambda: any(b"INSIDE" in f for f in inside.recv(0.2)), 3, "the packet of %d fragments" % len(pieces))
    for p in pieces[:-1]:
        wire.send(p)
    assert not any(b"INSIDE" in f for f in inside.recv(0.3))
    # A PMD that sleeps gives them up when it wakes.
    wait_until(lambda: arrives(good[0]) and a.drops("tnl_fragment") >= len(pieces) - 1, 10, "the fragments given up")
    a.check_alive()


def test_checksums_of_long_packets(lab):
    """Outer checksums hold over all of a packet that fills several buffers."""
    from scapy.all import GRE, IP, UDP, Ether, IPv6, Raw
    from scapy.layers.vxlan import VXLAN
    a, b = underlay(lab)
    for host in (a, b):
        host.ip("link set eth0 mtu 9000")
    a.start()
    tunnel_bridges(a)
    underlay_address(b, "eth0", 4, 1)
    underlay_address(b, "eth0", 6, 1)
    ours4, theirs4, _ = FAMILIES[4]
    ours6, theirs6, _ = FAMILIES[6]
    a.vsctl("add-port br-int vx0 -- set interface vx0 type=vxlan options:remote_ip=%s options:key=100"
            " -- add-port br-int vx6 -- set interface vx6 type=vxlan options:remote_ip=%s options:key=100"
            " -- add-port br-int gre0 -- set interface gre0 type=gre options:remote_ip=%s options:key=7" % (theirs4, theirs6, theirs4))
    x = lab.guest("x")
    lab.veth(a, "x", x, "eth0")
    x.ip("link set eth0 up mtu 9000")
    a.ip("link set x mtu 9000")
    a.vsctl("add-port br-int x")
    mac = re.search(r"ether (\S+)", a.ip("link show br-phy"))[1]
    wire, inside = b.raw("eth0"), x.raw("eth0")
    inner = Ether(src="02:00:00:00:0b:02", dst="02:00:00:00:0b:01") / IP(src="10.9.9.9", dst="10.9.9.8") / UDP() / Raw(b"INSIDE" * 1001)
    four, six = IP(src=theirs4, dst=ours4), IPv6(src=theirs6, dst=ours6)
    for name, outer in (("VXLAN", four / UDP(sport=40000, dport=4789) / VXLAN(flags=8, vni=100)),
                        ("VXLAN, IPv6", six / UDP(sport=40000, dport=4789) / VXLAN(flags=8, vni=100)),
                        ("GRE", four / GRE(proto=0x6558, chksum_present=1, key_present=1, key=7))):
        frame = bytes(Ether(dst=mac) / outer / inner)

        def arrives(data):
            wire.send(data)
            return any(b"INSIDE" in f and len(f) > 6000 for f in inside.recv(0.15, want=20))
        wait_until(lambda: arrives(frame), 5, "a good packet of " + name)
        for at in (100, 3000, len(frame) - 1):
            bad = bytearray(frame)
            bad[at] ^= 0x40
            refused(a, "tnl_bad_csum", wire, inside, bytes(bad))
