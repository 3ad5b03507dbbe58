# SPDX-License-Identifier: Apache-2.0
"""Controllers as Debian packages them, unmodified, run the switch: os-ken's manager and Open vSwitch's test controller."""
import re
import threading
import time

from controllers import CONTROLLER, Console, controlled_bridge, osken, testcontroller, wait_connected
from lab import Failure, wait_until
from topology import numbered_frame


def test_learning_switch_of_osken(lab):
    host, (a, b) = controlled_bridge(lab)
    assert not host.flows("br0"), host.flows("br0")
    osken(host, "learning")
    wait_connected(host)
    assert a.ping("10.0.0.2", count=5, timeout=8) >= 4
    flows = host.ofctl("-O", "OpenFlow13", "--no-stats", "dump-flows", "br0")
    assert re.search(r"priority=1,in_port=p?1,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02 actions=output:p?2", flows), flows
    assert "actions=CONTROLLER:65535" in flows, flows
    # Now the flows carry it: nothing more goes up.
    before = re.search(r"priority=0.*?n_packets=(\d+)|n_packets=(\d+).*priority=0", host.ofctl("dump-flows", "br0"))
    assert b.ping("10.0.0.1", count=5) == 5
    assert before, host.ofctl("dump-flows", "br0")


def test_testcontroller(lab):
    host, (a, b) = controlled_bridge(lab, first=lambda host: testcontroller(host, "ptcp:6653:127.0.0.1"))
    wait_connected(host)
    assert a.ping("10.0.0.2", count=5, timeout=8) >= 4
    wait_until(lambda: "dl_dst=02:00:00:00:00:02" in host.ofctl("dump-flows", "br0"), 5, "its flows")


def test_vlan_router_and_acl_of_osken(lab):
    host, (a, b) = controlled_bridge(lab, addresses=("10.0.10.1/24", "10.0.20.1/24"), first=lambda host: osken(host, "router"))
    a.ip("route add default via 10.0.10.254")
    b.ip("route add default via 10.0.20.254")
    wait_connected(host)
    wait_until(lambda: "table=2" in host.ofctl("-O", "OpenFlow13", "dump-flows", "br0"), 10, "the pipeline")
    # The gateway answers, by packet-out, who asks for it and pings it.
    assert a.ping("10.0.10.254", count=3, timeout=8) >= 2
    b.ping("10.0.20.254", count=1, timeout=1, check=False)      # It is known from now on, though this is not answered.
    a.wait_for_ping("10.0.20.1", 15, "the way through the router")
    assert a.ping("10.0.20.1", count=5) == 5
    ttl = a.sh("ping -n -c 1 -W 2 10.0.20.1").split("ttl=")[1].split()[0]
    assert ttl == "63", ttl
    # The ACL: one port is shut, another is not.
    for port, shut in ((9999, True), (9998, False)):
        b.sh("echo hello | timeout 30 nc -l -q 0 -N 10.0.20.1 %d >/dev/null 2>&1 &" % port)
        wait_until(lambda: ":%d" % port in b.sh("ss -ltn"), 10, "the listener")
        got = a.sh("timeout %d nc -w %d 10.0.20.1 %d </dev/null" % ((2, 1, port) if shut else (12, 10, port)), check=False).stdout
        assert ("hello" in got) != shut, (port, got)
    denied = [f for f in host.ofctl("-O", "OpenFlow13", "dump-flows", "br0", "table=1").splitlines() if "tp_dst=9999" in f and "tcp" in f]
    assert len(denied) == 1 and not re.search(r"n_packets=0,", denied[0]), denied
    with open(host.dir + "/controller-router-6653.log") as f:
        log = f.read()
    assert "unexpected" not in log and "Traceback" not in log, log


def asked(console, name, *args):
    """The library's answer for the one switch; an exception of it is a failure."""
    result, beside = console.ofctl(name, *args)
    assert isinstance(result, dict) and len(result) == 1 and "OFPErrorMsg" not in dict(beside), (name, args, result, beside)
    return next(iter(result.values()))


