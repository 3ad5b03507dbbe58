# SPDX-License-Identifier: Apache-2.0
"""OpenFlow sessions: TLS, many at once, slow and rude peers, probes, rate limits, in-band control."""
import contextlib
import os
import re
import socket
import struct
import threading
import time

import openflow
from controllers import Console, controlled_bridge
from lab import Failure, rss_anon_kb, run, wait_until
from openflow import Closed, Wire, connect, message
from topology import cross_connected, numbered_frame


# ---------------------------------------------------------------------- TLS

def pki(folder):
    """Two authorities and three certificates: NAME.key and NAME.pem, of `switch` and `controller` by the authority `ca`
    (controller.pem carries it), of `stranger` by `otherca`."""
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for ca in ("ca", "otherca"):
        run("cd %s && openssl req -x509 %s -keyout %s.key -out %s.pem -subj /CN=%s -days 3" % (folder, key, ca, ca, ca))
    for name, ca in (("switch", "ca"), ("controller", "ca"), ("stranger", "otherca")):
        run("cd {f} && openssl req {k} -keyout {n}.key -out {n}.csr -subj /CN={n} && openssl x509 -req -in {n}.csr -CA {c}.pem"
            " -CAkey {c}.key -CAcreateserial -out {n}.crt -days 3 && cat {n}.crt {c}.pem >{n}.pem".format(
                f=folder, k=key, n=name, c=ca))


def tls(folder, who):
    return ("--ofp-ssl-listen-port", "6655", "--ctl-privkey", "%s/%s.key" % (folder, who), "--ctl-cert",
            "%s/%s.pem" % (folder, who), "--ca-certs", folder + "/ca.pem")


def ofctl_tls(host, folder, who, ca="ca"):
    return run(host.cmd("ovs-ofctl", "-O", "OpenFlow13", "-p", "%s/%s.key" % (folder, who), "-c", "%s/%s.crt" % (folder, who),
                        "-C", "%s/%s.pem" % (folder, ca), "dump-flows", "ssl:127.0.0.1:6656"), check=False, env=host.env)


def test_tls(lab):
    f = lab.dir
    pki(f)
    consoles = []
    host, (a, b) = controlled_bridge(lab, controllers=(), first=lambda host: consoles.append(
        Console(host, 6653, 7001, options=tls(f, "controller"))))
    consoles[0].ask({"events": []})             # It is there.
    host.vsctl("set-ssl %s/switch.key %s/switch.crt %s/ca.pem -- set-controller br0 ssl:127.0.0.1:6655 pssl:6656:127.0.0.1" % (f, f, f))
    wait_until(lambda: consoles[0].ask({"events": []})["ready"], 20, "os-ken over TLS")
    name, desc = consoles[0].send("OFPDescStatsRequest", flags=0)[0]
    assert name == "OFPDescStatsReply", desc
    # Listening: who has a certificate of our authority may come in, and sees that we have one too.
    p = wait_until(lambda: (lambda p: p if p.returncode == 0 else None)(ofctl_tls(host, f, "controller")), 10, "a passive connection")
    assert "OFPST_FLOW" in p.stdout, p.stdout
    assert ofctl_tls(host, f, "stranger").returncode, "a stranger came in"
    assert ofctl_tls(host, f, "controller", "otherca").returncode, "the switch's certificate passed for one of another authority"
    bare = run(host.cmd("ovs-ofctl", "dump-flows", "tcp:127.0.0.1:6656"), check=False, env=host.env, timeout=40)
    assert bare.returncode, "plain text came in"
    # A controller with a certificate of another authority is not talked to; the database says so.
    lab.end(consoles[0].process)
    stranger = Console(host, 6653, 7003, options=tls(f, "stranger"))
    stranger.ask({"events": []})

    def refused():
        text = host.vsctl("--bare --columns=target,is_connected,status list controller")
        return re.search(r"ssl:127.0.0.1:6655\s+false", text) and "BACKOFF" in text.upper()
    wait_until(refused, 15, "the refusal", step=0.3)
    assert not stranger.ask({"events": []})["ready"]
    assert "certificate verify failed" in host.log(100000), host.log()
    lab.end(stranger.process)
    # Bootstrap: the first authority that is met is trusted from then on.
    host.vsctl("-- --bootstrap set-ssl %s/switch.key %s/switch.crt %s/learned.pem -- set-controller br0 ssl:127.0.0.1:6655" % (f, f, f))
    again = Console(host, 6653, 7001, options=tls(f, "controller"))
    wait_until(lambda: again.ask({"events": []})["ready"], 30, "the bootstrapped connection")
    assert os.path.exists(f + "/learned.pem")
    assert run("openssl x509 -noout -subject -in %s/learned.pem" % f).strip().replace(" ", "") == "subject=CN=ca"


