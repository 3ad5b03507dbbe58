# SPDX-License-Identifier: Apache-2.0
"""The tables of an OpenStack compute node: br-int, br-tun with learn, VXLAN; by hand, and by Neutron's agent itself."""
import json
import os

import lab as support
from lab import wait_until
from topology import tcp, underlay

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
    x.wait_for_ping("10.0.0.13", 6, "the first answer")
    assert x.ping("10.0.0.13", count=5) == 5
    tcp(lab, x, y, "10.0.0.13")
    mac = y.sh("cat /sys/class/net/eth0/address").strip()
    learned = [f for f in a.flows("br-tun", "table=20") if "dl_dst=" + mac in f]
    assert len(learned) == 1 and "hard_timeout=300" in learned[0], learned
    assert "load:0x64->NXM_NX_TUN_ID[],output:2" in learned[0], learned


# ---------------------------------------------------------------------- Neutron's own code (tests/support/neutron_node.py)
MACHINES = {"x": ("10.0.0.11", "02:00:00:00:00:11"), "y": ("10.0.0.13", "02:00:00:00:00:13")}


def agent_node(lab, host, address, peer, local, remote):
    """The agent on HOST, with machine LOCAL on a tunnel network (REMOTE is over there) and another on the flat network."""
    guest, flat = lab.guest(local), lab.guest(local + "f")
    for g, tap, ip, mac in ((guest, "tap", *MACHINES[local]), (flat, "tapf", "10.1.0." + address[-1], "02:00:00:00:01:0" + address[-1])):
        lab.veth(host, tap, g, "eth0")
        g.ip("link set eth0 mtu 1450")
        g.take("eth0", ip + "/24", mac)
    host.start()
    host.vsctl("add-br br-ex -- add-port br-ex eth0 -- add-br br-int -- add-port br-int tap -- add-port br-int tapf")
    host.ip("addr add %s/24 dev br-ex" % address)
    host.ip("link set br-ex up")
    plan = {"database": "unix:%s/db.sock" % host.dir, "config": host.dir + "/agent.ini", "done": host.dir + "/done",
            "local_ip": address, "tunnels": {"vxlan": [peer]},
            "networks": [{"tag": 1, "type": "vxlan", "segment": 100,
                          "ports": [{"name": "tap", "ip": MACHINES[local][0], "mac": MACHINES[local][1]}],
                          "remote": [{"ip": MACHINES[remote][0], "mac": MACHINES[remote][1], "via": peer}]},
                         {"tag": 2, "type": "flat",
                          "ports": [{"name": "tapf", "ip": "10.1.0." + address[-1], "mac": "02:00:00:00:01:0" + address[-1]}]}]}
    with open(host.dir + "/plan.json", "w") as f:
        json.dump(plan, f)
    script = os.path.join(os.path.dirname(os.path.abspath(support.__file__)), "neutron_node.py")
    process = lab.spawn(host.cmd("/usr/bin/python3", script), host.dir + "/controller-neutron.log",
                        dict(host.env, NEUTRON_PLAN=host.dir + "/plan.json"))
    return guest, flat, process


def set_up(host, process):
    wait_until(lambda: os.path.exists(host.dir + "/done") or process.poll() is not None, 90, "the agent", step=0.1)
    with open(host.dir + "/done") as f:
        text = f.read()
    assert text == "ok", text


def test_neutron_agent_programs_two_nodes(lab):
    a, b = underlay(lab)
    x, xf, agent_a = agent_node(lab, a, "192.168.50.1", "192.168.50.2", "x", "y")
    y, yf, agent_b = agent_node(lab, b, "192.168.50.2", "192.168.50.1", "y", "x")
    set_up(a, agent_a)
    set_up(b, agent_b)
    x.wait_for_ping("10.0.0.13", 6, "the first answer")
    assert x.ping("10.0.0.13", count=5) == 5
    tcp(lab, x, y, "10.0.0.13")
    # The ARP responder answers for the other machine: no request crosses the tunnel.
    assert "n_packets=0" not in [f for f in a.ofctl("-O", "OpenFlow13", "dump-flows", "br-tun", "table=21").splitlines()
                                 if "arp_tpa=10.0.0.13" in f][0]
    # Nobody may claim an address that is not his.
    x.ip("addr add 10.0.0.66/24 dev eth0")
    y.ip("neigh flush dev eth0")
    x.sh("arping -c 1 -w 1 -s 10.0.0.66 -I eth0 10.0.0.13 || ping -c 1 -W 1 -I 10.0.0.66 10.0.0.99", check=False)
    assert "10.0.0.66" not in y.sh("ip neigh"), y.sh("ip neigh")
    # The flat network, through br-ex and the wire.
    assert xf.wait_for_ping("10.1.0.2", 6, "the flat network")
    assert xf.ping("10.1.0.2", count=3) == 3
    assert not xf.ping("10.0.0.13", count=1, timeout=1, check=False)
    # The agents die; fail_mode is secure, so that everything goes on.
    for process in (agent_a, agent_b):
        lab.end(process, 9)
    assert x.ping("10.0.0.13", count=3) == 3 and xf.ping("10.1.0.2", count=3) == 3
    wait_until(lambda: "true" not in a.vsctl("--bare --columns=is_connected list controller"), 10, "the news of it", step=0.3)
