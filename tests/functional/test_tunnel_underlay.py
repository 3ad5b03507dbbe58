# SPDX-License-Identifier: Apache-2.0
"""The underlay changes: how soon is traffic back? And many tunnels at once."""
import re
import signal
import struct
import threading
import time

from lab import run, wait_until
from topology import underlay

LIMIT = 0.1                     # Seconds that an interruption may take, ...
SLACK = 5                       # ... on a machine with nothing else to do.

PEER, GATEWAY = "192.168.7.2", "192.168.7.3"
MAC = {PEER: "02:00:00:00:07:02", GATEWAY: "02:00:00:00:07:03", "moved": "02:00:00:00:07:22"}


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip(text):
    return bytes(int(x) for x in text.split("."))


def arp_reply(sha, spa, tha, tpa):
    return tha + sha + struct.pack("!HHHBBH", 0x806, 1, 0x800, 6, 4, 2) + sha + ip(spa) + tha + ip(tpa)


class Source:
    """A guest that sends a datagram each PERIOD seconds."""

    def __init__(self, guest, period=0.001):
        self.period = period
        self.raw = guest.raw("eth0")
        self.stop = False
        payload = b"\0" * 40
        self.frame = (mac("020000000b02") + mac("020000000b01") + bytes.fromhex("0800") +
                      bytes.fromhex("45000044000000004011") + b"\x66\xa7" + ip("10.0.0.1") + ip("10.0.0.2") +
                      struct.pack("!HHHH", 5, 6, 48, 0) + payload)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stop:
            self.raw.send(self.frame)
            time.sleep(self.period)

    def close(self):
        self.stop = True
        self.thread.join()
        self.raw.close()


def seconds_until(raw, is_it, most=10):
    """How long until a frame comes that IS_IT."""
    start = time.monotonic()
    while time.monotonic() - start < most:
        if any(is_it(f) for f in raw.recv(0.05, want=1)):
            return time.monotonic() - start
    raise AssertionError("nothing within %d s" % most)


def vxlan_to(destination):
    return lambda frame: frame[:6] == mac(destination) and frame[12:14] == b"\x08\0" and frame[36:38] == b"\x12\xb5"


class Wire:
    """A host with br-phy (eth0 to b, eth1 to c, which answer nothing by themselves), br-int, a tunnel and a guest."""

    def __init__(self, lab):
        self.a, self.b = underlay(lab)
        self.c = lab.guest("c")
        lab.veth(self.a, "eth1", self.c, "eth0")
        for h in (self.b, self.c):
            h.sh("ip link set eth0 arp off; sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1")
        self.a.start()
        self.a.vsctl("set Open_vSwitch . other_config:sluice-hold-packets=true -- add-br br-phy -- add-port br-phy eth0"
                     " -- add-port br-phy eth1 -- add-br br-int")
        self.a.ip("addr add 192.168.7.1/24 dev br-phy")
        self.a.ip("link set br-phy up")
        self.guest = lab.guest("x")
        lab.veth(self.a, "x", self.guest, "eth0")
        self.guest.ip("link set eth0 up")
        self.a.vsctl("add-port br-int x")
        self.mac = mac(re.search(r"ether (\S+)", self.a.ip("link show br-phy"))[1])
        self.raw, self.raw2 = self.b.raw("eth0"), self.c.raw("eth0")

    def tell(self, address, sha, raw=None):
        (raw or self.raw).send(arp_reply(mac(sha), address, self.mac, "192.168.7.1"))


