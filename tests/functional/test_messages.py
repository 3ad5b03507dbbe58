# SPDX-License-Identifier: Apache-2.0
"""Every OpenFlow 1.3 message and multipart, and Nicira's: asked over a raw connection, answers and refusals compared
with the specification. Offending bytes come back with each error."""
import os
import random
import socket
import struct
import time

import openflow as of
from lab import Failure, wait_until
from topology import cross_connected, numbered_frame
from openflow import Closed, ERROR, Wire, apply_actions, connect, experimenter, flow_mod, match, message, multipart, output, oxm

BAD_REQUEST, BAD_ACTION, BAD_INSTRUCTION, BAD_MATCH, FLOW_MOD_FAILED, GROUP_MOD_FAILED = 1, 2, 3, 4, 5, 6
PORT_MOD_FAILED, TABLE_MOD_FAILED, QUEUE_OP_FAILED, SWITCH_CONFIG_FAILED, ROLE_REQUEST_FAILED = 7, 8, 9, 10, 11
METER_MOD_FAILED, TABLE_FEATURES_FAILED = 12, 13


def refused(wire, request, kind, code):
    """REQUEST is answered by this one error, with its first 64 bytes or more."""
    out = wire.ask(request)
    assert [m.kind for m in out] == [ERROR], (request.hex(), out)
    got, offending = out[0].error()
    assert got == (kind, code), "%s refused with %s, not %s" % (request.hex(), got, (kind, code))
    want = request[:4] + struct.pack("!I", wire.xid) + request[8:]
    assert offending == want[:len(offending)] and len(offending) >= min(len(want), 64), (offending.hex(), want.hex())


def done(wire, *requests):
    """Each is carried out without a word."""
    for request in requests:
        out = wire.ask(request)
        assert not out, "%s: %s" % (request.hex(), [(m.kind, m.error() if m.kind == ERROR else m) for m in out])


def one(wire, request, kind):
    out = wire.ask(request)
    assert [m.kind for m in out] == [kind], [(m.kind, m.error() if m.kind == ERROR else m) for m in out]
    return out[0]


def parts(wire, kind, body=b""):
    """The joined body of a multipart reply."""
    out = wire.ask(multipart(kind, body))
    assert out and all(m.kind == of.MULTIPART_REPLY for m in out), [(m.kind, m.error() if m.kind == ERROR else m) for m in out]
    assert all(struct.unpack_from("!HH", m, 8) == (kind, int(m is not out[-1])) for m in out), out
    return b"".join(m[16:] for m in out)


def bucket(actions=b"", weight=0, port=of.ANY, group=of.ANY):
    return struct.pack("!HHII4x", 16 + len(actions), weight, port, group) + actions


def group_mod(command, group, kind=0, buckets=b""):
    return message(of.GROUP_MOD, struct.pack("!HBxI", command, kind, group) + buckets)


def meter_mod(command, meter, flags=1, *bands):
    return message(of.METER_MOD, struct.pack("!HHI", command, flags, meter) + b"".join(
        struct.pack("!HHII", kind, 16, rate, burst) + struct.pack("!B3x", level) for kind, rate, burst, level in bands))


def all_flows():
    return struct.pack("!B3xIIIQQ", 0xff, of.ANY, of.ANY, 0, 0, 0) + match()


