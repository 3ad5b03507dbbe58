# SPDX-License-Identifier: Apache-2.0
"""Beside Open vSwitch's own daemon, with the same configuration: texts of ovs-appctl that programs read, columns that are
written back, and what ovs-vsctl says of mistakes."""
import json
import re
import time

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
        ["revalidator/wait"], ["revalidator/purge"], ["vlog/reopen"], ["fdb/flush", "nonsense"], ["dpctl/dump-flows", "nonsense"]]


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