def test_interruptions(lab):
    w = Wire(lab)
    w.a.vsctl("add-port br-int vx0 -- set interface vx0 type=vxlan options:remote_ip=%s options:key=100" % PEER)
    w.a.add_flows("br-int", "priority=10,in_port=x,actions=output:vx0\n")
    source = Source(w.guest)
    times = {}
    try:
        w.tell(PEER, MAC[PEER])
        seconds_until(w.raw, vxlan_to(MAC[PEER]))
        w.tell(PEER, MAC["moved"])
        times["neighbour change"] = seconds_until(w.raw, vxlan_to(MAC["moved"]))
        w.tell(PEER, MAC["moved"], w.raw2)
        times["peer's MAC moves to another port"] = seconds_until(w.raw2, vxlan_to(MAC["moved"]))
        w.tell(PEER, MAC["moved"])
        times["and back"] = seconds_until(w.raw, vxlan_to(MAC["moved"]))
        run(["ip", "-n", w.a.netns, "link", "set", "eth0", "down"])
        time.sleep(0.3)
        w.raw.recv(0.01)
        run(["ip", "-n", w.a.netns, "link", "set", "eth0", "up"])
        times["underlay port down and up"] = seconds_until(w.raw, vxlan_to(MAC["moved"]))
        # Another next hop, and back: the gateway answers when it is asked.
        w.tell(GATEWAY, MAC[GATEWAY])
        run(["ip", "-n", w.a.netns, "route", "add", PEER + "/32", "via", GATEWAY])
        times["route by a gateway"] = seconds_until(w.raw, vxlan_to(MAC[GATEWAY]))
        run(["ip", "-n", w.a.netns, "route", "del", PEER + "/32"])
        times["route gone"] = seconds_until(w.raw, vxlan_to(MAC["moved"]))
        w.raw.recv(0.05)
        stale = [f for f in w.raw.recv(0.2) if vxlan_to(MAC[GATEWAY])(f) or vxlan_to(MAC[PEER])(f)]
        assert not stale, "%d frames still go where none should" % len(stale)
    finally:
        source.close()
    print("    " + ", ".join("%s: %.0f ms" % (k, v * 1000) for k, v in times.items()))
    late = {k: v for k, v in times.items() if v > LIMIT * SLACK}
    assert not late, late


def add_tunnels(host, n):
    """N tunnels on br-int in one transaction; seconds it took."""
    args, ports = [], ["@p%d" % i for i in range(n)]
    for i in range(n):
        args += ["--", "--id=@i%d" % i, "create", "interface", "name=vx%d" % i, "type=vxlan", "options:key=flow",
                 "options:remote_ip=172.16.%d.%d" % (i // 250, i % 250 + 1),
                 "--", "--id=@p%d" % i, "create", "port", "name=vx%d" % i, "interfaces=@i%d" % i]
    start = time.monotonic()
    host.tool("ovs-vsctl", "--timeout=60", *args, "--", "add", "bridge", "br-int", "ports", *ports, timeout=70)
    return time.monotonic() - start


def flood(lab, n, n_flooded):
    w = Wire(lab)
    w.a.ip("route add 172.16.0.0/16 via %s" % GATEWAY)
    before = int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % w.a.daemon.pid).read())[1])
    seconds = add_tunnels(w.a, n)
    after = int(re.search(r"VmRSS:\s+(\d+)", open("/proc/%d/status" % w.a.daemon.pid).read())[1])
    assert w.a.ofctl("show", "br-int").count("(vx") == n
    w.tell(GATEWAY, MAC[GATEWAY])
    w.a.add_flows("br-int", "priority=10,in_port=x,actions=%s\n" % ",".join("vx%d" % i for i in range(n_flooded)))
    source = Source(w.guest, 0.5)
    got = set()
    try:
        def look():
            for f in w.raw.recv(0.2):
                if vxlan_to(MAC[GATEWAY])(f):
                    got.add(f[30:34])
                elif f[12:14] == b"\x08\x06" and f[38:42] == ip(GATEWAY):
                    w.tell(GATEWAY, MAC[GATEWAY])
            return len(got) >= n_flooded
        wait_until(look, 20, "a copy for each of %d remotes (%d so far)" % (n_flooded, len(got)))
    finally:
        source.close()
    # It ends soon, too, although each packet that comes goes to all of those that there still are.
    source = Source(w.guest)
    try:
        time.sleep(0.5)
        start = time.monotonic()
        w.a.daemon.send_signal(signal.SIGTERM)
        wait_until(lambda: w.a.daemon.poll() is not None, 2 * SLACK, "its end")
        ended = time.monotonic() - start
    finally:
        source.close()
    print("    %d tunnels in %.1f s, %.1f kB each; flooded to %d; ended in %.1f s" %
          (n, seconds, (after - before) / n, len(got), ended))
    return seconds


def test_flooding_to_many(lab):
    flood(lab, 1000, 1000)


def long_four_thousand_tunnels(lab):
    seconds = flood(lab, 4000, 1000)
    assert seconds < 5 * SLACK, seconds


