# SPDX-License-Identifier: Apache-2.0
"""The address that a bridge has of its ports', beside Open vSwitch."""
from lab import wait_until

LINES = [
    # Those of internal ports count, other than the manual page says.
    ("add-port br0 v0", "02:00:00:00:00:01"),
    ("add-port br0 i0 -- set interface i0 type=internal mac=\"00:10:00:00:00:40\"", "00:10:00:00:00:40"),
    ("add-port br0 v1", "00:10:00:00:00:20"),
    ("add-port br0 v2", "00:10:00:00:00:10"),
    # A port's row may say another, for better and worse.
    ("set port v2 mac=\"00:10:00:00:00:30\"", "00:10:00:00:00:20"),
    ("set port v0 mac=\"00:10:00:00:00:05\"", "00:10:00:00:00:05"),
    ("set port v0 mac=\"02:10:00:00:00:05\" -- clear port v2 mac", "00:10:00:00:00:10"),
    # Where a mirror's copies go.
    ("-- --id=@p get port v2 -- --id=@m create mirror name=m output_port=@p -- set bridge br0 mirrors=@m", "00:10:00:00:00:20"),
    ("clear bridge br0 mirrors", "00:10:00:00:00:10"),
    ("set bridge br0 other_config:hwaddr=\"02:00:00:00:77:01\"", "02:00:00:00:77:01"),
    ("remove bridge br0 other_config hwaddr -- del-port v2", "00:10:00:00:00:20"),
    ("del-port v1", "00:10:00:00:00:40"),
    ("del-port i0", "02:10:00:00:00:05"),
]


def address(host):
    mac = host.vsctl("get interface br0 mac_in_use").strip().strip('"')
    dpid = host.vsctl("get bridge br0 datapath_id").strip().strip('"')
    return mac, dpid


def test_address_of_a_bridge(lab):
    sluice, ovs = lab.host("sluice"), lab.host("ovs")
    sluice.start()
    ovs.start_ovs()
    for host in (sluice, ovs):
        for i, mac in enumerate(("02:00:00:00:00:01", "00:10:00:00:00:20", "00:10:00:00:00:10")):
            host.ip("link add v%d address %s type veth peer name w%d" % (i, mac, i))
            host.ip("link set v%d up" % i)
            host.ip("link set w%d up" % i)
        host.vsctl("add-br br0 -- set bridge br0 datapath_type=netdev")
    for line, want in LINES:
        for host in (sluice, ovs):
            host.vsctl(line)

            def settled():
                mac, dpid = address(host)
                # Where no address is globally administered Open vSwitch makes one up.
                own = int(mac[:2], 16) & 2 if want[:2] == "02" and host is ovs and "hwaddr=" not in line else mac == want
                return own and dpid == "0000" + mac.replace(":", "")
            wait_until(settled, what="%s's bridge has %s after %s; it has %s" % (host.name, want, line, address(host)))
