# SPDX-License-Identifier: Apache-2.0
"""Raw OpenFlow for tests: a connection, and bytes of the messages that tests send most.

Everything is OpenFlow 1.3 unless a version is named. Numbers are those of the specification."""
import contextlib
import socket
import struct
import time

HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, EXPERIMENTER = 0, 1, 2, 3, 4
FEATURES_REQUEST, FEATURES_REPLY, GET_CONFIG_REQUEST, GET_CONFIG_REPLY, SET_CONFIG = 5, 6, 7, 8, 9
PACKET_IN, FLOW_REMOVED, PORT_STATUS, PACKET_OUT, FLOW_MOD = 10, 11, 12, 13, 14
GROUP_MOD, PORT_MOD, TABLE_MOD, MULTIPART_REQUEST, MULTIPART_REPLY = 15, 16, 17, 18, 19
BARRIER_REQUEST, BARRIER_REPLY, QUEUE_GET_CONFIG_REQUEST, QUEUE_GET_CONFIG_REPLY = 20, 21, 22, 23
ROLE_REQUEST, ROLE_REPLY, GET_ASYNC_REQUEST, GET_ASYNC_REPLY, SET_ASYNC, METER_MOD = 24, 25, 26, 27, 28, 29

CONTROLLER, ANY, NO_BUFFER = 0xfffffffd, 0xffffffff, 0xffffffff
NX_VENDOR, ONF_VENDOR = 0x00002320, 0x4f4e4600


def message(kind, body=b"", xid=0, version=4):
    return struct.pack("!BBHI", version, kind, 8 + len(body), xid) + body


def multipart(kind, body=b"", xid=0, version=4, flags=0):
    return message(MULTIPART_REQUEST, struct.pack("!HH4x", kind, flags) + body, xid, version)


def experimenter(vendor, subtype, body=b"", xid=0, version=4):
    return message(EXPERIMENTER, struct.pack("!II", vendor, subtype) + body, xid, version)


def oxm(field, value, mask=None):
    """A basic-class field; VALUE and MASK are bytes."""
    data = value + (mask or b"")
    return struct.pack("!HBB", 0x8000, field << 1 | (mask is not None), len(data)) + data


def match(*fields):
    data = b"".join(fields)
    return struct.pack("!HH", 1, 4 + len(data)) + data + bytes(-(4 + len(data)) % 8)


def output(port, max_len=0):
    return struct.pack("!HHIH6x", 0, 16, port, max_len)


def apply_actions(*actions):
    data = b"".join(actions)
    return struct.pack("!HH4x", 4, 8 + len(data)) + data


def flow_mod(fields=b"", instructions=b"", command=0, table=0, priority=0x8000, cookie=0, mask=0, idle=0, hard=0, flags=0,
             xid=0):
    """FIELDS: oxm() bytes joined."""
    body = struct.pack("!QQBBHHHIIIH2x", cookie, mask, table, command, idle, hard, priority, NO_BUFFER, ANY, ANY, flags)
    return message(FLOW_MOD, body + match(fields) + instructions, xid)


def packet_out(frame, actions, in_port=CONTROLLER, xid=0):
    return message(PACKET_OUT, struct.pack("!IIH6x", NO_BUFFER, in_port, len(actions)) + actions + frame, xid)


class Message(bytes):
    """One message as it came."""
    version = property(lambda self: self[0])
    kind = property(lambda self: self[1])
    xid = property(lambda self: struct.unpack_from("!I", self, 4)[0])
    body = property(lambda self: bytes(self[8:]))

    def error(self):
        """(type, code) and the offending bytes of an error message."""
        return struct.unpack_from("!HH", self, 8), bytes(self[12:])


class Closed(EOFError):
    pass


class Wire:
    """A connection on a stream socket, from the controller's side."""

    def __init__(self, sock, version=4, hello=True):
        self.s, self.version, self.buffer, self.xid = sock, version, b"", 100
        self.others = []                # What arrived while something else was waited for.
        self.s.settimeout(10)
        if hello:
            self.send(message(HELLO, version=version))
            self.wait(HELLO)

    def send(self, *messages):
        self.s.sendall(b"".join(messages))

    def recv(self, seconds=10):
        """The next message; Closed if there are no more, TimeoutError if none comes."""
        end = time.monotonic() + seconds
        while len(self.buffer) < 8 or len(self.buffer) < struct.unpack_from("!H", self.buffer, 2)[0]:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("no message from the switch in %s s" % seconds)
            self.s.settimeout(left)
            data = self.s.recv(1 << 16)
            if not data:
                raise Closed("the switch closed the connection")
            self.buffer += data
        length = struct.unpack_from("!H", self.buffer, 2)[0]
        one, self.buffer = Message(self.buffer[:length]), self.buffer[length:]
        return one

    def wait(self, kind, seconds=10):
        """The next message of KIND; errors raise, others are kept in self.others."""
        end = time.monotonic() + seconds
        while True:
            one = self.recv(max(end - time.monotonic(), 0.001))
            if one.kind == kind:
                return one
            if one.kind == ERROR:
                raise AssertionError("error %s from the switch: %s" % one.error())
            if one.kind == ECHO_REQUEST:
                self.send(message(ECHO_REPLY, one.body, one.xid, one.version))
            else:
                self.others.append(one)

    def ask(self, request, seconds=10):
        """Sends REQUEST and a barrier; the messages that answer it, until the barrier's reply."""
        self.xid += 2
        self.send(request[:4] + struct.pack("!I", self.xid) + request[8:],
                  message(18 if self.version == 1 else BARRIER_REQUEST, b"", self.xid + 1, self.version))
        out, end = [], time.monotonic() + seconds
        while True:
            one = self.recv(max(end - time.monotonic(), 0.001))
            if one.kind == (19 if self.version == 1 else BARRIER_REPLY) and one.xid == self.xid + 1:
                return out
            if one.xid == self.xid or one.kind == ERROR:
                out.append(one)
            else:
                self.others.append(one)

    def barrier(self, seconds=10):
        errors = [m for m in self.ask(message(ECHO_REQUEST, b"", 0, self.version), seconds) if m.kind == ERROR]
        if errors:
            raise AssertionError("error %s from the switch: %s" % errors[0].error())

    def drain(self, seconds=0.1):
        """Everything that comes within SECONDS, with what was put aside."""
        out, self.others = self.others, []
        end = time.monotonic() + seconds
        with contextlib.suppress(TimeoutError, Closed):
            while True:
                out.append(self.recv(max(end - time.monotonic(), 0.001)))
        return out

    def close(self):
        self.s.close()


def connect(host, bridge="br0", version=4):
    """To the management socket of BRIDGE."""
    s = socket.socket(socket.AF_UNIX)
    s.connect("%s/%s.mgmt" % (host.dir, bridge))
    return Wire(s, version)


class Listener:
    """Where the switch connects to: TCP on loopback of HOST."""

    def __init__(self, host, port=6653):
        with host.inside():
            self.s = socket.socket()
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.s.bind(("127.0.0.1", port))
        self.s.listen(16)

    def accept(self, seconds=10, **kw):
        self.s.settimeout(seconds)
        return Wire(self.s.accept()[0], **kw)

    def close(self):
        self.s.close()
