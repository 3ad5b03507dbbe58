# SPDX-License-Identifier: Apache-2.0
"""A controller's side of OpenFlow 1.3.5, as much as tests need: one connection, whose every message and error is seen.

Numbers and layouts: OpenFlow 1.3.5, 7. Matches are lists of (field, value) or (field, value, mask), in the order of
the wire; values are numbers or bytes."""
import select
import socket
import struct
import time

VERSION = 4
NO_BUFFER = 0xffffffff
ANY = 0xffffffff
(HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, EXPERIMENTER, FEATURES_REQUEST, FEATURES_REPLY, GET_CONFIG_REQUEST, GET_CONFIG_REPLY,
 SET_CONFIG, PACKET_IN, FLOW_REMOVED, PORT_STATUS, PACKET_OUT, FLOW_MOD, GROUP_MOD, PORT_MOD, TABLE_MOD, MULTIPART_REQUEST,
 MULTIPART_REPLY, BARRIER_REQUEST, BARRIER_REPLY, QUEUE_GET_CONFIG_REQUEST, QUEUE_GET_CONFIG_REPLY, ROLE_REQUEST,
 ROLE_REPLY, GET_ASYNC_REQUEST, GET_ASYNC_REPLY, SET_ASYNC, METER_MOD) = range(30)
(MP_DESC, MP_FLOW, MP_AGGREGATE, MP_TABLE, MP_PORT_STATS, MP_QUEUE, MP_GROUP, MP_GROUP_DESC, MP_GROUP_FEATURES, MP_METER,
 MP_METER_CONFIG, MP_METER_FEATURES, MP_TABLE_FEATURES, MP_PORT_DESC) = range(14)
IN_PORT, TABLE, NORMAL, FLOOD, ALL, CONTROLLER, LOCAL = 0xfffffff8, 0xfffffff9, 0xfffffffa, 0xfffffffb, 0xfffffffc, 0xfffffffd, 0xfffffffe

# name: (number in OFPXMC_OPENFLOW_BASIC, bytes of a value)
FIELDS = {
    "in_port": (0, 4), "metadata": (2, 8), "eth_dst": (3, 6), "eth_src": (4, 6), "eth_type": (5, 2), "vlan_vid": (6, 2),
    "vlan_pcp": (7, 1), "ip_dscp": (8, 1), "ip_ecn": (9, 1), "ip_proto": (10, 1), "ipv4_src": (11, 4), "ipv4_dst": (12, 4),
    "tcp_src": (13, 2), "tcp_dst": (14, 2), "udp_src": (15, 2), "udp_dst": (16, 2), "sctp_src": (17, 2), "sctp_dst": (18, 2),
    "icmpv4_type": (19, 1), "icmpv4_code": (20, 1), "arp_op": (21, 2), "arp_spa": (22, 4), "arp_tpa": (23, 4),
    "arp_sha": (24, 6), "arp_tha": (25, 6), "ipv6_src": (26, 16), "ipv6_dst": (27, 16), "ipv6_flabel": (28, 4),
    "icmpv6_type": (29, 1), "icmpv6_code": (30, 1), "ipv6_nd_target": (31, 16), "ipv6_nd_sll": (32, 6), "ipv6_nd_tll": (33, 6),
    "mpls_label": (34, 4), "mpls_tc": (35, 1), "mpls_bos": (36, 1), "pbb_isid": (37, 3), "tunnel_id": (38, 8),
    "ipv6_exthdr": (39, 2),
}


def value(name, v):
    return v if isinstance(v, bytes) else v.to_bytes(FIELDS[name][1], "big")


def oxm(name, v, mask=None):
    body = value(name, v) + (b"" if mask is None else value(name, mask))
    return struct.pack("!HBB", 0x8000, FIELDS[name][0] << 1 | (mask is not None), len(body)) + body


def pad8(data):
    return data + bytes(-len(data) % 8)


def match(fields):
    body = b"".join(oxm(*f) for f in fields)
    return pad8(struct.pack("!HH", 1, 4 + len(body)) + body)


# ---- actions

def act(kind, body=b""):
    data = pad8(struct.pack("!HH", kind, 0) + body) if body else struct.pack("!HHI", kind, 0, 0)
    return data[:2] + struct.pack("!H", len(data)) + data[4:]


def output(port, max_len=0xffff):
    return act(0, struct.pack("!IH6x", port, max_len))


def group(n):
    return act(22, struct.pack("!I", n))


def set_field(name, v, mask=None):
    return act(25, oxm(name, v, mask))


def simple(kind, n=0, size=1):
    """set_mpls_ttl and set_nw_ttl take a byte, pushes and pop_mpls a type, others nothing."""
    return act(kind, n.to_bytes(size, "big") + bytes(4 - size))


COPY_TTL_OUT, COPY_TTL_IN, SET_MPLS_TTL, DEC_MPLS_TTL, PUSH_VLAN, POP_VLAN, PUSH_MPLS, POP_MPLS, SET_QUEUE = 11, 12, 15, 16, 17, 18, 19, 20, 21
SET_NW_TTL, DEC_NW_TTL, PUSH_PBB, POP_PBB = 23, 24, 26, 27


# ---- instructions

def inst(kind, body):
    return struct.pack("!HH", kind, 4 + len(body)) + body


def apply(*actions):
    return inst(4, bytes(4) + b"".join(actions))


def write(*actions):
    return inst(3, bytes(4) + b"".join(actions))


def goto(table):
    return inst(1, struct.pack("!B3x", table))


def write_metadata(v, mask=(1 << 64) - 1):
    return inst(2, struct.pack("!4xQQ", v, mask))