# ---------------------------------------------------------------------- versions and rude peers

def raw(host, data, want=None, seconds=5):
    """What the switch says to DATA on a fresh connection: (messages, hung up). Until it hangs up; or has said nothing for SECONDS; or
    WANT messages are there, and no more come at once."""
    s = socket.socket(socket.AF_UNIX)
    s.connect(host.dir + "/br0.mgmt")
    wire = Wire(s, hello=False)
    out = []
    try:
        wire.send(data)
        while True:
            out.append(wire.recv(0.05 if len(out) == want else seconds))
    except Closed:
        return out, True
    except (TimeoutError, ConnectionError) as e:
        return out, isinstance(e, ConnectionError)
    finally:
        wire.close()


def hello(version, bitmap=None):
    body = struct.pack("!HHI", 1, 8, bitmap) if bitmap is not None else b""
    return message(0, body, version=version)


def test_versions_and_rude_peers(lab):
    host, _, _ = cross_connected(lab)
    ask = message(openflow.BARRIER_REQUEST, xid=9)
    # The bitmap decides, then the lower of the two versions.
    for said, version in ((hello(4), 4), (hello(6, 1 << 4), 4), (hello(0x99, 1 << 4 | 1 << 1), 4), (hello(2, 1 << 4), 4),
                          (message(0, struct.pack("!HH4x", 0x7777, 8) + struct.pack("!HHI", 1, 8, 1 << 4), version=6), 4)):
        out, _ = raw(host, said + ask, want=2)
        assert [(m.version, m.kind) for m in out[1:]] == [(version, openflow.BARRIER_REPLY)], (said.hex(), out)
    # Nothing in common: one error that says so, then the end.
    out, closed = raw(host, hello(6, 1 << 9) + ask)
    assert closed and [m.kind for m in out] == [0, openflow.ERROR], out
    (kind, code), text = out[1].error()
    assert (kind, code) == (0, 0) and b"no common versions" in text, out[1]
    # No hello, lengths that can't be, noise: the end, for that connection only.
    for rude in (message(openflow.FEATURES_REQUEST), b"\x04\x00\x00\x07\x00\x00\x00\x00", os.urandom(3) + b"\x00" * 64,
                 b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 50):
        out, closed = raw(host, rude, seconds=1)
        assert closed or len(out) <= 2, (rude[:8].hex(), out)
    # Another version in mid-session is refused with its bytes.
    stray = message(openflow.FEATURES_REQUEST, xid=77, version=1)
    out, closed = raw(host, hello(4) + ask + stray, want=3)
    assert [m.kind for m in out] == [0, openflow.BARRIER_REPLY, openflow.ERROR], out
    assert out[2].error() == ((1, 0), stray) and out[2].xid == 77, out[2]
    # A second hello is no news; bytes may come one by one.
    wire = connect(host)
    wire.send(hello(4))
    wire.barrier()
    for byte in message(openflow.BARRIER_REQUEST, xid=5):
        wire.send(bytes([byte]))
        time.sleep(0.001)
    assert wire.wait(openflow.BARRIER_REPLY).xid == 5
    # No auxiliary connections: the main one says it is that, and there are none.
    reply = wire.ask(message(openflow.FEATURES_REQUEST))[0]
    assert reply.kind == openflow.FEATURES_REPLY and reply.body[13] == 0, reply


def test_hundred_connections(lab):
    host, a, b = cross_connected(lab)
    wires = [connect(host) for _ in range(100)]
    fds = len(os.listdir("/proc/%d/fd" % host.daemon.pid))
    for round_ in range(3):
        for i, w in enumerate(wires):
            w.send(openflow.flow_mod(openflow.oxm(2, struct.pack("!Q", i)), openflow.apply_actions(openflow.output(1)), table=round_ + 1),
                   openflow.multipart(1, struct.pack("!B3xIIIQQ", round_ + 1, openflow.ANY, openflow.ANY, 0, 0, 0) + openflow.match()),
                   message(openflow.BARRIER_REQUEST, xid=round_))
        for w in wires:
            assert w.wait(openflow.BARRIER_REPLY).xid == round_
    for table in (1, 2, 3):
        assert "flow_count=100" in host.ofctl("dump-aggregate", "br0", "table=%d" % table)
    assert a.ping("10.0.0.2", count=2) == 2
    for w in wires:
        w.close()
    wait_until(lambda: len(os.listdir("/proc/%d/fd" % host.daemon.pid)) <= fds - 100, 5, "the descriptors of closed connections")


