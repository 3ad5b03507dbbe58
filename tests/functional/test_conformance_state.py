# SPDX-License-Identifier: Apache-2.0
"""OpenFlow 1.3.5 over one controller's connection: groups, meters, refusals, and what the switch tells of itself."""
import select
import struct
import time

import frames as fr
import of13 as of
from bench import Bench, table_counts
from lab import Failure, wait_until


def spread(bench, kinds, vary, n):
    """How N frames that differ by VARY(layers, i) come out at ports 2 and 3."""
    for i in range(n):
        bench.raw[1].send(fr.frame(vary(fr.make(kinds), i)))
    got = {2: 0, 3: 0}
    while sum(got.values()) < n and select.select([bench.raw[2].s, bench.raw[3].s], [], [], 1)[0]:
        for port in got:
            got[port] += len(bench.raw[port].recv(0.0001))
    assert sum(got.values()) == n, "%s of %d came" % (got, n)
    return got


def nth_mac(layers, i):
    return fr.with_(layers, "eth", src="02:%02x:00:%02x:0a:%02x" % (i >> 8 & 255, i & 255, i * 7 & 255))


def nth_address(layers, i):
    kind = layers[1][0]
    text = "10.%d.%d.9" % (i >> 8, i & 255)
    if kind == "arp":
        return fr.with_(layers, "arp", spa=text)
    return fr.with_(layers, kind, src=text if kind == "ip4" else "2001:db8::%x" % i)


def test_groups(lab):
    bench = Bench(lab)
    frame = fr.frame(fr.make("tcp4"))
    c = bench.c

    def group(*args, **kw):
        c.clear()
        c.ok(of.group_mod(*args, **kw), of.flow_mod([], [of.apply(of.group(args[0]))]))

    group(1, 0, of.bucket(of.simple(of.PUSH_PBB, 0x88e7, 2), of.output(2)), of.bucket(of.output(3)),
          of.bucket(of.set_field("eth_dst", fr.mac("02:00:00:00:00:09")), of.output(4)))
    bench.raw[1].send(frame)
    got = [bench.received(i, 1) for i in (2, 3, 4)]
    assert got == [[fr.frame(fr.pushed(fr.make("tcp4"), ["itag", {"isid": 0}], fr.ETH))], [frame],
                   [fr.mac("02:00:00:00:00:09") + frame[6:]]], got
    group(1, 2, of.bucket(of.output(3)))
    bench.expect("indirect", frame, frame, 3)
    group(1, 3, of.bucket(of.output(2), watch_port=2), of.bucket(of.output(3), watch_port=3))
    bench.expect("fast failover, first", frame, frame, 2)
    bench.host.ip("link set p2 down")
    wait_until(lambda: b"p2" in c.multipart(of.MP_PORT_DESC) and port_is_down(c, 2), what="port 2 to be down")
    bench.expect("fast failover, second", frame, frame, 3)
    bench.host.ip("link set p2 up")
    wait_until(lambda: not port_is_down(c, 2), what="port 2 to be up")
    bench.expect("fast failover, first again", frame, frame, 2)

    n = 3000
    for kind, vary in (("tcp4", nth_mac), ("tcp6", nth_mac), ("arp", nth_mac), ("tcp4", nth_address), ("tcp6", nth_address),
                       ("arp", nth_address)):
        for weights in ((1, 1), (1, 2)):
            group(1, 1, of.bucket(of.output(2), weight=weights[0]), of.bucket(of.output(3), weight=weights[1]))
            got = spread(bench, kind, vary, n)
            share, want = got[2] / n, weights[0] / sum(weights)
            assert abs(share - want) < 0.02 + 2 * (want * (1 - want) / n) ** .5, "%s by %s, weights %s: %s" % (
                kind, vary.__name__, weights, got)

    c.clear()
    bad = lambda error, *args, **kw: expect_error(c, (6, error), of.group_mod(*args, **kw))
    c.ok(of.group_mod(1, 0, of.bucket(of.output(2))))
    bad(0, 1, 0)                                                        # GROUP_EXISTS
    bad(1, 0xffffff01, 0, of.bucket(of.output(2)))                      # INVALID_GROUP: number too large
    bad(1, 2, 1, of.bucket(of.output(2)), of.bucket(of.output(3)))      # a select bucket of weight 0
    bad(1, 2, 1, of.bucket(of.output(2), weight=1), of.bucket(of.output(3)))
    bad(1, 2, 0, of.bucket(of.output(2), weight=1))                     # a weight elsewhere
    bad(1, 2, 2, of.bucket(of.output(2)), of.bucket(of.output(3)))      # indirect has one
    bad(8, 9, 0, command=1)                                             # UNKNOWN_GROUP
    bad(10, 2, 7)                                                       # BAD_TYPE
    bad(11, 2, 0, command=9)                                            # BAD_COMMAND
    c.ok(of.group_mod(2, 0, of.bucket(of.group(1))), of.group_mod(3, 2, of.bucket(of.group(2))))
    bad(7, 1, 0, of.bucket(of.group(3)), command=1)                     # LOOP
    bad(7, 4, 0, of.bucket(of.group(4)))
    assert len(c.multipart(of.MP_GROUP_DESC)) and table_counts(c)
    c.ok(of.flow_mod([], [of.apply(of.group(3))]), of.group_mod(0xfffffffc, 0, command=2))
    assert c.flow_stats() == [], "flows of deleted groups go"


