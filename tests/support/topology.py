# SPDX-License-Identifier: Apache-2.0
"""Set-ups that several files of tests share: guests on a switch, hosts with an underlay between them, and what goes through."""
import re
import struct

from lab import wait_until

# The underlay's two ends by IP version, and the length of the prefix.
FAMILIES = {4: ("192.168.7.1", "192.168.7.2", 24), 6: ("fd07::1", "fd07::2", 64)}


# -- guests on a switch

def two_guests(lab, host, quiet=False):
    """10.0.0.1 and 10.0.0.2 behind HOST's devices p1 and p2. QUIET: without IPv6, so that nobody sends on its own."""
    guests = []
    for i in (1, 2):
        guest = lab.guest("ab"[i - 1])
        lab.veth(host, "p%d" % i, guest, "eth0")
        if quiet:
            guest.sh("sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1")
        guest.take("eth0", "10.0.0.%d/24" % i, "02:00:00:00:00:%02x" % i)
        guests.append(guest)
    return guests


def cross_connected(lab):
    """Two guests on ports 1 and 2 of a bridge with a flow each way: (host, a, b)."""
    host = lab.host()
    a, b = two_guests(lab, host)
    host.start_json({"bridges": [{"name": "br0", "fail_mode": "secure", "ports": [
        {"name": "p1", "ofport_request": 1}, {"name": "p2", "ofport_request": 2}],
        "flows": ["priority=5,in_port=1,actions=2", "priority=5,in_port=2,actions=1"]}]})
    return host, a, b


def numbered_frame(n, dst="020000000002", src="020000000001"):
    """A UDP frame between the two guests that carries number N."""
    payload = struct.pack("!Q", n) + bytes(32)
    udp = struct.pack("!HHHH", 4000, 4001, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    s = sum(struct.unpack("!10H", ip))
    s = (s & 0xffff) + (s >> 16)
    ip = ip[:10] + struct.pack("!H", ~(s + (s >> 16)) & 0xffff) + ip[12:]
    return bytes.fromhex(dst + src + "0800") + ip + udp


def tcp(lab, client, server, address, seconds=2, at_least=20):
    """iperf3: more than AT_LEAST Mbit/s must come to SERVER."""
    p = lab.spawn(server.cmd("iperf3", "-s", "-1"), lab.dir + "/iperf.out")
    wait_until(lambda: ":5201" in server.sh("ss -ltn"), what="iperf3")
    out = client.sh("iperf3 -c %s -t %d -f m" % (address, seconds), timeout=seconds + 23)
    lab.end(p)
    rate = float(re.search(r"([0-9.]+) Mbits/sec +receiver", out)[1])
    assert rate > at_least, out


# -- hosts with an underlay

def underlay(lab):
    """Two hosts joined by a cable; eth0 at both ends."""
    a, b = lab.host("a"), lab.host("b")
    lab.veth(a, "eth0", b, "eth0")
    return a, b


def underlay_address(host, device, family, which):
    """Gives DEVICE the address of end WHICH; returns it."""
    ip = FAMILIES[family][which]
    host.ip("addr add %s/%d dev %s%s" % (ip, FAMILIES[family][2], device, " nodad" if family == 6 else ""))
    return ip


def tunnel_bridges(host, families=(4, 6), datapath=""):
    """br-phy with the NIC and its addresses, br-int."""
    for br in ("br-phy", "br-int"):
        host.vsctl("add-br %s%s" % (br, " -- set bridge %s datapath_type=%s" % (br, datapath) if datapath else ""))
    host.vsctl("add-port br-phy eth0")
    which = 1 if datapath else 0
    for family in families:
        underlay_address(host, "br-phy", family, which)
    host.ip("link set br-phy up")


def guest_addresses(vm, which):
    """An address of both families on eth0: 10.0.0.1 and fd0a::1, or .2 and ::2."""
    vm.ip("addr add 10.0.0.%d/24 dev eth0" % (which + 1))
    vm.ip("addr add fd0a::%d/64 dev eth0 nodad" % (which + 1))
    vm.ip("link set eth0 up")


def no_offloads(host, device):
    host.sh("ethtool -K %s tx off rx off gso off tso off gro off >/dev/null 2>&1; true" % device)