def settled_rss_kb(pid):
    """Once memory that is made ready in the background is there."""
    last = [0]

    def same():
        now = rss_anon_kb(pid)
        settled, last[0] = now == last[0], now
        return settled
    wait_until(same, 20, "the memory to settle", step=0.5)
    return last[0]


def test_slow_readers_are_bounded(lab):
    """First packet-ins to it are dropped, and counted; what can't be dropped ends the connection. Memory stays bounded and
    others are served meanwhile."""
    host, a, b = cross_connected(lab)
    slow, quick = connect(host), connect(host)
    slow.send(message(openflow.SET_CONFIG, struct.pack("!HH", 0, 0xffff)),
              message(openflow.SET_ASYNC, struct.pack("!6I", 7, 7, 7, 7, 15, 15)))
    slow.barrier()
    host.ofctl("add-flow", "br0", "priority=9,in_port=1,udp,actions=controller:65535")
    before = settled_rss_kb(host.daemon.pid)
    tx = a.raw("eth0")
    big = numbered_frame(0) + bytes(1300)
    for i in range(12000):
        tx.send(big)
        if i % 64 == 0:
            time.sleep(0.001)
        if i % 1000 == 0:
            quick.barrier(5)
    grown = rss_anon_kb(host.daemon.pid) - before
    assert grown < 24 * 1024, "%d KB more for a slow reader" % grown
    assert "dropping packet-in due to queue overflow" in host.log(100000), host.log()
    assert re.search(r"rconn_overflow .*total: [1-9]", host.appctl("coverage/show")), host.appctl("coverage/show")
    # It is still there, and gets what was kept for it.
    slow.s.settimeout(5)
    n = 0
    with contextlib.suppress(TimeoutError):
        while True:
            slow.wait(openflow.PACKET_IN, 1)
            n += 1
    assert 100 < n < 12000, n
    slow.barrier()
    # Now it stops reading for good while news comes that it must not miss.
    host.ofctl("del-flows", "br0", "in_port=1,udp")
    flows = "".join("table=9,send_flow_rem,udp,nw_dst=11.%d.%d.%d,actions=drop\n" % (i >> 16, i >> 8 & 255, i & 255) for i in range(40000))
    for _ in range(8):
        host.ofctl("--bundle", "add-flows", "br0", "-", stdin=flows, timeout=60)
        host.ofctl("del-flows", "br0", "table=9")
        if "peer does not read, disconnecting" in host.log(100000):
            break
    else:
        raise Failure("a connection that reads nothing is kept: %s" % host.log())
    wait_until(lambda: "flow_count=0" in host.ofctl("dump-aggregate", "br0", "table=9"), 5, "the end of the flows")
    quick.barrier()
    # Requests of who doesn't read the replies simply wait: nothing is lost, nothing grows.
    lazy = connect(host)
    request = message(openflow.ECHO_REQUEST, bytes(60000), xid=1)
    before = rss_anon_kb(host.daemon.pid)
    lazy.s.settimeout(0.5)
    sent = 0
    with contextlib.suppress(TimeoutError, BlockingIOError):
        for _ in range(400):
            lazy.send(request)
            sent += 1
    assert sent < 400 and rss_anon_kb(host.daemon.pid) - before < 8 * 1024, (sent, rss_anon_kb(host.daemon.pid) - before)
    quick.barrier()


# ---------------------------------------------------------------------- controllers

def controller_setting(host, line):
    host.vsctl("set controller %s %s" % (host.vsctl("get bridge br0 controller").strip("[]\n "), line))