def port_is_down(c, port):
    data = c.multipart(of.MP_PORT_DESC)
    for i in range(0, len(data), 64):
        if struct.unpack("!I", data[i:i + 4])[0] == port:
            return struct.unpack("!I", data[i + 36:i + 40])[0] & 1
    raise Failure("no port %d" % port)


def expect_error(c, want, message):
    got = c.do(message)
    if got != want:
        raise Failure("error %s, expected %s, for %s" % (got, want, message[1].hex()))


def test_meters(lab):
    """A flood of frames at once: what passes is the burst, and what the rate gives in the meantime."""
    bench = Bench(lab)
    c, frame = bench.c, fr.frame(fr.make("tcp4"))
    frame += bytes(1000 - len(frame))
    af12 = fr.with_(fr.make("tcp4"), "ip4", dscp=12)

    def flood(frames, mod):
        c.clear()
        c.ok(mod, of.flow_mod([], [of.meter(1), of.apply(of.output(2))]))
        bench.drain()
        for x in frames:
            bench.raw[1].send(x)
        got = []
        while select.select([bench.raw[2].s], [], [], 0.3)[0]:
            got += bench.raw[2].recv(0.0001)
        return got

    # A burst of 50 packets at 1 a second; 100 kb (12 frames of 1,000 bytes) at 8 kb/s.
    got = flood([frame] * 300, of.meter_mod(1, 2 | 4 | 8, of.band(1, 1, 50)))
    assert 50 <= len(got) <= 60, len(got)
    assert c.multipart(of.MP_METER_CONFIG, struct.pack("!I4x", 1)) == struct.pack("!HHI", 24, 2 | 4 | 8, 1) + of.band(1, 1, 50)
    stats = c.multipart(of.MP_METER, struct.pack("!I4x", 1))
    meter_id, size, flows, packets, n_bytes = struct.unpack("!IH6xIQQ", stats[:32])
    dropped, dropped_bytes = struct.unpack("!QQ", stats[40:56])
    assert (meter_id, flows, packets, n_bytes) == (1, 1, 300, 300 * len(frame)), stats.hex()
    assert (dropped, dropped_bytes) == (300 - len(got), (300 - len(got)) * len(frame)), stats.hex()
    got = flood([frame] * 100, of.meter_mod(1, 1 | 4, of.band(1, 8, 100)))
    assert 12 <= len(got) <= 20, len(got)
    # Without a burst flag the burst is the switch's choice: the flags read back as they were given.
    got = flood([frame] * 300, of.meter_mod(1, 2, of.band(1, 40)))
    assert 40 <= len(got) <= 100, len(got)
    assert c.multipart(of.MP_METER_CONFIG, struct.pack("!I4x", 1)) == struct.pack("!HHI", 24, 2, 1) + of.band(1, 40)
    # dscp_remark: drop precedence of assured forwarding goes up (RFC 2597), other frames as they are.
    for kind, ip in (("tcp4", "ip4"), ("tcp6", "ip6")):
        for level in (1, 2):
            before = fr.with_(fr.make(kind), ip, dscp=10)
            after = fr.with_(before, ip, dscp=10 + 2 * level)
            got = flood([fr.frame(before)] * 30, of.meter_mod(1, 2 | 4, of.band(2, 1, 10, level)))
            same, marked = got.count(fr.frame(before)), got.count(fr.frame(after))
            assert same + marked == 30 and 10 <= same <= 13, (kind, level, same, marked, len(got))
    got = flood([fr.frame(af12)] * 20, of.meter_mod(1, 2 | 4, of.band(2, 1, 5, 3)))
    assert got.count(fr.frame(fr.with_(af12, "ip4", dscp=14))) >= 10, "no precedence above 3"
    for x in (fr.with_(af12, "ip4", dscp=46), fr.with_(af12, "ip4", dscp=0), fr.make("arp")):
        assert flood([fr.frame(x)] * 20, of.meter_mod(1, 2 | 4, of.band(2, 1, 5, 1))) == [fr.frame(x)] * 20
    c.clear()
    bad = lambda error, *args, **kw: expect_error(c, (12, error), of.meter_mod(*args, **kw))
    c.ok(of.meter_mod(5, 2, of.band(1, 10)))
    bad(1, 5, 2, of.band(1, 10))                                        # METER_EXISTS
    bad(3, 6, 2, of.band(1, 10), command=1)                             # UNKNOWN_METER
    bad(4, 6, 2, of.band(1, 10), command=8)                             # BAD_COMMAND
    bad(5, 6, 3, of.band(1, 10))                                        # BAD_FLAGS: both units
    bad(8, 6, 2, of.band(9, 10))                                        # BAD_BAND
    bad(2, 0, 2, of.band(1, 10))                                        # INVALID_METER
    c.ok(of.flow_mod([], [of.meter(5)]), of.meter_mod(5, 0, command=2))
    assert c.flow_stats() == [], "flows of deleted meters go"


