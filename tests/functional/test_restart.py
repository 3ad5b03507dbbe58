# SPDX-License-Identifier: Apache-2.0
"""What outlives the daemon: flows, groups, meters, addresses, port numbers, and how long nothing is forwarded."""
import datetime
import os
import re
import signal
import struct
import threading
import time

from lab import alone, wait_until
from topology import two_guests

A_MAC, B_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def start(lab, ports="add-port br0 p1 -- add-port br0 p2"):
    host = lab.host()
    guests = two_guests(lab, host, quiet=True)
    host.start()
    host.vsctl("add-br br0 -- set-fail-mode br0 secure -- " + ports)
    return host, guests


def state_of(host):
    """What must be the same before and after, without what changes by itself."""
    drop = re.compile(r"(duration|idle_age|hard_age)=[^, ]*,? ?")
    flows = [drop.sub("", line) for line in host.ofctl("-O", "OpenFlow15", "dump-flows", "br0").splitlines()[1:]]
    return {"flows": sorted(flows),
            "groups": host.ofctl("-O", "OpenFlow15", "dump-groups", "br0").splitlines()[1:],
            "meters": host.ofctl("-O", "OpenFlow15", "dump-meters", "br0").splitlines()[1:],
            "tlvs": host.ofctl("dump-tlv-map", "br0").splitlines()[1:],
            "fdb": sorted(line.split()[:3] for line in host.appctl("fdb/show", "br0").splitlines()[1:]),
            "neighbours": host.appctl("tnl/arp/show"),
            "ofports": host.vsctl("--columns=name,ofport list interface")}


def fill(host):
    host.ofctl("-O", "OpenFlow15", "add-meter", "br0", "meter=3,pktps,burst,stats,bands=type=drop,rate=9,burst_size=3")
    host.ofctl("-O", "OpenFlow15", "add-group", "br0", "group_id=7,type=select,selection_method=dp_hash,"
               "bucket=bucket_id:1,weight:5,output:1,bucket=bucket_id:2,weight:3,output:2")
    host.ofctl("add-tlv-map", "br0", "{class=0x102,type=0x80,len=4}->tun_metadata0")
    host.add_flows("br0", """\
        table=1,cookie=0x1234,priority=7,ip,nw_dst=10.9.0.0/16,idle_timeout=900,actions=mod_vlan_vid:5,resubmit(,2)
        table=1,priority=8,tun_metadata0=0x7,actions=load:9->NXM_NX_REG3[],output:NXM_NX_REG3[0..15]
        table=2,hard_timeout=3000,send_flow_rem,actions=learn(table=3,hard_timeout=9,NXM_OF_VLAN_TCI[0..11],\
NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],output:NXM_OF_IN_PORT[])
        table=4,conj_id=5,ip,actions=conjunction(7,1/2)
        priority=1,actions=NORMAL
        """.replace("table=4,conj_id=5,ip,actions=conjunction(7,1/2)\n", "table=4,ip,nw_src=1.2.3.4,actions=conjunction(7,1/2)\n"))
    host.ofctl("-O", "OpenFlow13", "add-flow", "br0", "table=5,udp,actions=meter:3,group:7")
    host.appctl("tnl/arp/set", "br0", "192.0.2.9", "02:00:00:00:00:99")


def check_kept(host, before, what):
    after = state_of(host)
    # Hosts multicast on their own: a counter may have grown meanwhile, never shrunk.
    counted = [[int(n) for n in re.findall(r"n_packets=(\d+)", " ".join(x["flows"]))] for x in (before, after)]
    assert all(a >= b for b, a in zip(*counted)), "%s: %s" % (what, counted)
    for x in (before, after):
        x["flows"] = [re.sub(r"n_packets=\d+, n_bytes=\d+", "", f) for f in x["flows"]]
    for key in before:
        assert after[key] == before[key], "%s: %s\nbefore: %s\nafter:  %s" % (what, key, before[key], after[key])


def test_exit_and_start_again(lab):
    host, (a, _) = start(lab)
    # Numbers with a hole: p3 has had 3, p4 has 4.
    host.vsctl("add-port br0 p3 -- set interface p3 type=internal -- add-port br0 p4 -- set interface p4 type=internal")
    host.vsctl("del-port br0 p3")
    fill(host)
    a.ping("10.0.0.2")
    before = state_of(host)
    assert len(before["flows"]) == 6 and before["fdb"] and before["tlvs"], before
    assert host.stop() == 0
    assert os.stat(host.dir + "/sluice.state").st_mode & 0o77 == 0
    host.start()
    check_kept(host, before, "after exit")
    assert not os.path.exists(host.dir + "/sluice.state.loading")
    a.ping("10.0.0.2")


