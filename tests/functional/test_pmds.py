# SPDX-License-Identifier: Apache-2.0
"""Several PMD threads: who polls which queue, and that moving queues and threads loses and reorders nothing."""
import os
import re
import struct
import threading
import time

from lab import Failure, wait_until
from topology import numbered_frame, two_guests


def shown(host):
    """pmd-rxq-show as {core: (isolated, [(port, queue, usage)])}."""
    out, core = {}, None
    lines = host.appctl("dpif-netdev/pmd-rxq-show").splitlines()
    if lines[0] != "Displaying last 60 seconds pmd usage %":
        raise Failure(lines[0])
    for line in lines[1:]:
        head = re.fullmatch(r"pmd thread numa_id (\d+) core_id (\d+):", line)
        if head:
            core = int(head[2])
            out[core] = [None, []]
        elif re.fullmatch(r"  isolated : (true|false)", line):
            out[core][0] = line.endswith("true")
        elif re.fullmatch(r"  overhead: [ \d]\d %", line):
            pass
        else:
            m = re.fullmatch(r"  port: (.{16})  queue-id: ([ \d]\d) \(enabled\)   pmd usage: ([ \d]?\d?\d) %", line)
            if not m:
                raise Failure("unexpected line: %r" % line)
            out[core][1].append((m[1].strip(), int(m[2]), int(m[3])))
    return out


def queues(host, core):
    return sorted(p for p, _, _ in shown(host).get(core, [None, []])[1])


class Stream:
    """Numbered frames from A to B all the while; then says what is missing and what came too late."""

    def __init__(self, a, b, pps=1500):
        self.tx, self.rx, self.gap = a.raw("eth0"), b.raw("eth0"), 1 / pps
        self.sent, self.got, self.done = 0, [], threading.Event()
        self.threads = [threading.Thread(target=self.send), threading.Thread(target=self.receive)]
        for t in self.threads:
            t.start()

    def send(self):
        due = time.monotonic()
        while not self.done.is_set():
            self.tx.send(numbered_frame(self.sent))
            self.sent += 1
            due += self.gap
            time.sleep(max(0, due - time.monotonic()))

    def receive(self):
        quiet = None
        while quiet is None or time.monotonic() < quiet:
            frames = self.rx.recv(0.02)
            for f in frames:
                if len(f) >= 82 and f[12:14] == b"\x08\x00" and f[36:38] == b"\x0f\xa1":
                    self.got.append(struct.unpack("!Q", f[42:50])[0])
            if self.done.is_set() and (frames or quiet is None):
                quiet = time.monotonic() + 0.5

    def end(self):
        self.done.set()
        for t in self.threads:
            t.join()
        if self.got != list(range(self.sent)):
            late = sum(1 for x, y in zip(self.got, self.got[1:]) if y < x)
            raise Failure("%d sent, %d came, %d different, %d out of order" % (
                self.sent, len(self.got), len(set(self.got)), late))
        return self.sent


def two_pmds(lab):
    if os.cpu_count() < 2:
        raise Failure("needs two CPUs")
    host = lab.host()
    a, b = two_guests(lab, host)
    host.start_ovsdb()
    host.vsctl("--no-wait init -- set Open_vSwitch . other_config:pmd-cpu-mask=3")
    host.start()
    host.vsctl("add-br br0 -- set bridge br0 datapath_type=netdev")
    host.vsctl("add-port br0 p1 -- add-port br0 p2")
    host.ofctl("add-flow", "br0", "in_port=p1,actions=output:p2")
    host.ofctl("add-flow", "br0", "in_port=p2,actions=output:p1")
    a.ping("10.0.0.2")
    return host, a, b


def cores_of(host, names):
    """Cores that threads with one of NAMES may run on: a set of sets."""
    tasks = "/proc/%d/task" % host.daemon.pid
    found = set()
    for task in os.listdir(tasks):
        with open("%s/%s/comm" % (tasks, task)) as f:
            if f.read().strip() in names:
                found.add(frozenset(os.sched_getaffinity(int(task))))
    return found


def test_moving_queues_loses_nothing(lab):
    host, a, b = two_pmds(lab)
    stream = Stream(a, b)
    for i in range(20):
        host.vsctl("set interface p1 other_config:pmd-rxq-affinity=0:%d" % (i % 2))
        assert "p1" in queues(host, i % 2), shown(host)
        assert host.appctl("dpif-netdev/pmd-rxq-rebalance") == "pmd rxq rebalance requested.\n"
    host.vsctl("remove interface p1 other_config pmd-rxq-affinity")
    for how in ("roundrobin", "group", "cycles"):
        host.vsctl("set Open_vSwitch . other_config:pmd-rxq-assign=%s" % how)
        host.appctl("dpif-netdev/pmd-rxq-rebalance")
    assert stream.end() > 100


def test_changing_the_mask_loses_nothing(lab):
    host, a, b = two_pmds(lab)
    stream = Stream(a, b)
    for mask in ("1", "3", "2", "3", "1", "2", "3"):
        host.vsctl("set Open_vSwitch . other_config:pmd-cpu-mask=%s" % mask)
        cores = [c for c in range(2) if int(mask) >> c & 1]
        assert sorted(shown(host)) == cores, shown(host)
        assert sum(len(queues(host, c)) for c in cores) == 3, shown(host)
        # All other threads leave PMDs their cores, if any remain.
        others = os.sched_getaffinity(0) - set(cores) or os.sched_getaffinity(0)
        assert cores_of(host, ("sluiced", "worker", "closer")) == {frozenset(others)}, others
        time.sleep(0.1)
    stream.end()
    # Counts of PMDs that are gone are not.
    flows = host.ofctl("dump-flows", "br0", "in_port=p1")
    assert int(re.search(r"n_packets=(\d+)", flows)[1]) >= stream.sent, flows
    a.ping("10.0.0.2")


