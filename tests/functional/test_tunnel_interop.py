# SPDX-License-Identifier: Apache-2.0
"""Tunnels with other people's tunnel endpoints at the other end: the kernel's vxlan device and Open vSwitch."""
from topology import FAMILIES, guest_addresses, no_offloads, tcp, tunnel_bridges, underlay, underlay_address


def both_ways(lab, a, ip_a, b, ip_b):
    a.wait_for_ping(ip_b, 10, "an answer from " + ip_b)
    assert a.ping(ip_b, count=3) == 3
    assert b.ping(ip_a, count=3) == 3
    tcp(lab, a, b, ip_b, seconds=1, at_least=5)
    tcp(lab, b, a, ip_a, seconds=1, at_least=5)


def kernel_vxlan(lab, cases):
    """IPv4 and IPv6 outside, outer checksum on and off, IPv4 and IPv6 inside, TCP with segmentation offload."""
    a, b = underlay(lab)
    a.start()
    tunnel_bridges(a)
    for family in FAMILIES:
        underlay_address(b, "eth0", family, 1)
    x = lab.guest("x")
    lab.veth(a, "x", x, "eth0")
    x.ip("link set eth0 mtu 1430")
    guest_addresses(x, 0)
    a.vsctl("add-port br-int x")
    for family, csum, inside in cases:
        ours, theirs, _ = FAMILIES[family]
        a.vsctl("--may-exist add-port br-int vx0 -- set interface vx0 type=vxlan options:remote_ip=%s options:key=100"
                " options:csum=%s" % (theirs, str(csum).lower()))
        word = "udpcsum" if family == 4 else "udp6zerocsum%s"
        flags = ("" if csum else "no") + word if family == 4 else \
            " ".join(("no" if csum else "") + word % x for x in ("tx", "rx"))
        b.ip("link add vx0 address 02:00:00:00:01:02 type vxlan id 100 remote %s local %s dstport 4789 dev eth0 %s" %
             (ours, theirs, flags))
        b.ip("link set vx0 mtu 1430")
        b.ip("addr add 10.0.0.2/24 dev vx0")
        b.ip("link set vx0 up")
        b.ip("addr add fd0a::2/64 dev vx0 nodad")
        if 4 in inside:
            both_ways(lab, x, "10.0.0.1", b, "10.0.0.2")
        if 6 in inside:
            both_ways(lab, x, "fd0a::1", b, "fd0a::2")
        b.ip("link del vx0")


def test_kernel_vxlan(lab):
    kernel_vxlan(lab, ((4, True, (4,)), (6, True, (6,))))


def long_kernel_vxlan(lab):
    kernel_vxlan(lab, [(family, csum, (4, 6)) for family in FAMILIES for csum in (False, True)])


def test_group_policy_with_the_kernel(lab):
    """exts=gbp: to the kernel the group is the packet's mark."""
    a, b = underlay(lab)
    a.start()
    tunnel_bridges(a, families=(4,))
    underlay_address(b, "eth0", 4, 1)
    ours, theirs, _ = FAMILIES[4]
    a.vsctl("add-port br-int vx0 -- set interface vx0 type=vxlan ofport_request=9 options:remote_ip=%s options:key=100"
            " options:exts=gbp" % theirs)
    b.ip("link add vx0 mtu 1400 type vxlan id 100 remote %s local %s dstport 4789 dev eth0 gbp" % (ours, theirs))
    b.ip("addr add 10.0.0.2/24 dev vx0")
    b.ip("link set vx0 up")
    x = lab.guest("x")
    lab.veth(a, "x", x, "eth0")
    guest_addresses(x, 0)
    a.vsctl("add-port br-int x -- set interface x ofport_request=1")
    a.add_flows("br-int", "in_port=1,actions=set_field:0x1234->tun_gbp_id,output:9\n"
                          "priority=2,in_port=9,ip,tun_gbp_id=0x77,actions=output:1\npriority=1,in_port=9,ip,actions=drop\n"
                          "in_port=9,arp,actions=output:1\n")
    b.sh("iptables -A INPUT -i vx0 -m mark --mark 0x1234 -j ACCEPT; iptables -A INPUT -i vx0 -j DROP;"
         "iptables -t mangle -A OUTPUT -d 10.0.0.1 -j MARK --set-mark 0x77")
    x.wait_for_ping("10.0.0.2", 10, "an answer")
    assert x.ping("10.0.0.2", count=3) == 3
    # Another group, either way, is shut out.
    b.sh("iptables -t mangle -R OUTPUT 1 -d 10.0.0.1 -j MARK --set-mark 0x78")
    assert not x.ping("10.0.0.2", count=2, timeout=2, check=False)
    b.sh("iptables -t mangle -R OUTPUT 1 -d 10.0.0.1 -j MARK --set-mark 0x77")
    assert x.ping("10.0.0.2", count=1) == 1
    a.ofctl("mod-flows", "br-int", "in_port=1,actions=set_field:0x1235->tun_gbp_id,output:9")
    assert not x.ping("10.0.0.2", count=2, timeout=2, check=False)


ENCAPSULATIONS = (
    ("vxlan", "options:key=100"),
    ("vxlan", "options:key=100 options:csum=true options:dst_port=4790"),
    ("gre", ""),
    # Not both: Open vSwitch sums up before it writes the number, so its own packets fail its own check.
    ("gre", "options:key=0x12345678 options:csum=true"),
    ("gre", "options:key=7 options:seq=true"),
    ("geneve", "options:key=100"),
    ("geneve", "options:key=100 options:csum=true"),
)


def open_vswitch(lab, cases):
    """Open vSwitch's userspace datapath as the peer."""
    a, b = underlay(lab)
    no_offloads(b, "eth0")
    a.start()
    b.start_ovs()
    tunnel_bridges(a)
    tunnel_bridges(b, datapath="netdev")
    x, y = lab.guest("x"), lab.guest("y")
    for host, vm, which in ((a, x, 0), (b, y, 1)):
        lab.veth(host, "v0", vm, "eth0")
        vm.ip("link set eth0 mtu 1400")
        guest_addresses(vm, which)
        host.vsctl("add-port br-int v0")
    no_offloads(y, "eth0")
    no_offloads(b, "v0")
    for family, kind, options, inside in cases:
        ours, theirs, _ = FAMILIES[family]
        for host, remote in ((a, theirs), (b, ours)):
            host.vsctl("add-port br-int tun0 -- set interface tun0 type=%s options:remote_ip=%s %s" %
                       (kind, remote, options))
        if 4 in inside:
            both_ways(lab, x, "10.0.0.1", y, "10.0.0.2")
        if 6 in inside:
            both_ways(lab, y, "fd0a::2", x, "fd0a::1")
        for host in (a, b):
            host.vsctl("del-port br-int tun0")


def test_open_vswitch(lab):
    open_vswitch(lab, ((4, "vxlan", "options:key=100", (4,)), (6, "gre", "options:key=7 options:seq=true", (4,)),
                       (4, "geneve", "options:key=100 options:csum=true", (6,))))


def long_open_vswitch(lab):
    open_vswitch(lab, [(family, kind, options, (4, 6)) for family in FAMILIES for kind, options in ENCAPSULATIONS])
