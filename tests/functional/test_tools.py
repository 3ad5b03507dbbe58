# SPDX-License-Identifier: Apache-2.0
"""Every command of the stock tools that the switch promises to serve, and sluicectl."""
import json
import os
import re
import time

import openflow
from controllers import controlled_bridge
from lab import BUILD, run, wait_until
from topology import cross_connected, numbered_frame


def both(host, *args, **kw):
    """The command in OpenFlow 1.0 and in 1.3."""
    return [host.ofctl("-O", v, *args, **kw) for v in ("OpenFlow10", "OpenFlow13")]


def test_ofctl_asks(lab):
    host, a, b = cross_connected(lab)
    a.ping("10.0.0.2")
    for text in both(host, "show", "br0"):
        assert "1(p1)" in text and "2(p2)" in text and "LOCAL(br0)" in text, text
    for text in both(host, "dump-flows", "br0"):
        assert len(re.findall(r"n_packets=[1-9]", text)) == 2, text
    for text in both(host, "dump-ports", "br0"):
        assert re.search(r"port +(p1|1): rx pkts=[1-9]", text), text
    for text in both(host, "dump-ports-desc", "br0"):
        assert "p1" in text and "p2" in text, text
    for text in both(host, "dump-tables", "br0"):
        assert re.search(r"active=2, lookup=[1-9]", text), text
    for text in both(host, "dump-aggregate", "br0"):
        assert "flow_count=2" in text, text
    for text in both(host, "probe", "br0"):
        assert not text.strip(), text
    for text in both(host, "get-frags", "br0"):
        assert "normal" in text, text
    assert "OFPST_DESC" in host.ofctl("dump-desc", "br0")


def test_ofctl_changes(lab):
    host, a, b = cross_connected(lab)
    host.ofctl("add-flow", "br0", "cookie=0x11,table=3,priority=7,tcp,tp_dst=80,actions=output:1")
    host.ofctl("add-flow", "br0", "cookie=0x12,table=3,priority=7,tcp,tp_dst=81,actions=output:2")
    host.ofctl("mod-flows", "br0", "cookie=0x11,table=3,tcp,tp_dst=80,actions=output:2")
    text = host.ofctl("dump-flows", "br0", "table=3")
    assert text.count("actions=output:2") == 2, text
    assert "tp_dst=80" not in host.ofctl("dump-flows", "br0", "table=3,cookie=0x12/-1")
    host.ofctl("del-flows", "br0", "table=3,cookie=0x11/-1")
    assert "tp_dst=80" not in host.ofctl("dump-flows", "br0")
    host.ofctl("--strict", "del-flows", "br0", "table=3,priority=6,tcp,tp_dst=81")
    assert "tp_dst=81" in host.ofctl("dump-flows", "br0")
    host.ofctl("del-flows", "br0", "table=3,out_port=1")
    assert "tp_dst=81" in host.ofctl("dump-flows", "br0")
    host.ofctl("del-flows", "br0", "table=3,out_port=2")
    assert "tp_dst=81" not in host.ofctl("dump-flows", "br0")
    overlap = host.ofctl("add-flow", "br0", "check_overlap,priority=5,actions=drop", check=False)
    assert "OVERLAP" in overlap.stderr, overlap.stderr
    with open(lab.dir + "/flows", "w") as f:
        f.write("priority=5,in_port=1,actions=2\npriority=5,in_port=2,actions=1\ntable=4,ip,actions=drop\n")
    assert "table=4" in host.ofctl("-O", "OpenFlow13", "diff-flows", "br0", lab.dir + "/flows", check=False).stdout
    host.ofctl("-O", "OpenFlow13", "replace-flows", "br0", lab.dir + "/flows")
    assert host.ofctl("-O", "OpenFlow13", "diff-flows", "br0", lab.dir + "/flows") == ""
    host.ofctl("--bundle", "add-flows", "br0", "-", stdin="table=5,ip,actions=drop\ntable=5,arp,actions=drop\n")
    assert "flow_count=2" in host.ofctl("dump-aggregate", "br0", "table=5")
    half = host.ofctl("--bundle", "add-flows", "br0", "-", check=False,
                      stdin="table=6,ip,actions=drop\ntable=6,tcp,actions=group:77\n")
    assert half.returncode and "flow_count=0" in host.ofctl("dump-aggregate", "br0", "table=6")
    host.ofctl("mod-port", "br0", "p1", "no-forward")
    assert "NO_FWD" in host.ofctl("show", "br0")
    host.ofctl("mod-port", "br0", "p1", "forward")
    a.ping("10.0.0.2")


def test_packet_out_monitor_and_snoop(lab):
    host, a, b = cross_connected(lab)
    rx = b.raw("eth0")
    host.ofctl("packet-out", "br0", "in_port=CONTROLLER packet=%s actions=mod_dl_src:02:00:00:00:00:99,2" % numbered_frame(1).hex())
    got = wait_until(lambda: [f for f in rx.recv(0.2) if f[6:12].hex() == "020000000099"], 1, "the packet sent out")
    assert len(got) == 1, got
    # No action is not the same as the tables.
    host.ofctl("packet-out", "br0", "in_port=CONTROLLER packet=%s actions=drop" % numbered_frame(3).hex())
    assert not [f for f in rx.recv(0.3) if f == numbered_frame(3)]
    log = lab.dir + "/monitor.out"
    monitor = lab.spawn(["ovs-ofctl", "monitor", "br0", "65534"], log, host.env)
    time.sleep(0.5)
    host.ofctl("add-flow", "br0", "priority=9,in_port=1,udp,actions=controller")
    a.raw("eth0").send(numbered_frame(2))
    wait_until(lambda: "PACKET_IN" in open(log).read() and "in_port=1" in open(log).read(), 5, "the packet-in")
    lab.end(monitor)
    host.ofctl("add-flow", "br0", "idle_timeout=1,send_flow_rem,priority=10,icmp,actions=drop")
    host.ofctl("add-flow", "br0", "hard_timeout=1,priority=10,arp,arp_tpa=10.9.9.9,actions=drop")
    wait_until(lambda: "priority=10" not in host.ofctl("dump-flows", "br0"), 5, "the timeouts")


