# SPDX-License-Identifier: Apache-2.0
"""Options of tunnel interfaces, beside Open vSwitch with the same configuration: the same frames leave by the underlay for
the same frames of a guest, and the same frames arrive at the guest for the same frames from the underlay."""
import re
import struct
import time

from lab import run, wait_until
from topology import FAMILIES, no_offloads

BRIDGE, PEER, MARK = "02:00:00:00:07:01", "02:00:00:00:07:02", b"INSIDE"
TLV = "{class=0x102,type=0x21,len=8}->tun_metadata0,{class=0x102,type=0x22,len=4}->tun_metadata5"
OUT = "in_port=1,actions=output:9\n"
# The id, flags and addresses that a packet came with, where the guest sees them.
IN = ("in_port=9,ip,actions=move:NXM_NX_TUN_ID[0..31]->NXM_OF_ETH_SRC[0..31],move:NXM_NX_TUN_FLAGS[]->NXM_OF_ETH_SRC[32],"
      "output:1\nin_port=9,priority=1,actions=output:1\n")


class Side:
    """One switch: eth0 of br-phy to a wire, v0 of br-int to a guest."""

    def __init__(self, lab, name, start):
        self.host, self.peer, self.guest = lab.host(name), lab.guest("p" + name), lab.guest("g" + name)
        lab.veth(self.host, "eth0", self.peer, "eth0")
        lab.veth(self.host, "v0", self.guest, "eth0")
        for ns, device in ((self.peer, "eth0"), (self.guest, "eth0"), (self.host, "eth0"), (self.host, "v0")):
            no_offloads(ns, device)
            ns.ip("link set %s up" % device)
        for ns in (self.peer, self.guest):
            ns.sh("ip link set eth0 arp off; sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1")
        start(self.host)
        for br in ("br-phy", "br-int"):
            self.host.vsctl("add-br %s -- set bridge %s datapath_type=netdev fail-mode=%s" %
                            (br, br, "secure" if br == "br-int" else "standalone"))
        self.host.vsctl("set bridge br-phy other-config:hwaddr=\"%s\" -- add-port br-phy eth0 -- add-port br-int v0"
                        " -- set interface v0 ofport_request=1" % BRIDGE)
        for family in FAMILIES:
            self.host.ip("addr add %s/%d dev br-phy%s" % (FAMILIES[family][0], FAMILIES[family][2],
                                                          " nodad" if family == 6 else ""))
        self.host.ip("link set br-phy up")
        self.host.ofctl("add-tlv-map", "br-int", TLV)
        wait_until(lambda: all(f[0] in self.host.appctl("ovs/route/show") for f in FAMILIES.values()), what="routes")
        for family in FAMILIES.values():
            self.host.appctl("tnl/arp/set", "br-phy", family[1], PEER)
            # Open vSwitch sends what has a mark by these alone.
            self.host.appctl("ovs/route/add", "%s/%d" % (family[1], 32 if "." in family[1] else 128), "br-phy", "pkt_mark=7")
        self.wire, self.inside = self.peer.raw("eth0"), self.guest.raw("eth0")

    def configure(self, kind, options, flows):
        self.host.vsctl("--if-exists del-port br-int t0 -- add-port br-int t0 -- set interface t0 type=%s ofport_request=9 %s" %
                        (kind, " ".join("options:" + o for o in options.split())))
        self.host.ofctl("del-flows", "br-int")
        self.host.add_flows("br-int", flows)

    def received(self):
        """Packets that the datapath took from its ports."""
        return sum(int(n) for n in re.findall(r"packets received: (\d+)", self.host.appctl("dpif-netdev/pmd-stats-show")))

    def carry(self, frames, enter, leave):
        """What comes out by LEAVE for each of FRAMES into ENTER. Each has its number in it."""
        out, before = [[] for _ in frames], self.received()
        for i, frame in enumerate(frames):
            enter.send(bytes(frame).replace(MARK + b"##", MARK + b"%02d" % i))
        wait_until(lambda: self.received() >= before + len(frames), what="all frames to be taken")
        left = time.monotonic() + 2
        while time.monotonic() < left:
            got = [f for f in leave.recv(0.15) if MARK in f]
            for f in got:
                at = f.index(MARK) + len(MARK)
                out[int(f[at:at + 2])].append(normal(f))
            if not got:
                break
        return out


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def normal(frame):
    """FRAME with its outer UDP source port, which is any of the range, as 0; and whether a checksum is there and right."""
    f = bytearray(frame)
    ip6 = f[12:14] == b"\x86\xdd"
    l4 = 14 + (40 if ip6 else 20)
    if f[12:14] not in (b"\x08\0", b"\x86\xdd") or f[20 if ip6 else 23] != 17 or f[l4 + 2:l4 + 4] not in (
            struct.pack("!H", p) for p in (4789, 4790, 6081)):
        return f.hex()
    length = struct.unpack("!H", f[l4 + 4:l4 + 6])[0]
    pseudo = bytes(f[22:54] if ip6 else f[26:34]) + struct.pack("!HH", 17, length)
    state = "no checksum" if f[l4 + 6:l4 + 8] == b"\0\0" else \
        "right" if checksum(pseudo + bytes(f[l4:l4 + length])) == 0xffff else "wrong"
    assert 32768 <= struct.unpack("!H", f[l4:l4 + 2])[0] <= 61000, frame.hex()
    f[l4:l4 + 2] = f[l4 + 6:l4 + 8] = b"\0\0"
    return "%s %s" % (state, f.hex())


