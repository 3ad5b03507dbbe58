# SPDX-License-Identifier: Apache-2.0
"""Beside Open vSwitch's own daemon, with the same configuration: texts of ovs-appctl that programs read, columns that are
written back, and what ovs-vsctl says of mistakes."""
import json
import re
import time

import lab as lab_module

CONFIG = ("add-br br0 -- set bridge br0 datapath_type=netdev -- add-port br0 p1 tag=7 -- add-port br0 p2 -- add-port br0 i1"
          " -- set interface i1 type=internal -- add-port br0 vx -- set interface vx type=vxlan options:remote_ip=192.0.2.1"
          " options:key=5 -- add-br br1 -- set bridge br1 datapath_type=netdev -- add-port br0 pt0 -- set interface pt0"
          " type=patch options:peer=pt1 -- add-port br1 pt1 -- set interface pt1 type=patch options:peer=pt0"
          " -- set-controller br1 tcp:127.0.0.1:1")


def pair(lab):
    """The same host twice: with sluice and with Open vSwitch; frames went from p1 to p2 in both."""
    hosts = []
    for name in ("sluice", "ovs"):
        host, a, b = lab.host(name), lab.guest(name + "a"), lab.guest(name + "b")
        for ns in (host, a, b):
            ns.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        lab.veth(host, "p1", a, "eth0")
        lab.veth(host, "p2", b, "eth0")
        a.take("eth0", "10.0.0.1/24", "02:00:00:00:00:01")
        b.take("eth0", "10.0.0.2/24", "02:00:00:00:00:02")
        (host.start if name == "sluice" else host.start_ovs)()
        host.vsctl(CONFIG)
        host.ofctl("add-flow", "br0", "in_port=p1,actions=output:p2")
        host.ofctl("add-flow", "br0", "in_port=p2,actions=output:p1")
        a.ping("10.0.0.2")
        hosts.append(host)
    return hosts


