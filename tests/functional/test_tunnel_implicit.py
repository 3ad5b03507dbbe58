# SPDX-License-Identifier: Apache-2.0
"""The underlay's NIC in no bridge, its address on it: nothing but the tunnel port is configured."""
import re

from lab import wait_until
from topology import FAMILIES, guest_addresses, tcp, underlay, underlay_address


def topology(lab):
    a, b = underlay(lab)
    a.start()
    for family in FAMILIES:
        underlay_address(a, "eth0", family, 0)
        underlay_address(b, "eth0", family, 1)
    a.vsctl("add-br br-tun")
    x = lab.guest("x")
    lab.veth(a, "x", x, "eth0")
    x.ip("link set eth0 mtu 1400")
    guest_addresses(x, 0)
    a.vsctl("add-port br-tun x")
    return a, b, x


def test_tunnel_over_a_nic_in_no_bridge(lab):
    a, b, x = topology(lab)
    for family in FAMILIES:
        ours, theirs, _ = FAMILIES[family]
        a.vsctl("add-port br-tun vxlan1 -- set interface vxlan1 type=vxlan options:remote_ip=%s options:key=100" % theirs)
        wait_until(lambda: re.search(r"^eth0 .*implicit.*running", a.appctl("tnl/ports/show", "-v"), re.M),
                   what="the implicit port")
        b.ip("link add vx0 address 02:00:00:00:01:02 mtu 1400 type vxlan id 100 remote %s local %s dstport 4789 dev eth0" %
             (ours, theirs))
        b.ip("addr add 10.0.0.2/24 dev vx0")
        b.ip("link set vx0 up")
        dump = lab.spawn(b.cmd("tcpdump", "-lnni", "eth0", "icmp[0] == 3 or (icmp6 and ip6[40] == 1)"), lab.dir + "/unreachable")
        x.wait_for_ping("10.0.0.2", 10, "the first answer")
        assert x.ping("10.0.0.2", count=3) == 3
        assert b.ping("10.0.0.1", count=3) == 3
        tcp(lab, x, b, "10.0.0.2", at_least=5)
        tcp(lab, b, x, "10.0.0.1", at_least=5)
        # The host itself goes on as before.
        assert b.ping(ours, count=2) == 2
        lab.end(dump)
        assert "unreachable" not in b.sh("cat %s/unreachable" % lab.dir)
        b.ip("link del vx0")
        a.vsctl("del-port br-tun vxlan1")
        wait_until(lambda: "implicit" not in a.appctl("tnl/ports/show", "-v"), what="the implicit port's end")


def test_nic_goes_into_a_bridge(lab):
    """The implicit port makes way for a bridge, and comes back."""
    a, b, x = topology(lab)
    a.vsctl("add-port br-tun vxlan1 -- set interface vxlan1 type=vxlan options:remote_ip=192.168.7.2 options:key=100")
    wait_until(lambda: "running" in a.appctl("tnl/ports/show"), what="the implicit port")
    a.vsctl("add-br br-phy -- add-port br-phy eth0")
    wait_until(lambda: "implicit" not in a.appctl("tnl/ports/show"), what="the implicit port's end")
    a.vsctl("del-br br-phy")
    wait_until(lambda: "running" in a.appctl("tnl/ports/show"), what="the implicit port")
