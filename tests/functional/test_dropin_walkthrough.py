# SPDX-License-Identifier: Apache-2.0
"""What people type: the command listings of Open vSwitch's how-to "Connecting VMs Using Tunnels (Userspace)", and a
walkthrough of two hosts with br-tun, tagged patch ports, and a floating IP between internal ports in namespaces."""
import re

from lab import run
from topology import tcp, underlay


def typed(host, text):
    """Runs TEXT line by line (a backslash continues one) in HOST, as its operator types it; returns all output."""
    out = ""
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            out += run(host.cmd("sh", "-c", line), env=host.env)
    return out


def answers(client, address):
    client.wait_for_ping(address, 10, "the first answer from " + address)
    assert client.ping(address, count=5) >= 4, address


# ------------------------------------------------------------------ the how-to

HOWTO = r"""
ovs-vsctl --may-exist add-br br-int \
  -- set Bridge br-int datapath_type=netdev \
  -- br-set-external-id br-int bridge-id br-int \
  -- set bridge br-int fail-mode=standalone
ovs-vsctl add-port br-int tap0
ovs-vsctl add-port br-int vxlan0 \
  -- set interface vxlan0 type=vxlan options:remote_ip=%(remote)s
ovs-vsctl --may-exist add-br br-phy \
    -- set Bridge br-phy datapath_type=netdev \
    -- br-set-external-id br-phy bridge-id br-phy \
    -- set bridge br-phy fail-mode=standalone \
         other_config:hwaddr=%(mac)s
ovs-vsctl --timeout 10 add-port br-phy eth1
ip addr add %(local)s/24 dev br-phy
ip link set br-phy up
ip addr flush dev eth1 2>/dev/null
ip link set eth1 up
iptables -F
"""


def howto_host(lab, host, vm, vm_address, local, remote):
    """The steps of the how-to on one host, with a VM on tap0 (the end of a veth pair). Its listing has add-port br0 tap0,
    which no bridge of the how-to is called: ovs-vsctl itself refuses that."""
    host.start()
    lab.veth(host, "tap0", vm, "eth0")
    host.ip("addr add %s/24 dev eth1" % local)
    mac = host.sh("cat /sys/class/net/eth1/address").strip()
    refused = host.vsctl("add-port br0 tap0", check=False)
    assert refused.returncode == 1 and refused.stderr == "ovs-vsctl: no bridge named br0\n", refused.stderr
    typed(host, HOWTO % {"remote": remote, "local": local, "mac": mac})
    typed(vm, "ip addr add %s/24 dev eth0\nip link set eth0 up\nip link set eth0 mtu 1450" % vm_address)
    assert host.vsctl("get interface br-phy mac_in_use").strip() == '"%s"' % mac


def test_userspace_tunneling_howto(lab):
    host1, host2 = lab.host("a"), lab.host("b")
    vm1, vm2 = lab.guest("vm1"), lab.guest("vm2")
    for vm in (vm1, vm2):
        vm.env = host1.env
    lab.veth(host1, "eth1", host2, "eth1")
    howto_host(lab, host1, vm1, "192.168.1.1", "172.168.1.1", "172.168.1.2")
    howto_host(lab, host2, vm2, "192.168.1.2", "172.168.1.2", "172.168.1.1")
    # "Once complete, check the cached routes": there already, so that the how-to's route/add is not needed.
    routes = typed(host1, "ovs-appctl ovs/route/show")
    assert re.search(r"(?m)^Cached: 172\.168\.1\.0/24 dev br-phy SRC 172\.168\.1\.1", routes), routes
    # "ping to VXLAN target device should work."
    answers(vm1, "192.168.1.2")
    answers(vm2, "192.168.1.1")
    tcp(lab, vm1, vm2, "192.168.1.2")
    howto_commands(host1)
    answers(vm1, "192.168.1.2")


def howto_commands(host):
    """The section of tunneling-related commands."""
    typed(host, "ovs-appctl ovs/route/add 192.0.2.0/24 br-phy 172.168.1.2")
    assert "User: 192.0.2.0/24 dev br-phy GW 172.168.1.2" in typed(host, "ovs-appctl ovs/route/show")
    assert "gateway 172.168.1.2" in typed(host, "ovs-appctl ovs/route/lookup 192.0.2.7")
    assert "dev br-phy" in typed(host, "ovs-appctl ovs/route/lookup 172.168.1.2")
    typed(host, "ovs-appctl ovs/route/del 192.0.2.0/24")
    assert "192.0.2.0" not in typed(host, "ovs-appctl ovs/route/show")
    assert re.search(r"172\.168\.1\.2 +\S+ +br-phy", typed(host, "ovs-appctl tnl/arp/show"))
    typed(host, "ovs-appctl tnl/arp/flush")
    assert "172.168.1.2" not in typed(host, "ovs-appctl tnl/arp/show")
    typed(host, "ovs-appctl tnl/arp/set br-phy 172.168.1.9 02:00:00:00:00:09")
    assert re.search(r"172\.168\.1\.9 +02:00:00:00:00:09 +br-phy", typed(host, "ovs-appctl tnl/arp/show"))
    assert "vxlan_sys_4789" in typed(host, "ovs-appctl tnl/ports/show")
    typed(host, "ovs-appctl tnl/egress_port_range 40000 50000")
    assert typed(host, "ovs-appctl tnl/egress_port_range").strip().endswith("40000-50000")
    shown = typed(host, "ovs-appctl dpif/show")
    assert "vxlan0 " in shown and "remote_ip=172.168.1.2" in shown and "eth1 " in shown, shown
    assert "tnl_push" in typed(host, "ovs-appctl dpif/dump-flows br-int")
    # As the how-to has it, without a bridge: that is refused, in the same words as by Open vSwitch.
    bare = run(host.cmd("ovs-appctl", "dpif/dump-flows"), check=False, env=host.env)
    assert bare.returncode == 2 and '"dpif/dump-flows" command requires at least 1 arguments' in bare.stderr, bare.stderr