def test_remarked_packets(lab):
    """What comes after a dscp_remark meter sees the packet as it left the meter."""
    bench = Bench(lab)
    c = bench.c
    a_few = of.meter_mod(1, 2 | 4, of.band(2, 1, 10, 1))

    def flood(x, *mods, n=30):
        """How many of (port, frame) came out of 30 that were sent: waits for N, and a little for more."""
        c.clear()
        c.ok(a_few, *mods)
        bench.drain()
        for _ in range(30):
            bench.raw[1].send(fr.frame(x))
        got, end = {}, time.monotonic() + 5
        while True:
            missing = sum(got.values()) < n and time.monotonic() < end
            ready = select.select([bench.raw[port].s for port in (2, 3)], [], [], 1 if missing else 0.05)[0]
            if not ready and not missing:
                return got
            for port in (2, 3):
                for y in bench.raw[port].recv(0.0001) if bench.raw[port].s in ready else ():
                    got[port, y] = got.get((port, y), 0) + 1

    def expect(got, port, x, other_port, y):
        same, marked = got.pop((port, fr.frame(x)), 0), got.pop((other_port, fr.frame(y)), 0)
        assert not got and same + marked == 30 and 10 <= same <= 13, (same, marked, got)

    for kind, ip, eth_type in (("tcp4", "ip4", 0x800), ("tcp6", "ip6", 0x86dd)):
        af11, af12 = (fr.with_(fr.make(kind), ip, dscp=n) for n in (10, 12))
        dscp = lambda n: [("eth_type", eth_type), ("ip_dscp", n)]
        with_ecn = lambda x: fr.with_(x, ip, ecn=1)
        by_dscp = [of.flow_mod(dscp(10), [of.apply(of.output(2))], table=1),
                   of.flow_mod(dscp(12), [of.apply(of.output(3))], table=1)]
        # The next table matches on it.
        expect(flood(af11, of.flow_mod([], [of.meter(1), of.goto(1)]), *by_dscp), 2, af11, 3, af12)
        # A write of the byte's other bits leaves it as it is.
        expect(flood(af11, of.flow_mod(dscp(10), [of.meter(1), of.apply(of.set_field("ip_ecn", 1), of.output(2))])),
               2, with_ecn(af11), 2, with_ecn(af12))
        # In the action set, and by a table that reads something else.
        expect(flood(af11, of.flow_mod(dscp(10), [of.meter(1), of.write(of.output(2), of.set_field("ip_ecn", 1)), of.goto(1)]),
                     of.flow_mod([], [of.goto(2)], table=1)), 2, with_ecn(af11), 2, with_ecn(af12))
        # What was written before goes in, and is written over after.
        to_af11 = of.flow_mod([("eth_type", eth_type)], [of.apply(of.set_field("ip_dscp", 10)), of.goto(1)])
        expect(flood(fr.with_(af11, ip, dscp=46), to_af11, of.flow_mod([], [of.meter(1), of.apply(of.output(2))], table=1)),
               2, af11, 2, af12)
        assert flood(af11, of.flow_mod(dscp(10), [of.meter(1), of.apply(of.set_field("ip_dscp", 10), of.output(2))])) == \
            {(2, fr.frame(af11)): 30}
        # Both copies that a group makes are the marked packet.
        got = flood(af11, of.group_mod(1, 0, of.bucket(of.output(2)), of.bucket(of.set_field("ip_ecn", 1), of.output(3))),
                    of.flow_mod(dscp(10), [of.meter(1), of.apply(of.group(1))]), n=60)
        assert got.get((2, fr.frame(af12))) == got.get((3, fr.frame(with_ecn(af12)))) and sum(got.values()) == 60, got
        assert 17 <= got[2, fr.frame(af12)] <= 20, got


