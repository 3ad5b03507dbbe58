# SPDX-License-Identifier: Apache-2.0
"""sluiced as the service: the distribution's ovs-ctl starts, stops and restarts it; monitor, privileges, sd_notify."""
import os
import re
import signal
import socket
import sys
import time

from lab import run, wait_until
from topology import two_guests

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from service import ServiceHost         # noqa: E402


def two_ports(host):
    host.vsctl("add-br br0 -- set-fail-mode br0 secure -- add-port br0 p1 -- add-port br0 p2"
               " -- set interface p1 ofport_request=7")


def test_ovs_ctl_start_status_stop(lab):
    host = ServiceHost(lab)
    a, _ = two_guests(lab, host)
    assert "ovs-vswitchd is not running" in host.ctl("status", check=False).stdout
    out = host.ctl("start")
    assert re.search(r"Starting ovs-vswitchd", out) and "failed" not in out, out
    assert host.sh("readlink -f /proc/%d/exe" % host.pid()).strip() == os.path.realpath(host.binary)
    version = host.ctl("version")
    assert "sluice" in version and "ovsdb-server (Open vSwitch)" in version, version
    assert host.sh("ovs-vswitchd --version | awk '/Open vSwitch/{print $NF}'").strip() == "3.1.0"
    assert host.appctl("version").splitlines()[0].split()[-1] == "3.1.0"
    assert host.vsctl("get Open_vSwitch . ovs_version").strip() == '"3.1.0"'
    assert host.vsctl("get Open_vSwitch . system_type").strip() == "debian"
    status = host.ctl("status")
    assert "ovs-vswitchd is running with pid %d" % host.pid() in status, status
    assert "ovs-vswitchd is already running" in host.ctl("start")
    two_ports(host)
    host.ofctl("add-flow br0 actions=NORMAL")
    a.ping("10.0.0.2")
    pid = host.pid()
    begin = time.monotonic()
    out = host.ctl("stop")
    assert "Exiting ovs-vswitchd" in out and "Killing" not in out and "failed" not in out, out
    assert time.monotonic() - begin < 8
    left = host.sh("ls -A /run/openvswitch").split()
    assert not [f for f in left if "vswitchd" in f], left
    assert "not running" in host.ctl("status", check=False).stdout
    assert host.sh("test -d /proc/%d" % pid, check=False).returncode
    assert "ovs-vswitchd is not running" in host.ctl("stop")


def test_detach_returns_when_configured(lab):
    host = ServiceHost(lab)
    two_guests(lab, host)
    host.ctl("start")
    two_ports(host)
    host.vsctl("set bridge br0 fail_mode=standalone")
    host.ctl("stop")
    host.ctl("--no-ovs-vswitchd start")
    host.vsctl("--no-wait add-br br1")
    host.ctl("start")
    # Everything is there at once, without waiting for anything.
    assert "p1" in host.sh("ovs-ofctl show br0") and host.sh("ovs-ofctl show br1")
    root = host.vsctl("--columns=cur_cfg,next_cfg list Open_vSwitch")
    cur, new = re.findall(r"\d+", root)
    assert cur == new, root
    assert host.vsctl("get interface p1 ofport").strip() == "7"


def test_restart_keeps_flows(lab):
    host = ServiceHost(lab)
    a, _ = two_guests(lab, host)
    host.ctl("start")
    two_ports(host)
    host.ofctl("-O OpenFlow13 add-group br0 group_id=5,type=all,bucket=output:7")
    host.ofctl("add-flow br0 cookie=0x77,in_port=p1,actions=output:p2")
    host.ofctl("add-flow br0 cookie=0x78,priority=9,in_port=p2,actions=resubmit:1")
    host.ofctl("-O OpenFlow13 add-flow br0 cookie=0x79,in_port=p2,actions=group:5")
    host.ofctl("--strict del-flows br0 priority=9,in_port=p2")
    a.ping("10.0.0.2")
    numbers = host.vsctl("--columns=name,ofport list interface")
    flows = host.ofctl("--no-stats dump-flows br0")
    old = host.pid()
    out = host.ctl("restart")
    assert "failed" not in out and "Restoring saved flows" in out, out
    assert host.pid() != old
    assert host.ofctl("--no-stats dump-flows br0") == flows
    assert "group_id=5" in host.ofctl("-O OpenFlow13 dump-groups br0")
    assert host.vsctl("--columns=name,ofport list interface") == numbers
    assert "flow-restore-wait" not in host.vsctl("get Open_vSwitch . other_config")
    a.ping("10.0.0.2")