def test_configuration(lab):
    host, _, _ = cross_connected(lab)
    w = connect(host)
    features = one(w, message(of.FEATURES_REQUEST), of.FEATURES_REPLY).body
    dpid, buffers, tables, auxiliary, capabilities = struct.unpack_from("!QIBB2xI", features)
    assert (buffers, tables, auxiliary) == (0, 254, 0) and capabilities & 0x4f == 0x4f and len(features) == 24, features
    assert "%016x" % dpid in host.ofctl("show", "br0")
    assert one(w, message(of.ECHO_REQUEST, b"ping" * 100), of.ECHO_REPLY).body == b"ping" * 100
    assert one(w, message(of.GET_CONFIG_REQUEST), of.GET_CONFIG_REPLY).body == struct.pack("!HH", 0, 0)
    done(w, message(of.SET_CONFIG, struct.pack("!HH", 1, 70)))
    assert one(w, message(of.GET_CONFIG_REQUEST), of.GET_CONFIG_REPLY).body == struct.pack("!HH", 1, 70)
    done(w, message(of.SET_CONFIG, struct.pack("!HH", 0, 128)))
    refused(w, message(of.SET_CONFIG, struct.pack("!HH", 8, 128)), SWITCH_CONFIG_FAILED, 0)
    desc = parts(w, 0)
    assert len(desc) == 1056 and b"Nicira" in desc, desc
    # What a switch sends, and what nobody defined, is refused.
    for kind in (of.FEATURES_REPLY, of.PACKET_IN, of.FLOW_REMOVED, of.PORT_STATUS, of.BARRIER_REPLY, 30, 99):
        body = bytes(64) if kind != of.BARRIER_REPLY else b""
        out = w.ask(message(kind, body))
        assert [m.kind for m in out] == [ERROR] and out[0].error()[0][0] == BAD_REQUEST, (kind, out)
    refused(w, message(99, bytes(8)), BAD_REQUEST, 1)
    refused(w, multipart(99), BAD_REQUEST, 2)
    refused(w, experimenter(0x00abcdef, 1), BAD_REQUEST, 3)
    refused(w, experimenter(of.NX_VENDOR, 9999), BAD_REQUEST, 4)
    refused(w, multipart(0xffff, struct.pack("!II", 0x00abcdef, 1)), BAD_REQUEST, 3)
    refused(w, message(of.FEATURES_REQUEST, b"long"), BAD_REQUEST, 6)
    refused(w, message(of.FLOW_MOD, bytes(16)), BAD_REQUEST, 6)
    # Errors too, but one that is about an error: two switches must not keep each other busy.
    refused(w, message(of.ERROR, struct.pack("!HH", 1, 1) + message(of.FLOW_MOD)), BAD_REQUEST, 1)
    refused(w, message(of.ERROR, struct.pack("!HH", 77, 99)), BAD_REQUEST, 1)
    done(w, message(of.ERROR, struct.pack("!HH", 1, 1) + message(of.ERROR, struct.pack("!HH", 3, 4))))
    # Only table features may come in several parts; one with nothing in it only says that it is the last.
    for kind, body in ((1, struct.pack("!B3xII4xQQ", 255, of.ANY, of.ANY, 0, 0) + match()), (4, struct.pack("!I4x", of.ANY))):
        first = multipart(kind, body, w.xid + 2, flags=1)
        out = w.ask(first + multipart(kind, body, w.xid + 2))
        assert [m.kind for m in out] == [ERROR] and out[0].error() == ((BAD_REQUEST, 2), first), (kind, out)
        out = w.ask(first[:4] + struct.pack("!I", w.xid + 2) + first[8:] + multipart(kind, b"", w.xid + 2))
        assert [m.kind for m in out] == [of.MULTIPART_REPLY], (kind, out)