def told(console, name, *args):
    """The refusals, (type, code), of what a call of the library changes."""
    result, beside = console.ofctl(name, *args)
    assert result is None, (name, args, result)
    return [(fields["type"], fields["code"]) for kind, fields in beside if kind == "OFPErrorMsg"]


def flows_by_library(console, version):
    """Flows added, read, changed and deleted by the calls below /stats/flow and /stats/flowentry."""
    flow = {"priority": 11, "cookie": 3, "idle_timeout": 30, "hard_timeout": 60, "match": {"in_port": 1},
            "actions": [{"type": "OUTPUT", "port": 2}]}
    other = dict(flow, priority=12, match={"dl_type": 0x800, "nw_proto": 6, "tp_dst": 80}, actions=[])
    assert not told(console, "mod_flow_entry", flow, 0) and not told(console, "mod_flow_entry", other, 0)
    count = lambda which=None: asked(console, "get_aggregate_flow_stats", *([which] if which else []))[0]["flow_count"]
    assert (count(), count({"match": {"in_port": 1}}), count({"out_port": 2})) == (2, 1, 1)
    found = asked(console, "get_flow_stats", {"match": {"in_port": 1}})
    assert [(f["priority"], f["cookie"], f["idle_timeout"], f["hard_timeout"], f["match"]) for f in found] == [
        (11, 3, 30, 60, {"in_port": 1})] and "OUTPUT" in str(found[0]) and "2" in str(found[0]), found
    # Modify, strictly and not; delete strictly what is not there, then what is.
    for command, port in ((1, 3), (2, 4)):
        assert not told(console, "mod_flow_entry", dict(flow, actions=[{"type": "OUTPUT", "port": port}]), command)
        assert count({"out_port": port}) == 1 and count({"out_port": 2}) == 0
    for priority, left in ((77, 2), (11, 1)):
        assert not told(console, "mod_flow_entry", dict(flow, priority=priority), 4)
        assert count() == left
    # os-ken 2.5 hangs up when it gets an error in OpenFlow 1.0.
    nowhere = dict(flow, actions=[{"type": "OUTPUT", "port": 0x12345678}])
    assert version == 1 or told(console, "mod_flow_entry", nowhere, 0) == [(2, 4)]
    assert not told(console, "mod_flow_entry", {}, 3) and count() == 0


def groups_by_library(console):
    out = lambda port, **more: dict(actions=[{"type": "OUTPUT", "port": port}], **more)
    groups = [{"type": "ALL", "group_id": 1, "buckets": [out(1), out(2)]},
              {"type": "SELECT", "group_id": 2, "buckets": [out(1, weight=3), out(2, weight=1)]},
              {"type": "INDIRECT", "group_id": 3, "buckets": [{"actions": [{"type": "GROUP", "group_id": 1}]}]},
              {"type": "FF", "group_id": 4, "buckets": [out(1, watch_port=1), out(2, watch_group=2)]}]
    for group in groups:
        assert not told(console, "mod_group_entry", group, 0)
    assert told(console, "mod_group_entry", groups[0], 0) == [(6, 0)]
    described = {g["group_id"]: (g["type"], len(g["buckets"])) for g in asked(console, "get_group_desc")}
    assert described == {1: ("ALL", 2), 2: ("SELECT", 2), 3: ("INDIRECT", 1), 4: ("FF", 2)}, described
    assert not told(console, "mod_group_entry", dict(groups[0], buckets=[out(3)]), 1)
    assert not told(console, "mod_flow_entry", {"match": {"in_port": 2}, "actions": [{"type": "GROUP", "group_id": 2}]}, 0)
    assert {g["group_id"]: len(g["bucket_stats"]) for g in asked(console, "get_group_stats")} == {1: 1, 2: 2, 3: 1, 4: 2}
    assert [g["ref_count"] for g in asked(console, "get_group_stats", 2)] == [1]
    features = asked(console, "get_group_features")[0]
    assert len(features["types"]) == 4 and "CHAINING" in features["capabilities"], features
    for group in groups:
        assert not told(console, "mod_group_entry", dict(group, buckets=[]), 2)
    assert not asked(console, "get_group_desc") and asked(console, "get_aggregate_flow_stats")[0]["flow_count"] == 0