def meter(n):
    return inst(6, struct.pack("!I", n))


# ---- bodies of messages

def flow_mod(fields=(), instructions=(), table=0, command=0, priority=100, cookie=0, flags=0, idle=0, hard=0, out_port=ANY,
             out_group=ANY, cookie_mask=0, buffer_id=NO_BUFFER):
    return FLOW_MOD, struct.pack("!QQBBHHHIIIH2x", cookie, cookie_mask, table, command, idle, hard, priority, buffer_id,
                                 out_port, out_group, flags) + match(fields) + b"".join(instructions)


def bucket(*actions, weight=0, watch_port=ANY, watch_group=ANY):
    body = b"".join(actions)
    return struct.pack("!HHII4x", 16 + len(body), weight, watch_port, watch_group) + body


def group_mod(n, kind, *buckets, command=0):
    """KIND: 0 all, 1 select, 2 indirect, 3 fast failover."""
    return GROUP_MOD, struct.pack("!HBxI", command, kind, n) + b"".join(buckets)


def band(kind, rate, burst=0, prec_level=0):
    """KIND: 1 drop, 2 dscp_remark."""
    return struct.pack("!HHII", kind, 16, rate, burst) + struct.pack("!B3x", prec_level)


def meter_mod(n, flags, *bands, command=0):
    """FLAGS: 1 kb/s, 2 packets/s, 4 burst, 8 statistics."""
    return METER_MOD, struct.pack("!HHI", command, flags, n) + b"".join(bands)


def packet_out(data, *actions, in_port=CONTROLLER):
    body = b"".join(actions)
    return PACKET_OUT, struct.pack("!IIH6x", NO_BUFFER, in_port, len(body)) + body + data


class Connection:
    """Connects to a punix target that a bridge listens on."""

    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + 10
        while self.s.connect_ex(path):
            assert time.monotonic() < end, "nobody listens on " + path
            time.sleep(0.02)
        self.rx, self.xid, self.news = b"", 100, []     # News: messages that answer nothing.
        self.s.sendall(struct.pack("!BBHI", VERSION, HELLO, 8, 1))
        assert self.take(5)[0] == HELLO
        self.features = self.ask(FEATURES_REQUEST)[0][1]

    def send(self, kind, body=b""):
        self.xid += 1
        self.s.sendall(struct.pack("!BBHI", VERSION, kind, 8 + len(body), self.xid) + body)
        return self.xid

    def take(self, seconds):
        """The next message (type, xid, body) within SECONDS, or None. Echo requests are answered."""
        end = time.monotonic() + seconds
        while True:
            if len(self.rx) >= 8:
                version, kind, size, xid = struct.unpack("!BBHI", self.rx[:8])
                if len(self.rx) >= size:
                    body, self.rx = self.rx[8:size], self.rx[size:]
                    if kind == ECHO_REQUEST:
                        self.s.sendall(struct.pack("!BBHI", VERSION, ECHO_REPLY, 8 + len(body), xid) + body)
                        continue
                    return kind, xid, body
            if not select.select([self.s], [], [], max(0, end - time.monotonic()))[0]:
                return None
            data = self.s.recv(1 << 16)
            assert data, "the switch closed the connection"
            self.rx += data

    def ask(self, kind, body=b""):
        """Sends a request and a barrier; the answers to it before the barrier's, as [(type, body)]."""
        xid, barrier, out = self.send(kind, body), self.send(BARRIER_REQUEST), []
        while True:
            got = self.take(10)
            assert got, "no answer to message type %d" % kind
            if got[1] == barrier and got[0] == BARRIER_REPLY:
                return out
            if got[1] == xid:
                out.append((got[0], got[2]))
            else:
                self.news.append(got)

    def do(self, message):
        """A message that has no reply: its error as (type, code), or None. In effect when this returns."""
        for kind, body in self.ask(*message):
            if kind == ERROR:
                return struct.unpack("!HH", body[:4])
        return None

    def ok(self, *messages):
        for m in messages:
            error = self.do(m)
            assert error is None, "error type %d code %d" % error

    def multipart(self, kind, body=b""):
        """The body of a multipart reply, its parts joined."""
        out = b""
        for reply, data in self.ask(MULTIPART_REQUEST, struct.pack("!HH4x", kind, 0) + body):
            assert reply == MULTIPART_REPLY, (reply, data[:4])
            out += data[8:]
        return out

    def clear(self):
        self.ok(flow_mod(table=0xff, command=3), group_mod(0xfffffffc, 0, command=2), meter_mod(0xffffffff, 0, command=2))

    def wait_news(self, kind, seconds=2):
        """The next message of KIND that answers nothing: its body."""
        end = time.monotonic() + seconds
        while True:
            for i, m in enumerate(self.news):
                if m[0] == kind:
                    return self.news.pop(i)[2]
            got = self.take(max(0, end - time.monotonic()))
            assert got, "no message of type %d came" % kind
            self.news.append(got)

    def flow_stats(self, table=0xff):
        """[(table, priority, match bytes, instruction bytes, packets, bytes, cookie)]"""
        data, out = self.multipart(MP_FLOW, struct.pack("!B3xII4xQQ", table, ANY, ANY, 0, 0) + match([])), []
        while data:
            size, t, _, _, prio, _, _, _, cookie, packets, n_bytes = struct.unpack("!HBxIIHHHH4xQQQ", data[:48])
            mlen = struct.unpack("!HH", data[48:52])[1]
            mlen += -mlen % 8
            out.append((t, prio, data[48:48 + mlen], data[48 + mlen:size], packets, n_bytes, cookie))
            data = data[size:]
        return out