def test_flows(lab):
    host, a, b = cross_connected(lab)
    w = connect(host)
    done(w, flow_mod(command=3, table=0xff))
    goto = struct.pack("!HHB3x", 1, 8, 3)
    tcp = oxm(5, b"\x08\x00") + oxm(10, b"\x06")
    done(w, flow_mod(tcp, apply_actions(output(2)) + goto, priority=7, cookie=0x77, flags=1, table=2))
    refused(w, flow_mod(tcp + oxm(14, b"\x00\x50"), priority=7, flags=2, table=2), FLOW_MOD_FAILED, 3)
    refused(w, flow_mod(tcp, struct.pack("!HHB3x", 1, 8, 1), table=2), BAD_INSTRUCTION, 2)
    refused(w, flow_mod(tcp, struct.pack("!HHI", 77, 8, 0)), BAD_INSTRUCTION, 0)
    refused(w, flow_mod(oxm(14, b"\x00\x50")), BAD_MATCH, 9)                            # TCP port without TCP
    refused(w, flow_mod(tcp + tcp), BAD_MATCH, 10)                                      # twice
    refused(w, flow_mod(oxm(100, b"\x00")), BAD_MATCH, 6)
    refused(w, flow_mod(oxm(5, b"\x08\x00") + oxm(11, bytes([10, 0, 0, 1]), bytes([255, 0, 0, 0]))), BAD_MATCH, 5)  # value outside of the mask
    refused(w, flow_mod(b"", apply_actions(output(0x12345678))), BAD_ACTION, 4)
    refused(w, flow_mod(b"", apply_actions(struct.pack("!HHI", 22, 8, 4711))), BAD_ACTION, 9)
    refused(w, flow_mod(b"", apply_actions(struct.pack("!HHI", 999, 8, 0))), BAD_ACTION, 0)
    refused(w, flow_mod(b"", apply_actions(struct.pack("!HHH2x", 17, 8, 0x1234))), BAD_ACTION, 5)   # no such tag
    refused(w, flow_mod(b"", apply_actions(struct.pack("!HH", 25, 16) + oxm(13, b"\x00\x50") + bytes(6))), BAD_ACTION, 10)
    refused(w, flow_mod(b"", struct.pack("!HHI", 6, 8, 4711)), METER_MOD_FAILED, 2)
    refused(w, flow_mod(b"", table=255), FLOW_MOD_FAILED, 2)
    refused(w, flow_mod(b"", command=9), FLOW_MOD_FAILED, 6)
    # The internal table: nothing is added, and what deletes everything is refused; nothing else is there to delete.
    for command in range(4):
        refused(w, flow_mod(b"", command=command, table=254), BAD_REQUEST, 5)
    done(w, flow_mod(tcp, command=3, table=254), flow_mod(b"", command=4, table=254))
    # A change keeps cookie and timeouts, an addition doesn't; counts go with RESET_COUNTS.
    done(w, flow_mod(tcp, apply_actions(output(1)), command=1, table=2, cookie=0x99))
    body = parts(w, 1, struct.pack("!B3xIIIQQ", 2, of.ANY, of.ANY, 0, 0, 0) + match())
    length, table, priority, flags, cookie = struct.unpack_from("!HB", body) + struct.unpack_from("!H", body, 12) + struct.unpack_from(
        "!H", body, 18) + struct.unpack_from("!Q", body, 24)
    assert (length, table, priority, flags, cookie) == (len(body), 2, 7, 1, 0x77), body.hex()
    assert struct.unpack("!QQI4x", parts(w, 2, all_flows()))[2] == 1
    assert not parts(w, 1, struct.pack("!B3xIIIQQ", 0xff, 2, of.ANY, 0, 0, 0) + match())           # none puts out there any more
    # The end of a flow is told who asked for it, with what it was.
    done(w, message(of.SET_CONFIG, struct.pack("!HH", 0, 128)), message(of.SET_ASYNC, struct.pack("!6I", 7, 7, 7, 7, 15, 15)))
    w.others.clear()
    done(w, flow_mod(b"", command=3, table=0xff, cookie=0x77, mask=0xff))
    removed = wait_until(lambda: [m for m in w.drain(0.05) if m.kind == of.FLOW_REMOVED], 3, "flow-removed")[0]
    assert struct.unpack_from("!QHBB", removed.body) == (0x77, 7, 2, 2), removed
    for idle, hard, reason in ((1, 0, 0), (0, 1, 1)):
        done(w, flow_mod(oxm(5, b"\x88\xb5"), b"", idle=idle, hard=hard, flags=1))
        removed = wait_until(lambda: [m for m in w.drain(0.05) if m.kind == of.FLOW_REMOVED], 5, "the timeout")[0]
        assert removed.body[10] == reason, removed