def shape(text):
    """The lines with every number the same, sorted: what a program that reads them relies on."""
    text = re.sub(r"/tmp/\S+", "PATH", text)
    text = re.sub(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", "MAC", text)
    text = re.sub(r"\(\d[\d.]* [KMG]iB\)", "", text)
    text = re.sub(r"\d+", "N", text)
    return sorted({re.sub(r" +", " ", line).strip() for line in text.splitlines()})


SAME = [["dpctl/show"], ["dpctl/show", "-s"], ["dpctl/show", "netdev@ovs-netdev"], ["dpctl/show", "nonsense"], ["dpctl/dump-dps"],
        ["dpif/dump-dps"], ["dpif/show"], ["dpif/show", "x"], ["dpctl/cache-get-size"], ["ofproto/list"], ["ofproto/list-tunnels"],
        ["fdb/stats-show", "br0"], ["fdb/show"], ["fdb/show", "nonsense"], ["coverage/read-counter", "nonsense"],
        ["coverage/read-counter"], ["vlog/list-pattern"], ["vlog/set", "nonsense"], ["vlog/set", "ANY:nonsense"], ["exit", "1", "2"],
        ["dpif/dump-flows"], ["dpif/dump-flows", "nonsense"], ["bridge/dump-flows", "nonsense"], ["bridge/reconnect", "nonsense"],
        ["mdb/show", "br0"], ["mdb/show", "nonsense"], ["stp/show"], ["rstp/show"], ["stp/show", "nonsense"], ["nonsense"],
        # Where nothing of the kind is configured.
        ["lacp/show"], ["lacp/show", "p1"], ["lacp/show-stats"], ["lacp/show-stats", "p1"], ["bond/list"], ["bond/show"],
        ["bond/show", "p1"], ["bond/migrate", "p1", "4", "p2"], ["bond/set-active-member", "p1", "p2"],
        ["bond/enable-member", "p1", "p2"], ["bond/disable-member", "p1", "p2"], ["cfm/show"], ["cfm/show", "p1"],
        ["cfm/set-fault", "normal"], ["cfm/set-fault", "p1", "true"], ["cfm/set-fault", "nonsense"], ["bfd/show"], ["bfd/show", "p1"],
        ["bfd/set-forwarding", "normal"], ["bfd/set-forwarding", "p1", "false"], ["bfd/set-forwarding", "nonsense"],
        ["autoattach/status"], ["autoattach/status", "br0"], ["autoattach/show-isid"], ["autoattach/statistics"],
        ["dpctl/dump-conntrack"], ["dpctl/flush-conntrack"], ["dpctl/ct-get-nconns"], ["dpctl/ct-stats-show"],
        ["qos/show", "p1"], ["qos/show", "br0"], ["qos/show", "nonsense"], ["qos/show"], ["qos/show-types", "nonsense"],
        ["dpif/show-dp-features", "nonsense"], ["revalidator/wait"], ["revalidator/purge"], ["vlog/reopen"], ["fdb/flush", "nonsense"], ["dpctl/dump-flows", "nonsense"]]


def test_texts(lab):
    sluice, ovs = pair(lab)
    wrong = []
    for command in SAME:
        texts = []
        for host in (sluice, ovs):
            p = host.appctl(*command, check=False)
            texts.append(shape(p.stdout + p.stderr) + [str(p.returncode)])
        if texts[0] != texts[1]:
            wrong.append("%s\n  sluice: %s\n  ovs:    %s" % (" ".join(command), *texts))
    assert not wrong, "\n".join(wrong)
    # No command is missing; what can't be done is refused with a reason.
    names = [set(re.findall(r"^  (\S+)", h.appctl("list-commands"), re.M)) for h in (sluice, ovs)]
    assert not names[1] - names[0], names[1] - names[0]
    for args in (["dpctl/add-dp", "x"], ["dpctl/ct-get-maxconns"], ["upcall/set-flow-limit", "5"], ["bond/hash", "00:00:00:00:00:01"]):
        said = sluice.appctl(*args, check=False)
        assert said.returncode and args[0] in said.stderr and "valid command" not in said.stderr, said
    features = [dict(re.findall(r"(.+): (.+)\n", h.appctl("dpif/show-dp-features", "br0"))) for h in (sluice, ovs)]
    assert list(features[0]) == list(features[1]) and features[0]["CT state"] == "No" and features[0]["Recirc"] == "Yes", features
    listed = sluice.appctl("dpctl/list-commands")
    assert "dpctl/dump-flows" in listed and "fdb/show" not in listed
    # What the daemons count differs; how it is written does not.
    line = r"\S+ +\d+\.\d/sec +\d+\.\d{3}/sec +\d+\.\d{4}/sec   total: \d+"
    for host in (sluice, ovs):
        text = host.appctl("coverage/show").splitlines()
        assert re.fullmatch(r"Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash=[0-9a-f]{8}:", text[0])
        assert len(text) > 3 and all(re.fullmatch(line, x) for x in text[1:-1]), text
        assert re.fullmatch(r"\d+ events never hit", text[-1]), text
        assert re.fullmatch(r"[^:]+:\d+( [^:]+:\d+)*\n", host.appctl("memory/show"))
        assert re.match(r"netdev@ovs-netdev:\n  flows         : \(current \d+\) \(avg \d+\) \(max \d+\) \(limit \d+\)\n"
                        r"  dump duration : \d+ms\n  ufid enabled : (true|false)\n\n  \d+: \(keys \d+\)\n",
                        host.appctl("upcall/show"))
    used = [dict(re.findall(r"([a-zA-Z][^:]*):(\d+)", h.appctl("memory/show"))) for h in (sluice, ovs)]
    assert used[0]["ports"] == used[1]["ports"] and "rules" in used[0], used
    assert all(re.search(r"n_offload_packets=0, n_offload_bytes=0, in_port=\d+,actions=output:\d+",
                         h.appctl("bridge/dump-flows", "--offload-stats", "br0")) for h in (sluice, ovs))
    for flow in ("", " ", ","):
        for args in (["ofproto/trace", "br0", flow], ["ofproto/trace-packet-out", "br0", flow, "2"]):
            assert all(h.appctl(*args, check=False).returncode for h in (sluice, ovs)), args
    # A cached flow in Open vSwitch's words: numbers of ports, or their names.
    number = re.search(r"port (\d+): p1\n", sluice.appctl("dpctl/show"))[1]
    sluice.lab.namespaces[1].ping("10.0.0.2")
    flow = r"in_port\(%s\),packet_type\(ns=0,id=0\),.*eth_type\(0x0800\),ipv4\(.*frag=no\), packets:\d+, bytes:\d+, used:\d+\.\d{3}s, actions:%s\n"
    assert re.search(flow % (number, r"\d+"), sluice.appctl("dpctl/dump-flows"))
    for more in ("--names", "-m"):
        assert re.search(flow[:-2] % ("p1", "p2"), sluice.appctl("dpctl/dump-flows", more))
    assert re.search(flow % (number, r"\d+"), sluice.appctl("dpif/dump-flows", "br0"))
    assert sluice.appctl("dpctl/dump-flows", "type=offloaded") == "" == sluice.appctl("dpctl/dump-flows", "pmd=99")
    sluice.appctl("dpctl/del-flows")
    assert "eth_type(0x0800)" not in sluice.appctl("dpctl/dump-flows")


def test_bond(lab):
    """Of several interfaces the first usable one carries the traffic, and bond/show says which."""
    host, c = lab.host(), lab.guest("c")
    d = lab.guest("d")
    for ns in (host, c, d):
        ns.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
    for name in ("p1", "p2"):
        lab.veth(host, name, c, name)
        c.sh("ip link set %s up" % name)
    lab.veth(host, "p3", d, "eth0")
    d.sh("ip link set eth0 up")
    host.start()
    host.vsctl("add-br br0 -- add-bond br0 bond0 p1 p2 bond_mode=balance-slb -- add-port br0 p3")
    lab_module.wait_until(lambda: "port bond0: bonding is configured, but this version does not do it" in host.log(), 5, "the warning")
    frame = bytes.fromhex("ffffffffffff020000000099" "88b5").ljust(60, b"\7")
    order = re.search(r"bond0\tactive-backup\t0\t(\w+), (\w+)", host.appctl("bond/list")).groups()
    assert sorted(order) == ["p1", "p2"]

    def active(name):
        shown = host.appctl("bond/show", "bond0")
        return "member %s: enabled\n  active member\n  may_enable: true\n" % name in shown

    ports = {name: c.raw(name) for name in order}
    far = d.raw("eth0")

    def carries(name, other):
        """Frames leave by NAME alone, and are taken from there alone."""
        far.send(frame)
        assert frame in ports[name].recv(5, 1) and not ports[other].recv(0.3)
        back = bytes.fromhex("ffffffffffff020000000088" "88b5").ljust(60, b"\7")
        ports[other].send(back)
        assert not far.recv(0.3)
        ports[name].send(back)
        assert far.recv(5, 1) == [back]

    lab_module.wait_until(lambda: active(order[0]), 5, "the first member")
    carries(*order)
    c.sh("ip link set %s down" % order[0])
    lab_module.wait_until(lambda: active(order[1]), 5, "the second member")
    assert "member %s: disabled\n  may_enable: false\n" % order[0] in host.appctl("bond/show")
    far.send(frame)
    assert frame in ports[order[1]].recv(5, 1)


def test_settings_without_effect(lab):
    """... are told once in the log."""
    host = lab.host()
    host.start()
    host.vsctl("add-br br0 -- add-port br0 i1 -- set interface i1 type=internal cfm_mpid=5 lldp:enable=true other_config:tx-steering=hash"
               " -- set bridge br0 other_config:in-band-queue=3"
               " -- set Open_vSwitch . other_config:max-idle=20000 other_config:hw-offload=false other_config:n-handler-threads=2"
               " -- set-controller br0 tcp:127.0.0.1:1 -- set controller br0 controller_queue_size=50")
    said = ["Open_vSwitch: other_config:max-idle has no effect", "Open_vSwitch: other_config:n-handler-threads has no effect",
            "bridge br0: other_config:in-band-queue has no effect", "interface i1: other_config:tx-steering has no effect",
            "interface i1: cfm_mpid is configured", "interface i1: lldp is configured",
            "controller tcp:127.0.0.1:1: controller_queue_size is configured"]
    for text in said:
        lab_module.wait_until(lambda t=text: t in host.log(), 5, text)
    host.vsctl("set Open_vSwitch . other_config:max-idle=30000 -- set bridge br0 other_config:in-band-queue=4")
    log = host.log()
    for text in said:
        assert log.count(text) == 1, text
    assert "hw-offload" not in log


def test_counters_of_devices(lab):
    """A device's counters are the kernel's: those from before it was a port are among them."""
    frame = bytes.fromhex("020000000002020000000001080000")
    for name in ("sluice", "ovs"):
        host, a = lab.host(name), lab.guest(name + "a")
        for ns in (host, a):
            ns.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        lab.veth(host, "p1", a, "eth0")
        for _ in range(7):
            a.raw("eth0").send(frame.ljust(60, b"\0"))
        (host.start if name == "sluice" else host.start_ovs)()
        host.vsctl("add-br br0 -- set bridge br0 datapath_type=netdev -- add-port br0 p1")
        for _ in range(3):
            a.raw("eth0").send(frame.ljust(60, b"\0"))
        lab_module.wait_until(lambda: "rx pkts=10, bytes=600" in host.ofctl("dump-ports", "br0", "p1"), 5, "ten packets on " + name)
        host.vsctl("del-port p1 -- add-port br0 p1")
        host.vsctl("del-port p1")
        host.vsctl("add-port br0 p1")
        text = host.ofctl("dump-ports", "br0", "p1")
        assert "rx pkts=10, bytes=600" in text, (name, text)


# ------------------------------------------------------------------ the database

COLUMNS = {
    "Interface": ["ofport", "mac_in_use", "mtu", "admin_state", "link_state", "link_speed", "duplex", "ifindex", "link_resets",
                  "statistics", "status", "error", "lacp_current", "cfm_fault", "bfd_status"],
    "Port": ["statistics", "status", "rstp_status", "rstp_statistics", "bond_active_slave"],
    "Bridge": ["datapath_id", "datapath_version", "status", "rstp_status"],
    "Controller": ["is_connected", "role", "status"],
    "Open_vSwitch": ["ovs_version", "dpdk_initialized", "datapath_types", "iface_types", "statistics", "cur_cfg", "next_cfg"],
}

# Columns or keys of which one daemon knows more, and why.
DIFFERS = {
    ("Open_vSwitch", ".", "datapath_types"), ("Open_vSwitch", ".", "iface_types"),     # What each can do.
    ("Open_vSwitch", ".", "ovs_version"),                                              # There ovs-ctl writes it.
    ("Open_vSwitch", ".", "dpdk_initialized"),                                         # Always, here.
    ("Interface", "vx", "status"),          # Without a route Open vSwitch says nothing either.
}


def filled(value):
    """What a status reader can rely on: the keys of a map, the kind of anything else."""
    if isinstance(value, list) and value[0] == "map":
        return sorted(k for k, _ in value[1] if not k.startswith(("drop_", "sec_since")))
    if isinstance(value, list) and value[0] == "set":
        return "set of %d" % len(value[1])
    return type(value).__name__


def written(host):
    out = {}
    for table, columns in COLUMNS.items():
        key = {"Controller": "target", "Open_vSwitch": "_uuid"}.get(table, "name")
        text = json.loads(host.vsctl("--format=json --columns=%s list %s" % (",".join([key] + columns), table)))
        for row in text["data"]:
            values = dict(zip(text["headings"], row))
            name = "." if table == "Open_vSwitch" else values[key]
            for column in columns:
                out[table, name, column] = filled(values[column])
    return out


def test_columns_written_back(lab):
    sluice, ovs = pair(lab)
    time.sleep(6)           # Statistics are written every five seconds.
    mine, theirs = written(sluice), written(ovs)
    assert set(mine) == set(theirs)
    wrong = []
    for key, value in theirs.items():
        # A key more than Open vSwitch has is no harm.
        more = isinstance(value, list) and isinstance(mine[key], list) and set(value) <= set(mine[key])
        if mine[key] != value and not more and key not in DIFFERS:
            wrong.append("%s: sluice %s, ovs %s" % (key, mine[key], value))
    assert not wrong, "\n".join(wrong)


MISTAKES = [
    "add-port br0 nodev", "add-port br0 x1 -- set interface x1 type=nonsense", "add-port br0 x2 -- set interface x2 type=patch",
    "add-port br0 x3 -- set interface x3 type=patch options:peer=x3", "add-port br0 x4 -- set interface x4 type=vxlan",
    "add-port br0 x5 -- set interface x5 type=vxlan options:remote_ip=nonsense",
    "add-port br0 x6 -- set interface x6 type=vxlan options:remote_ip=192.0.2.1 options:key=5",
    "add-port br0 p1", "add-port nobr x7", "set interface p1 ofport_request=0",
    "set bridge br0 fail_mode=nonsense", "set port p1 tag=4096",
]


def test_mistakes_are_told(lab):
    sluice, ovs = pair(lab)
    wrong = []
    for line in MISTAKES:
        said = []
        for host in (sluice, ovs):
            p = host.vsctl(line, check=False)
            # The log's place is the host's own, and of the words behind the colon sluice has more.
            text = re.sub(r"  See ovs-vswitchd log for details\.|The default log directory is .*", "", p.stderr)
            said.append((p.returncode, len(p.stderr.splitlines()), re.findall(r"Error detected while setting up '\w+'", text)))
        if said[0] != said[1]:
            wrong.append("%s: sluice %s, ovs %s" % (line, *said))
        for host in (sluice, ovs):
            for name in re.findall(r"\bx\d|nodev", line):
                host.vsctl("--if-exists del-port " + name)
    assert not wrong, "\n".join(wrong)
    # The rest works on.
    assert sluice.vsctl("get interface p1 error").strip() == "[]"
    assert "in_port" in sluice.ofctl("dump-flows", "br0")