# ------------------------------------------------------------------ two hosts

BRIDGES = r"""
ovs-vsctl add-br br-ex
ovs-vsctl add-port br-ex eth0
ip addr add %(local)s/24 dev br-ex
ip link set br-ex up
ovs-vsctl add-br br-int
ovs-vsctl add-br br-tun
ovs-vsctl add-port br-tun vxlan1 -- set interface vxlan1 type=vxlan options:remote_ip=%(remote)s options:key=7
ovs-vsctl add-port br-int int-tun3 tag=3 -- set interface int-tun3 type=patch options:peer=tun-int3
ovs-vsctl add-port br-tun tun-int3 -- set interface tun-int3 type=patch options:peer=int-tun3
ovs-vsctl add-port br-int vm0 tag=3
"""
ROUTER = r"""
ovs-vsctl add-port br-int int-ex tag=10 -- set interface int-ex type=patch options:peer=ex-int
ovs-vsctl add-port br-ex ex-int -- set interface ex-int type=patch options:peer=int-ex
ovs-vsctl add-port br-int vport-router tag=3 -- set interface vport-router type=internal
ovs-vsctl add-port br-int vport-fip tag=10 -- set interface vport-fip type=internal
ovs-vsctl add-port br-ex ext0
ip link set vport-router netns %(router)s
ip link set vport-fip netns %(router)s
ip netns exec %(router)s ip addr add 10.0.0.1/24 dev vport-router
ip netns exec %(router)s ip link set vport-router up
ip netns exec %(router)s ip addr add 203.0.113.5/24 dev vport-fip
ip netns exec %(router)s ip link set vport-fip up
ip netns exec %(router)s sysctl -qw net.ipv4.ip_forward=1
ip netns exec %(router)s sysctl -qw net.ipv4.conf.vport-fip.proxy_arp=1
ip netns exec %(router)s ip route add 203.0.113.10/32 dev vport-router
ip netns exec %(router)s iptables -t nat -A PREROUTING -d 203.0.113.10/32 -j DNAT --to-destination 10.0.0.12
ip netns exec %(router)s iptables -t nat -A POSTROUTING -s 10.0.0.12/32 -o vport-fip -j SNAT --to-source 203.0.113.10
"""


def test_two_hosts_and_a_floating_ip(lab):
    host1, host2 = underlay(lab)
    vm1, vm2, router, outside = lab.guest("vm1"), lab.guest("vm2"), lab.guest("router"), lab.guest("out")
    for host, vm, address, local, remote in ((host1, vm1, "10.0.0.11/24", "192.168.50.1", "192.168.50.2"),
                                             (host2, vm2, "10.0.0.12/24", "192.168.50.2", "192.168.50.1")):
        host.start()
        lab.veth(host, "vm0", vm, "eth0")
        vm.ip("link set eth0 mtu 1450")
        vm.take("eth0", address)
        typed(host, BRIDGES % {"local": local, "remote": remote})
    lab.veth(host1, "ext0", outside, "eth0")
    outside.take("eth0", "203.0.113.1/24")
    typed(host1, ROUTER % {"router": router.netns})
    for vm in (vm1, vm2):
        vm.ip("route add default via 10.0.0.1")
    answers(vm1, "10.0.0.12")                   # Through VXLAN.
    answers(vm2, "10.0.0.1")                    # The router is at the other host.
    answers(vm2, "203.0.113.1")                 # SNAT.
    answers(outside, "203.0.113.10")            # Proxy ARP and DNAT, to a VM of the other host.
    tcp(lab, vm1, vm2, "10.0.0.12")
    tcp(lab, outside, vm2, "203.0.113.10")
    # The outside sees the floating IP, and no tag.
    rx = outside.raw("eth0")
    vm2.ping("203.0.113.1", count=2)
    frames = [f for f in rx.recv(0.5) if f[12:14] == b"\x08\x00" and f[23] == 1]
    assert frames and all(f[26:30] == bytes([203, 0, 113, 10]) for f in frames), frames
    rx.close()