def inner_frames():
    from scapy.all import ARP, IP, UDP, Dot1Q, Ether, IPv6, Raw
    eth = Ether(src="02:00:00:00:0b:01", dst="02:00:00:00:0b:02")
    payload = Raw(MARK + b"##")
    frames = [eth / IP(src="10.0.0.1", dst="10.0.0.2", tos=tos, ttl=ttl) / UDP(sport=5, dport=6) / payload
              for tos, ttl in ((0, 64), (0x28, 33), (0x29, 1), (0x2a, 255), (0xff, 7), (3, 64))]
    frames += [eth / IPv6(src="fd0a::1", dst="fd0a::2", tc=0xb9, hlim=9) / UDP(sport=5, dport=6) / payload,
               eth / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2") / payload,
               eth / Dot1Q(vlan=7, prio=3) / IP(src="10.0.0.1", dst="10.0.0.2", tos=0x28, ttl=33) / UDP(sport=5, dport=6) / payload]
    return frames


def outer_frames(family):
    """From the peer, by every encapsulation: right ones, other ids, flags, options, addresses."""
    from scapy.all import GRE, IP, UDP, Ether, IPv6, Raw
    ours, theirs, _ = FAMILIES[family]
    eth = Ether(src=PEER, dst=BRIDGE)
    inner = Ether(src="02:00:00:00:0b:02", dst="02:00:00:00:0b:01") / IP(src="10.0.0.2", dst="10.0.0.1", tos=0x28) / \
        UDP(sport=6, dport=5) / Raw(MARK + b"##")

    def ip(src=theirs, tos=0):
        return IP(src=src, dst=ours, tos=tos, id=0) if family == 4 else IPv6(src=src, dst=ours, tc=tos)

    def udp(port, header, csum=family == 6, **kw):
        # Over IPv6 a checksum must be there.
        return eth / ip(**kw) / (UDP(sport=40000, dport=port) if csum else UDP(sport=40000, dport=port, chksum=0)) / \
            Raw(bytes.fromhex(header)) / inner
    vx = ["0800000000000500", "0800000000000600", "0800000000000000", "0800000000000501", "0000000000000500",
          "0c00000300000500", "0c00000100000500", "0d00000300000500", "0800000300000500",
          "ff00000000000500"]
    frames = [udp(4789, h) for h in vx] + [udp(4790, h) for h in ("0800000000000500", "0c00000300000500")]
    frames += [udp(4789, vx[0], tos=t) for t in (0x28, 1, 2, 3)] + [udp(4789, vx[0], csum=True)]
    frames += [udp(4789, vx[0], src="192.168.7.99" if family == 4 else "fd07::99")]
    gnv = ["0000655800000500", "0000655800000600", "0080655800000500", "0040655800000500", "0000080000000500", "4000655800000500",
           "030065580000050001022102" "1122334455667788", "020065580000050001022201" "a1b2c3d4", "02006558000005000102aa01" "a1b2c3d4",
           "0240655800000500" "0102a201" "a1b2c3d4"]
    frames += [udp(6081, h) for h in gnv] + [udp(6081, gnv[0], csum=True)]
    frames += [eth / ip() / GRE(proto=0x6558, **kw) / inner for kw in (
        {}, {"key_present": 1, "key": 5}, {"key_present": 1, "key": 6}, {"key_present": 1, "key": 5, "chksum_present": 1},
        {"seqnum_present": 1, "sequence_number": 9}, {"key_present": 1, "key": 5, "seqnum_present": 1, "sequence_number": 1})]
    frames += [eth / ip() / GRE(proto=0x0800) / inner]
    return frames


