# SPDX-License-Identifier: Apache-2.0
"""VXLAN between two switches, and with the kernel's own vxlan device as the peer."""
import re

from topology import tcp, underlay


def node(host, address, peer, options=""):
    """br-phy with the NIC and the address, br-int with a tunnel to PEER."""
    host.start()
    host.vsctl("add-br br-phy -- add-port br-phy eth0 -- add-br br-int -- add-port br-int vx0"
               " -- set interface vx0 type=vxlan options:remote_ip=%s options:key=100 %s" % (peer, options))
    host.ip("addr add %s/24 dev br-phy" % address)
    host.ip("link set br-phy up")


def guest(lab, host, name, address):
    vm = lab.guest(name)
    lab.veth(host, name, vm, "eth0")
    vm.ip("link set eth0 mtu 1450")
    vm.take("eth0", address)
    host.vsctl("add-port br-int " + name)
    return vm


def test_two_switches(lab):
    a, b = underlay(lab)
    node(a, "192.168.7.1", "192.168.7.2")
    node(b, "192.168.7.2", "192.168.7.1")
    x, y = guest(lab, a, "x", "10.0.0.1/24"), guest(lab, b, "y", "10.0.0.2/24")
    x.wait_for_ping("10.0.0.2", 15, "the first answer through VXLAN")
    assert x.ping("10.0.0.2", count=5) == 5
    assert y.ping("10.0.0.1", count=5) == 5
    tcp(lab, x, y, "10.0.0.2")
    tcp(lab, y, x, "10.0.0.1")
    assert "192.168.7.2" in a.appctl("tnl/arp/show")
    assert "192.168.7" in a.appctl("ovs/route/show")


def test_kernel_vxlan_peer(lab):
    a, b = underlay(lab)
    node(a, "192.168.7.1", "192.168.7.2")
    b.ip("addr add 192.168.7.2/24 dev eth0")
    b.ip("link add vx0 type vxlan id 100 remote 192.168.7.1 dstport 4789 dev eth0")
    b.ip("addr add 10.0.0.2/24 dev vx0")
    b.ip("link set vx0 up")
    x = guest(lab, a, "x", "10.0.0.1/24")
    x.wait_for_ping("10.0.0.2", 15, "the first answer from the kernel")
    assert x.ping("10.0.0.2", count=5) == 5
    tcp(lab, x, b, "10.0.0.2")
    tcp(lab, b, x, "10.0.0.1")


def test_wrong_vni_is_isolated(lab):
    a, b = underlay(lab)
    node(a, "192.168.7.1", "192.168.7.2")
    b.ip("addr add 192.168.7.2/24 dev eth0")
    b.ip("link add vx0 type vxlan id 101 remote 192.168.7.1 dstport 4789 dev eth0")
    b.ip("addr add 10.0.0.2/24 dev vx0")
    b.ip("link set vx0 up")
    guest(lab, a, "x", "10.0.0.1/24")
    assert not b.ping("10.0.0.1", count=3, timeout=2, check=False)
    assert "tnl_no_port" in a.appctl("sluice/drops")


def test_underlay_in_a_vlan(lab):
    """The address is on a bridge-internal port with a tag: outer packets are tagged on the NIC, and only that VLAN's come in."""
    a, b = underlay(lab)
    node(a, "192.168.7.1", "192.168.7.2")
    node(b, "192.168.7.2", "192.168.7.1")
    for host in (a, b):
        host.vsctl("set port br-phy tag=20")
    x, y = guest(lab, a, "x", "10.0.0.1/24"), guest(lab, b, "y", "10.0.0.2/24")
    x.wait_for_ping("10.0.0.2", 15, "the first answer through VXLAN")
    assert x.ping("10.0.0.2", count=5) == 5
    assert re.search(r"push_vlan\(vid=20", a.appctl("dpctl/dump-flows")), a.appctl("dpctl/dump-flows")
    tcp(lab, x, y, "10.0.0.2")
    b.vsctl("set port br-phy tag=21")
    assert not x.ping("10.0.0.2", count=2, timeout=2, check=False)
    b.vsctl("set port br-phy tag=20")
    x.wait_for_ping("10.0.0.2", 10, "an answer in the right VLAN")


def test_both_ends_in_one_switch(lab):
    """Two bridges are each other's VTEP; both addresses are on internal ports of one underlay bridge."""
    host = lab.host()
    host.start()
    host.vsctl("add-br br-phy -- add-port br-phy vtep1 -- set interface vtep1 type=internal"
               " -- add-port br-phy vtep2 -- set interface vtep2 type=internal")
    for n in (1, 2):
        host.ip("addr add 192.168.7.%d/24 dev vtep%d" % (n, n))
        host.ip("link set vtep%d up" % n)
        host.vsctl("add-br br%d -- add-port br%d vx%d -- set interface vx%d type=vxlan options:local_ip=192.168.7.%d"
                   " options:remote_ip=192.168.7.%d options:key=9" % (n, n, n, n, n, 3 - n))
    guests = []
    for n in (1, 2):
        vm = lab.guest("g%d" % n)
        lab.veth(host, "p%d" % n, vm, "eth0")
        vm.ip("link set eth0 mtu 1450")
        vm.take("eth0", "10.0.0.%d/24" % n)
        host.vsctl("add-port br%d p%d" % (n, n))
        guests.append(vm)
    x, y = guests
    x.wait_for_ping("10.0.0.2", 15, "an answer from the other bridge")
    assert x.ping("10.0.0.2", count=5) == 5
    tcp(lab, x, y, "10.0.0.2")
