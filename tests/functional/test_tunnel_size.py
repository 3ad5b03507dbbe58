# SPDX-License-Identifier: Apache-2.0
"""Packets that are too long for the underlay: answered, or sent and taken in pieces; never lost in silence."""
import os
import socket

from lab import wait_until
from topology import FAMILIES, guest_addresses, tcp, tunnel_bridges, underlay, underlay_address


def kernel_peer(host, ours, theirs, mtu, options="", more=""):
    """A vxlan device at the other end, with both addresses inside."""
    host.ip("link add vx0 address 02:00:00:00:01:02 mtu %d type vxlan id 100 remote %s local %s dstport 4789 dev eth0 %s" %
            (mtu, ours, theirs, options))
    host.ip("addr add 10.0.0.2/24 dev vx0")
    host.ip("link set vx0 up")
    host.ip("addr add fd0a::2/64 dev vx0 nodad")


def topology(lab, family, df, mtu):
    """A guest with an MTU that the tunnel can't carry, and the kernel at the other end."""
    a, b = underlay(lab)
    a.start()
    tunnel_bridges(a)
    underlay_address(b, "eth0", family, 1)
    ours, theirs, _ = FAMILIES[family]
    a.vsctl("add-port br-int vx0 -- set interface vx0 type=vxlan options:remote_ip=%s options:key=100 options:df_default=%s" %
            (theirs, df))
    x = lab.guest("x")
    lab.veth(a, "x", x, "eth0")
    x.ip("link set eth0 mtu 1500")
    guest_addresses(x, 0)
    a.vsctl("add-port br-int x")
    kernel_peer(b, ours, theirs, mtu)
    x.wait_for_ping("10.0.0.2", 10, "the first answer")
    x.wait_for_ping("fd0a::2", 10, "the first answer")
    return a, b, x


def test_the_sender_is_told(lab):
    a, b, x = topology(lab, 4, "true", 1450)
    out = x.sh("ping -M do -c 3 -i 0.2 -W 1 -s 1472 10.0.0.2 2>&1; ping -6 -M do -c 3 -i 0.2 -W 1 -s 1452 fd0a::2 2>&1; true")
    assert "mtu = 1450" in out and "mtu=1450" in out.replace("mtu: ", "mtu="), out
    assert "mtu 1450" in x.sh("ip route get 10.0.0.2") and "mtu 1450" in x.sh("ip -6 route get fd0a::2")
    assert a.drops("tnl_too_big") >= 2
    said = [l for l in a.log(100000).splitlines() if "1550" in l and "the MTU of eth0 is 1500" in l]
    assert len(said) == 1, said
    x.sh("ip route flush cache; ip -6 route flush cache")
    tcp(lab, x, b, "10.0.0.2", at_least=5)
    a.vsctl("set Open_vSwitch . other_config:sluice-tunnel-pmtud=false")
    x.sh("ip route flush cache")
    before = a.drops("tnl_too_big")
    out = x.sh("ping -M do -c 2 -i 0.2 -W 1 -s 1472 10.0.0.2 2>&1; true")
    assert "mtu" not in out and a.drops("tnl_too_big") == before + 2, out


def test_fragments_between_switches(lab):
    a, b = underlay(lab)
    guests = []
    for which, host in enumerate((a, b)):
        host.start()
        tunnel_bridges(host, families=())
        for family in FAMILIES:
            underlay_address(host, "br-phy", family, which)
        vm = lab.guest("xy"[which])
        lab.veth(host, "v0", vm, "eth0")
        guest_addresses(vm, which)
        host.vsctl("add-port br-int v0")
        guests.append(vm)
    x, y = guests
    for kind, family in (("vxlan", 4), ("gre", 6), ("geneve", 6)):
        for which, host in enumerate((a, b)):
            host.vsctl("--if-exists del-port tun0 -- add-port br-int tun0 -- set interface tun0 type=%s options:remote_ip=%s"
                       " options:key=5 options:df_default=false options:csum=true" % (kind, FAMILIES[family][1 - which]))
        x.wait_for_ping("10.0.0.2", 10, "the first answer")
        assert x.ping("10.0.0.2", count=3, extra="-M do -s 1472") == 3
        assert x.ping("fd0a::2", count=3, extra="-M do -s 1452") == 3
        tcp(lab, x, y, "10.0.0.2", at_least=5)
        tcp(lab, y, x, "10.0.0.1", at_least=5)
        for host in (a, b):
            assert not host.drops("tnl_too_big") and not host.drops("tnl_bad_csum"), host.appctl("sluice/drops")


def test_fragments_of_the_host(lab):
    """What comes in pieces and is no tunnel's goes to the host as it came."""
    a, b = underlay(lab)
    a.start()
    tunnel_bridges(a, families=(4,))
    underlay_address(b, "eth0", 4, 1)
    a.vsctl("add-port br-int vx0 -- set interface vx0 type=vxlan options:remote_ip=192.168.7.2 options:key=100")
    with a.inside():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("192.168.7.1", 7000))
    with b.inside():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.settimeout(5)
    b.wait_for_ping("192.168.7.1", 10, "the host's answer")
    for n in (5000, 1473, 8000):
        data = os.urandom(n)
        client.sendto(data, ("192.168.7.1", 7000))
        # The kernel's stack on the NIC, which has the bridge's MAC, may have it too: a second copy.
        wait_until(lambda: server.recv(65535) == data, what="%d bytes in one piece" % n)
    server.close()
    client.close()
    assert "tnl_reassemble" in a.appctl("dpctl/dump-flows")