def test_snoop_hears_every_version(lab):
    """ovs-ofctl's own version is 1.0; what it is to show need not be."""
    listeners = []
    host, _ = controlled_bridge(lab, first=lambda host: listeners.append(openflow.Listener(host)))
    wire = listeners[0].accept()
    wire.barrier()
    log = lab.dir + "/snoop.out"
    snooper = lab.spawn(["ovs-ofctl", "snoop", "br0"], log, host.env)

    def heard():
        wire.ask(openflow.message(openflow.ECHO_REQUEST, b"hello"))
        with open(log) as f:
            text = f.read()
        return "OFPT_ECHO_REQUEST (OF1.3)" in text and "OFPT_ECHO_REPLY (OF1.3)" in text and "OFPT_BARRIER_REPLY (OF1.3)" in text
    wait_until(heard, 5, "what passes between switch and controller", step=0.1)
    assert snooper.poll() is None


def test_appctl(lab):
    host, a, b = cross_connected(lab)
    a.ping("10.0.0.2")
    assert re.search(r"\d+\.\d+", host.appctl("version").split()[-1])
    commands = host.appctl("list-commands")
    for name in ("exit", "vlog/set", "fdb/show", "fdb/flush", "ofproto/trace", "dpif/show", "dpctl/dump-flows",
                 "coverage/show", "memory/show", "sluice/drops", "tnl/arp/show", "ovs/route/show"):
        assert name in commands, name
    host.appctl("vlog/set", "ANY:file:dbg")
    assert "DBG" in host.appctl("vlog/list")
    host.appctl("vlog/set", "ANY:file:info")
    assert "br0" in host.appctl("ofproto/list")
    shown = host.appctl("dpif/show")
    assert "p1 1/" in shown and "br0:" in shown, shown
    for name in ("rules", "bytes per rule", "cache bytes"):
        assert name + ":" in host.appctl("memory/show")
    assert "Event coverage" in host.appctl("coverage/show")
    wait_until(lambda: re.search(r"\d\.0*[1-9]\d*/sec +total", host.appctl("coverage/show")), 30, "rates of events", 0.5)
    wait_until(lambda: "in_port(p1)" in host.appctl("dpctl/dump-flows", "--names"), 3, "a cached path")
    text = host.appctl("ofproto/trace", "br0", "in_port=1,udp,nw_dst=10.0.0.2,udp_dst=53")
    assert "priority 5" in text and "output:2" in text and "Datapath actions: p2" in text or "Datapath actions:" in text, text
    # With a packet the trace has side effects: addresses are learned, controllers hear of it.
    host.ofctl("add-flow", "br0", "priority=9,udp,udp_dst=777,actions=NORMAL")
    spec = "in_port=1,udp,dl_src=02:00:00:00:77:77,dl_dst=02:00:00:00:00:02,nw_dst=10.0.0.2,udp_dst=777"
    host.appctl("ofproto/trace", "br0", spec)
    assert "02:00:00:00:77:77" not in host.appctl("fdb/show", "br0")
    host.appctl("ofproto/trace", "br0", spec, "-generate")
    assert "02:00:00:00:77:77" in host.appctl("fdb/show", "br0")
    bad = host.appctl("ofproto/trace", "br0", "in_port=1,nonsense=7", check=False)
    assert bad.returncode and "nonsense" in bad.stderr, bad.stderr


def test_drops_have_reasons(lab):
    host, a, b = cross_connected(lab)
    host.ofctl("add-flow", "br0", "priority=9,in_port=1,udp,actions=drop")
    host.ofctl("add-flow", "br0", "priority=8,in_port=1,tcp,actions=resubmit(,77)")
    for n in range(10):
        a.raw("eth0").send(numbered_frame(n))
    text = wait_until(lambda: re.search(r"action +(\d+)", host.appctl("sluice/drops", "p1")), 3, "the drops")
    assert int(text[1]) >= 10, text


def test_sluicectl(lab):
    host, a, b = cross_connected(lab)
    a.ping("10.0.0.2")

    def ctl(*args, **kw):
        return run([os.path.join(BUILD, "tools/sluicectl/sluicectl"), "-t", host.ctl] + list(args), **kw)

    assert "p1" in ctl("show")
    shown = json.loads(ctl("--json", "show"))
    ports = {i["name"]: i for b in shown["bridges"] for i in b["interfaces"]}
    assert ports["p1"]["ofport"] == 1 and ports["p1"]["statistics"]["rx_packets"] > 0, ports
    ctl("add-flow", "br0", "table=9,ip,actions=drop")
    assert "table=9" in ctl("dump-flows", "br0") or "table_id=9" in ctl("dump-flows", "br0")
    bad = ctl("add-flow", "br0", "table=9,ip,actions=fly", check=False)
    assert bad.returncode == 1 and "fly" in bad.stderr, bad.stderr
    assert "Datapath actions" in ctl("trace", "br0", "in_port=1,ip")
    ctl("drops")
    top = json.loads(ctl("--json", "top", "0.5", "1"))
    assert {r["interface"] for r in top} >= {"p1", "p2"}, top
    assert ctl("fly", check=False).returncode == 1