def test_groups_and_meters(lab):
    host, a, b = cross_connected(lab)
    w = connect(host)
    done(w, group_mod(0, 1, 0, bucket(output(1)) + bucket(output(2))),
         group_mod(0, 2, 1, bucket(output(1), weight=3) + bucket(output(2), weight=1)),
         group_mod(0, 3, 2, bucket(output(2))),
         group_mod(0, 4, 3, bucket(output(2), port=2) + bucket(output(1), port=1)),
         group_mod(0, 5, 2, bucket(struct.pack("!HHI", 22, 8, 3))))
    refused(w, group_mod(0, 1, 0), GROUP_MOD_FAILED, 0)                                             # exists
    refused(w, group_mod(0, 6, 2, bucket(output(1)) * 2), GROUP_MOD_FAILED, 1)                      # indirect with two
    refused(w, group_mod(0, 6, 9), GROUP_MOD_FAILED, 10)
    refused(w, group_mod(0, 0xffffff00 + 7, 0), GROUP_MOD_FAILED, 1)
    refused(w, group_mod(0, 6, 3, bucket(output(1))), GROUP_MOD_FAILED, 1)                          # fast failover watches nothing
    refused(w, group_mod(1, 77, 0), GROUP_MOD_FAILED, 8)
    refused(w, group_mod(1, 3, 2, bucket(struct.pack("!HHI", 22, 8, 5))), GROUP_MOD_FAILED, 7)      # a loop
    refused(w, group_mod(9, 1, 0), GROUP_MOD_FAILED, 11)
    done(w, flow_mod(b"", apply_actions(struct.pack("!HHI", 22, 8, 1)), priority=20))
    stats = parts(w, 6, struct.pack("!I4x", of.ANY - 3))
    assert [struct.unpack_from("!I", stats, at + 4)[0] for at in walk(stats)] == [1, 2, 3, 4, 5]
    assert struct.unpack_from("!I", stats, 8)[0] == 1                                               # referred to by a flow
    descs = parts(w, 7)
    assert [struct.unpack_from("!BxI", descs, at + 2) for at in walk(descs)] == [(0, 1), (1, 2), (2, 3), (3, 4), (2, 5)]
    kinds, capabilities = struct.unpack_from("!II", parts(w, 8))
    assert kinds == 0xf and capabilities & 7 == 7
    done(w, group_mod(2, 0xfffffffc, 0))
    assert not parts(w, 7) and not [f for f in host.flows("br0") if "group" in f]
    done(w, meter_mod(0, 1, 1 | 4 | 8, (1, 1000, 100, 0)), meter_mod(0, 2, 2 | 8, (1, 500, 0, 0), (2, 100, 0, 1)))
    refused(w, meter_mod(0, 1, 1, (1, 1000, 0, 0)), METER_MOD_FAILED, 1)
    refused(w, meter_mod(1, 9, 1, (1, 1000, 0, 0)), METER_MOD_FAILED, 3)
    refused(w, meter_mod(7, 1, 1, (1, 1000, 0, 0)), METER_MOD_FAILED, 4)
    refused(w, meter_mod(0, 9, 1 | 2, (1, 1000, 0, 0)), METER_MOD_FAILED, 5)                        # kb/s and pkt/s
    refused(w, meter_mod(0, 9, 1, (9, 1000, 0, 0)), METER_MOD_FAILED, 8)
    # No band, or more than there can be; bands that let nothing through; flags nobody defined: neither added nor a change.
    for command in (0, 1):
        meter = 9 if command == 0 else 1
        refused(w, meter_mod(command, meter), METER_MOD_FAILED, 11)
        refused(w, meter_mod(command, meter, 1, *[(1, 1000, 0, 0)] * 9), METER_MOD_FAILED, 11)
        refused(w, meter_mod(command, meter, 1, (1, 1000, 0, 0), (1, 0, 0, 0)), METER_MOD_FAILED, 6)
        refused(w, meter_mod(command, meter, 0x11, (1, 1000, 0, 0)), METER_MOD_FAILED, 5)
    refused(w, meter_mod(0, 1), METER_MOD_FAILED, 1)                                                # that it exists comes first
    refused(w, meter_mod(1, 9), METER_MOD_FAILED, 3)
    config = parts(w, 10, struct.pack("!I4x", of.ANY))
    assert [struct.unpack_from("!HHI", config, at) for at in walk(config)] == [(24, 13, 1), (40, 10, 2)], config.hex()
    assert struct.unpack_from("!HHII", config, 8) == (1, 16, 1000, 100)                             # the burst that was given
    done(w, flow_mod(b"", struct.pack("!HHI", 6, 8, 1) + apply_actions(output(2)), priority=20))
    stats = parts(w, 9, struct.pack("!I4x", 1))
    assert struct.unpack_from("!IH6xI", stats)[0::2] == (1, 1), stats.hex()
    limit, bands, _, colours, _ = struct.unpack("!IIIBB2x", parts(w, 11, b""))
    assert limit > 1000 and bands == 1 << 1 | 1 << 2 and colours, (limit, bands)
    done(w, meter_mod(2, of.ANY, 0))
    assert not parts(w, 10, struct.pack("!I4x", of.ANY)) and not [f for f in host.flows("br0") if "meter" in f]


def set_table_features(w, tables):
    """Asks for TABLES in as many messages as it takes; the joined answer."""
    pieces = [b""]
    for t in tables:
        if len(pieces[-1]) + len(t) > 60000:
            pieces.append(b"")
        pieces[-1] += t
    w.xid += 2
    w.send(*(multipart(12, p, w.xid, flags=int(p is not pieces[-1])) for p in pieces), message(of.BARRIER_REQUEST, xid=w.xid + 1))
    out = []
    while not out or out[-1].kind != of.BARRIER_REPLY:
        out.append(w.recv())
    assert all(m.kind == of.MULTIPART_REPLY for m in out[:-1]), [(m.kind, m.error()[0] if m.kind == ERROR else len(m)) for m in out]
    return b"".join(m[16:] for m in out[:-1])