def cases():
    """(type, options, flows, family)."""
    for family in FAMILIES:
        remote = "remote_ip=%s " % FAMILIES[family][1]
        local = FAMILIES[family][0]
        tun = "tun_dst" if family == 4 else "tun_ipv6_dst"
        tun_src = "tun_src" if family == 4 else "tun_ipv6_src"
        to_flow = "set_field:%s->%s," % (FAMILIES[family][1], tun)
        for kind in ("vxlan", "gre", "geneve"):
            for options in ("key=5", "key=5 tos=inherit", "key=5 ttl=inherit", "key=5 tos=inherit ttl=inherit", "key=5 tos=0x28 ttl=33",
                            "key=5 df_default=false", "key=5 csum=true", "in_key=5 out_key=6", "", "key=5 egress_pkt_mark=7",
                            "key=5 local_ip=" + local, "in_key=flow out_key=6", "in_key=5 out_key=flow"):
                yield kind, remote + options, OUT + IN, family
            yield kind, remote + "key=flow", "in_port=1,actions=set_field:0x1234->tun_id,output:9\n" + IN, family
            yield kind, "remote_ip=flow key=flow", "in_port=1,actions=%sset_field:77->tun_id,output:9\n" % to_flow + IN, family
            yield kind, "remote_ip=flow key=5", OUT + IN, family
            yield kind, "remote_ip=flow local_ip=flow key=5", \
                "in_port=1,actions=%sset_field:%s->%s,output:9\n" % (to_flow, local, tun_src) + IN, family
            yield kind, "remote_ip=flow key=5 tos=inherit", "in_port=1,actions=%soutput:9\n" % to_flow + IN, family
        yield "vxlan", remote + "key=5 dst_port=4790", OUT + IN, family
        yield "vxlan", remote + "key=5 exts=gpe", OUT + IN, family
        yield "geneve", remote + "key=5", "in_port=1,actions=set_field:oam->tun_flags,output:9\n" + IN, family
        yield "geneve", remote + "key=5", (
            "in_port=1,actions=set_field:0x1122334455667788->tun_metadata0,set_field:0xa1b2c3d4->tun_metadata5,output:9\n"
            "in_port=9,ip,tun_metadata0,actions=move:NXM_NX_TUN_METADATA0[0..31]->NXM_OF_ETH_SRC[0..31],output:1\n"
            "in_port=9,ip,tun_metadata5,actions=move:NXM_NX_TUN_METADATA5[0..31]->NXM_OF_ETH_SRC[0..31],output:1\n"), family
        yield "gre", remote + "key=5 packet_type=legacy_l2", OUT + IN, family


def compare(lab, chosen):
    ours = Side(lab, "a", lambda host: host.start())
    theirs = Side(lab, "b", lambda host: host.start_ovs())
    wrong = []
    inner, outer = inner_frames(), {family: outer_frames(family) for family in FAMILIES}
    def differences(options, family):
        got = [(side.carry(inner, side.inside, side.wire), side.carry(outer[family], side.wire, side.inside)) for side in (ours, theirs)]
        for what, frames, a, b in (("out", inner, got[0][0], got[1][0]), ("in", outer[family], got[0][1], got[1][1])):
            for i, frame in enumerate(frames):
                if a[i] != b[i]:
                    yield "%s (IPv%d), %s, frame %d: %s\n  ours   %s\n  theirs %s" % (
                        options, family, what, i, bytes(frame).hex(), a[i], b[i])
    for kind, options, flows, family in chosen:
        for side in (ours, theirs):
            side.configure(kind, options, flows)
        # Open vSwitch takes up a tunnel's changes in its own time.
        end = time.monotonic() + 5
        while (different := list(differences(kind + " " + options, family))) and time.monotonic() < end:
            time.sleep(0.2)
        wrong += different
    assert not wrong, "%d differ\n%s" % (len(wrong), "\n".join(wrong[:60]))