def test_affinity_and_isolation(lab):
    host, a, b = two_pmds(lab)
    host.vsctl("set interface p1 other_config:pmd-rxq-affinity=0:1")
    pmds = shown(host)
    assert pmds[1][0] and not pmds[0][0], pmds
    assert queues(host, 1) == ["p1"] and queues(host, 0) == ["br0", "p2"], pmds
    # Only group may share the core.
    host.vsctl("set Open_vSwitch . other_config:pmd-rxq-isolate=false")
    assert shown(host)[1][0]
    host.vsctl("set Open_vSwitch . other_config:pmd-rxq-assign=group")
    pmds = shown(host)
    assert not pmds[1][0] and not pmds[0][0] and "p1" in queues(host, 1), pmds
    # A core without a PMD: somebody else does it, and the log says so.
    host.vsctl("set interface p1 other_config:pmd-rxq-affinity=0:77")
    assert sum(len(queues(host, c)) for c in (0, 1)) == 3
    assert "cannot be pinned with port 'p1' rx queue 0" in host.log(20000)
    host.vsctl("set interface p1 other_config:pmd-rxq-affinity=nonsense")
    assert "is no list of queue:core" in host.log(20000)
    a.ping("10.0.0.2")


def test_queues_of_a_dpdk_port(lab):
    host, a, b = two_pmds(lab)
    host.vsctl("add-port br0 n0 -- set interface n0 type=dpdk options:dpdk-devargs=net_null0,no-rx=1 options:n_rxq=4 "
               "options:n_rxq_desc=512 options:n_txq_desc=1024")
    wait_until(lambda: sum(queues(host, c).count("n0") for c in (0, 1)) == 4, what="four queues")
    assert sorted(len(queues(host, c)) for c in (0, 1)) == [3, 4], shown(host)      # With br0, p1 and p2.
    host.vsctl("set interface n0 options:n_rxq=2")
    wait_until(lambda: sum(queues(host, c).count("n0") for c in (0, 1)) == 2, what="two queues")
    host.vsctl("set interface n0 other_config:pmd-rxq-affinity=0:1,1:1")
    wait_until(lambda: queues(host, 1) == ["n0", "n0"], what="both on core 1")


def test_sleep_is_shown(lab):
    host, a, b = two_pmds(lab)
    a.ping("10.0.0.2")
    host.ofctl("packet-out", "br0", "in_port=CONTROLLER packet=%s actions=p2" % numbered_frame(1).hex())
    text = host.appctl("sluice/pmd-sleep-show")
    for what in ("sleeps:", "woken by control:", "woken by the clock:"):
        assert len(re.findall(what + r" +\d+", text)) == 2, text
    assert re.search(r"woken by control: +[1-9]\d*  \(\d+\.\d us late on average, \d+\.\d us at most\)", text), text
    text = host.appctl("dpif-netdev/pmd-perf-show")
    assert re.search(r"- sleep iterations: +[1-9]", text), text
    # As in Open vSwitch, whose default this is: a thread that never sleeps.
    host.vsctl("set Open_vSwitch . other_config:pmd-maxsleep=0")
    before = int(re.search(r"sleeps: +(\d+)", host.appctl("sluice/pmd-sleep-show"))[1])
    time.sleep(0.3)
    after = int(re.search(r"sleeps: +(\d+)", host.appctl("sluice/pmd-sleep-show"))[1])
    assert after - before < 5, (before, after)


def core_of(host, port):
    return next(c for c in (0, 1) if port in queues(host, c))


def long_queues_balance_themselves(lab):
    host, a, b = two_pmds(lab)
    # Queues without load are shared out by number: idle ports between them bring both onto one core.
    for i in range(4):
        if core_of(host, "p1") == core_of(host, "p2"):
            break
        host.vsctl("del-port p2 -- add-port br0 i%d -- set interface i%d type=internal" % (i, i))
        host.vsctl("add-port br0 p2")
        host.add_flows("br0", "in_port=p1,actions=output:p2\nin_port=p2,actions=output:p1\n")
    assert core_of(host, "p1") == core_of(host, "p2"), shown(host)
    there, back = Stream(a, b, 5000), Stream(b, a, 5000)
    # Nothing happens while it is off, or while no PMD is busy enough.
    host.vsctl("set Open_vSwitch . other_config:pmd-auto-lb=true other_config:pmd-auto-lb-rebal-interval=1 "
               "other_config:pmd-auto-lb-load-threshold=99 other_config:pmd-auto-lb-improvement-threshold=5")
    time.sleep(70)
    assert core_of(host, "p1") == core_of(host, "p2"), shown(host)
    host.vsctl("set Open_vSwitch . other_config:pmd-auto-lb-load-threshold=1")
    end = time.monotonic() + 130
    while core_of(host, "p1") == core_of(host, "p2") and time.monotonic() < end:
        time.sleep(1)
    assert core_of(host, "p1") != core_of(host, "p2"), (shown(host), host.appctl("dpif-netdev/pmd-perf-show"))
    assert "PMD auto load balance moves queues" in host.log(20000)
    there.end()
    back.end()
