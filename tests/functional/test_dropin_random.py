# SPDX-License-Identifier: Apache-2.0
"""Random ovs-vsctl transactions end in the state that a freshly started daemon reaches from the same database."""
import json
import os
import random
import re
import signal
import time


N_BRIDGES, N_PORTS, N_DEVICES = 4, 24, 6


class Operations:
    """Makes commands of ovs-vsctl; knows which bridges and ports there are, so that most of them succeed."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.bridges, self.ports = set(), {}

    def name(self, n=N_PORTS):
        return "p%d" % self.r.randrange(n)

    def settings(self, port):
        """Arguments that make PORT's interface something else. Tunnels have keys of their own: of two equal ones the
        first would win, and which was first a fresh daemon can't know."""
        key = "options:key=%d" % (100 + int(re.sub(r"\D", "", port)))
        kinds = [["type=internal"],
                 ["type=patch", "options:peer=" + self.name()],
                 ["type=patch", "options:peer=" + self.name()],
                 ["type=patch"],
                 ["type=vxlan", "options:remote_ip=192.0.2.%d" % self.r.randrange(1, 4), key],
                 ["type=vxlan", "options:remote_ip=flow", key, "options:dst_port=%d" % self.r.choice((4789, 8472))],
                 ["type=gre", "options:remote_ip=192.0.2.%d" % self.r.randrange(1, 4), key, "options:tos=inherit"],
                 ["type=geneve", "options:remote_ip=192.0.2.9", key, "options:csum=true"],
                 ["type=vxlan"], ["type=system"], ["type=nonsense"],
                 ["type=dpdk", "options:dpdk-devargs=no-such-device"]]
        return self.r.choice(kinds)

    def add_br(self):
        name = "rb%d" % self.r.randrange(N_BRIDGES)
        if name in self.bridges:
            return ["--may-exist", "add-br", name]
        self.bridges.add(name)
        # Without hwaddr it would have the random address of an internal port.
        return ["add-br", name, "--", "set", "bridge", name, "other_config:hwaddr=02:00:00:00:77:%02x" % int(name[2:])]

    def del_br(self):
        name = "rb%d" % self.r.randrange(N_BRIDGES)
        self.bridges.discard(name)
        self.ports = {p: b for p, b in self.ports.items() if b != name}
        return ["--if-exists", "del-br", name]

    def add_port(self):
        port = self.name() if self.r.random() < 0.7 else "v%d" % self.r.randrange(N_DEVICES)
        if port in self.ports or not self.bridges:
            return self.add_br()
        self.ports[port] = self.r.choice(sorted(self.bridges))
        settings = ["type=system"] if port[0] == "v" else self.settings(port)
        return ["add-port", self.ports[port], port] + self.r.choice(([], ["tag=%d" % self.r.randrange(1, 4095)])) + \
               ["--", "set", "interface", port] + settings

    def del_port(self):
        if not self.ports:
            return self.add_port()
        port = self.r.choice(sorted(self.ports))
        return ["--if-exists", "del-port", self.ports.pop(port), port]

    def change_port(self):
        if not self.ports:
            return self.add_port()
        port = self.r.choice(sorted(self.ports))
        return self.r.choice([["set", "port", port, "tag=%d" % self.r.randrange(4096)],
                              ["clear", "port", port, "tag"],
                              ["set", "port", port, "trunks=%d,%d" % tuple(self.r.sample(range(4096), 2))],
                              ["clear", "port", port, "trunks"],
                              ["set", "port", port, "vlan_mode=" + self.r.choice(
                                  ("access", "trunk", "native-tagged", "native-untagged", "dot1q-tunnel"))],
                              ["clear", "port", port, "vlan_mode"],
                              ["set", "port", port, "protected=" + self.r.choice(("true", "false"))],
                              ["set", "port", port, "other_config:priority-tags=always"]])

    def change_interface(self):
        if not self.ports:
            return self.add_port()
        port = self.r.choice(sorted(self.ports))
        settings = self.settings(port)
        return self.r.choice([["clear", "interface", port, "options", "--", "set", "interface", port] + settings,
                              ["set", "interface", port] + settings,
                              ["set", "interface", port, "ofport_request=%d" % self.r.randrange(1, 400)],
                              ["clear", "interface", port, "ofport_request"],
                              ["set", "interface", port, "mtu_request=%d" % self.r.choice((1400, 1500, 2000))],
                              ["clear", "interface", port, "mtu_request"],
                              ["set", "interface", port, "external_ids:x=%d" % self.r.randrange(9)]])

    def change_bridge(self):
        if not self.bridges:
            return self.add_br()
        br = self.r.choice(sorted(self.bridges))
        return self.r.choice([["set-controller", br, "tcp:127.0.0.1:%d" % self.r.randrange(1, 5)],
                              ["set-controller", br, "tcp:127.0.0.1:7", "punix:%s.extra" % br],
                              ["del-controller", br],
                              ["set-fail-mode", br, self.r.choice(("secure", "standalone"))],
                              ["set", "bridge", br, "protocols=" + self.r.choice(("OpenFlow10", "OpenFlow13", "[]"))],
                              ["set", "bridge", br, "flood_vlans=%d" % self.r.randrange(4096)],
                              ["clear", "bridge", br, "flood_vlans"],
                              ["set", "bridge", br, "stp_enable=" + self.r.choice(("true", "false"))],
                              ["set", "bridge", br, "rstp_enable=" + self.r.choice(("true", "false"))],
                              ["set", "bridge", br, "mcast_snooping_enable=" + self.r.choice(("true", "false"))],
                              ["set", "bridge", br, "other_config:forward-bpdu=" + self.r.choice(("true", "false"))],
                              ["set", "bridge", br, "other_config:datapath-id=%016x" % self.r.randrange(1, 1 << 48)],
                              ["set", "bridge", br, "datapath_type=" + self.r.choice(("netdev", "system", '""'))],
                              ["set", "Open_vSwitch", ".", "other_config:vlan-limit=%d" % self.r.randrange(3)]])

    def mirror(self):
        on = sorted(p for p in self.ports)
        if not on:
            return self.add_port()
        port = self.r.choice(on)
        br = self.ports[port]
        if self.r.random() < 0.3:
            return ["clear", "bridge", br, "mirrors"]
        return ["--id=@p", "get", "port", port, "--", "--id=@m", "create", "mirror", "name=m%d" % self.r.randrange(5),
                self.r.choice(("select-all=true", "select-src-port=@p", "select-dst-port=@p")), self.r.choice(
                    ("output-port=@p", "output-vlan=9")), "--", "set", "bridge", br, "mirrors=@m"]

    def transaction(self):
        out = []
        kinds = [self.add_br, self.del_br] + [self.add_port] * 6 + [self.del_port] * 4 + [self.change_port] * 4 + \
                [self.change_interface] * 5 + [self.change_bridge] * 4 + [self.mirror]
        for i in range(self.r.choice((1, 1, 2, 4))):
            one = self.r.choice(kinds)()
            # A label may be there once in a transaction.
            out += ["--"] + [a.replace("@p", "@p%d" % i).replace("@m", "@m%d" % i) for a in one]
        return out[1:]