def test_crash_and_start_again(lab):
    host, (a, _) = start(lab)
    fill(host)
    a.ping("10.0.0.2")
    host.appctl("sluice/save-state")
    before = state_of(host)
    host.stop(signal.SIGKILL)
    host.start()
    # Without a second snapshot meanwhile: only packet counts may be older.
    check_kept(host, before, "after a crash")


def test_snapshots_by_themselves(lab):
    host, _ = start(lab)
    path = host.dir + "/sluice.state"
    host.ofctl("add-flow", "br0", "cookie=0xabc,actions=drop")
    wait_until(lambda: os.path.exists(path) and "cookie=0xabc" in open(path).read(), 15, "a snapshot with the flow")
    host.ofctl("del-flows", "br0")
    wait_until(lambda: "cookie=0xabc" not in open(path).read(), 15, "a snapshot without the flow")


def test_after_a_reboot_tables_are_empty(lab):
    host, _ = start(lab)
    fill(host)
    host.stop()
    path = host.dir + "/sluice.state"
    text = open(path).read()
    with open(path, "w") as f:
        f.write(re.sub("(?m)^boot .*$", "boot 00000000-0000-0000-0000-000000000000", text))
    host.start()
    assert "cookie" not in host.ofctl("dump-flows", "br0")
    # Another bridge of the same name is another bridge.
    fill(host)
    host.stop()
    host.vsctl("--no-wait del-br br0 -- add-br br0 -- set-fail-mode br0 secure")
    host.start()
    assert "cookie" not in host.ofctl("dump-flows", "br0")


