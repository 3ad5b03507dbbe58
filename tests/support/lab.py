# SPDX-License-Identifier: Apache-2.0
"""Hosts for functional tests: network namespaces, the real ovsdb-server, sluiced, and the stock tools.

A Host is a network namespace with its own run directory, where a switch may run; a Guest is a namespace with an
address on a device of a host. Everything made here is taken down by Lab.close(), also after a failure; only
processes started here are ended, by pid. Every wait is bounded."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

OVS_VSWITCHD = "/usr/lib/openvswitch-switch/ovs-vswitchd"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
BUILD = os.environ.get("SLUICE_BUILD", "build")


class Failure(AssertionError):
    pass


def run(cmd, check=True, timeout=30, stdin=None, env=None):
    """Runs CMD (a list or a shell line); returns its output, raises Failure with both outputs if it fails."""
    shell = isinstance(cmd, str)
    try:
        p = subprocess.run(cmd, shell=shell, input=stdin, text=True, capture_output=True, timeout=timeout, env=env)
    except subprocess.TimeoutExpired:
        raise Failure("timed out after %s s: %s" % (timeout, cmd))
    if check and p.returncode:
        raise Failure("exit status %d: %s\n%s%s" % (p.returncode, cmd, p.stdout, p.stderr))
    return p.stdout if check else p


def wait_until(condition, seconds=10, what="condition", step=0.02):
    """Waits until CONDITION() is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure("timed out after %s s waiting for %s" % (seconds, what))
        time.sleep(step)


def alone(test):
    """Marks a test that measures time or compares rates: nothing else runs beside it."""
    test.alone = True
    return test


def listens(path):
    """Somebody accepts connections on the unix socket PATH."""
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


def rss_anon_kb(pid):
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon"))


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Lab:
    """Owns namespaces, processes and directories of one test."""

    def __init__(self, name="t"):
        self.prefix = "sl%x%s" % (os.getpid() & 0xffff, name[:4])
        self.dir = tempfile.mkdtemp(prefix="sluice-test-")
        self.namespaces, self.processes, self.serial = [], [], 0

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        hosts = [h for h in self.namespaces if isinstance(h, Host)]
        if kind:
            for host in [h for h in self.namespaces if hasattr(h, "show_log")]:
                with contextlib.suppress(Exception):
                    host.show_log()
        # A daemon that is told to end does so with status 0, also under a leak checker.
        bad = [h for h in hosts if h.daemon and not h.is_ovs and self.end(h.daemon)]
        texts = ["%s: sluiced ended with status %s:\n%s" % (h.name, h.daemon.returncode, h.log()) for h in bad]
        self.close()
        if texts and not kind:
            raise Failure("\n".join(texts))

    def unique(self, stem):
        self.serial += 1
        return "%s%d" % (stem, self.serial)

    def netns(self, name):
        full = "%s-%s" % (self.prefix, name)
        run(["ip", "netns", "add", full])
        run(["ip", "-n", full, "link", "set", "lo", "up"])
        return full

    def host(self, name="h"):
        host = Host(self, name)
        self.namespaces.append(host)
        return host

    def guest(self, name, device=None, address=None, mac=None):
        guest = Guest(self, name)
        self.namespaces.append(guest)
        if device:
            guest.take(device, address, mac)
        return guest

    def veth(self, a, name_a, b, name_b):
        """A veth pair between namespaces A and B, up, offloads as the kernel has them."""
        run(["ip", "link", "add", name_a, "netns", a.netns, "type", "veth", "peer", "name", name_b, "netns", b.netns])
        for ns, dev in ((a, name_a), (b, name_b)):
            run(["ip", "-n", ns.netns, "link", "set", dev, "up"])

    def spawn(self, cmd, log, env=None):
        with open(log, "ab") as f:
            p = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=f, stderr=subprocess.STDOUT, env=env)
        self.processes.append(p)
        return p

    def end(self, process, sig=signal.SIGTERM, seconds=8):
        if process.poll() is None:
            process.send_signal(sig)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.processes:
            self.processes.remove(process)
        return process.returncode

    def close(self):
        for p in list(reversed(self.processes)):
            self.end(p, getattr(p, "last_signal", signal.SIGTERM))
        for ns in self.namespaces:
            run(["ip", "netns", "del", ns.netns], check=False)
        self.namespaces = []
        shutil.rmtree(self.dir, ignore_errors=True)