def test_packet_in_rate_limit_is_fair(lab):
    """A port that floods gets what is left over by one that hardly sends."""
    listeners = []
    host, (a, b) = controlled_bridge(lab, first=lambda host: listeners.append(openflow.Listener(host)))
    controller_setting(host, "controller_rate_limit=100 controller_burst_limit=25")
    wire = listeners[0].accept()
    wire.send(message(openflow.SET_CONFIG, struct.pack("!HH", 0, 128)))
    wire.barrier()
    wire.send(openflow.flow_mod(b"", openflow.apply_actions(openflow.output(openflow.CONTROLLER, 128)), priority=9))
    wire.barrier()
    stop, counts, loud = threading.Event(), {1: 0, 2: 0}, [0]

    def read():
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                one = wire.wait(openflow.PACKET_IN, 0.1)
                counts[struct.unpack_from("!I", one, 24 + 8)[0]] += 1

    def flood():
        tx = a.raw("eth0")
        while not stop.is_set():
            tx.send(numbered_frame(loud[0]))
            loud[0] += 1
            time.sleep(0.0007)

    threads = [threading.Thread(target=read), threading.Thread(target=flood)]
    for t in threads:
        t.start()
    time.sleep(1)
    counts[1], start, tx = 0, time.monotonic(), b.raw("eth0")
    for i in range(40):
        tx.send(numbered_frame(i, "020000000001", "020000000002"))
        time.sleep(0.05)
    seconds = time.monotonic() - start
    time.sleep(0.5)
    stop.set()
    for t in threads:
        t.join()
    assert counts[2] >= 36, "the quiet port got %d of its 40 through, the loud one %d of %d" % (counts[2], counts[1], loud[0])
    assert 40 * seconds < counts[1] + counts[2] < 130 * (seconds + 0.5) + 25, (counts, seconds)
    status = host.vsctl("--bare --columns=status list controller")
    wait_until(lambda: re.search(r"packet-in-(action|miss)-dropped=[1-9]", host.vsctl("--bare --columns=status list controller")), 8,
               "the drops in the database: " + status)


def test_in_band_control(lab):
    """A controller beyond a port of the bridge is reached before any flow exists; hidden flows do it, which out-of-band
    control has not."""
    host, (a, b) = controlled_bridge(lab, controllers=())
    host.ip("addr add 10.0.0.9/24 dev br0")
    host.ip("link set br0 up")
    with a.inside():
        s = socket.socket()
    s.bind(("10.0.0.1", 6653))
    s.listen(4)
    s.settimeout(15)
    host.vsctl("set-controller br0 tcp:10.0.0.1:6653")
    wire = Wire(s.accept()[0])
    wire.barrier()
    assert not host.flows("br0")
    hidden = host.appctl("bridge/dump-flows", "br0")
    assert re.search(r"tcp.*nw_dst=10.0.0.1.*tp_dst=6653", hidden) and "arp" in hidden, hidden
    assert not b.ping("10.0.0.1", count=1, timeout=1, check=False), "in-band control opens the bridge for others"
    controller_setting(host, "connection_mode=out-of-band")
    wait_until(lambda: "6653" not in host.appctl("bridge/dump-flows", "br0"), 5, "the end of the hidden flows")


def test_connections_are_marked(lab):
    """DSCP 48 as Open vSwitch's, or the one that is configured: for that the connection is made anew."""
    listeners = []
    host, _ = controlled_bridge(lab, first=lambda host: listeners.append(openflow.Listener(host)))
    wire = listeners[0].accept()

    def tos():
        return re.findall(r"tos:(\w+)", host.sh("ss -Htn --tos state established '( dport = :6653 )'"))
    assert tos() == ["0xc0"], tos()
    controller_setting(host, "other_config:dscp=10")
    wire = listeners[0].accept()
    assert wire and tos() == ["0x28"], tos()


def long_deaf_controller(lab):
    """Connected but silent: an echo request after the probe interval, the end after another, and a new attempt."""
    listeners = []
    host, _ = controlled_bridge(lab, first=lambda host: listeners.append(openflow.Listener(host)))
    controller_setting(host, "inactivity_probe=5000")
    wire = listeners[0].accept()
    start = time.monotonic()
    one = wire.recv(9)
    while one.kind != openflow.ECHO_REQUEST:
        one = wire.recv(9)
    probed = time.monotonic() - start
    assert 4 < probed < 7, probed
    try:
        while True:
            wire.recv(9)
    except (Closed, ConnectionError):
        ended = time.monotonic() - start
    assert 9 < ended < 13, ended
    again = listeners[0].accept(10)
    again.barrier()
    # One that answers is left alone.
    end = time.monotonic() + 12
    while time.monotonic() < end:
        with contextlib.suppress(TimeoutError):
            again.wait(openflow.BARRIER_REPLY, 1)
    again.barrier()
