# SPDX-License-Identifier: Apache-2.0
"""Numbers that interfaces ask for (ofport_request), beside Open vSwitch."""
from lab import wait_until

LINES = [
    # Who asks is served first, in one transaction too.
    "add-port br0 a -- set interface a type=internal -- add-port br0 b -- set interface b type=internal ofport_request=1",
    # A free number is taken over.
    "set interface a ofport_request=9",
    # One that somebody has without having asked for it, too: that one gets another.
    "add-port br0 c -- set interface c type=internal",
    "set interface b ofport_request=10",
    "set interface c ofport_request=10",
    # Of two that ask for the same, the first keeps it, whatever else is changed.
    "set interface b mtu_request=1400",
    "set bridge br0 other_config:dp-desc=x",
    "clear interface b ofport_request",
    "set bridge br0 other_config:dp-desc=y",
    "add-port br0 d -- set interface d type=internal ofport_request=9",
    "del-port a",
    # Who comes again under the same name is somebody else.
    "del-port c",
    "add-port br0 c -- set interface c type=internal",
    "del-port c -- add-port br0 c -- set interface c type=internal",
    "del-port br0 b",
    "add-port br0 b -- set interface b type=internal ofport_request=1",
    "set bridge br0 other_config:dp-desc=z",
]


def numbers(host):
    return {name: host.vsctl("get interface %s ofport" % name).strip()
            for name in "abcd" if host.vsctl("--columns=name find interface name=%s" % name).strip()}


def test_requested_numbers(lab):
    sluice, ovs = lab.host("sluice"), lab.host("ovs")
    sluice.start()
    ovs.start_ovs()
    for host in (sluice, ovs):
        host.vsctl("add-br br0 -- set bridge br0 datapath_type=netdev")
    for line in LINES:
        for host in (sluice, ovs):
            host.vsctl(line)
        ours, theirs = numbers(sluice), numbers(ovs)
        print("    %-90s %s %s" % (line[-90:], ours, theirs))
        assert ours == theirs, line
    log = sluice.log(100000)
    before = log.count("deleted interface")
    sluice.vsctl("set bridge br0 other_config:dp-desc=w")
    wait_until(lambda: "w" in sluice.ofctl("dump-desc", "br0"), what="the new description")
    assert sluice.log(100000).count("deleted interface") == before