def walk(body):
    """Offsets of the elements of BODY, each with its length in front."""
    at = 0
    while at < len(body):
        yield at
        at += struct.unpack_from("!H", body, at)[0]


def test_ports_tables_and_queues(lab):
    host, a, b = cross_connected(lab)
    w, other = connect(host), connect(host)
    ports = parts(w, 13)
    assert len(ports) == 3 * 64 and sorted(struct.unpack_from("!I", ports, at)[0] for at in range(0, 192, 64)) == [1, 2, 0xfffffffe]
    mac = next(ports[at + 8:at + 14] for at in range(0, 192, 64) if struct.unpack_from("!I", ports, at)[0] == 1)
    other.send(message(of.SET_CONFIG, struct.pack("!HH", 0, 128)), message(of.SET_ASYNC, struct.pack("!6I", 7, 7, 7, 7, 15, 15)))
    other.barrier()
    mod = lambda port, hw, config, mask: message(of.PORT_MOD, struct.pack("!I4x6s2xIII4x", port, hw, config, mask, 0))
    done(w, mod(1, mac, 1 << 5, 1 << 5))
    status = wait_until(lambda: [m for m in other.drain(0.05) if m.kind == of.PORT_STATUS], 3, "port-status")[0]
    assert status.body[0] == 2 and struct.unpack_from("!I", status.body, 8)[0] == 1 and struct.unpack_from("!I", status.body, 8 + 32)[0] & 1 << 5
    refused(w, mod(77, mac, 0, 0), PORT_MOD_FAILED, 0)
    refused(w, mod(1, bytes(6), 1, 1), PORT_MOD_FAILED, 1)
    done(w, mod(1, mac, 0, 1 << 5))
    assert len(parts(w, 4, struct.pack("!I4x", of.ANY))) == 3 * 112 and len(parts(w, 4, struct.pack("!I4x", 2))) == 112
    assert not parts(w, 4, struct.pack("!I4x", 77))
    tables = parts(w, 3)
    assert len(tables) == 24 * 254
    done(w, message(of.TABLE_MOD, struct.pack("!B3xI", 5, 0)))
    refused(w, message(of.TABLE_MOD, struct.pack("!B3xI", 5, 0x100)), TABLE_MOD_FAILED, 1)
    # Table features: what is said can be said back; what the switch can't be is refused.
    features = parts(w, 12)
    each = [features[at:at + struct.unpack_from("!H", features, at)[0]] for at in walk(features)]
    assert [t[2] for t in each] == list(range(254))
    named = each[0][:8] + b"first".ljust(32, b"\0") + each[0][40:]
    assert b"first" in set_table_features(w, [named] + each[1:])
    refused(w, multipart(12, named), TABLE_FEATURES_FAILED, 5)                                      # all the others would go
    refused(w, multipart(12, named[:60] + struct.pack("!I", 7) + named[64:]), TABLE_FEATURES_FAILED, 5)
    refused(w, multipart(12, struct.pack("!H", 72) + named[2:64] + struct.pack("!HH4x", 77, 8)), TABLE_FEATURES_FAILED, 2)
    # Queues: there are none.
    assert not parts(w, 5, struct.pack("!II", of.ANY, of.ANY))
    refused(w, multipart(5, struct.pack("!II", 1, 9)), QUEUE_OP_FAILED, 1)
    refused(w, multipart(5, struct.pack("!II", 77, of.ANY)), QUEUE_OP_FAILED, 0)
    reply = one(w, message(of.QUEUE_GET_CONFIG_REQUEST, struct.pack("!I4x", 1)), of.QUEUE_GET_CONFIG_REPLY)
    assert reply.body == struct.pack("!I4x", 1), reply
    refused(w, message(of.QUEUE_GET_CONFIG_REQUEST, struct.pack("!I4x", 77)), QUEUE_OP_FAILED, 0)
    # From 1.4 on that is a multipart request; one that says that more is to come waits for it.
    v = connect(host, version=5)
    queue_desc = lambda port, queue, **kw: multipart(15, struct.pack("!II", port, queue), version=5, **kw)
    assert one(v, queue_desc(1, of.ANY), of.MULTIPART_REPLY).body == struct.pack("!HHI", 15, 0, 0)
    refused(v, queue_desc(77, of.ANY), QUEUE_OP_FAILED, 0)
    refused(v, queue_desc(of.ANY, 5), QUEUE_OP_FAILED, 1)
    assert v.ask(queue_desc(1, 5))[0].error()[0] == (0xffff, 23)                                    # NXQOFC_QUEUE_ERROR
    assert not v.ask(queue_desc(1, of.ANY, flags=1))