IPV4 = ("eth_type", 0x800)
TCP4 = [IPV4, ("ip_proto", 6)]


def error_cases():
    """(what, (type, code), message)"""
    flow = of.flow_mod
    BAD_REQUEST, BAD_ACTION, BAD_INSTRUCTION, BAD_MATCH, FLOW_MOD = 1, 2, 3, 4, 5
    yield "unknown message type", (BAD_REQUEST, 1), (77, b"")
    yield "unknown multipart", (BAD_REQUEST, 2), (of.MULTIPART_REQUEST, struct.pack("!HH4x", 99, 0))
    yield "unknown experimenter", (BAD_REQUEST, 3), (of.EXPERIMENTER, struct.pack("!II", 0x123456, 0))
    yield "short flow_mod", (BAD_REQUEST, 6), (of.FLOW_MOD, bytes(10))
    yield "packet_out with a buffer", (BAD_REQUEST, 8), (of.PACKET_OUT, struct.pack("!IIH6x", 5, of.CONTROLLER, 0))
    yield "unknown action", (BAD_ACTION, 0), flow([], [of.apply(of.act(77, bytes(4)))])
    yield "action too short", (BAD_ACTION, 1), flow([], [of.inst(4, bytes(4) + struct.pack("!HHI", 0, 8, 1))])
    yield "unknown experimenter's action", (BAD_ACTION, 2), flow([], [of.apply(of.act(0xffff, struct.pack("!I", 0x777777)))])
    yield "output to a reserved port", (BAD_ACTION, 4), flow([], [of.apply(of.output(0xffffff01))])
    yield "push_vlan of no tag's type", (BAD_ACTION, 5), flow([], [of.apply(of.simple(of.PUSH_VLAN, 0x1234, 2))])
    yield "push_mpls of no label's type", (BAD_ACTION, 5), flow([], [of.apply(of.simple(of.PUSH_MPLS, 0x1234, 2))])
    yield "push_pbb of another type", (BAD_ACTION, 5), flow([], [of.apply(of.simple(of.PUSH_PBB, 0x1234, 2))])
    yield "group that is not", (BAD_ACTION, 9), flow([], [of.apply(of.group(99))])
    yield "set_field without its prerequisite", (BAD_ACTION, 10), flow([], [of.apply(of.set_field("ipv4_dst", 1))])
    unknown = struct.pack("!HBBI", 0x8000, 77 << 1, 4, 0)
    yield "set_field of an unknown field", (BAD_ACTION, 13), flow([], [of.apply(of.act(25, unknown))])
    yield "set_field of a value too large", (BAD_ACTION, 15), flow([IPV4], [of.apply(of.set_field("ip_dscp", 64))])
    yield "unknown instruction", (BAD_INSTRUCTION, 0), flow([], [of.inst(9, bytes(4))])
    yield "goto backwards", (BAD_INSTRUCTION, 2), flow([], [of.goto(3)], table=3)
    yield "unknown experimenter's instruction", (BAD_INSTRUCTION, 5), flow([], [of.inst(0xffff, struct.pack("!I", 0x777777))])
    yield "instruction too long", (BAD_INSTRUCTION, 7), flow([], [struct.pack("!HHI", 1, 64, 0)])
    unknown = of.pad8(struct.pack("!HHHBBI", 1, 12, 0x8000, 77 << 1, 4, 0))
    yield "unknown field", (BAD_MATCH, 6), (of.FLOW_MOD, flow()[1][:40] + unknown)
    yield "value outside its mask", (BAD_MATCH, 5), flow([IPV4, ("ipv4_dst", 0x0a000001, 0xffffff00)])
    yield "vlan_vid too large", (BAD_MATCH, 7), flow([("vlan_vid", 0x2000)])
    yield "ip_dscp too large", (BAD_MATCH, 7), flow([IPV4, ("ip_dscp", 64)])
    yield "tcp without its prerequisites", (BAD_MATCH, 9), flow([("tcp_dst", 80)])
    yield "tcp of udp", (BAD_MATCH, 9), flow([IPV4, ("ip_proto", 17), ("tcp_dst", 80)])
    yield "mask on eth_type", (BAD_MATCH, 8), flow([("eth_type", 0x800, 0xff00)])
    yield "field twice", (BAD_MATCH, 10), flow(TCP4 + [("tcp_dst", 80), ("tcp_dst", 80)])
    yield "meter that is not", (12, 2), flow([], [of.meter(77)])
    yield "table 255", (FLOW_MOD, 2), flow([], table=0xff)
    yield "unknown command", (FLOW_MOD, 6), flow([], command=9)
    yield "buffer", (BAD_REQUEST, 8), flow([], buffer_id=7)
    yield "role of the past", (11, 2), (of.ROLE_REQUEST, struct.pack("!I4xQ", 9, 0))
    yield "table_mod of unknown bits", None, (of.TABLE_MOD, struct.pack("!B3xI", 3, 3))
    yield "port_mod of no port", (7, 0), (of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 77, bytes(6), 0, 0, 0))
    yield "port_mod of another address", (7, 1), (of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 1, b"\x02\0\0\0\0\x77", 0, 0, 0))
    yield "queues of no port", (9, 0), (of.QUEUE_GET_CONFIG_REQUEST, struct.pack("!I4x", 77))
    yield "config", None, (of.SET_CONFIG, struct.pack("!HH", 0, 128))