def meters_by_library(console):
    meter = {"meter_id": 1, "flags": "KBPS", "bands": [{"type": "DROP", "rate": 1000}]}
    more = {"meter_id": 2, "flags": ["PKTPS", "BURST", "STATS"], "bands": [{"type": "DSCP_REMARK", "rate": 10, "burst_size": 5, "prec_level": 1}]}
    assert not told(console, "mod_meter_entry", meter, 0) and not told(console, "mod_meter_entry", more, 0)
    assert not told(console, "mod_flow_entry", {"match": {"in_port": 3}, "actions": [
        {"type": "METER", "meter_id": 1}, {"type": "OUTPUT", "port": 1}]}, 0)
    assert not told(console, "mod_meter_entry", dict(meter, bands=[{"type": "DROP", "rate": 2000}]), 1)
    assert [(m["meter_id"], sorted(m["flags"]), m["bands"][0]["rate"]) for m in asked(console, "get_meter_config")] == [
        (1, ["KBPS"], 2000), (2, ["BURST", "PKTPS", "STATS"], 10)]
    assert [(m["meter_id"], m["flow_count"]) for m in asked(console, "get_meter_stats", 1)] == [(1, 1)]
    assert set(asked(console, "get_meter_features")[0]["band_types"]) == {"DROP", "DSCP_REMARK"}
    for m in (meter, more):
        assert not told(console, "mod_meter_entry", m, 2)
    assert not asked(console, "get_meter_config") and asked(console, "get_aggregate_flow_stats")[0]["flow_count"] == 0


def test_ofctl_library_of_osken(lab):
    """What os-ken's REST interface is made of: each call, in OpenFlow 1.0 and 1.3."""
    consoles = {}
    versions = (1, 4)
    host, _ = controlled_bridge(
        lab, controllers=[], more=" -- set bridge br0 protocols=OpenFlow10,OpenFlow13",
        first=lambda host: consoles.update((v, Console(host, 6660 + v, 7000 + v, version=v)) for v in versions))
    for v, console in consoles.items():
        console.ask({"events": []})             # It listens.
    host.vsctl("set-controller br0 " + " ".join("tcp:127.0.0.1:%d" % (6660 + v) for v in versions))
    mac = host.sh("cat /sys/class/net/p1/address").strip()
    for v, console in consoles.items():
        console.wait_ready()
        assert asked(console, "get_desc_stats")["mfr_desc"] == "Nicira, Inc."
        assert len(asked(console, "get_table_stats")) == 254
        flows_by_library(console, v)
        ports = asked(console, "get_port_stats")
        assert sorted(str(p["port_no"]) for p in ports) == ["1", "2", "LOCAL"], ports
        assert [p["port_no"] for p in asked(console, "get_port_stats", 2)] == [2]
        assert not asked(console, "get_queue_stats")
        if v == 1:
            continue
        groups_by_library(console)
        meters_by_library(console)
        assert len(asked(console, "get_table_features")) == 254
        queues = asked(console, "get_queue_config", 1)
        assert [q["queues"] for q in queues] == [[]], queues
        port = {"port_no": 1, "hw_addr": mac, "config": 1, "mask": 1, "advertise": 0, "properties": []}
        config = lambda: [p["config"] for p in asked(console, "get_port_desc") if p["port_no"] == 1]
        assert not told(console, "mod_port_behavior", port) and config() == [1]
        assert not told(console, "mod_port_behavior", dict(port, config=0)) and config() == [0]
        for role in ("MASTER", "SLAVE", "EQUAL"):
            assert not told(console, "set_role", {"role": role})
            assert asked(console, "get_role")[0]["role"] == role


