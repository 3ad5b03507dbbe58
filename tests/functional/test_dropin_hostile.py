# SPDX-License-Identifier: Apache-2.0
"""Peers that are not what they should be: a database server and clients of the control socket that send garbage, half
messages, huge or deeply nested JSON, or hold a thousand connections. They are refused, memory stays bounded, and who
behaves is served."""
import json
import os
import re
import socket
import threading
import time

from lab import SCHEMA, wait_until

MB = 1 << 20


def resident(host, what="VmRSS"):
    with open("/proc/%d/status" % host.daemon.pid) as f:
        return int(re.search(what + r":\s+(\d+)", f.read())[1]) * 1024


def message(**members):
    return json.dumps(members).encode()


# ------------------------------------------------------------------ the database server

class Server:
    """Accepts connections on db.sock and lets ATTACK(socket) have each of them; answers nothing itself."""

    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.bind(path)
        self.s.listen(16)
        self.s.settimeout(0.2)
        self.attack, self.going, self.n = None, True, 0
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while self.going:
            try:
                c, _ = self.s.accept()
            except TimeoutError:
                continue
            c.settimeout(8)
            try:
                self.attack(c)
            except (OSError, ValueError):
                pass
            self.n += 1
            c.close()

    def close(self):
        self.going = False
        self.thread.join()
        self.s.close()


def requests(c):
    """Requests that the daemon sends, one after the other."""
    text = ""
    decoder = json.JSONDecoder()
    while data := c.recv(65536):
        text += data.decode()
        while text:
            try:
                one, end = decoder.raw_decode(text)
            except ValueError:
                break
            text = text[end:]
            yield one


def conversation(c, monitored):
    """Answers like a server, and MONITORED(request) to the monitor request."""
    with open(SCHEMA) as f:
        schema = json.load(f)
    for r in requests(c):
        if r.get("method") == "get_schema":
            c.sendall(message(id=r["id"], error=None, result=schema))
        elif r.get("method") == "lock":
            c.sendall(message(id=r["id"], error=None, result={"locked": True}))
        elif r.get("method") == "monitor_cond_since":
            monitored(r)
        elif r.get("method") == "set_db_change_aware":
            c.sendall(message(id=r["id"], error=None, result={}))


def until_closed(c, data, limit):
    """Sends DATA again and again until the peer closes; at most LIMIT bytes."""
    sent = 0
    while sent < limit:
        sent += c.send(data)
    raise AssertionError("%d bytes were taken" % sent)


def heavy_rows(c):
    """A database that would take more than a gigabyte, in messages of allowed size."""
    def monitored(r):
        c.sendall(message(id=r["id"], error=None, result=[False, "0" * 36, {}]))
        rows = {"ROUND000-0000-0000-0000-%012d" % j: {"insert": {"name": "x" * MB}} for j in range(20)}
        text = message(id=None, method="update3", params=[r["params"][1], "0" * 36, {"Interface": rows}])
        for i in range(60):
            c.sendall(text.replace(b"ROUND", b"%05d" % i))
        raise AssertionError("all of it was taken")
    conversation(c, monitored)


def nonsense_replies(c):
    """Everything of the wrong type."""
    def monitored(r):
        row = {"name": ["set", ["../../evil", 7]], "ports": ["set", [["uuid", 5], 7, ["uuid", ["uuid", "x"]]]], "other_config":
               ["map", [[1, 2], ["a"], "b", [["uuid", "c"], {}]]], "flow_tables": ["map", 7], "controller": {"a": 1}}
        tables = {"Open_vSwitch": {"r" * 36: {"initial": {"bridges": ["set", [["uuid", "b" * 36]]], "next_cfg": "many"}}},
                  "Bridge": {"b" * 36: {"initial": row}, "": {"initial": 5}, "c": 7}, "Port": [], "Nowhere": {"x": {}}}
        c.sendall(message(id=r["id"], error=None, result=[7, 7, tables]))
        c.sendall(message(id=None, method="update3", params=[]) + message(id=None, method="update3", params=[1, 2, 3]))
        c.sendall(message(id=None, method="update2", params=[None, {"Bridge": {"b" * 36: {"modify": {"ports": 9, "name": []}}}}]))
        c.sendall(message(id=None, method="update", params=["x", {"Bridge": {"b" * 36: {"old": {}, "new": []}}}]))
        c.sendall(message(id=None, method="locked", params=[]) + message(id=None, method="stolen", params=[{}]))
        c.sendall(message(id="x" * 1000, method="echo", params=[["x"] * 1000]))
        c.sendall(message(id=[1], error={"a": []}, result=None) + message(id=-1, error=None, result=True))
        time.sleep(0.3)
        raise ConnectionError("enough")
    conversation(c, monitored)


