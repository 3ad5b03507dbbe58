# SPDX-License-Identifier: Apache-2.0
"""The underlay's way is the kernel's: policy rules, tables, several next hops and next hop objects, followed live."""
import contextlib
import re
import time

from lab import wait_until

PEER = "10.9.0.2"
# Two networks between the hosts, each a bridge of its own at ours.
WAYS = {"one": ("eth0", "10.1.0.1", "10.1.0.2"), "two": ("eth1", "10.2.0.1", "10.2.0.2")}


class Pings:
    """Pings all the time; what it missed."""

    def __init__(self, guest, address):
        self.guest, self.path = guest, guest.lab.dir + "/pings"
        self.process = guest.lab.spawn(guest.cmd("ping", "-i", "0.01", "-W", "1", address), self.path)

    def stop(self):
        self.process.send_signal(2)
        self.process.wait(5)
        sent, received = re.search(r"(\d+) packets transmitted, (\d+) received", open(self.path).read()).groups()
        return int(sent), int(sent) - int(received)


def arrived(host):
    """Outer packets that came to HOST by each way."""
    return {way: int(host.sh("cat /sys/class/net/%s/statistics/rx_packets" % WAYS[way][0])) for way in WAYS}


def goes_by(lab, way, seconds=5):
    """Waits until all that the guest sends takes WAY."""
    other = [w for w in WAYS if w != way][0]

    def is_it():
        before = arrived(lab.b)
        time.sleep(0.2)
        after = arrived(lab.b)
        return after[way] - before[way] >= 10 and after[other] - before[other] <= 3

    wait_until(is_it, seconds, "packets by way " + way)


def topology(lab):
    lab.a, lab.b = lab.host("a"), lab.host("b")
    a, b = lab.a, lab.b
    for way, (nic, _, theirs) in WAYS.items():
        lab.veth(a, nic, b, nic)
        b.ip("addr add %s/24 dev %s" % (theirs, nic))
    a.start()
    a.vsctl("add-br br-int -- add-port br-int vx0 -- set interface vx0 type=vxlan options:remote_ip=%s options:key=100" % PEER)
    for way, (nic, ours, _) in WAYS.items():
        a.vsctl("add-br br-%s -- add-port br-%s %s" % (way, way, nic))
        a.ip("addr add %s/24 dev br-%s" % (ours, way))
        a.ip("link set br-%s up" % way)
    # The source address stays whatever the way.
    a.ip("addr add 10.9.0.1/32 dev br-one")
    b.ip("addr add %s/32 dev lo" % PEER)
    b.ip("route add 10.9.0.1 nexthop via 10.1.0.1 nexthop via 10.2.0.1")
    b.sh("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0")
    b.ip("link add vx0 type vxlan id 100 local %s remote 10.9.0.1 dstport 4789" % PEER)
    b.ip("addr add 10.0.0.2/24 dev vx0")
    b.ip("link set vx0 up")
    guest = lab.guest("x")
    lab.veth(a, "x", guest, "eth0")
    guest.ip("link set eth0 mtu 1400")
    guest.take("eth0", "10.0.0.1/24")
    a.vsctl("add-port br-int x")
    return guest


def test_rules_and_tables(lab):
    guest = topology(lab)
    a = lab.a
    a.ip("route add %s via 10.1.0.2 src 10.9.0.1" % PEER)
    guest.wait_for_ping("10.0.0.2", 10, "the first answer")
    pings = Pings(guest, "10.0.0.2")
    goes_by(lab, "one")
    # Another table, chosen by what a rule may ask of the outer packet; the neighbour there is new.
    a.ip("route add default via 10.2.0.2 src 10.9.0.1 table 77")
    for rule in ("to 10.9.0.0/24", "from 10.9.0.1", "ipproto udp dport 4789", "iif lo", "not ipproto tcp"):
        a.ip("rule add pref 100 %s table 77" % rule)
        goes_by(lab, "two")
        a.ip("rule del pref 100")
        goes_by(lab, "one")
    for rule in ("ipproto 47", "iif eth0", "oif br-two", "ipproto udp dport 4790", "fwmark 5", "tos 0x10"):
        a.ip("rule add pref 100 %s table 77" % rule)
    goes_by(lab, "one")
    # The tunnel's own mark, and its own TOS.
    a.vsctl("set interface vx0 options:egress_pkt_mark=5")
    goes_by(lab, "two")
    a.vsctl("remove interface vx0 options egress_pkt_mark -- set interface vx0 options:tos=16")
    goes_by(lab, "two")
    a.vsctl("remove interface vx0 options tos")
    goes_by(lab, "one")
    sent, missed = pings.stop()
    print("    %d pings, %d missed over 13 changes" % (sent, missed))
    assert missed < sent / 20
    # Nothing goes where a rule forbids it.
    a.ip("rule add pref 50 to %s prohibit" % PEER)
    wait_until(lambda: not guest.ping("10.0.0.2", count=1, timeout=1, check=False), 5, "silence")
    assert "tnl_no_route" in a.appctl("sluice/drops")
    assert "table 77" in a.appctl("ovs/route/show")


def test_several_next_hops(lab):
    guest = topology(lab)
    a, b = lab.a, lab.b
    with contextlib.suppress(OSError):
        a.sh("sysctl -qw net.ipv4.fib_multipath_hash_policy=1")
    a.ip("route add %s src 10.9.0.1 nexthop via 10.1.0.2 weight 1 nexthop via 10.2.0.2 weight 1" % PEER)
    guest.wait_for_ping("10.0.0.2", 10, "the first answer")
    # Both neighbours are known before flows of both halves come.
    wait_until(lambda: all(x in a.appctl("tnl/arp/show") for x in ("10.1.0.2", "10.2.0.2")) or
               guest.sh("for i in $(seq 20); do echo x > /dev/udp/10.0.0.2/$((9000 + i)); done; true") is None, 10, "neighbours")
    before = arrived(b)
    guest.sh("bash -c 'for i in $(seq 200); do echo x > /dev/udp/10.0.0.2/$((9000 + i)); done'")
    time.sleep(0.3)
    after = arrived(b)
    shares = {way: after[way] - before[way] for way in WAYS}
    print("    200 flows by two next hops: %s" % shares)
    assert min(shares.values()) >= 50, shares
    # One flow keeps to one.
    pings = Pings(guest, "10.0.0.2")
    time.sleep(0.3)
    before = arrived(b)
    time.sleep(1)
    after = arrived(b)
    flow = sorted(after[way] - before[way] for way in WAYS)
    assert flow[0] < 10 < 50 < flow[1], flow
    # A next hop goes: all by the other. Then objects: a group, one of it, the other.
    a.ip("route replace %s src 10.9.0.1 via 10.1.0.2" % PEER)
    goes_by(lab, "one")
    a.ip("nexthop add id 1 via 10.1.0.2 dev br-one")
    a.ip("nexthop add id 2 via 10.2.0.2 dev br-two")
    a.ip("nexthop add id 9 group 1")
    a.ip("route replace %s src 10.9.0.1 nhid 9" % PEER)
    goes_by(lab, "one")
    a.ip("nexthop replace id 9 group 2")
    goes_by(lab, "two")
    a.ip("nexthop replace id 9 group 1/2")
    a.ip("link set br-two down")
    goes_by(lab, "one")
    sent, missed = pings.stop()
    print("    %d pings, %d missed over 6 changes" % (sent, missed))
    assert missed < sent / 20
