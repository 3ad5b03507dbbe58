# SPDX-License-Identifier: Apache-2.0
"""Controllers that nobody here wrote, as Debian packages them, for functional tests: each is a process in a host's
namespace, on loopback; and a bridge that they control."""
import json
import os
import socket

from lab import wait_until

CONTROLLER = "tcp:127.0.0.1:6653"
HERE = os.path.dirname(os.path.abspath(__file__))


def osken(host, app, *options, env=None, port=6653):
    """os-ken's manager with the application tests/support/osken_APP.py; returns the process."""
    command = host.cmd("osken-manager", "--ofp-listen-host", "127.0.0.1", "--ofp-tcp-listen-port", str(port), *options,
                       "%s/osken_%s.py" % (HERE, app))
    return host.lab.spawn(command, "%s/controller-%s-%d.log" % (host.dir, app, port), dict(host.env, **(env or {})))


def testcontroller(host, *args):
    """Open vSwitch's own test controller."""
    return host.lab.spawn(host.cmd("ovs-testcontroller", *args), host.dir + "/controller-test.log", host.env)


class Console:
    """os-ken with osken_console.py, and the connection by which it is told what to do."""

    def __init__(self, host, port=6653, console=7001, version=4, options=()):
        self.process = osken(host, "console", *options, port=port,
                             env={"OSKEN_VERSION": str(version), "OSKEN_CONSOLE": str(console)})

        self.host, self.port, self.f = host, console, None

    def connect(self):
        with self.host.inside():
            s = socket.socket()
        try:
            s.connect(("127.0.0.1", self.port))
        except OSError:
            return False
        s.settimeout(15)
        self.f = s.makefile("rw")
        return True

    def ask(self, what):
        if not self.f:
            wait_until(self.connect, 30, "os-ken's console")
        self.f.write(json.dumps(what) + "\n")
        self.f.flush()
        return json.loads(self.f.readline())

    def send(self, name, **fields):
        """Sends a message; [(class, fields)] of the answers."""
        return [next(iter(m.items())) for m in self.ask({"send": {name: fields}})["messages"]]

    def ofctl(self, name, *args):
        """A call of os-ken's ofctl library: (its result, [(class, fields)] of what else the switch said)."""
        answer = self.ask({"ofctl": name, "args": args})
        return answer["result"], [next(iter(m.items())) for m in answer["messages"]]

    def events(self, *names):
        return [next(iter(m.items())) for m in self.ask({"events": names})["messages"]]

    def wait_ready(self, seconds=20):
        wait_until(lambda: self.ask({"events": []})["ready"], seconds, "the switch at os-ken")


def connected(host, bridge="br0"):
    """Every controller of BRIDGE is connected, says the database."""
    ids = host.vsctl("get bridge %s controller" % bridge).strip("[]\n ").replace(",", " ").split()
    return bool(ids) and all(host.vsctl("get controller %s is_connected" % i).strip() == "true" for i in ids)


def wait_connected(host, bridge="br0", seconds=60):
    wait_until(lambda: connected(host, bridge), seconds, "the controllers of %s" % bridge, step=0.2)


def controlled_bridge(lab, fail_mode="secure", controllers=(CONTROLLER,), name="h", ovs=False,
                      addresses=("10.0.0.1/24", "10.0.0.2/24"), more="", first=None):
    """A host with two guests on a bridge whose controllers are CONTROLLERS. FIRST(host) starts them: they take longer."""
    host = lab.host(name)
    if first:
        first(host)
    guests = []
    for i, address in enumerate(addresses):
        guest = lab.guest(name + "abcd"[i])
        lab.veth(host, "p%d" % (i + 1), guest, "eth0")
        guest.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
        guest.take("eth0", address, "02:00:00:00:00:%02x" % (i + 1))
        guests.append(guest)
    host.start_ovs() if ovs else host.start()
    host.vsctl("add-br br0 -- set bridge br0 datapath_type=netdev fail_mode=%s other_config:hwaddr=02:00:00:00:00:f0" % fail_mode
               + "".join(" -- add-port br0 p%d -- set interface p%d ofport_request=%d" % (i, i, i)
                         for i in range(1, len(guests) + 1)) + more)
    if controllers:
        host.vsctl("set-controller br0 " + " ".join(controllers))
        for uuid in host.vsctl("get bridge br0 controller").strip("[]\n ").replace(",", " ").split():
            host.vsctl("set controller %s connection_mode=out-of-band max_backoff=1000" % uuid)
    return host, guests
