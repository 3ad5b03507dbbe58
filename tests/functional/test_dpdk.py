# SPDX-License-Identifier: Apache-2.0
"""Ports of type dpdk on virtual devices, with and without hugepages."""
from topology import two_guests


def test_af_packet_and_others(lab):
    host = lab.host()
    a, b = two_guests(lab, host)
    host.start()
    host.vsctl("add-br br0 -- add-port br0 p1")
    host.vsctl("add-port br0 nic0 -- set interface nic0 type=dpdk options:dpdk-devargs=net_af_packet0,iface=p2")
    a.wait_for_ping("10.0.0.2", 5, "an answer through net_af_packet")
    assert a.ping("10.0.0.2", count=5) == 5
    host.vsctl("add-port br0 null0 -- set interface null0 type=dpdk options:dpdk-devargs=net_null0,no-rx=1")
    host.vsctl("add-port br0 ring0 -- set interface ring0 type=dpdk options:dpdk-devargs=net_ring0")
    for name in ("nic0", "null0", "ring0"):
        assert int(host.vsctl("get interface %s ofport" % name)) > 0
    host.vsctl("del-port br0 ring0")        # It gives back what is sent to it: a loop.
    bad = host.vsctl("add-port br0 bad0 -- set interface bad0 type=dpdk options:dpdk-devargs=net_nonsense0", check=False)
    assert "bad0" in bad.stderr and host.vsctl("get interface bad0 ofport").strip() == "-1", bad.stderr
    none = host.vsctl("add-port br0 bad1 -- set interface bad1 type=dpdk", check=False)
    assert "dpdk-devargs" in none.stderr, none.stderr
    host.vsctl("del-port br0 null0")
    host.vsctl("del-port br0 nic0")
    assert not a.ping("10.0.0.2", count=1, timeout=1, check=False)
    host.vsctl("add-port br0 nic0 -- set interface nic0 type=dpdk options:dpdk-devargs=net_af_packet0,iface=p2")
    a.wait_for_ping("10.0.0.2", 5, "an answer after adding it again")


def test_without_hugepages(lab):
    host = lab.host()
    a, b = two_guests(lab, host)
    host.start_ovsdb()
    host.vsctl("--no-wait set Open_vSwitch . other_config:dpdk-extra=--no-huge")
    host.start()
    host.vsctl("add-br br0 -- add-port br0 p1 -- add-port br0 p2")
    a.ping("10.0.0.2")
    assert host.vsctl("get Open_vSwitch . dpdk_initialized").strip() == "true"


def test_failing_eal_leaves_the_control_plane(lab):
    host = lab.host()
    host.start_ovsdb()
    host.vsctl("--no-wait set Open_vSwitch . other_config:dpdk-extra=--nonsense")
    host.start()
    failed = host.vsctl("add-br br0", check=False)
    assert "br0" in failed.stderr, failed.stderr
    assert host.vsctl("get Open_vSwitch . dpdk_initialized").strip() == "false"
    assert host.vsctl("get interface br0 error").strip() not in ("[]", '""')
    host.ofctl("add-flow", "br0", "actions=drop")
    assert "actions=drop" in host.ofctl("dump-flows", "br0")