def test_damaged_snapshot(lab):
    host, _ = start(lab)
    fill(host)
    host.stop()
    path = host.dir + "/sluice.state"
    lines = open(path).read().splitlines()
    at = [i for i, line in enumerate(lines) if line.startswith("flow ")]
    lines[at[0]] = "flow 1 2 3 4 5 table=1,nonsense=7,actions=output:what"
    lines[at[1]] = lines[at[1]][:len(lines[at[1]]) // 2]
    lines.insert(3, "group 3 deadbeef")
    lines.insert(3, "\x00\xff garbage")
    with open(path, "w", encoding="latin1") as f:
        f.write("\n".join(lines))
    host.start()
    assert len(host.flows("br0")) == 4, host.flows("br0")
    assert "nonsense" in host.log()


def test_flow_restore_wait_without_a_snapshot(lab):
    host, (a, _) = start(lab)
    host.vsctl("set-fail-mode br0 standalone")
    a.ping("10.0.0.2")
    host.stop(signal.SIGKILL)
    if os.path.exists(host.dir + "/sluice.state"):
        os.unlink(host.dir + "/sluice.state")
    host.vsctl("--no-wait set Open_vSwitch . other_config:flow-restore-wait=true"
               " -- set-controller br0 tcp:127.0.0.1:6653")
    host.start()
    assert not a.ping("10.0.0.2", count=2, timeout=1, check=False)
    assert host.vsctl("get controller br0 status").strip() in ("{}", "{state=VOID}")
    host.ofctl("add-flow", "br0", "actions=NORMAL")
    host.vsctl("remove Open_vSwitch . other_config flow-restore-wait")
    a.ping("10.0.0.2")
    wait_until(lambda: "last_error" in host.vsctl("get controller br0 status"), what="an attempt to connect")


def test_flow_restore_wait_after_a_restore(lab):
    host, (a, _) = start(lab)
    host.ofctl("add-flow", "br0", "actions=NORMAL")
    host.ofctl("-O", "OpenFlow14", "add-group", "br0", "group_id=7,type=all,bucket=output:1,bucket=output:2")
    saved = host.ofctl("-O", "OpenFlow14", "dump-groups", "br0").splitlines()[1:]
    host.stop()
    host.vsctl("--no-wait set Open_vSwitch . other_config:flow-restore-wait=true"
               " -- set-controller br0 tcp:127.0.0.1:6653")
    host.start()
    a.ping("10.0.0.2")
    assert "last_error" not in host.vsctl("get controller br0 status")
    # As ovs-save does it: the group that is there is added again; another one of its number is refused.
    host.ofctl("-O", "OpenFlow14", "--bundle", "add-groups", "br0", "-", stdin="\n".join(saved))
    p = host.ofctl("-O", "OpenFlow14", "add-group", "br0", "group_id=7,type=all,bucket=output:1", check=False)
    assert "OFPGMFC_GROUP_EXISTS" in p.stderr, p.stderr
    host.vsctl("remove Open_vSwitch . other_config flow-restore-wait")
    wait_until(lambda: "last_error" in host.vsctl("get controller br0 status"), what="an attempt to connect")


class Stream:
    """A numbered frame from one guest to another each millisecond; when which one came."""

    def __init__(self, a, b):
        self.tx, self.rx = a.raw("eth0"), b.raw("eth0")
        self.sent, self.came, self.going = {}, {}, True
        self.threads = [threading.Thread(target=self.send), threading.Thread(target=self.receive)]
        for t in self.threads:
            t.start()

    def send(self):
        n = 0
        while self.going:
            n += 1
            self.sent[n] = time.monotonic()
            self.tx.send(B_MAC + A_MAC + b"\x88\xb5" + struct.pack("!I", n) + bytes(46))
            time.sleep(0.001)

    def receive(self):
        while self.going:
            for frame in self.rx.recv(0.005, want=1):
                if frame[12:14] == b"\x88\xb5":
                    self.came[struct.unpack("!I", frame[14:18])[0]] = time.monotonic()

    def end(self):
        self.going = False
        for t in self.threads:
            t.join()
        self.tx.close()
        self.rx.close()


def many_flows(n):
    for i in range(n):
        yield ("table=%d,cookie=0x%x,priority=%d,tcp,in_port=%d,dl_vlan=%d,nw_src=10.%d.%d.%d,nw_dst=192.168.%d.%d,tp_dst=%d,"
               "actions=set_field:%d->reg0,mod_dl_dst:02:00:00:00:%02x:%02x,resubmit(,%d)" %
               (1 + i % 10, i, 100 + i % 7, 1 + i % 50, 1 + i % 4000, i >> 16 & 255, i >> 8 & 255, i & 255, i >> 8 & 255,
                i & 255, i % 65535, i, i >> 8 & 255, i & 255, 11 + i % 10))


# What a restart is made of, by the lines of the log: each part ends with its line.
PARTS = [("process starts", r"opened log file"), ("database read", r"EAL ARGS"), ("EAL starts", r"packet buffers on"),
         ("pools and PMD threads", r"PMD thread on core +\d+ created"),
         ("ports opened", r"added interface p2"), ("settled", r"is ready")]


def print_parts(log, exit_time):
    """EXIT_TIME: seconds of the wall clock."""
    last = exit_time
    for name, pattern in PARTS:
        found = re.search(r"(?m)^(\S+?\.\d{3})Z\|.*" + pattern, log)
        if found:
            at = datetime.datetime.fromisoformat(found[1] + "+00:00").timestamp()
            print("      %-24s until %5.0f ms, %+5.0f ms" % (name, (at - exit_time) * 1e3, (at - last) * 1e3))
            last = at
    for line in re.findall(r"(?m)^.*flows restored.*$", log):
        print("      beside DPDK: %s" % line.split("|")[-1])


@alone
def test_gap_with_100000_flows(lab):
    n = 100000
    host, (a, b) = start(lab)
    host.ofctl("--bundle", "add-flows", "br0", "-", stdin="\n".join(many_flows(n)), timeout=120)
    host.add_flows("br0", "cookie=0xa,dl_type=0x88b5,in_port=1,actions=2\ncookie=0xb,priority=1,actions=NORMAL\n")
    a.ping("10.0.0.2")
    flows = host.ofctl("--no-stats", "--sort", "dump-flows", "br0", timeout=120)
    fdb = sorted(line.split()[:3] for line in host.appctl("fdb/show", "br0").splitlines()[1:])
    numbers = host.vsctl("--columns=name,ofport list interface")
    assert flows.count("cookie=0x") >= n and len(fdb) >= 2
    stream = Stream(a, b)
    wait_until(lambda: len(stream.came) > 100, what="frames")
    host.stop()
    exited, exited_at = time.monotonic(), time.time()
    host.start()
    wait_until(lambda: any(t > exited + 0.005 for t in list(stream.came.values())), 20, "frames again")
    time.sleep(0.2)
    stream.end()
    times = sorted(stream.came.values())
    gap = min(t for t in times if t > exited + 0.005) - exited
    silence = max(y - x for x, y in zip(times, times[1:]))
    log = host.log(200000)
    print("    gap from exit to the first frame: %.0f ms (no frame arrived for %.0f ms); its parts:" % (gap * 1e3, silence * 1e3))
    print_parts(log[log.rindex("terminating with signal"):], exited_at)
    assert host.ofctl("--no-stats", "--sort", "dump-flows", "br0", timeout=120) == flows
    assert sorted(line.split()[:3] for line in host.appctl("fdb/show", "br0").splitlines()[1:]) == fdb
    assert host.vsctl("--columns=name,ofport list interface") == numbers
    # A second is the goal on a machine that has nothing else to do.
    assert gap < 5.0, "%.0f ms" % (gap * 1e3)