def test_roles_and_async(lab):
    host, a, b = cross_connected(lab)
    w, v = connect(host), connect(host)
    ask = lambda role, generation: message(of.ROLE_REQUEST, struct.pack("!I4xQ", role, generation))
    role = lambda wire, r, g=0: struct.unpack("!I4xQ", one(wire, ask(r, g), of.ROLE_REPLY).body)
    assert role(w, 0)[0] == 1
    assert role(w, 2, 5) == (2, 5) and role(w, 0) == (2, 5)
    refused(v, ask(2, 4), ROLE_REQUEST_FAILED, 0)
    refused(v, ask(9, 6), ROLE_REQUEST_FAILED, 2)
    assert role(v, 2, 6) == (2, 6) and role(w, 0) == (3, 6)
    refused(w, flow_mod(b""), BAD_REQUEST, 10)
    refused(w, of.packet_out(numbered_frame(1), output(2)), BAD_REQUEST, 10)
    assert parts(w, 0) and role(w, 1)[0] == 1
    done(w, flow_mod(b"", table=9))
    assert struct.unpack("!6I", one(w, message(of.GET_ASYNC_REQUEST), of.GET_ASYNC_REPLY).body[:24]) is not None
    done(w, message(of.SET_ASYNC, struct.pack("!6I", 1, 2, 3, 4, 5, 6)))
    body = one(w, message(of.GET_ASYNC_REQUEST), of.GET_ASYNC_REPLY).body
    assert struct.unpack("!6I", body) == (1, 2, 3, 4, 5, 6), body


def test_bundles(lab):
    host, a, b = cross_connected(lab)
    w = connect(host)
    control = lambda kind, ident=7, flags=3: experimenter(of.ONF_VENDOR, 2300, struct.pack("!IHH", ident, kind, flags))

    def add(inner, ident=7, flags=3):
        inner = inner[:4] + struct.pack("!I", w.xid + 2) + inner[8:]
        return experimenter(of.ONF_VENDOR, 2301, struct.pack("!IHH", ident, 0, flags) + inner)

    def answered(kind):
        reply = one(w, control(kind), of.EXPERIMENTER)
        assert struct.unpack_from("!IIIH", reply.body) == (of.ONF_VENDOR, 2300, 7, kind + 1), reply

    answered(0)                                                                                     # open
    for inner in (flow_mod(b"", apply_actions(output(2)), table=11, priority=1), flow_mod(b"", command=3, table=11),
                  flow_mod(oxm(5, b"\x08\x00"), apply_actions(output(1)), table=11, priority=2)):
        done(w, add(inner))
    assert "flow_count=0" in host.ofctl("dump-aggregate", "br0", "table=11")
    answered(4)                                                                                     # commit
    assert "flow_count=1" in host.ofctl("dump-aggregate", "br0", "table=11")
    # One that fails takes all of it back, the order of errors kept.
    answered(0)
    done(w, add(flow_mod(b"", table=12)))
    done(w, add(flow_mod(b"", apply_actions(struct.pack("!HHI", 22, 8, 4711)), table=12, priority=3)))
    out = w.ask(control(4))
    assert all(m.kind == ERROR for m in out) and len(out) >= 1, out
    assert "flow_count=0" in host.ofctl("dump-aggregate", "br0", "table=12")
    answered(0)
    done(w, add(flow_mod(b"", table=13)))
    answered(6)                                                                                     # discard
    assert "flow_count=0" in host.ofctl("dump-aggregate", "br0", "table=13")
    for request in (control(4, 99), control(9), add(message(of.BARRIER_REQUEST), 98)):
        out = w.ask(request)
        assert [m.kind for m in out] == [ERROR] and struct.unpack_from("!HHI", out[0], 8)[0] in (0xffff, 17), (request, out)


def test_idle_bundles_end(lab):
    """Those that nobody goes on with end by themselves, after the time that is configured."""
    host = lab.host()
    host.start_json({"other_config": {"bundle-idle-timeout": "1"}, "bridges": [{"name": "br0"}]})
    w = connect(host, version=5)
    start = time.monotonic()
    w.send(message(33, struct.pack("!IHH", 7, 0, 3), 5, 5))
    assert w.wait(33).body == struct.pack("!IHH4x", 7, 1, 0)[:8]
    told = w.recv(9)
    assert told.kind == ERROR and told.error()[0] == (17, 14) and time.monotonic() - start < 6, told             # TIMEOUT
    refused(w, message(33, struct.pack("!IHH", 7, 4, 3), version=5), 17, 2)                         # and it is gone: BAD_ID