class Namespace:
    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.netns = lab.netns(name)

    def cmd(self, *args):
        return ["ip", "netns", "exec", self.netns] + list(args)

    def sh(self, line, **kw):
        return run(self.cmd("sh", "-c", line), **kw)

    def ip(self, line, **kw):
        return run(["ip", "-n", self.netns] + line.split(), **kw)

    def ping(self, address, count=3, timeout=5, check=True, extra=""):
        """True if at least one echo came back."""
        family = "-6" if ":" in address else "-4"
        p = self.sh("ping %s -n -i 0.2 -c %d -W 1 -w %d %s %s" % (family, count, timeout, extra, address), check=False,
                    timeout=timeout + 10)
        got = int((re.search(r"(\d+) received", p.stdout) or [0, 0])[1])
        if check and not got:
            raise Failure("%s: no answer from %s\n%s%s" % (self.name, address, p.stdout, p.stderr))
        return got

    def wait_for_ping(self, address, seconds=10, what="an answer"):
        """Until ADDRESS answers, the first echo or a later one."""
        return wait_until(lambda: self.ping(address, count=1, timeout=1, check=False), seconds, what)

    @contextlib.contextmanager
    def inside(self):
        """The calling thread is in this namespace meanwhile."""
        with open("/proc/thread-self/ns/net") as back, open("/run/netns/" + self.netns) as there:
            os.setns(there.fileno(), 0x40000000)
            try:
                yield
            finally:
                os.setns(back.fileno(), 0x40000000)

    def raw(self, device):
        with self.inside():
            return RawPort(device)


if not hasattr(os, "setns"):            # Python before 3.12
    import ctypes
    _libc = ctypes.CDLL(None, use_errno=True)

    def _setns(fd, kind):
        if _libc.setns(fd, kind):
            raise OSError(ctypes.get_errno(), "setns")
    os.setns = _setns


class RawPort:
    """A packet socket on a device: sends and receives whole frames, VLAN tags put back."""

    def __init__(self, device):
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.s.setsockopt(263, 8, 1)                            # SOL_PACKET, PACKET_AUXDATA
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.s.bind((device, 3))
        self.s.setblocking(False)

    def send(self, frame):
        self.s.send(frame)

    def recv(self, seconds=0.3, want=None):
        """Frames that arrive within SECONDS (sooner if WANT have come)."""
        out, end = [], time.monotonic() + seconds
        while time.monotonic() < end and (want is None or len(out) < want):
            try:
                data, anc, _, addr = self.s.recvmsg(1 << 17, 128)
            except BlockingIOError:
                time.sleep(0.002)
                continue
            if addr[2] == 4:                                    # PACKET_OUTGOING
                continue
            for level, kind, d in anc:
                if level == 263 and kind == 8 and len(d) >= 20:
                    status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", d[:20])
                    if status & 0x10:
                        data = data[:12] + struct.pack("!HH", tpid if status & 0x40 else 0x8100, tci) + data[12:]
            out.append(data)
        return out

    def close(self):
        self.s.close()


class Guest(Namespace):
    """A machine on the network: a namespace with a device in it."""

    def take(self, device, address=None, mac=None, source=None):
        """Moves DEVICE here (from namespace SOURCE) and gives it ADDRESS/prefix."""
        if source:
            run(["ip", "-n", source.netns, "link", "set", device, "netns", self.netns])
        if mac:
            self.ip("link set %s address %s" % (device, mac))
        if address:
            self.ip("addr add %s dev %s" % (address, device))
        self.ip("link set %s up" % device)