COMMANDS = """\
tnl/ports/show
tnl/ports/show -v
tnl/egress_port_range
tnl/egress_port_range 40000 50000
tnl/egress_port_range
tnl/egress_port_range 50000 40000
tnl/egress_port_range
tnl/egress_port_range x y
tnl/egress_port_range 0 10
tnl/egress_port_range 70000 80000
tnl/egress_port_range 1
tnl/arp/show
tnl/neigh/show
tnl/arp/set br-phy 192.168.7.9 02:00:00:00:00:99
tnl/neigh/set br-phy fd07::9 02:00:00:00:00:9a
tnl/arp/set br-phy 192.168.7.9 xx
tnl/arp/set br-phy xx 02:00:00:00:00:99
tnl/arp/set nosuch 192.168.7.10 02:00:00:00:00:99
tnl/arp/set br-phy 192.168.7.9
tnl/arp/show
tnl/arp/aging
tnl/neigh/aging
tnl/arp/aging 100
tnl/arp/aging
tnl/arp/aging 0
tnl/arp/aging 3601
tnl/arp/aging 3600
tnl/arp/aging x
tnl/neigh/flush
tnl/arp/show
tnl/arp/flush
ovs/route/show
ovs/route/lookup 192.168.7.9
ovs/route/lookup 8.8.8.8
ovs/route/lookup x
ovs/route/lookup fd07::44
ovs/route/lookup 192.168.7.0/24
ovs/route/lookup 192.168.7.9 3
ovs/route/add 10.5.0.0/16 br-phy 192.168.7.3
ovs/route/add 10.6.0.0/16 br-phy
ovs/route/add 10.7.0.0/16 nosuch
ovs/route/add 10.7.0.0/99 br-phy
ovs/route/add x br-phy
ovs/route/add 10.7.0.0/16 br-phy x
ovs/route/add 10.7.0.0/16 br-phy fd07::1
ovs/route/add fd55::/32 br-phy fd07::3
ovs/route/add fd56::/32 br-phy 1.2.3.4
ovs/route/add 10.8.0.0/16 br-phy pkt_mark=9
ovs/route/add 10.8.0.0/16 br-phy 192.168.7.4 pkt_mark=10
ovs/route/add 10.8.0.0/16 br-phy 192.168.7.4 pkt_mark=x
ovs/route/add 10.8.0.0/16 br-phy 192.168.7.4 mark=1
ovs/route/add 10.9.1.7 br-phy
ovs/route/add 10.9.1.7/24 br-phy
ovs/route/add 10.5.0.0/16 br-phy 192.168.7.5
ovs/route/add 10.0.0.0
ovs/route/show
ovs/route/lookup 10.5.1.1
ovs/route/lookup 10.8.1.1
ovs/route/lookup 10.8.1.1 pkt_mark=9
ovs/route/lookup 10.8.1.1 pkt_mark=10
ovs/route/lookup fd55::1
ovs/route/del 10.5.0.0/16
ovs/route/del 10.5.0.0/16
ovs/route/del 10.8.0.0/16
ovs/route/del 10.8.0.0/16 pkt_mark=9
ovs/route/del x
ovs/route/del 192.168.7.0/24
ovs/route/del 10.8.0.0/16 pkt_mark=y
ovs/route/del fd55::/32
ovs/route/del
ovs/route/show"""


