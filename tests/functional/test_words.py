# SPDX-License-Identifier: Apache-2.0
"""Every action of ovs-actions(7) and every field of ovs-fields(7): in each OpenFlow version that has words for it, by
ovs-ofctl, how it reads back; and what the Nicira actions do to frames."""
import os
import re
import struct
import time

import frames as fr
from bench import Bench
from lab import Failure, run, wait_until

VERSIONS = ["10", "11", "12", "13", "14", "15"]
NAMES = {"all": VERSIONS, "not 11": [v for v in VERSIONS if v != "11"], "12-": VERSIONS[2:], "-14": VERSIONS[:-1]}


def words():
    """[(flow as given, {version: as it reads back, "-" or "!ERROR"})]"""
    rows = []
    with open(os.path.join(os.path.dirname(__file__), "../support/flow_words.txt")) as f:
        for line in f:
            line = line.rstrip("\n")
            if line.startswith(" "):
                versions, text = line.strip().split(": ", 1)
                rows[-1][1].update({v: text for v in NAMES.get(versions, versions.split())})
            elif not line.startswith("#"):
                rows.append((line, {v: line for v in VERSIONS}))
    return rows


def test_words_read_back(lab):
    host, rows = lab.host(), words()
    host.start()
    host.vsctl("add-br br0 -- set bridge br0 fail_mode=secure protocols=%s" % ",".join(
        "OpenFlow" + v for v in VERSIONS))
    host.ofctl("-O", "OpenFlow15", "add-tlv-map", "br0", "{class=0xffff,type=0,len=4}->tun_metadata0")
    host.ofctl("-O", "OpenFlow13", "add-meter", "br0", "meter=1,kbps,band=type=drop,rate=1000")
    host.ofctl("-O", "OpenFlow13", "add-group", "br0", "group_id=1,type=all,bucket=output:2")
    n = 0
    for v in VERSIONS:
        want, text = {}, ""
        for i, (given, back) in enumerate(rows):
            match, actions = given.split(" actions=")
            line = "priority=%d,%s,actions=%s\n" % (i + 1, match, actions)
            if back[v].startswith("!"):
                p = host.ofctl("-O", "OpenFlow" + v, "add-flow", "br0", line, check=False)
                assert p.returncode and back[v][1:] in p.stderr, "%s %s: %s" % (v, line, p.stderr)
            elif back[v] != "-":
                want[i + 1], text = back[v], text + line
        host.add_flows("br0", text, "OpenFlow" + v)
        got = {}
        for line in host.ofctl("-O", "OpenFlow" + v, "--no-stats", "dump-flows", "br0").splitlines():
            m = re.match(r" *priority=(\d+),? ?(.*)", line)
            if m:
                got[int(m[1])] = m[2]
        bad = ["%s: %s\n  expected %s\n  got      %s" % (v, rows[p - 1][0], w, got.get(p)) for p, w in want.items() if got.get(p) != w]
        if bad or len(got) != len(want):
            raise Failure("%d of %d flows:\n%s" % (len(bad), len(want), "\n".join(bad[:20])))
        host.ofctl("-O", "OpenFlow" + v, "del-flows", "br0")
        n += len(want)
    print("%d flows in %d versions" % (n, len(VERSIONS)))


TCP, UDP = fr.make("tcp4"), fr.make("udp4")
SWAPPED = fr.with_(TCP, "eth", src=fr.ETH[1]["dst"], dst=fr.ETH[1]["src"])
FIN = fr.with_(TCP, "tcp", flags=0x11)
LONG = fr.make("tcp4")[:-1] + [["raw", {"bytes": bytes(200)}]]

