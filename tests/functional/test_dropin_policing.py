# SPDX-License-Identifier: Apache-2.0
"""Interface.ingress_policing_*: rate and burst in kilobits and in thousands of packets."""
import time

from lab import wait_until

A, B = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def flood(a, b, n, size, seconds):
    """Sends N frames of SIZE bytes from A over SECONDS; returns how many came to B, and how long it took."""
    frame = B + A + b"\x88\xb5" + bytes(size - 14)
    tx, begin = a.raw("eth0"), time.monotonic()
    before = int(b.sh("cat /sys/class/net/eth0/statistics/rx_packets"))
    for i in range(n):
        while time.monotonic() < begin + i * seconds / n:
            time.sleep(0.0005)
        tx.send(frame)
    took = time.monotonic() - begin
    tx.close()
    time.sleep(0.3)
    return int(b.sh("cat /sys/class/net/eth0/statistics/rx_packets")) - before, took


def test_ingress_policing(lab):
    host, a, b = lab.host(), lab.guest("a"), lab.guest("b")
    for ns in (host, a, b):
        ns.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
    lab.veth(host, "p1", a, "eth0")
    lab.veth(host, "p2", b, "eth0")
    for guest in (a, b):
        guest.ip("link set eth0 up")
        guest.ip("link set eth0 arp off")
    host.start()
    host.vsctl("add-br br0 -- add-port br0 p1 -- add-port br0 p2")
    wait_until(lambda: flood(a, b, 10, 100, 0)[0] == 10, what="traffic")
    assert flood(a, b, 1000, 1000, 0.5)[0] == 1000 and not host.drops("rx_policed", "p1")

    # 800 kb/s are 100 frames of 1000 bytes a second; 160 kb are 20 of them.
    host.vsctl("set interface p1 ingress_policing_rate=800 ingress_policing_burst=160")
    came, took = flood(a, b, 1000, 1000, 1)
    assert 20 + 100 * took * 0.8 <= came <= 20 + 100 * (took + 0.5) * 1.2, (came, took)
    assert host.drops("rx_policed", "p1") == 1000 - came
    # A change of something else fills no bucket, and it holds for what enters here only.
    host.vsctl("set interface p1 external_ids:x=y")
    assert flood(b, a, 500, 1000, 0.2)[0] == 500
    # Small frames are many at the same rate.
    time.sleep(0.5)
    came, took = flood(a, b, 1000, 100, 0.5)
    assert came >= 200, came

    # 1000 packets a second after the first 1000, whatever their size.
    host.vsctl("set interface p1 ingress_policing_rate=0 ingress_policing_kpkts_rate=1 ingress_policing_kpkts_burst=1")
    before = host.drops("rx_policed", "p1")
    came, took = flood(a, b, 4000, 60, 1)
    assert 1000 + 1000 * took * 0.8 <= came <= 1000 + 1000 * (took + 0.5) * 1.2, (came, took)
    assert host.drops("rx_policed", "p1") - before == 4000 - came
    host.vsctl("set interface p1 ingress_policing_kpkts_rate=0 ingress_policing_kpkts_burst=0")
    assert flood(a, b, 2000, 60, 0.2)[0] == 2000
    # A new start takes it up again.
    host.vsctl("set interface p1 ingress_policing_rate=800 ingress_policing_burst=160")
    host.stop()
    host.start()
    wait_until(lambda: flood(a, b, 10, 100, 0)[0] == 10, what="traffic")
    time.sleep(0.5)
    assert flood(a, b, 1000, 1000, 0.5)[0] < 200
    # What has no device is told of.
    host.vsctl("add-port br0 vx -- set interface vx type=vxlan options:remote_ip=192.0.2.1 ingress_policing_rate=100")
    assert "vx: ingress policing of a port without a device" in host.log(20000)


def test_policing_in_json(lab):
    host, a, b = lab.host(), lab.guest("a"), lab.guest("b")
    lab.veth(host, "p1", a, "eth0")
    lab.veth(host, "p2", b, "eth0")
    host.start_json({"bridges": [{"name": "br0", "ports": [
        {"name": "p1", "interfaces": [{"name": "p1", "ingress_policing_rate": 100, "ingress_policing_burst": 80}]},
        {"name": "p2"}]}]})
    wait_until(lambda: (flood(a, b, 200, 1000, 0.1), host.drops("rx_policed", "p1"))[1] > 100, what="drops")