def test_monitor_restarts_after_a_crash(lab):
    host = ServiceHost(lab)
    a, _ = two_guests(lab, host)
    host.ctl("start")
    two_ports(host)
    host.vsctl("set-fail-mode br0 standalone")
    old = host.pid()
    host.kill(old, signal.SIGSEGV)
    wait_until(lambda: host.pid() not in (0, old), what="a new daemon")
    wait_until(lambda: host.appctl("version", check=False).returncode == 0, what="its control socket")
    host.vsctl("add-br br9")
    a.wait_for_ping("10.0.0.2", what="traffic")
    log = host.sh("cat /var/log/openvswitch/ovs-vswitchd.log")
    assert re.search(r"child died, killed \(Segmentation fault\).*restarting", log), log
    # A daemon that was told to end is not started again.
    out = host.ctl("stop")
    assert "failed" not in out, out
    assert not host.sh("pgrep -x ovs-vswitchd", check=False).stdout
    assert not host.sh("pgrep -x monitor", check=False).stdout


def test_log_reopen(lab):
    host = ServiceHost(lab)
    host.ctl("start")
    log = "/var/log/openvswitch/ovs-vswitchd.log"
    host.sh("mv %s %s.1" % (log, log))
    host.appctl("vlog/reopen")
    host.vsctl("add-br br7")
    wait_until(lambda: "br7" in host.sh("cat " + log), what="the new log file")
    host.sh("mv %s %s.2" % (log, log))
    host.kill(host.pid(), signal.SIGHUP)
    wait_until(lambda: host.sh("test -e " + log, check=False).returncode == 0, what="the log file after SIGHUP")


def test_runs_as_a_user(lab):
    host = ServiceHost(lab)
    a, _ = two_guests(lab, host)
    host.sh("chown nobody:nogroup /run/openvswitch /etc/openvswitch /var/log/openvswitch")
    host.ctl("--ovs-user=nobody:nogroup start")
    status = host.sh("cat /proc/%d/status" % host.pid())
    assert re.search(r"Uid:\s+65534\s+65534", status) and re.search(r"Gid:\s+65534\s+65534", status), status
    two_ports(host)
    host.vsctl("add-port br0 i1 -- set interface i1 type=internal")
    host.ofctl("add-flow br0 actions=NORMAL")
    a.ping("10.0.0.2")
    out = host.ctl("stop")
    assert "failed" not in out, out


class Notifications:
    """The service manager's end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path, self.seen = path, []
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.s.bind(path)
        self.s.setblocking(False)

    def read(self):
        while True:
            try:
                self.seen += self.s.recv(4096).decode().split("\n")
            except BlockingIOError:
                return self.seen

    def count(self, word):
        return self.read().count(word)


def test_sd_notify_and_watchdog(lab):
    host = lab.host()
    manager = Notifications(host.dir + "/notify")
    host.env.update(NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="600000")
    host.start_ovsdb()
    host.vsctl("--no-wait add-br br0")
    assert not manager.read()
    host.sluiced("unix:%s/db.sock" % host.dir)
    wait_until(lambda: manager.count("READY=1"), what="READY=1")
    assert os.path.exists(host.dir + "/br0.mgmt")
    assert "MAINPID=%d" % host.daemon.pid in manager.read(), manager.seen
    before = manager.count("WATCHDOG=1")
    time.sleep(1.5)
    fed = manager.count("WATCHDOG=1") - before
    assert 4 <= fed <= 20, fed
    # A daemon whose threads stand still does not feed it.
    os.kill(host.daemon.pid, signal.SIGSTOP)
    try:
        before = manager.count("WATCHDOG=1")
        time.sleep(1)
        assert manager.count("WATCHDOG=1") == before
    finally:
        os.kill(host.daemon.pid, signal.SIGCONT)
    assert host.stop() == 0
    assert manager.count("STOPPING=1") == 1


def test_options_are_refused_in_one_line(lab):
    host = lab.host()
    binary = run(["readlink", "-f", os.environ["SLUICE_BUILD"] + "/tools/sluiced/sluiced"]).strip()
    for args, word in ((["--bogus"], "--bogus"), (["a", "b"], "database"), (["http://x"], "http://x"),
                       (["--user=nosuchuser", "--pidfile", "unix:x"], "nosuchuser"),
                       (["--config=/nonexistent", "unix:x"], "exclude"),
                       (["--config=/nonexistent"], "/nonexistent")):
        p = run(host.cmd(binary, "--unixctl=none", *args), check=False, env=host.env)
        assert p.returncode and word in p.stderr and len(p.stderr.splitlines()) <= 2, (args, p.stderr)