ATTACKS = {
    "garbage": lambda c: until_closed(c, b"\x00\xff\x17 garbage" * 1000, 64 * MB),
    "text": lambda c: until_closed(c, b"HTTP/1.1 200 OK\r\n\r\n", 64 * MB),
    "half a message": lambda c: (c.sendall(b'{"id":0,"error":null,"result":{"na'), time.sleep(0.2)),
    "a string without an end": lambda c: (c.sendall(b'["'), until_closed(c, b"a" * MB, 256 * MB)),
    "a message without an end": lambda c: (c.sendall(b'{"a":['), until_closed(c, b'"a",' * (MB // 4), 256 * MB)),
    "many small values": lambda c: (c.sendall(b"["), until_closed(c, b"[]," * 20000, 256 * MB)),
    "nesting": lambda c: until_closed(c, b"[" * 10000, 64 * MB),
    "nesting of objects": lambda c: until_closed(c, b'{"a":' * 10000, 64 * MB),
    "no JSON-RPC": lambda c: until_closed(c, b'[1,2,3]{"x":1}', 64 * MB),
    "a flood of echo requests": lambda c: [c.sendall(message(id=1, method="echo", params=["x" * 1000]) * 100) for _ in range(300)],
    "wrong types": nonsense_replies,
    "a schema without tables": lambda c: [c.sendall(message(id=r["id"], error=None, result={"tables": 7})) for r in requests(c)],
    "a heavy database": heavy_rows,
}


def test_hostile_database_servers(lab):
    host = lab.host()
    server = Server(host.dir + "/db.sock")
    peaks = {}
    try:
        for name, attack in ATTACKS.items():
            server.attack, before = attack, server.n
            host.sluiced("unix:%s/db.sock" % host.dir)
            wait_until(lambda: server.n > before or host.daemon.poll() is not None, 60, "the end of the attack: " + name)
            server.attack = lambda c: None
            host.check_alive()
            assert "sluice" in host.appctl("version"), name
            peaks[name] = resident(host, "VmHWM") // MB
            if name != list(ATTACKS)[-1]:
                assert host.stop() == 0, name
    finally:
        server.attack = lambda c: None
        server.close()
    print("    peaks of resident memory, MB: %s" % peaks)
    assert max(peaks.values()) < 1200, peaks
    assert not os.path.exists(os.path.dirname(host.dir) + "/evil.mgmt")
    # The real one: the daemon that was attacked last serves it.
    os.unlink(host.dir + "/db.sock")
    host.start_ovsdb()
    host.vsctl("add-br br0")
    assert "br0" in host.ofctl("show", "br0")


# ------------------------------------------------------------------ the control socket

def client(host, path=None):
    c = socket.socket(socket.AF_UNIX)
    c.connect(path or host.ctl)
    c.settimeout(5)
    return c


def closes(c):
    """The daemon hangs up."""
    try:
        while c.recv(65536):
            pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def test_hostile_control_clients(lab):
    host = lab.host()
    host.start()
    host.vsctl("add-br br0")
    host.appctl("version")
    before = resident(host)
    for data in (b"garbage", b"[" * 100000, b'{"a":' * 100000, b'{"id":1,"method":"version"}', b"[1,2]",
                 b'{"id":1,"method":5,"params":[]}', b"\x00" * 1000, b'["' + b"a" * (4 * MB), b"[" + b"[]," * MB,
                 b'{"id":1,"method":"version","params":[' + b'"",' * 100000):
        c = client(host)
        try:
            c.sendall(data)
        except ConnectionError:
            pass
        assert closes(c), data[:40]
        c.close()
    # Arguments that are no strings, too many or too long are refused in words.
    c = client(host)
    for params in ([1], [["a"]], ["x"] * 1000, ["x" * 100000]):
        c.sendall(message(id=1, method="version", params=params))
        assert b"error" in c.recv(1 << 20)
    c.close()
    # Half messages, and requests whose answers nobody reads.
    sitting = []
    for i in range(1000):
        c = client(host)
        c.setblocking(False)
        try:
            if i % 3 == 0:
                c.send(b'{"id":0,"method":"li')
            elif i % 3 == 1:
                c.send(b'["' + b"x" * 200000)
            else:
                c.send(message(id=1, method="list-commands", params=[]) * 2000)
        except (BlockingIOError, ConnectionError):
            pass
        sitting.append(c)
        if i % 100 == 99:
            assert "sluice" in host.appctl("version")
    begin = time.monotonic()
    host.vsctl("add-br br1")
    assert "br1" in host.appctl("ofproto/list")
    assert time.monotonic() - begin < 5
    with open("/proc/%d/limits" % host.daemon.pid) as f:
        assert "Max open files" in f.read()
    n = len(os.listdir("/proc/%d/fd" % host.daemon.pid))
    assert n < 400, "%d file descriptors" % n
    grown = resident(host, "VmHWM") - before
    print("    grown by %d MB, %d file descriptors" % (grown // MB, n))
    assert grown < 200 * MB, grown
    for c in sitting:
        c.close()
    wait_until(lambda: len(os.listdir("/proc/%d/fd" % host.daemon.pid)) < 120, what="descriptors to be given back")


def test_openflow_management_sockets_are_bounded(lab):
    host = lab.host()
    host.start()
    host.vsctl("add-br br0")
    before = resident(host)
    sitting = []
    for i in range(1000):
        c = client(host, host.dir + "/br0.mgmt")
        c.setblocking(False)
        try:
            # Hello, then half an echo request of 64 KB; or garbage.
            c.send(b"\x01\x00\x00\x08\x00\x00\x00\x01" + b"\x01\x02\xff\xff" + b"x" * 60000 if i % 2 else b"\xff" * 100)
        except (BlockingIOError, ConnectionError):
            pass
        sitting.append(c)
    assert "br0" in host.ofctl("show", "br0")
    grown = resident(host, "VmHWM") - before
    print("    grown by %d MB" % (grown // MB))
    assert grown < 300 * MB, grown
    for c in sitting:
        c.close()
    assert "br0" in host.ofctl("show", "br0")