def test_errors(lab):
    """Each refusal by its type and code, with the offending message, and nothing done."""
    bench = Bench(lab)
    c = bench.c
    for what, want, message in error_cases():
        got = c.do(message)
        if got != want:
            raise Failure("%s: error %s, expected %s" % (what, got, want))
    assert c.flow_stats() == []
    c.ok(of.flow_mod(TCP4, [], priority=5))
    expect_error(c, (5, 3), of.flow_mod([IPV4], [], priority=5, flags=2))          # OVERLAP
    bad = of.flow_mod([("tcp_dst", 80)])
    xid = c.send(*bad)
    kind, got, body = c.take(5)
    assert (kind, got) == (of.ERROR, xid), (kind, got)
    assert body[4:] == struct.pack("!BBHI", 4, of.FLOW_MOD, 8 + len(bad[1]), xid) + bad[1], body.hex()


def test_messages(lab):
    """Replies: what was set is what is told."""
    bench = Bench(lab)
    c = bench.c
    n_buffers, n_tables, aux, caps = struct.unpack("!IBB2xI", c.features[8:20])
    assert (n_buffers, n_tables, aux) == (0, 254, 0), c.features.hex()
    assert c.ask(of.ECHO_REQUEST, b"hello") == [(of.ECHO_REPLY, b"hello")]
    c.ok((of.SET_CONFIG, struct.pack("!HH", 0, 99)))
    assert c.ask(of.GET_CONFIG_REQUEST) == [(of.GET_CONFIG_REPLY, struct.pack("!HH", 0, 99))]
    masks = struct.pack("!6I", 7, 1, 5, 2, 15, 8)
    c.ok((of.SET_ASYNC, masks))
    assert c.ask(of.GET_ASYNC_REQUEST) == [(of.GET_ASYNC_REPLY, masks)]
    c.ok((of.SET_ASYNC, struct.pack("!6I", 7, 7, 7, 7, 15, 15)))
    assert c.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", 2, 5))[0][0] == of.ROLE_REPLY
    expect_error(c, (11, 0), (of.ROLE_REQUEST, struct.pack("!I4xQ", 2, 4)))         # STALE
    c.ok((of.ROLE_REQUEST, struct.pack("!I4xQ", 1, 0)))
    # Flow removed, with the counts.
    frame = fr.frame(fr.make("tcp4"))
    c.ok(of.flow_mod([("in_port", 1)], [of.apply(of.output(2))], flags=1, cookie=0x77, priority=9))
    bench.expect("a flow that goes", frame, frame)
    c.ok(of.flow_mod(table=0xff, command=3, cookie=0x77, cookie_mask=0xff))
    cookie, prio, reason, table, _, _, _, _, packets, n_bytes = struct.unpack("!QHBBIIHHQQ", c.wait_news(of.FLOW_REMOVED)[:40])
    assert (cookie, prio, reason, table, packets, n_bytes) == (0x77, 9, 2, 0, 1, len(frame))
    # Statistics at once after the packet.
    bench.flows(of.flow_mod([("in_port", 1)], [of.apply(of.output(2))]))
    before = dict(port_counts(c))
    for i in range(3):
        bench.expect("counted", frame, frame)
    assert [x[4:6] for x in c.flow_stats()] == [(3, 3 * len(frame))]
    agg = c.multipart(of.MP_AGGREGATE, struct.pack("!B3xII4xQQ", 0xff, of.ANY, of.ANY, 0, 0) + of.match([]))
    assert struct.unpack("!QQI", agg[:20]) == (3, 3 * len(frame), 1)
    after = dict(port_counts(c))
    assert after[1][0] - before[1][0] == 3 and after[2][1] - before[2][1] == 3, (before, after)
    assert {0xfffffffe, 1, 2, 3, 4} == set(after)
    # A port that is told not to receive, forward or flood.
    addr = next(c.multipart(of.MP_PORT_DESC)[i + 8:i + 14] for i in range(0, 5 * 64, 64)
                if struct.unpack("!I", c.multipart(of.MP_PORT_DESC)[i:i + 4])[0] == 2)
    c.ok((of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 2, addr, 1 << 5, 1 << 5, 0)))   # NO_FWD
    bench.flows(of.flow_mod([], [of.apply(of.output(2), of.output(3))]))
    bench.expect("the other port", frame, frame, 3)
    assert bench.received(2, 0) == []
    c.ok((of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 2, addr, 0, 1 << 5, 0)))
    bench.expect("forwards again", frame, frame, 2)


def port_counts(c):
    data = c.multipart(of.MP_PORT_STATS, struct.pack("!I4x", of.ANY))
    for i in range(0, len(data), 112):
        port, rx, tx = struct.unpack("!I4xQQ", data[i:i + 24])
        yield port, (rx, tx)