def state(host):
    """Everything that should not depend on how it came about."""
    conf = re.sub(r"(port p\S+ \d+ device .*) mac=\S+", r"\1", host.appctl("sluice/conf"))
    conf = re.sub(r" dp port=\d+,", "", conf)
    rows = json.loads(host.vsctl("--format=json --columns=name,type,ofport,error,mtu,admin_state,link_state list interface"))
    bridges = json.loads(host.vsctl("--format=json --columns=name,datapath_id,status,rstp_status list bridge"))
    return {"conf": conf.splitlines(),
            "interfaces": sorted(map(str, rows["data"])),
            "bridges": sorted(map(str, bridges["data"])),
            "tunnels": sorted(re.sub(r"port[ =]\d+", "port", x) for x in host.appctl("ofproto/list-tunnels").splitlines()),
            "dpif": [re.sub(r"/\d+:", "/n:", x) for x in host.appctl("dpif/show").splitlines()[1:]],
            "sockets": sorted(f for f in os.listdir(host.dir) if f.endswith((".mgmt", ".snoop")))}


def settled(host):
    """The state, once it has stopped changing."""
    last = state(host)
    for _ in range(20):
        time.sleep(0.3)
        now = state(host)
        if now == last:
            return now
        last = now
    raise AssertionError("the state does not come to rest: %s" % last)


def compare(before, after, seed):
    for key in before:
        gone = [x for x in before[key] if x not in after[key]]
        new = [x for x in after[key] if x not in before[key]]
        assert before[key] == after[key], "seed %d: %s: with changes:\n%s\nfresh:\n%s\nall of it:\n%s" % (
            seed, key, "\n".join(gone), "\n".join(new), "\n".join(after[key]))


def random_transactions(lab, seed, n, checks):
    """N transactions; at the end of each of CHECKS parts the states are compared."""
    operations = Operations(seed)
    host = lab.host()
    for i in range(N_DEVICES):
        host.ip("link add v%d type dummy" % i, check=False)
        if host.ip("link show v%d" % i, check=False).returncode:
            lab.veth(host, "v%d" % i, host, "w%d" % i)
    host.start()
    refused = 0
    for part in range(checks):
        for _ in range(n // checks):
            p = host.tool("ovs-vsctl", "--timeout=20", *operations.transaction(), check=False)
            # What ovs-vsctl refuses changes nothing; what it waits for in vain would be a hanging daemon.
            assert "timed out" not in p.stderr and "Alarm" not in p.stderr, p.stderr
            refused += p.returncode and "Error detected while setting up" not in p.stderr
            host.check_alive()
        # Spanning trees need time to come to rest; both states are without.
        for br in sorted(operations.bridges):
            host.vsctl("--if-exists set bridge %s stp_enable=false rstp_enable=false" % br)
        before = settled(host)
        host.stop(signal.SIGKILL)
        for f in os.listdir(host.dir):
            if f.startswith("sluice.state") or f.endswith((".mgmt", ".snoop")):
                os.unlink(os.path.join(host.dir, f))
        host.start()
        compare(before, settled(host), seed)
    assert refused < n / 2, "%d of %d transactions refused by ovs-vsctl" % (refused, n)
    # Everything goes, and nothing is left: a leak checker looks when the daemon ends.
    for br in host.vsctl("list-br").split():
        host.vsctl("del-br " + br)
    assert host.appctl("sluice/conf") == ""
    assert host.stop() == 0
    return refused


def test_random_transactions(lab):
    random_transactions(lab, 1, 60, 2)


def long_random_transactions(lab):
    """TRANSACTIONS and SEED in the environment; run it with a build under AddressSanitizer, too."""
    seed = int(os.environ.get("SEED", 7))
    n = int(os.environ.get("TRANSACTIONS", 3000))
    refused = random_transactions(lab, seed, n, 10)
    print("    seed %d: %d transactions, %d of them refused by ovs-vsctl itself" % (seed, n, refused))