class Stream:
    """Numbered frames from one guest to the other, until stopped; which got through, and when."""

    def __init__(self, a, b, gap=0.002):
        self.tx, self.rx = a.raw("eth0"), b.raw("eth0")
        self.gap, self.sent, self.got, self.stop = gap, [], {}, threading.Event()
        self.threads = [threading.Thread(target=self.send), threading.Thread(target=self.receive)]
        for t in self.threads:
            t.start()

    def send(self):
        while not self.stop.is_set():
            self.sent.append(time.monotonic())
            self.tx.send(numbered_frame(len(self.sent) - 1))
            time.sleep(self.gap)

    def receive(self):
        while not self.stop.is_set():
            for f in self.rx.recv(0.05):
                if len(f) >= 82 and f[12:14] == b"\x08\x00" and f[36:38] == b"\x0f\xa1":
                    self.got[int.from_bytes(f[42:50], "big")] = time.monotonic()

    def end(self):
        time.sleep(0.3)
        self.stop.set()
        for t in self.threads:
            t.join()
        return [n for n in range(len(self.sent)) if n not in self.got and self.sent[n] < self.sent[-1] - 0.2]


def role(console, name, generation, fails=None):
    """Asks for a role by its number in OpenFlow 1.4; FAILS: the refusal's (type, code)."""
    answers = console.send("OFPRoleRequest", role={"nochange": 0, "equal": 1, "master": 2, "slave": 3}[name],
                           generation_id=generation)
    assert len(answers) == 1, answers
    if fails:
        assert answers[0][0] == "OFPErrorMsg" and (answers[0][1]["type"], answers[0][1]["code"]) == fails, answers
    else:
        assert answers[0][0] == "OFPRoleReply", answers
    return answers[0][1]


def add_flow(console, port):
    """A flow that a role may or may not add; the answers."""
    return console.send("OFPFlowMod", table_id=7, priority=port, cookie=port, cookie_mask=0, command=0, idle_timeout=0,
                        hard_timeout=0, buffer_id=0xffffffff, out_port=0, out_group=0, flags=0, importance=0,
                        match={"OFPMatch": {"type": 1, "length": 4, "oxm_fields": []}}, instructions=[])


def test_two_controllers_change_roles_under_traffic(lab):
    consoles = []
    host, (a, b) = controlled_bridge(
        lab, controllers=(CONTROLLER, "tcp:127.0.0.1:6654"), more=" -- set bridge br0 protocols=OpenFlow10,OpenFlow14",
        first=lambda host: consoles.extend(Console(host, 6653 + i, 7001 + i, version=5) for i in (0, 1)))
    one, two = consoles
    wait_connected(host)
    one.wait_ready()
    two.wait_ready()
    for line in ("priority=5,in_port=1,actions=2", "priority=5,in_port=2,actions=1"):
        host.ofctl("add-flow", "br0", line)
    host.ofctl("add-flow", "br0", "priority=9,in_port=1,icmp,actions=controller:64,2")
    stream = Stream(a, b)
    assert role(one, "master", 1)["role"] == 2
    assert not add_flow(one, 1)
    for round_, (up, down) in enumerate([(two, one), (one, two)] * 3):
        generation = 2 + round_
        assert role(up, "master", generation)["role"] == 2
        # The other is told that it is a slave now, and why.
        status = wait_until(lambda: down.events("OFPRoleStatus"), 3, "the role-status")
        assert [(s["role"], s["reason"], s["generation_id"]) for _, s in status] == [(3, 0, generation)], status
        assert not add_flow(up, 10 + round_)
        refused = add_flow(down, 30 + round_)
        assert [(n, r.get("type"), r.get("code")) for n, r in refused] == [("OFPErrorMsg", 1, 10)], refused  # BAD_REQUEST, IS_SLAVE
        role(down, "master", generation - 1, fails=(11, 0))                                                # ROLE_REQUEST_FAILED, STALE
        # Packets go up to the master alone, port news to both.
        up.events("OFPPacketIn"), down.events("OFPPacketIn", "OFPPortStatus")
        a.ping("10.0.0.2", count=1, timeout=2)
        wait_until(lambda: up.events("OFPPacketIn"), 3, "the master's packet-in")
        assert not down.events("OFPPacketIn")
    host.ofctl("-O", "OpenFlow10", "mod-port", "br0", "p2", "no-packet-in")
    for console in (one, two):
        wait_until(lambda: console.events("OFPPortStatus"), 3, "the port's news")
    roles = sorted(host.vsctl("--bare --columns=role list controller").split())
    assert wait_until(lambda: sorted(host.vsctl("--bare --columns=role list controller").split()) == ["master", "slave"],
                      8, "the roles in the database") and roles, roles
    lost = stream.end()
    assert not lost, "%d of %d frames lost while roles changed: %s" % (len(lost), len(stream.sent), lost[:10])
    assert "priority=15" in host.ofctl("dump-flows", "br0", "table=7") and "priority=3" not in host.ofctl("dump-flows", "br0", "table=7")


