# SPDX-License-Identifier: Apache-2.0
"""Ports that come and go, and a database server that restarts, cost other ports no packet."""
import subprocess
import sys
import time

from lab import alone, wait_until

# Sends numbered frames as fast as asked for, in batches of 20; prints how many the kernel took.
SENDER = r"""
import socket, sys, time
dev, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((dev, 0))
frame = bytes.fromhex("020000000002020000000001" + "88b5") + bytes(46)
begin, sent = time.monotonic(), 0
while True:
    now = time.monotonic() - begin
    if now > seconds:
        break
    if sent > now * rate:
        time.sleep(0.0002)
        continue
    for _ in range(20):
        s.send(frame)
    sent += 20
print(sent)
"""


class Traffic:
    def __init__(self, host, a, b, rate, seconds):
        self.host, self.b = host, b
        self.before = self.received()
        self.p = subprocess.Popen(a.cmd(sys.executable, "-c", SENDER, "eth0", str(rate), str(seconds)), stdout=subprocess.PIPE, text=True)

    def received(self):
        return int(self.b.sh("cat /sys/class/net/eth0/statistics/rx_packets"))

    def lost(self):
        """(sent, lost) once the sender has ended and all has arrived."""
        sent = int(self.p.communicate(timeout=60)[0])
        for _ in range(20):
            if self.received() - self.before >= sent:
                break
            time.sleep(0.1)
        return sent, sent - (self.received() - self.before)


def prepare(lab):
    host, a, b = lab.host(), lab.guest("a"), lab.guest("b")
    for side in (host, a, b):
        side.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
    for guest, name, address, mac in ((a, "p1", "10.0.0.1/24", "02:00:00:00:00:01"), (b, "p2", "10.0.0.2/24", "02:00:00:00:00:02")):
        lab.veth(host, name, guest, "eth0")
        guest.take("eth0", address, mac)
    host.start()
    host.prioritize()
    host.vsctl("add-br br0 -- set-fail-mode br0 secure -- add-port br0 p1 -- add-port br0 p2")
    host.add_flows("br0", "in_port=p1,actions=output:p2\nin_port=p2,actions=output:p1\n")
    a.ping("10.0.0.2")
    # Nobody sends anything else meanwhile.
    for guest in (a, b):
        guest.ip("link set eth0 arp off")
    return host, a, b


def clean_rate(host, a, b):
    """The most that goes through without loss while nothing changes: what the generator and a busy machine can do."""
    rate = 200000
    while rate > 1000:
        sent, lost = Traffic(host, a, b, rate, 1.5).lost()
        print("    nothing changes: %.0f frames/s asked for, %d sent, %d lost" % (rate, sent, lost))
        if not lost:
            return min(rate, sent / 1.5) * 0.4
        rate /= 2
    return rate


@alone
def test_changes_cost_other_ports_nothing(lab):
    host, a, b = prepare(lab)
    rate = clean_rate(host, a, b)
    lab.veth(host, "x1", host, "x2")
    traffic = Traffic(host, a, b, rate, 5)
    n, end = 0, time.monotonic() + 4
    while time.monotonic() < end:
        n += 1
        for line in ("add-port br0 i%d -- set interface i%d type=internal" % (n, n), "add-port br0 x1", "add-br br1",
                     "add-port br0 v%d -- set interface v%d type=vxlan options:remote_ip=192.0.2.1" % (n, n),
                     "set port x1 tag=7", "del-port br0 x1", "del-port br0 i%d" % n, "del-br br1", "del-port br0 v%d" % n):
            host.vsctl(line)
    sent, lost = traffic.lost()
    print("    %d rounds of 9 changes: %d sent (%.0f/s), %d lost" % (n, sent, sent / 5, lost))
    assert n and not lost, "%d lost; %s" % (lost, host.appctl("sluice/drops"))


@alone
def test_database_restart_costs_nothing(lab):
    host, a, b = prepare(lab)
    rate = clean_rate(host, a, b)
    traffic = Traffic(host, a, b, rate, 5)
    flows, number = host.flows("br0"), host.vsctl("get interface p1 ofport")
    for _ in range(2):
        lab.end(host.ovsdb)
        time.sleep(0.3)
        host.start_ovsdb()
        wait_until(lambda: host.vsctl("get interface p1 ofport") == number, what="the port's number")
        host.vsctl("add-port br0 i1 -- set interface i1 type=internal")
        host.vsctl("del-port br0 i1")
    sent, lost = traffic.lost()
    print("    2 restarts of ovsdb-server: %d sent (%.0f/s), %d lost" % (sent, sent / 5, lost))
    assert not lost, "%d lost; %s" % (lost, host.appctl("sluice/drops"))
    assert host.flows("br0") == flows