def nicira(w, subtype, body=b""):
    return w.ask(experimenter(of.NX_VENDOR, subtype, body, version=w.version))


def test_nicira(lab):
    host, a, b = cross_connected(lab)
    w, old = connect(host), connect(host, version=1)
    quiet = lambda out: not out
    assert quiet(nicira(old, 12, struct.pack("!I", 2)))                                             # NXT_SET_FLOW_FORMAT: NXM
    assert quiet(nicira(old, 15, struct.pack("!B7x", 1)))                                           # NXT_FLOW_MOD_TABLE_ID
    for wire in (w, old):
        for layout in (0, 1, 2):
            assert quiet(nicira(wire, 16, struct.pack("!I", layout)))                               # NXT_SET_PACKET_IN_FORMAT
        assert nicira(wire, 16, struct.pack("!I", 9))[0].kind == ERROR
        assert quiet(nicira(wire, 18))                                                              # NXT_FLOW_AGE
        assert quiet(nicira(wire, 19, struct.pack("!6I", 3, 0, 3, 0, 3, 0)))                        # NXT_SET_ASYNC_CONFIG
        assert quiet(nicira(wire, 20, struct.pack("!6xH", 77)))                                     # NXT_SET_CONTROLLER_ID
        assert quiet(nicira(wire, 20, struct.pack("!6xH", 0)))
        assert quiet(nicira(wire, 29, struct.pack("!6xH", 5)))                                      # NXT_CT_FLUSH_ZONE
        assert quiet(nicira(wire, 32, bytes(8)))                                                    # NXT_CT_FLUSH
        reply = nicira(wire, 10, struct.pack("!I", 0))                                              # NXT_ROLE_REQUEST
        assert [m.kind for m in reply] == [of.EXPERIMENTER] and struct.unpack("!III", reply[0].body) == (of.NX_VENDOR, 11, 0)
        # NXT_TLV_TABLE_MOD, _REQUEST
        assert quiet(nicira(wire, 24, struct.pack("!H6x", 0) + struct.pack("!HBBH2x", 0xffff, 0x80, 4, 3)))
        table = nicira(wire, 25)[0].body
        assert struct.unpack_from("!IIIH10x", table) == (of.NX_VENDOR, 26, 256, 64) and table[-8:] == struct.pack("!HBBH2x", 0xffff, 0x80, 4, 3), table
        assert nicira(wire, 24, struct.pack("!H6x", 0) + struct.pack("!HBBH2x", 0xfffe, 0x80, 4, 3))[0].kind == ERROR
        assert quiet(nicira(wire, 24, struct.pack("!H6x", 2)))
        assert nicira(wire, 28, bytes(8))[0].kind == ERROR                                          # NXT_RESUME of nothing
        assert quiet(nicira(wire, 27, struct.pack("!HHI", 1, 8, 3)))                                # NXT_SET_ASYNC_CONFIG2
        assert nicira(wire, 27, struct.pack("!HHI", 77, 8, 3))[0].kind == ERROR
    # NXST_FLOW and NXST_AGGREGATE in 1.0
    for kind, least in ((0, 48), (1, 24)):
        body = struct.pack("!IIHHB3x", of.NX_VENDOR, kind, 0xffff, 0, 0xff)
        out = old.ask(message(16, struct.pack("!HH", 0xffff, 0) + struct.pack("!II4xHHB3x", of.NX_VENDOR, kind, 0xffff, 0, 0xff), version=1))
        assert [m.kind for m in out] == [17] and len(out[0]) >= 24 + least - 8, (kind, body, out)
    # The group-mod of 1.5 (insert and remove buckets) in 1.0
    host.ofctl("add-group", "br0", "group_id=9,type=select,bucket=bucket_id:1,actions=output:1")
    host.ofctl("insert-buckets", "br0", "group_id=9,command_bucket_id=last,bucket=bucket_id:2,actions=output:2")
    assert "output:1" in host.ofctl("dump-groups", "br0") and "output:2" in host.ofctl("dump-groups", "br0")
    host.ofctl("remove-buckets", "br0", "group_id=9,command_bucket_id=all")
    assert "bucket=" not in host.ofctl("dump-groups", "br0")