def takeover(stream, since, seconds=60):
    """Seconds from SINCE until frames get through."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        times = sorted(t for t in list(stream.got.values()) if t > since)
        if times:
            return times[0] - since
        time.sleep(0.05)
    raise Failure("nothing took over in %d s" % seconds)


def test_controller_dies_and_comes_back(lab):
    """In secure mode the flows stay; in standalone mode the switch takes over after three missed probes, as soon as Open
    vSwitch beside it does, and gives way again."""
    masters = []
    hosts = [controlled_bridge(lab, mode, name=name, ovs=name == "o", first=lambda host: masters.append(osken(host, "learning")))
             for mode, name in (("secure", "s"), ("standalone", "t"), ("standalone", "o"))]
    for host, _ in hosts:
        host.vsctl("set controller %s inactivity_probe=5000" % host.vsctl("get bridge br0 controller").strip("[]\n "))
    for host, (a, b) in hosts:
        wait_connected(host)
        a.wait_for_ping("10.0.0.2", 15, "the learning switch")
    (secure, (sa, _)), (alone, (ta, tb)), (ovs, (oa, ob)) = hosts
    streams = []
    for host, (a, b) in hosts[1:]:
        host.ofctl("del-flows", "br0")          # So that nothing gets through until somebody takes over.
        host.ofctl("add-flow", "br0", "priority=9,actions=drop")
        streams.append(Stream(a, b, 0.01))
    killed = time.monotonic()
    for p in masters:
        lab.end(p, 9)
    assert sa.ping("10.0.0.2", count=2) == 2            # Its flows carry on.
    times = [takeover(s, killed) for s in streams]
    for s in streams:
        s.end()
    ours, theirs = times
    assert abs(ours - theirs) < 2.5 and 13 < ours < 20, times
    assert "actions=NORMAL" in alone.appctl("bridge/dump-flows", "br0")
    assert "priority=9" not in alone.ofctl("dump-flows", "br0")
    assert sa.ping("10.0.0.2", count=2) == 2
    assert "dl_dst=02:00:00:00:00:02" in secure.ofctl("dump-flows", "br0")
    # Back: the hidden flow goes as soon as the controller does its work.
    for host, _ in hosts[:2]:
        osken(host, "learning")
    for host, (a, b) in hosts[:2]:
        wait_connected(host)
        a.wait_for_ping("10.0.0.2", 15, "the controller that came back")
    wait_until(lambda: "actions=NORMAL" not in alone.appctl("bridge/dump-flows", "br0"), 15, "the end of standalone")
    assert "CONTROLLER:65535" in alone.ofctl("-O", "OpenFlow13", "dump-flows", "br0")
