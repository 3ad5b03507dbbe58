# SPDX-License-Identifier: Apache-2.0
"""The thread through the whole house: packets between two veths, driven by the stock tools."""
import re

from lab import wait_until
from topology import two_guests


def test_flow_between_veths(lab):
    host = lab.host()
    a, b = two_guests(lab, host)
    host.start_json({"bridges": [{"name": "br0", "fail_mode": "secure", "ports": [
        {"name": "p1", "ofport_request": 1}, {"name": "p2", "ofport_request": 2}]}]})
    assert not a.ping("10.0.0.2", count=1, timeout=1, check=False)
    host.add_flows("br0", "in_port=1,actions=output:2\nin_port=2,actions=output:1\n")
    a.ping("10.0.0.2")
    flows = host.ofctl("dump-flows", "br0")
    assert "n_packets=0" not in flows, flows
    host.ofctl("del-flows", "br0")
    assert not a.ping("10.0.0.2", count=1, timeout=1, check=False)


def test_tcp_with_kernel_offloads(lab):
    host = lab.host()
    a, b = two_guests(lab, host)
    host.start_json({"bridges": [{"name": "br0", "ports": [{"name": "p1"}, {"name": "p2"}],
                                  "flows": ["actions=NORMAL"]}]})
    server = lab.spawn(b.cmd("iperf3", "-s", "-1"), lab.dir + "/iperf.out")
    wait_until(lambda: ":5201" in b.sh("ss -ltn"), what="iperf3")
    out = a.sh("iperf3 -c 10.0.0.2 -t 2 -f m", timeout=20)
    assert "receiver" in out, out
    lab.end(server)
    rate = float(re.search(r"([0-9.]+) Mbits/sec +receiver", out)[1])
    assert rate > 50, out


def test_ovsdb_drives_it(lab):
    host = lab.host()
    a, b = two_guests(lab, host)
    host.start()
    host.vsctl("add-br br0 -- set bridge br0 datapath_type=netdev")
    host.vsctl("add-port br0 p1 -- set interface p1 ofport_request=11")
    host.vsctl("add-port br0 p2")
    assert host.vsctl("get interface p1 ofport").strip() == "11"
    a.ping("10.0.0.2")
    shown = host.appctl("fdb/show", "br0")
    assert "02:00:00:00:00:01" in shown and "02:00:00:00:00:02" in shown, shown
    bad = host.vsctl("add-port br0 nosuch0", check=False)
    assert "nosuch0" in bad.stderr, bad.stderr
    host.vsctl("del-port br0 p2")
    assert not a.ping("10.0.0.2", count=1, timeout=1, check=False)