def test_controller_pauses_and_resumes(lab):
    """controller(pause) gives the packet and a continuation to the controller; NXT_RESUME takes it on from there."""
    host, a, b = cross_connected(lab)
    log = lab.dir + "/pause.log"
    monitor = lab.spawn(["ovs-ofctl", "monitor", "br0", "resume"], log, host.env)
    wait_until(lambda: len(host.appctl("ofproto/list")) and monitor.poll() is None, 3, "the monitor")
    time.sleep(0.5)
    host.ofctl("add-flow", "br0", "priority=9,in_port=1,udp,actions=controller(pause,userdata=01.02),set_field:02:00:00:00:00:77->eth_src,output:2")
    rx = b.raw("eth0")
    a.raw("eth0").send(numbered_frame(3))
    got = wait_until(lambda: [f for f in rx.recv(0.1) if f[6:12].hex() == "020000000077"], 5, "the packet that went on")
    assert len(got) == 1
    with open(log) as f:
        text = f.read()
    assert "userdata=01.02" in text and "continuation" in text, text


def test_flow_monitor(lab):
    host, a, b = cross_connected(lab)
    log = lab.dir + "/watch.log"
    lab.spawn(["ovs-ofctl", "monitor", "br0", "watch:table=4"], log, host.env)
    text = lambda: open(log).read()
    time.sleep(0.5)
    host.ofctl("add-flow", "br0", "table=4,udp,cookie=5,actions=2")
    host.ofctl("mod-flows", "br0", "table=4,udp,actions=1")
    host.ofctl("add-flow", "br0", "table=5,udp,actions=1")
    host.ofctl("del-flows", "br0", "table=4")
    for event in ("event=ADDED table=4 cookie=0x5", "event=MODIFIED table=4", "event=DELETED reason=delete table=4"):
        wait_until(lambda: event in text(), 5, event + " in " + text())
    assert "table=5" not in text()


def mutated(rng, data):
    """DATA with a few bytes, lengths or pieces changed; the header's length is made to fit, mostly."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        how, at = rng.randrange(6), rng.randrange(len(out))
        if how < 3:
            out[at] = rng.choice((0, 1, 0x7f, 0x80, 0xff, rng.randrange(256)))
        elif how == 3:
            del out[at:at + rng.choice((1, 4, 8, 16))]
        elif how == 4:
            out[at:at] = out[max(at - 16, 0):at]
        else:
            out[at:at + 2] = struct.pack("!H", rng.choice((0, 4, 8, 0xffff, 0xfff8, len(out))))
        if len(out) < 8:
            out += bytes(8)
    if rng.random() < 0.95:
        out[2:4] = struct.pack("!H", min(len(out), 0xffff))
    return bytes(out[:0xffff])


def long_mutated_messages(lab):
    """Valid messages with changed bytes, to the handlers behind the decoders: the switch lives, answers, and forwards."""
    host, a, b = cross_connected(lab)
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fuzz/corpus/ofp_msg")
    seeds = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as f:
            data = f.read()
        while len(data) >= 8:
            length = struct.unpack_from("!H", data, 2)[0]
            seeds.append(data[:length])
            data = data[length:]
    seed = int(os.environ.get("SLUICE_SEED", time.time_ns() % (1 << 32)))
    print("SLUICE_SEED=%d" % seed)
    rng = random.Random(seed)
    by_version = {v: [s for s in seeds if s[0] == v] for v in (1, 2, 4, 6)}
    end, sent = time.monotonic() + float(os.environ.get("SLUICE_FUZZ_SECONDS", "60")), 0
    while time.monotonic() < end:
        version = rng.choice((1, 4, 6))
        s = socket.socket(socket.AF_UNIX)
        s.connect(host.dir + "/br0.mgmt")
        try:
            wire = Wire(s, version)
            for _ in range(50):
                data = mutated(rng, rng.choice(by_version[version]))
                wire.send(bytes([version]) + data[1:])
                sent += 1
            wire.send(message(18 if version == 1 else of.BARRIER_REQUEST, xid=0x5eed, version=version))
            while wire.recv(0.5).xid != 0x5eed:
                pass
        except (Closed, ConnectionError):
            pass                                # A length that lies ends a connection.
        except TimeoutError:
            pass                                # ... or eats what follows.
        finally:
            s.close()
        host.check_alive()
    print("%d messages" % sent)
    w = connect(host)
    done(w, flow_mod(b"", command=3, table=0xff), flow_mod(b"", apply_actions(output(0xfffffffb))))
    if host.daemon.poll() is not None:
        raise Failure("the daemon ended: %s" % host.log())
