# SPDX-License-Identifier: Apache-2.0
"""The tables of an OpenStack compute node: br-int, br-tun with learn, VXLAN."""
from lab import wait_until
from test_tunnel import tcp, underlay

LEARN = ("learn(table=20,hard_timeout=300,priority=1,cookie=0x2d2943b4d73d38b5,NXM_OF_VLAN_TCI[0..11],"
         "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],"
         "output:OXM_OF_IN_PORT[])")
TUN = """table=0,priority=1,in_port=1,actions=resubmit(,2)
table=0,priority=1,in_port=2,actions=resubmit(,4)
table=0,priority=0,actions=drop
table=2,priority=0,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00,actions=resubmit(,20)
table=2,priority=0,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,actions=resubmit(,22)
table=4,priority=1,tun_id=0x64,actions=mod_vlan_vid:1,resubmit(,10)
table=4,priority=0,actions=drop
table=10,priority=1,actions=%s,output:1
table=20,priority=0,actions=resubmit(,22)
table=22,priority=1,dl_vlan=1,actions=strip_vlan,set_tunnel:0x64,output:2
table=22,priority=0,actions=drop
""" % LEARN


def compute_node(host, address, peer):
    host.start()
    host.vsctl("add-br br-ex -- add-port br-ex eth0 -- add-br br-int -- add-br br-tun -- set-fail-mode br-tun secure"
               " -- add-port br-int patch-tun -- set interface patch-tun type=patch options:peer=patch-int"
               " -- add-port br-tun patch-int -- set interface patch-int type=patch options:peer=patch-tun ofport_request=1"
               " -- add-port br-tun vx0 -- set interface vx0 type=vxlan ofport_request=2 options:remote_ip=%s"
               " options:local_ip=%s options:in_key=flow options:out_key=flow" % (peer, address))
    host.ip("addr add %s/24 dev br-ex" % address)
    host.ip("link set br-ex up")
    host.add_flows("br-tun", TUN)


def vm(lab, host, name, address):
    guest = lab.guest(name)
    lab.veth(host, name, guest, "eth0")
    guest.ip("link set eth0 mtu 1450")
    guest.take("eth0", address)
    host.vsctl("add-port br-int %s tag=1" % name)
    return guest


def test_two_compute_nodes(lab):
    a, b = underlay(lab)
    compute_node(a, "192.168.50.1", "192.168.50.2")
    compute_node(b, "192.168.50.2", "192.168.50.1")
    x, y = vm(lab, a, "x", "10.0.0.11/24"), vm(lab, b, "y", "10.0.0.13/24")
    wait_until(lambda: x.ping("10.0.0.13", count=1, timeout=1, check=False), 6, "the first answer")
    assert x.ping("10.0.0.13", count=5) == 5
    tcp(lab, x, y, "10.0.0.13")
    mac = y.sh("cat /sys/class/net/eth0/address").strip()
    learned = [f for f in a.flows("br-tun", "table=20") if "dl_dst=" + mac in f]
    assert len(learned) == 1 and "hard_timeout=300" in learned[0], learned
    assert "load:0x64->NXM_NX_TUN_ID[],output:2" in learned[0], learned
