# SPDX-License-Identifier: Apache-2.0
"""A bridge under examination: every port in the test's hand, and a controller's raw connection."""
import select
import struct

import of13 as of
from lab import Failure

N_PORTS = 4


class Bench:
    """A bridge of N_PORTS veths, a controller's connection, and what goes in and comes out."""

    def __init__(self, lab):
        self.host, self.out = lab.host(), lab.guest("out")
        path = self.host.dir + "/of.sock"
        self.start(lab, path)
        self.c = of.Connection(path)
        self.n = 0

    def start(self, lab, path):
        host = self.host
        for ns in (host, self.out):
            ns.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        host.start()
        line = ["add-br", "br0", "--", "set", "bridge", "br0", "fail_mode=secure", "--", "set-controller", "br0", "punix:" + path,
                "--", "set", "Open_vSwitch", ".", "other_config:vlan-limit=2"]
        self.raw = {}
        for i in range(1, N_PORTS + 1):
            lab.veth(host, "p%d" % i, self.out, "g%d" % i)
            line += ["--", "add-port", "br0", "p%d" % i, "--", "set", "interface", "p%d" % i, "ofport_request=%d" % i]
        host.vsctl_args(*line)
        for i in range(1, N_PORTS + 1):
            self.raw[i] = self.out.raw("g%d" % i)

    def received(self, port, want, seconds=2.0):
        """WANT frames at PORT, or as many as came."""
        got = self.raw[port].recv(0, want) if not want else []
        while len(got) < want and select.select([self.raw[port].s], [], [], seconds)[0]:
            got += self.raw[port].recv(0.0001, want - len(got))
        return got

    def drain(self):
        for raw in self.raw.values():
            raw.recv(0.0001)

    def expect(self, what, sent, frame, out_port=2, nothing_of=None):
        """SENT at port 1 makes FRAME (None: nothing) at OUT_PORT; NOTHING_OF, sent before, does not."""
        self.n += 1
        if nothing_of is not None:
            self.raw[1].send(nothing_of)
        self.raw[1].send(sent)
        got = self.received(out_port, 1)
        if got != [frame]:
            raise Failure("%s:\n sent     %s\n expected %s\n got      %s" % (
                what, sent.hex(), frame.hex(), ", ".join(x.hex() for x in got) or "nothing"))

    def flows(self, *mods):
        self.c.ok(of.flow_mod(table=0xff, command=3), *mods)


def table_counts(c):
    """(lookups, matches) of each table."""
    data = c.multipart(of.MP_TABLE)
    return [struct.unpack("!QQ", data[i + 8:i + 24]) for i in range(0, len(data), 24)]