class Host(Namespace):
    """A machine with a switch: ovsdb-server and sluiced in a run directory of its own."""

    def __init__(self, lab, name):
        super().__init__(lab, name)
        self.dir = os.path.join(lab.dir, name)
        os.mkdir(self.dir)
        self.env = dict(os.environ, OVS_RUNDIR=self.dir, OVS_LOGDIR=self.dir, OVS_DBDIR=self.dir,
                        OVS_SYSCONFDIR=self.dir, LC_ALL="C")
        self.daemon = self.ovsdb = None
        self.is_ovs = False

    # -- processes
    def start_ovsdb(self):
        db = self.dir + "/conf.db"
        if not os.path.exists(db):
            run(["ovsdb-tool", "create", db, SCHEMA], env=self.env)
        self.ovsdb = self.lab.spawn(self.cmd("ovsdb-server", db, "--remote=punix:%s/db.sock" % self.dir,
                                             "--unixctl=%s/ovsdb-server.ctl" % self.dir, "-vconsole:off"),
                                    self.dir + "/ovsdb.out", self.env)
        wait_until(lambda: listens(self.dir + "/db.sock"), what="ovsdb-server's socket")
        self.vsctl("--no-wait init")

    def sluiced(self, *args):
        """Starts sluiced with ARGS and waits for its control socket."""
        path = os.path.abspath(os.path.join(BUILD, "tools/sluiced/sluiced"))
        self.daemon = self.lab.spawn(self.cmd(path, "--pidfile", "--log-file=%s/sluiced.log" % self.dir,
                                              "-vconsole:off", *args), self.dir + "/sluiced.out", self.env)
        self.ctl = "%s/ovs-vswitchd.%d.ctl" % (self.dir, self.daemon.pid)
        wait_until(lambda: os.path.exists(self.ctl) or self.daemon.poll() is not None, what="the control socket")
        self.check_alive()
        return self.daemon

    def start(self, *args):
        """Drop-in mode: database and daemon, ready for ovs-vsctl."""
        if not self.ovsdb:
            self.start_ovsdb()
        self.sluiced("unix:%s/db.sock" % self.dir, *args)
        self.vsctl("set Open_vSwitch . external_ids:test=%s" % self.lab.unique("t"))  # Waits only for what changes.

    def start_ovs(self, *args):
        """The same with Open vSwitch's own daemon, to compare with (bridges: datapath_type=netdev)."""
        if not self.ovsdb:
            self.start_ovsdb()
        self.is_ovs = True
        self.daemon = self.lab.spawn(self.cmd(OVS_VSWITCHD, "unix:%s/db.sock" % self.dir, "--pidfile", "--disable-system",
                                              "--log-file=%s/sluiced.log" % self.dir, "-vconsole:off", *args),
                                     self.dir + "/sluiced.out", self.env)
        self.ctl = "%s/ovs-vswitchd.%d.ctl" % (self.dir, self.daemon.pid)
        wait_until(lambda: os.path.exists(self.ctl) or self.daemon.poll() is not None, what="the control socket")
        self.check_alive()
        self.vsctl("set Open_vSwitch . external_ids:test=%s" % self.lab.unique("t"))

    def start_json(self, config, *args):
        """Embedded mode with CONFIG (a dict)."""
        path = self.dir + "/sluice.json"
        with open(path, "w") as f:
            json.dump(config, f)
        self.sluiced("--config=" + path, *args)
        wait_until(lambda: " is ready" in self.log() or self.daemon.poll() is not None, what="the ports")
        self.check_alive()

    def prioritize(self):
        """The priority that ovs-ctl gives the daemon (--ovs-vswitchd-priority)."""
        for task in os.listdir("/proc/%d/task" % self.daemon.pid):
            os.setpriority(os.PRIO_PROCESS, int(task), -10)

    def stop(self, sig=signal.SIGTERM):
        code = self.lab.end(self.daemon, sig)
        self.daemon = None
        return code

    def check_alive(self):
        if self.daemon.poll() is not None:
            raise Failure("sluiced ended with status %s:\n%s" % (self.daemon.returncode, self.log()))

    def log(self, last=4000):
        text = ""
        for name in ("sluiced.out", "sluiced.log"):
            with contextlib.suppress(OSError):
                with open("%s/%s" % (self.dir, name), errors="replace") as f:
                    text += f.read()[-last:]
        return text

    def show_log(self):
        if self.daemon is not None or os.path.exists(self.dir + "/sluiced.log"):
            print("--- %s: sluiced's log\n%s" % (self.name, self.log()))
        for name in sorted(os.listdir(self.dir)):
            if name.startswith("controller-"):
                with open("%s/%s" % (self.dir, name), errors="replace") as f:
                    print("--- %s: %s\n%s" % (self.name, name, f.read()[-4000:]))

    # -- stock tools
    def tool(self, *cmd, check=True, stdin=None, timeout=30):
        return run(list(cmd), check=check, stdin=stdin, timeout=timeout, env=self.env)

    def vsctl(self, line, check=True, timeout=20):
        return self.tool("ovs-vsctl", "--timeout=%d" % timeout, *line.split(), check=check, timeout=timeout + 5)

    def vsctl_args(self, *args, check=True):
        return self.tool("ovs-vsctl", "--timeout=20", *args, check=check)

    def ofctl(self, *args, check=True, stdin=None, timeout=30):
        return self.tool("ovs-ofctl", *args, check=check, stdin=stdin, timeout=timeout)

    def appctl(self, *args, check=True):
        return self.tool("ovs-appctl", "-t", self.ctl, *args, check=check)

    def drops(self, reason, *port):
        """How many packets were dropped for REASON, of one port or of all."""
        found = re.search(r"^%s +(\d+)" % reason, self.appctl("sluice/drops", *port), re.M)
        return int(found[1]) if found else 0

    def add_flows(self, bridge, text, version=None):
        args = ["-O", version] if version else []
        return self.ofctl(*args, "add-flows", bridge, "-", stdin=text)

    def flows(self, bridge, *args):
        """Flows without what changes by itself, sorted."""
        out = []
        for line in self.ofctl("--no-stats" if not args else "dump-flows", *(["dump-flows"] if not args else []), bridge,
                               *args).splitlines():
            if "actions=" in line:
                out.append(line.strip())
        return sorted(out)