def test_commands(lab):
    """Replies and errors of ovs-appctl: as Open vSwitch's."""
    sides = Side(lab, "a", lambda host: host.start()), Side(lab, "b", lambda host: host.start_ovs())
    for side in sides:
        side.host.vsctl(" -- ".join("add-port br-int t%d -- set interface t%d type=%s options:remote_ip=192.168.7.2 options:key=5" %
                                    (i, i, kind) for i, kind in enumerate(("vxlan", "geneve", "gre"))))

    def reply(side, command):
        p = run(side.host.cmd("ovs-appctl", "-t", side.host.ctl, *command.split()), check=False, env=side.host.env)
        # What differs from host to host: paths, port numbers, link-local addresses and the order of tables.
        text = re.sub(r"/\S*\.ctl", "CTL", p.stdout + p.stderr)
        lines = [re.sub(r"\(\d+\)", "(N)", x) for x in text.splitlines() if "fe80:" not in x]
        return p.returncode, sorted(lines) if "show" in command else lines
    for side in sides:
        wait_until(lambda: "gre_sys" in side.host.appctl("tnl/ports/show"), what="the tunnels")
    wrong = []
    for command in COMMANDS.splitlines():
        ours, theirs = [reply(side, command) for side in sides]
        if ours != theirs:
            wrong.append("%s\n  ours   %s\n  theirs %s" % (command, ours, theirs))
    # Neighbours go with the bridge that they answered through, and with it only.
    shown = []
    for side in sides:
        for where in "br-phy 192.168.7.9", "br-int 192.168.7.10", "nosuch 192.168.7.11":
            reply(side, "tnl/neigh/set %s 02:00:00:00:00:99" % where)
        side.host.vsctl("del-br br-phy")
        shown.append([l for l in reply(side, "tnl/neigh/show")[1] if "02:00:00:00:00:99" in l])
    assert shown[0] == shown[1] and len(shown[0]) == 2, shown
    assert not wrong, "\n".join(wrong)


def test_matches_on_options(lab):
    """A Geneve option can be matched by its value, by a part of it, and by being there at all."""
    flows = ("in_port=9,tun_metadata0,actions=1\nin_port=9,tun_metadata5=0x12345678,actions=2\n"
             "in_port=9,tun_metadata5=0x12000000/0xff000000,actions=3\nin_port=9,tun_metadata0=0,actions=4\n")
    got = []
    for side in (Side(lab, "a", lambda host: host.start()), Side(lab, "b", lambda host: host.start_ovs())):
        host = side.host
        host.add_flows("br-int", flows)
        texts = [host.ofctl("dump-flows", "br-int", "--no-stats"), host.ofctl("dump-flows", "br-int", "tun_metadata0", "--no-stats"),
                 re.sub(r"duration=\S+ ", "", host.appctl("bridge/dump-flows", "br-int"))]
        host.ofctl("--strict", "del-flows", "br-int", "in_port=9,tun_metadata0")
        got.append([sorted(x for x in t.splitlines() if "table_id=254" not in x)
                    for t in texts + [host.ofctl("dump-flows", "br-int", "--no-stats")]])
    assert got[0] == got[1], got


def test_types_that_are_not_built(lab):
    """They are refused, and told what there is."""
    host = lab.host("a")
    host.start()
    host.vsctl("add-br br-int")
    for kind in ("erspan", "ip6erspan", "gtpu", "stt", "lisp", "bareudp"):
        host.vsctl("add-port br-int t0 -- set interface t0 type=%s options:remote_ip=192.168.7.2" % kind)
        assert host.vsctl("get interface t0 ofport error").split("\n")[:2] == \
            ["-1", '"t0: tunnels of type %s are not supported: use geneve, gre or vxlan"' % kind]
        host.vsctl("del-port br-int t0")
    host.vsctl("add-port br-int t0 -- set interface t0 type=ip6gre options:remote_ip=fd07::2")
    assert host.vsctl("get interface t0 error").strip() == "[]"


def test_some_options(lab):
    some = ("vxlan key=5 tos=inherit ttl=inherit", "gre key=5 csum=true", "geneve in_key=5 out_key=6", "gre key=flow",
            "vxlan key=5 exts=gpe", "geneve remote_ip=flow local_ip=flow key=5", "vxlan key=5 egress_pkt_mark=7")
    compare(lab, [c for c in cases() if c[3] == 4 and
                  ("%s %s" % (c[0], c[1].replace("remote_ip=%s " % FAMILIES[4][1], "")) in some or "tun_metadata5" in c[2])])


def long_all_options(lab):
    compare(lab, cases())
