# SPDX-License-Identifier: Apache-2.0
"""Replies are true at once: what a barrier reply confirms is in effect on every PMD, and counts include every packet
that has arrived."""
import struct
import time

import openflow
from lab import Failure
from topology import numbered_frame
from openflow import connect, flow_mod, multipart, output, oxm

ROUNDS = 400
PORTS = 4


def four_ports(lab):
    """Ports 1 and 2 are polled by different PMDs; what they receive goes to 3 or 4."""
    host = lab.host()
    raws = []
    for i in range(PORTS):
        guest = lab.guest("g%d" % i)
        lab.veth(host, "p%d" % (i + 1), guest, "eth0")
        for ns in (guest, host):
            ns.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        raws.append(guest.raw("eth0"))
    host.start_json({"other_config": {"pmd-cpu-mask": "3"}, "bridges": [{"name": "br0", "fail_mode": "secure", "ports": [
        {"name": "p%d" % (i + 1), "ofport_request": i + 1} for i in range(PORTS)]}]})
    for raw in raws:
        raw.s.setblocking(True)
    return host, raws


def arrive(raws, n, since):
    """The port where frame N arrives."""
    end = since + 5
    while time.monotonic() < end:
        for port in (3, 4):
            raws[port - 1].s.settimeout(0.0005)
            try:
                got = raws[port - 1].s.recv(2048)
            except TimeoutError:
                continue
            if struct.unpack("!Q", got[42:50])[0] != n:
                raise Failure("frame %d came where %d was waited for" % (struct.unpack("!Q", got[42:50])[0], n))
            return port
    raise Failure("frame %d did not arrive" % n)


def flow_counts(wire, table):
    """[(priority, packets, bytes)] of the flows of TABLE."""
    out = []
    request = multipart(1, struct.pack("!B3xIIIQQ", table, openflow.ANY, openflow.ANY, 0, 0, 0) + openflow.match())
    for reply in wire.ask(request):
        body = reply.body[8:]
        while body:
            length, = struct.unpack_from("!H", body)
            priority, = struct.unpack_from("!H", body, 12)
            out.append((priority,) + struct.unpack_from("!QQ", body, 32))
            body = body[length:]
    return out


def table_counts(wire, table):
    """(active, lookups, matched)"""
    body = wire.ask(multipart(3))[0].body[8:]
    return next(struct.unpack_from("!IQQ", body, at + 4) for at in range(0, len(body), 24) if body[at] == table)


def port_counts(wire, port):
    """(received packets, sent packets)"""
    body = wire.ask(multipart(4, struct.pack("!I4x", port)))[0].body[8:]
    return struct.unpack_from("!QQ", body, 8)


def test_after_a_barrier_every_pmd_follows(lab):
    host, raws = four_ports(lab)
    wire = connect(host)
    wrong = []
    for n in range(ROUNDS):
        to, source = 3 + (n ^ n >> 4) % 2, 1 + (n >> 1) % 2
        # By turns: another action, a flow above it, a deletion that uncovers the one below.
        if n % 3 == 0:
            mods = [flow_mod(b"", openflow.apply_actions(output(to)), priority=5),
                    flow_mod(b"", command=3, priority=0, cookie=9, mask=0xffffffffffffffff)]
        elif n % 3 == 1:
            mods = [flow_mod(oxm(0, struct.pack("!I", source)), openflow.apply_actions(output(to)), priority=9, cookie=9)]
        else:
            mods = [flow_mod(b"", openflow.apply_actions(output(to)), command=1, priority=0)]
        wire.send(*mods)
        wire.barrier()
        since = time.monotonic()
        raws[source - 1].s.send(numbered_frame(n))
        port = arrive(raws, n, since)
        if port != to:
            wrong.append((n, to, port))
    assert not wrong, "%d of %d packets met the old rules after the barrier: %s" % (len(wrong), ROUNDS, wrong[:10])


def test_counts_are_exact_at_once(lab):
    host, raws = four_ports(lab)
    wire = connect(host)
    wire.send(flow_mod(oxm(0, struct.pack("!I", 1)), openflow.apply_actions(output(3)), priority=7),
              flow_mod(oxm(0, struct.pack("!I", 2)), openflow.apply_actions(output(4)), priority=8))
    wire.barrier()
    wrong = []
    size = len(numbered_frame(0))
    tables, ports = table_counts(wire, 0), {p: port_counts(wire, p) for p in (1, 2, 3, 4)}
    for n in range(ROUNDS):
        source = 1 + n % 2
        raws[source - 1].s.send(numbered_frame(n))
        assert arrive(raws, n, time.monotonic()) == source + 2
        sent = {1: n // 2 + 1, 2: (n + 1) // 2}
        kind = n % 5
        if kind < 2:
            got, want = sorted(flow_counts(wire, 0)), [(7, sent[1], sent[1] * size), (8, sent[2], sent[2] * size)]
        elif kind == 2:
            now = table_counts(wire, 0)
            got, want = (now[0], now[1] - tables[1], now[2] - tables[2]), (2, n + 1, n + 1)
        else:
            port = source if kind == 3 else source + 2
            now = port_counts(wire, port)
            got, want = now[kind - 3] - ports[port][kind - 3], sent[source]
        if got != want:
            wrong.append((n, got, want))
    assert not wrong, "%d of %d replies were wrong: %s" % (len(wrong), ROUNDS, wrong[:10])