# (flows, frame into port 1, {port: what comes out})
RUNS = [
    ("actions=multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[]),resubmit(,1)\ntable=1,reg0=0,actions=2\ntable=1,priority=1,actions=3",
     TCP, {2: TCP}),
    ("actions=bundle(eth_src,0,active_backup,ofport,slaves:9,3)", TCP, {3: TCP}),
    ("actions=bundle(symmetric_l4,0,hrw,ofport,slaves:4)", TCP, {4: TCP}),
    ("actions=bundle_load(eth_src,0,active_backup,ofport,NXM_NX_REG0[0..15],slaves:9,3),output:NXM_NX_REG0[0..15]", TCP, {3: TCP}),
    ("priority=9,ip,nw_src=10.1.2.3,actions=conjunction(7,1/2)\npriority=9,tcp,tp_dst=2222,actions=conjunction(7,2/2)\n"
     "priority=9,conj_id=7,ip,actions=2\npriority=1,actions=3", TCP, {2: TCP}),
    ("priority=9,ip,nw_src=10.1.2.3,actions=conjunction(7,1/2)\npriority=9,tcp,tp_dst=2222,actions=conjunction(7,2/2)\n"
     "priority=9,conj_id=7,ip,actions=2\npriority=1,actions=3", UDP, {3: UDP}),
    ("actions=output(port=2,max_len=60),3", TCP, {2: fr.frame(TCP)[:60], 3: TCP}),
    ("actions=clone(mod_dl_src:02:00:00:00:00:99,2),3", TCP, {2: fr.with_(TCP, "eth", src="02:00:00:00:00:99"), 3: TCP}),
    ("actions=push:NXM_OF_ETH_SRC[],push:NXM_OF_ETH_DST[],pop:NXM_OF_ETH_SRC[],pop:NXM_OF_ETH_DST[],2", TCP, {2: SWAPPED}),
    ("actions=move:NXM_OF_ETH_SRC[]->NXM_NX_XXREG0[0..47],move:NXM_OF_ETH_DST[]->NXM_OF_ETH_SRC[],"
     "move:NXM_NX_XXREG0[0..47]->NXM_OF_ETH_DST[],2", TCP, {2: SWAPPED}),
    ("ip,actions=load:0xff->NXM_OF_IP_SRC[8..15],2", TCP, {2: fr.with_(TCP, "ip4", src="10.1.255.3")}),
    ("actions=check_pkt_larger(150)->NXM_NX_REG0[0],resubmit(,1)\ntable=1,reg0=1/1,actions=2\ntable=1,priority=1,actions=3", TCP, {3: TCP}),
    ("actions=check_pkt_larger(150)->NXM_NX_REG0[0],resubmit(,1)\ntable=1,reg0=1/1,actions=2\ntable=1,priority=1,actions=3", LONG, {2: LONG}),
    ("actions=note:01.02.03,2,exit,3", TCP, {2: TCP, 3: None}),
    ("actions=sample(probability=65535,collector_set_id=1,obs_domain_id=2,obs_point_id=3),2", TCP, {2: TCP}),
    ("actions=load:3->NXM_NX_REG5[],output:NXM_NX_REG5[]", TCP, {3: TCP}),
    ("priority=9,tcp,tcp_flags=+fin,actions=2\npriority=1,actions=3", FIN, {2: FIN, 3: None}),
    ("priority=9,tcp,tcp_flags=+fin,actions=2\npriority=1,actions=3", TCP, {2: None, 3: TCP}),
    ("ip,actions=dec_ttl(1,2),2", fr.with_(TCP, "ip4", ttl=1), {2: None}),
    ("ip,actions=dec_ttl(1,2),2", TCP, {2: fr.with_(TCP, "ip4", ttl=63)}),
    ("priority=9,packet_type=(0,0),actions=2\npriority=1,actions=3", TCP, {2: TCP, 3: None}),
    ("actions=set_queue:3,2,pop_queue,3", TCP, {2: TCP, 3: TCP}),
    ("actions=enqueue:2:1", TCP, {2: TCP}),
    ("actions=write_metadata:5/0xf,goto_table:1\ntable=1,metadata=5/0xf,actions=2\ntable=1,priority=1,actions=3", TCP, {2: TCP, 3: None}),
    ("actions=write_actions(output:2),goto_table:1\ntable=1,actset_output=2,actions=3\ntable=1,priority=1,actions=4", TCP,
     {2: TCP, 3: TCP, 4: None}),
    ("actions=write_actions(output:2),goto_table:1\ntable=1,actions=clear_actions", TCP, {2: None}),
    ("icmp6,icmp_type=135,actions=set_field:2001:db8::99->nd_target,set_field:02:00:00:00:00:99->nd_sll,2", fr.make("ns"),
     {2: fr.with_(fr.make("ns"), "icmp6", target="2001:db8::99", sll="02:00:00:00:00:99")}),
]


def test_words_meet_frames(lab):
    bench = Bench(lab)
    for text, sent, out in RUNS:
        bench.host.ofctl("-O", "OpenFlow13", "del-flows", "br0")
        # What these two send comes out after whatever SENT makes.
        last = "".join("priority=60000,in_port=1,dl_type=0x%x,actions=%d\n" % (0x9000 + p, p) for p in (2, 3, 4))
        bench.host.add_flows("br0", text + "\n" + last, "OpenFlow13")
        bench.raw[1].send(fr.frame(sent))
        # Frames of one flow keep their order; of two flows received at once, the one that is known goes first.
        markers = {p: bytes(12) + struct.pack("!H", 0x9000 + p) + bytes(46) for p in (2, 3, 4)}
        for _ in range(2):
            for p in (2, 3, 4):
                bench.raw[1].send(markers[p])
            time.sleep(0.002)
        for p in (2, 3, 4):
            want = out.get(p)
            want = [] if want is None else [want if isinstance(want, bytes) else fr.frame(want)]
            got = [frame for frame in bench.received(p, len(want) + 2) if frame != markers[p]]
            if got != want:
                raise Failure("%s\nport %d: expected %s\ngot %s" % (text, p, [x.hex() for x in want], [x.hex() for x in got]))
    host = bench.host
    host.ofctl("del-flows", "br0")
    host.ofctl("add-flow", "br0", "idle_timeout=500,tcp,actions=fin_timeout(idle_timeout=70),2")
    bench.raw[1].send(fr.frame(TCP))
    assert bench.received(2, 1) == [fr.frame(TCP)]
    assert "idle_timeout=500," in host.ofctl("dump-flows", "br0")
    bench.raw[1].send(fr.frame(FIN))
    assert bench.received(2, 1) == [fr.frame(FIN)]
    wait_until(lambda: "idle_timeout=70," in host.ofctl("dump-flows", "br0"), what="the shorter timeout")
    for action, error in (("ct(commit),2", "CT_DATAPATH_SUPPORT"), ("encap(nsh(md_type=1)),2", "BAD_"), ("group:99", "BAD_OUT_GROUP")):
        p = run(["ovs-ofctl", "-O", "OpenFlow13", "add-flow", "br0", "ip,actions=" + action], check=False, env=host.env)
        assert p.returncode and error in p.stderr, (action, p.stderr)