def test_bridge_takes_another_mac(lab):
    """As when a port with a lower MAC joins it: whoever sends to its address is told."""
    a, b = underlay(lab)
    guests = []
    for i, host in enumerate((a, b)):
        host.start()
        host.vsctl("add-br br-phy -- add-port br-phy eth0 -- add-br br-int -- add-port br-int v4 -- add-port br-int v6"
                   " -- set interface v4 type=vxlan options:remote_ip=192.168.7.%d options:key=4"
                   " -- set interface v6 type=vxlan options:remote_ip=fd07::%d options:key=6" % (2 - i, 2 - i))
        host.ip("addr add 192.168.7.%d/24 dev br-phy" % (i + 1))
        host.ip("-6 addr add fd07::%d/64 dev br-phy nodad" % (i + 1))
        host.ip("link set br-phy up")
        guest = lab.guest("g%d" % i)
        lab.veth(host, "x", guest, "eth0")
        guest.ip("link set eth0 mtu 1400")
        guest.take("eth0", "10.0.0.%d/24" % (i + 1))
        host.vsctl("add-port br-int x")
        guests.append(guest)
    for version in (4, 6):
        for host in (a, b):
            host.add_flows("br-int", "priority=10,in_port=x,actions=output:v%d\n"
                           "priority=10,in_port=v4,actions=output:x\npriority=10,in_port=v6,actions=output:x\n" % version)
        guests[1].wait_for_ping("10.0.0.1", 10, "the first answer")
        for mac_address in ("02:00:00:00:0a:01", "02:00:00:00:0a:02"):
            a.vsctl("set bridge br-phy other-config:hwaddr=\"%s\"" % mac_address)
            wait_until(lambda: mac_address in a.ip("link show br-phy"), what="the new MAC")
            wait_until(lambda: mac_address in b.appctl("tnl/arp/show"), 2, "the news")
            assert guests[1].ping("10.0.0.1", count=3) == 3


def asks_for(address):
    """An ARP request for ADDRESS."""
    return lambda frame: frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == ip(address)


def test_neighbours_are_asked_for_ahead(lab):
    w = Wire(lab)
    add = "add-port br-int vx%d -- set interface vx%d type=vxlan options:remote_ip=%s options:key=100"
    w.a.ofctl("del-flows", "br-int")                # No packet is sent by any tunnel here.
    w.a.vsctl(add % (0, 0, PEER))
    at_once = seconds_until(w.raw, asks_for(PEER))
    w.tell(PEER, MAC[PEER])
    wait_until(lambda: MAC[PEER] in w.a.appctl("tnl/arp/show"), what="the neighbour")
    w.a.ip("route add 10.99.0.0/16 via " + GATEWAY)
    w.a.vsctl(add % (1, 1, "10.99.0.1"))
    gateway = seconds_until(w.raw, asks_for(GATEWAY))
    w.a.vsctl("set Open_vSwitch . other_config:sluice-hold-packets=false")
    w.a.vsctl(add % (2, 2, "192.168.7.77"))
    patient = seconds_until(w.raw, asks_for("192.168.7.77"), 20)
    print("    asked for after %.2f s, a gateway after %.2f s; with Open vSwitch's patience after %.1f s" %
          (at_once, gateway, patient))
    assert at_once < 0.3 * SLACK and gateway < 0.3 * SLACK and patient > 4


def long_neighbours_are_refreshed(lab):
    """With a time of 48 s: asked for again in its last quarter, and known without a gap."""
    w = Wire(lab)
    w.a.appctl("tnl/arp/aging", "48")
    w.a.vsctl("add-port br-int vx0 -- set interface vx0 type=vxlan options:remote_ip=%s options:key=100" % PEER)
    seconds_until(w.raw, asks_for(PEER))
    w.tell(PEER, MAC[PEER])
    wait_until(lambda: MAC[PEER] in w.a.appctl("tnl/arp/show"), what="the neighbour")
    for _ in range(2):
        start = time.monotonic()
        waited = seconds_until(w.raw, asks_for(PEER), 48)
        assert waited > 30 and MAC[PEER] in w.a.appctl("tnl/arp/show"), waited
        w.tell(PEER, MAC[PEER])
        print("    asked for again after %.1f s" % (time.monotonic() - start))
