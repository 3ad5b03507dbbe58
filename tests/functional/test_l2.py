# SPDX-License-Identifier: Apache-2.0
"""Spanning trees and multicast snooping on running bridges, as ovs-vsctl configures and the stock tools show them."""
import re
import struct

from lab import wait_until


def ladder(lab, n_links):
    """One host with two bridges and N_LINKS veths between them; nothing is added yet."""
    host = lab.host()
    for i in range(1, n_links + 1):
        lab.veth(host, "a%d" % i, host, "b%d" % i)
    host.start()
    for br, mac in (("bra", "02:00:00:00:0a:00"), ("brb", "02:00:00:00:0b:00")):
        host.vsctl("add-br %s -- set bridge %s datapath_type=netdev other-config:hwaddr=%s" % (br, br, mac))
    return host


def connect(host, n_links):
    for i in range(1, n_links + 1):
        host.vsctl("add-port bra a%d -- set interface a%d ofport_request=%d -- add-port brb b%d -- "
                   "set interface b%d ofport_request=%d" % (i, i, i, i, i, i))


def ports(text):
    """The table of stp/show or rstp/show: interface -> (role, state)."""
    return {m[1]: (m[2], m[3]) for m in re.finditer(r"^  (\S+) +(\w+) +(\w+) +\d+ +\d+\.\d+$", text, re.M)}


def test_rstp_breaks_a_loop(lab):
    host = ladder(lab, 2)
    for br in ("bra", "brb"):
        host.vsctl("set bridge %s rstp_enable=true" % br)
    connect(host, 2)
    wait_until(lambda: ports(host.appctl("rstp/show", "brb")).get("b1") == ("Root", "Forwarding"), what="a root port")
    wait_until(lambda: ports(host.appctl("rstp/show", "bra")) ==
               {"a1": ("Designated", "Forwarding"), "a2": ("Designated", "Forwarding")}, 25, "designated ports")
    shown = host.appctl("rstp/show", "brb")
    assert ports(shown) == {"b1": ("Root", "Forwarding"), "b2": ("Alternate", "Discarding")}, shown
    assert "---- brb ----\nRoot ID:\n  stp-priority    32768\n  stp-system-id   02:00:00:00:0a:00\n" in shown, shown
    assert "  root-port       b1\n" in shown, shown
    assert "This bridge is the root" in host.appctl("rstp/show", "bra")
    wait_until(lambda: "rstp_port_state=Discarding" in host.vsctl("get port b2 rstp_status"), what="Port.rstp_status")
    status = host.vsctl("get bridge brb rstp_status")
    assert 'rstp_root_id="8.000.020000000a00"' in status and 'rstp_bridge_id="8.000.020000000b00"' in status, status
    wait_until(lambda: re.search(r"rstp_rx_count=[1-9]", host.vsctl("get port b1 rstp_statistics")), what="statistics")
    desc = host.ofctl("show", "brb")
    assert re.search(r"1\(b1\).*\n.*config: .*\n.*state: +STP_FORWARD", desc), desc
    # The link in use goes: the other one takes over well before any timer.
    host.ip("link set a1 down")
    wait_until(lambda: ports(host.appctl("rstp/show", "brb")).get("b2") == ("Root", "Forwarding"), 3, "the other port")
    host.vsctl("set bridge bra rstp_enable=false -- set bridge brb rstp_enable=false")
    assert "No such RSTP object" in host.appctl("rstp/show", "bra", check=False).stderr
    wait_until(lambda: host.vsctl("get port b2 rstp_status").strip() == "{}", what="an empty status")


def test_rstp_carries_traffic(lab):
    host = ladder(lab, 2)
    a, b = lab.guest("a"), lab.guest("b")
    lab.veth(host, "p1", a, "eth0")
    lab.veth(host, "p2", b, "eth0")
    a.take("eth0", "10.0.0.1/24")
    b.take("eth0", "10.0.0.2/24")
    for br, p in (("bra", "p1"), ("brb", "p2")):
        host.vsctl("set bridge %s rstp_enable=true -- add-port %s %s -- "
                   "set port %s other_config:rstp-port-admin-edge=true" % (br, br, p, p))
    connect(host, 2)
    a.wait_for_ping("10.0.0.2", 30, "traffic through the tree")
    # No loop: a broadcast comes once.
    raw = b.raw("eth0")
    frame = b"\xff" * 6 + bytes.fromhex("020000000099") + struct.pack("!H", 0x88b5) + b"x" * 46
    a.raw("eth0").send(frame)
    got = [f for f in raw.recv(0.5) if f[12:14] == b"\x88\xb5"]
    assert len(got) == 1, len(got)
    host.ip("link set b1 down")
    a.wait_for_ping("10.0.0.2", 6, "traffic by the other link")


def test_rstp_over_patch_ports(lab):
    host = lab.host()
    br = lambda name, mac: {"name": name, "rstp_enable": True, "other_config": {"hwaddr": mac}, "ports": [
        {"name": "%s%d" % (name, i), "interfaces": [{"name": "%s%d" % (name, i), "type": "patch", "options": {
            "peer": "%s%d" % ("brb" if name == "bra" else "bra", i)}}]} for i in (1, 2)]}
    host.start_json({"bridges": [br("bra", "02:00:00:00:0a:00"), br("brb", "02:00:00:00:0b:00")]})
    wait_until(lambda: ports(host.appctl("rstp/show", "brb")) ==
               {"brb1": ("Root", "Forwarding"), "brb2": ("Alternate", "Discarding")}, 10, "a tree")
    wait_until(lambda: ports(host.appctl("rstp/show", "bra")) ==
               {"bra1": ("Designated", "Forwarding"), "bra2": ("Designated", "Forwarding")}, 25, "the root's ports")


def test_stp(lab):
    host = ladder(lab, 2)
    for br in ("bra", "brb"):
        host.vsctl("set bridge %s stp_enable=true other_config:stp-hello-time=1 other_config:stp-max-age=6 "
                   "other_config:stp-forward-delay=4" % br)
    connect(host, 2)
    host.vsctl("set bridge brb other_config:stp-priority=4096")
    wait_until(lambda: ports(host.appctl("stp/show", "bra")).get("a1") == ("root", "forwarding"), 25, "a root port")
    shown = host.appctl("stp/show", "bra")
    assert ports(shown) == {"a1": ("root", "forwarding"), "a2": ("alternate", "blocking")}, shown
    assert shown.startswith("---- bra ----\nRoot ID:\n  stp-priority  4096\n  stp-system-id   02:00:00:00:0b:00\n"
                            "  stp-hello-time  1s\n  stp-max-age     6s\n  stp-fwd-delay   4s\n"
                            "  root-port       a1\n  root-path-cost  2\n\nBridge ID:\n"), shown
    wait_until(lambda: "stp_state=blocking" in host.vsctl("get port a2 status"), what="Port.status")
    status = host.vsctl("get bridge bra status")
    assert 'stp_designated_root="1000.020000000b00"' in status and 'stp_root_path_cost="2"' in status, status
    desc = host.ofctl("show", "bra")
    assert re.search(r"2\(a2\).*\n.*config: .*\n.*state: +STP_BLOCK", desc), desc
    assert host.appctl("stp/tcn").strip() == "OK"
    assert "no such stp object" in host.appctl("stp/tcn", "nope", check=False).stderr
    # One way only between the two, so unplugging it is noticed by age alone.
    host.vsctl("set port a1 other_config:stp-enable=false")
    wait_until(lambda: ports(host.appctl("stp/show", "bra")) == {"a2": ("root", "forwarding")}, 25, "the other port")


def test_bpdus_stay_or_pass(lab):
    host = lab.host()
    a, b = lab.guest("a"), lab.guest("b")
    lab.veth(host, "p1", a, "eth0")
    lab.veth(host, "p2", b, "eth0")
    host.start()
    host.vsctl("add-br br0 -- set bridge br0 datapath_type=netdev -- add-port br0 p1 -- add-port br0 p2")
    a.ip("link set eth0 up")
    b.ip("link set eth0 up")
    tx, rx = a.raw("eth0"), b.raw("eth0")
    bpdu = bytes.fromhex("0180c2000000" "020000000001" "0026" "424203") + b"\0\0\0\0" + b"\0" * 60
    lldp = bytes.fromhex("0180c200000e" "020000000001" "88cc") + b"\x02\x07\x04" + b"\0" * 43

    def passes(frame):
        rx.recv(0.05)
        tx.send(frame)
        return bool([f for f in rx.recv(0.3) if f[:6] == frame[:6]])

    assert not passes(bpdu) and not passes(lldp)
    host.vsctl("set bridge br0 other-config:forward-bpdu=true")
    wait_until(lambda: passes(bpdu), what="BPDUs passed on")
    assert passes(lldp)
    host.vsctl("set bridge br0 stp_enable=true other_config:stp-forward-delay=4 other_config:stp-hello-time=1 "
               "other_config:stp-max-age=6")
    wait_until(lambda: not passes(bpdu), what="BPDUs consumed")
    wait_until(lambda: passes(lldp), 15, "forwarding")
    # LLDP is a matter of flows where they say so.
    host.vsctl("set bridge br0 stp_enable=false other-config:forward-bpdu=false")
    wait_until(lambda: not passes(lldp), what="LLDP dropped by NORMAL")
    host.ofctl("add-flow", "br0", "priority=100,dl_type=0x88cc,actions=output:p2")
    assert passes(lldp)


def igmp(kind, group, src="10.0.0.1"):
    def summed(b):
        s = sum(struct.unpack("!%dH" % (len(b) // 2), b))
        s = (s >> 16) + (s & 0xffff)
        return ~(s + (s >> 16)) & 0xffff

    def addr(text):
        return bytes(int(x) for x in text.split("."))

    msg = struct.pack("!BBH", kind, 0, 0) + addr(group)
    msg = struct.pack("!BBH", kind, 0, summed(msg)) + addr(group)
    dst = addr(group if kind == 0x16 else "224.0.0.2" if kind == 0x17 else "224.0.0.1")
    ip = struct.pack("!BBHHHBBH", 0x46, 0, 24 + 8, 0, 0, 1, 2, 0) + addr(src) + dst + b"\x94\4\0\0"
    ip = ip[:10] + struct.pack("!H", summed(ip)) + ip[12:]
    mac = bytes([1, 0, 0x5e, dst[1] & 0x7f, dst[2], dst[3]])
    return mac + bytes.fromhex("020000000001") + b"\x08\x00" + ip + msg + b"\0" * 14


def data(group):
    dst = bytes(int(x) for x in group.split("."))
    ip = bytes.fromhex("4500002e000000004011" "0000") + bytes([10, 0, 0, 9]) + dst
    return (bytes([1, 0, 0x5e, dst[1] & 0x7f, dst[2], dst[3]]) + bytes.fromhex("020000000009") + b"\x08\x00" + ip +
            struct.pack("!HHHH", 1234, 5678, 26, 0) + b"m" * 18)


def test_multicast_snooping(lab):
    host = lab.host()
    guests, raws = [], []
    for i in range(1, 5):
        g = lab.guest("g%d" % i)
        lab.veth(host, "p%d" % i, g, "eth0")
        g.sh("sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1")
        guests.append(g)
        raws.append(g.raw("eth0"))
    host.start()
    host.vsctl("add-br br0 -- set bridge br0 datapath_type=netdev mcast_snooping_enable=true")
    for i in range(1, 5):
        host.vsctl("add-port br0 p%d -- set interface p%d ofport_request=%d" % (i, i, i))

    def reach(sender, frame, seconds=0.3):
        for r in raws:
            r.recv(0.02)
        raws[sender - 1].send(frame)
        return [i + 1 for i, r in enumerate(raws) if i + 1 != sender
                and [f for f in r.recv(seconds if i + 1 != sender else 0) if f[:6] == frame[:6]]]

    def mdb():
        return [line.split() for line in host.appctl("mdb/show", "br0").splitlines()[1:]]

    assert host.appctl("mdb/show", "br0") == " port  VLAN  GROUP                Age\n"
    assert reach(1, data("239.1.2.3")) == [2, 3, 4]
    assert reach(2, igmp(0x16, "239.1.2.3")) == []
    wait_until(lambda: mdb() == [["2", "0", "239.1.2.3", "0"]], 3, "the member")
    assert reach(1, data("239.1.2.3")) == [2]
    assert reach(1, data("239.1.2.4")) == [2, 3, 4]
    assert reach(4, igmp(0x11, "0.0.0.0", "10.0.0.4")) == [1, 2, 3]
    wait_until(lambda: [x[:3] for x in mdb()] == [["2", "0", "239.1.2.3"], ["4", "0", "querier"]], 3, "the querier")
    assert reach(1, data("239.1.2.3")) == [2, 4]
    assert reach(3, igmp(0x16, "239.1.2.3")) == [4]
    wait_until(lambda: reach(1, data("239.1.2.3")) == [2, 3, 4], 3, "both members")
    assert reach(2, igmp(0x17, "239.1.2.3")) == [4]
    wait_until(lambda: reach(1, data("239.1.2.3")) == [3, 4], 3, "the one that stayed")
    host.vsctl("set bridge br0 other_config:mcast-snooping-disable-flood-unregistered=true -- "
               "set port p2 other_config:mcast-snooping-flood=true other_config:mcast-snooping-flood-reports=true")
    wait_until(lambda: reach(1, data("239.9.9.9")) == [2, 4], 3, "routers and flood ports only")
    assert reach(1, data("224.0.0.251")) == [2, 3, 4]
    assert reach(3, igmp(0x16, "239.1.2.5")) == [2, 4]
    # Other VLANs, other members.
    wait_until(lambda: [x for x in mdb() if x[0] == "3"], 3, "the member at port 3")
    host.vsctl("set port p3 trunks=0,7")
    wait_until(lambda: mdb() and not [x for x in mdb() if x[0] == "3"], 3, "the member to be forgotten")
    assert reach(1, data("239.9.9.9")) == [2, 4]
    assert "table successfully flushed" in host.appctl("mdb/flush", "br0")
    assert mdb() == []
    host.vsctl("set bridge br0 mcast_snooping_enable=false")
    wait_until(lambda: "multicast snooping is disabled" in host.appctl("mdb/show", "br0", check=False).stderr, 3, "off")
    assert "no such bridge" in host.appctl("mdb/show", "nope", check=False).stderr
    assert reach(1, data("239.1.2.3")) == [2, 3, 4]


def four(lab, extra=""):
    """A bridge with p1 to p4, and a packet socket at the far end of each."""
    host = lab.host()
    raws = []
    for i in range(1, 5):
        g = lab.guest("g%d" % i)
        lab.veth(host, "p%d" % i, g, "eth0")
        g.sh("sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1")
        raws.append(g.raw("eth0"))
    host.start()
    host.vsctl("add-br br0 -- set bridge br0 datapath_type=netdev")
    for i in range(1, 5):
        host.vsctl("add-port br0 p%d -- set interface p%d ofport_request=%d" % (i, i, i))
    if extra:
        host.vsctl(extra)

    def send(port, frame, seconds=0.3):
        """What comes out by the others: port -> frames that carry FRAME's payload."""
        for r in raws:
            r.recv(0.02)
        raws[port - 1].send(frame)
        out = {i + 1: [f for f in r.recv(seconds if i + 1 != port else 0) if frame[-60:-40] in f]
               for i, r in enumerate(raws) if i + 1 != port}
        return {k: v for k, v in out.items() if v}

    return host, send


def frame(src, dst, tags=(), proto=0x88b5, size=60):
    mac = lambda n: b"\xff" * 6 if n < 0 else bytes([2, 0, 0, 0, 0, n])
    return (mac(dst) + mac(src) + b"".join(struct.pack("!HH", tpid, tci) for tpid, tci in tags) +
            struct.pack("!H", proto) + bytes((src * 7 + i) & 255 for i in range(size)))


def test_mirror_counts_and_clears(lab):
    host, send = four(lab)
    host.vsctl("-- --id=@p1 get port p1 -- --id=@p4 get port p4 -- --id=@m create mirror name=m0 select-src-port=@p1 "
               "output-port=@p4 -- set bridge br0 mirrors=@m")
    f = frame(1, 2)
    wait_until(lambda: sorted(send(1, f)) == [2, 3, 4], 3, "the flood and the mirror")
    assert send(1, f)[4] == [f]
    assert sorted(send(2, frame(2, 3))) == [1, 3], "the analyser gets only what is selected"
    assert send(4, frame(4, 1)) == {}, "the analyser's port takes nothing in"
    stats = lambda: {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", host.vsctl("get mirror m0 statistics"))}
    before = wait_until(lambda: stats().get("tx_packets") and stats(), 8, "statistics")
    for _ in range(5):
        send(1, f, 0.05)
    wait_until(lambda: stats()["tx_packets"] >= before["tx_packets"] + 5, 8, "statistics")
    after = stats()
    assert (after["tx_bytes"] - before["tx_bytes"]) == len(f) * (after["tx_packets"] - before["tx_packets"]), (before, after)
    host.vsctl("clear bridge br0 mirrors")
    wait_until(lambda: sorted(send(4, frame(4, 1))) == [1] or sorted(send(4, frame(4, 1))) == [1, 2, 3], 3, "an ordinary port")
    host.vsctl("-- --id=@m create mirror name=m1 select_all=true output_vlan=99 snaplen=40 -- set bridge br0 mirrors=@m -- "
               "set port p4 trunks=99")
    got = wait_until(lambda: send(1, frame(1, -1)).get(4), 3, "the mirror's VLAN")
    assert got[0][12:16] == b"\x81\x00\x00\x63" and len(got[0]) == 40, got


def test_mirror_to_gre(lab):
    """A remote analyser behind a GRE port over an underlay bridge."""
    host, remote = lab.host("h1"), lab.guest("far")
    vm = lab.guest("vm")
    lab.veth(host, "phy", remote, "eth0")
    lab.veth(host, "X", vm, "eth0")
    remote.ip("addr add 172.31.1.2/24 dev eth0")
    host.start()
    host.vsctl("add-br br-phy -- set bridge br-phy datapath_type=netdev -- add-port br-phy phy -- "
               "add-br br-int -- set bridge br-int datapath_type=netdev -- add-port br-int X")
    host.ip("addr add 172.31.1.1/24 dev br-phy")
    host.ip("link set br-phy up")
    host.vsctl("add-port br-int gre0 -- set interface gre0 type=gre options:remote_ip=172.31.1.2 -- --id=@p get port gre0 -- "
               "--id=@vm get port X -- --id=@m create mirror name=m0 select-src-port=@vm select-dst-port=@vm output-port=@p -- "
               "set bridge br-int mirrors=@m")
    host.ofctl("add-flow", "br-int", "priority=9,in_port=X,actions=drop")    # What is dropped is seen all the same.
    tap, tx = remote.raw("eth0"), vm.raw("eth0")
    f = frame(1, 2)

    def seen():
        tx.send(f)
        return [x for x in tap.recv(0.2) if x[12:14] == b"\x08\x00" and x[23] == 47 and x[34:38] == b"\0\0\x65\x58"
                and x[38:] == f]

    wait_until(seen, 10, "the copy at the analyser")
    host.vsctl("clear bridge br-int mirrors")
    tap.recv(0.3)
    assert not seen()


def test_port_columns(lab):
    host, send = four(lab, "set Open_vSwitch . other_config:vlan-limit=2")
    host.vsctl("set port p1 protected=true -- set port p2 protected=true")
    wait_until(lambda: sorted(send(1, frame(1, -1))) == [3, 4], 3, "protection")
    assert sorted(send(3, frame(3, -1))) == [1, 2, 4]
    host.vsctl("set port p1 protected=false -- set port p2 protected=false")
    wait_until(lambda: sorted(send(1, frame(1, -1))) == [2, 3, 4], 3, "no protection")
    # A provider's edge.
    host.vsctl("set port p1 vlan_mode=dot1q-tunnel tag=100 cvlans=7 -- set port p2 vlan_mode=dot1q-tunnel tag=100 "
               "other_config:qinq-ethtype=802.1q")
    f = frame(1, -1, [(0x8100, 7)])
    got = wait_until(lambda: (lambda g: g.get(3, [b""])[0][12:14] == b"\x88\xa8" and g)(send(1, f)), 3, "a service tag")
    assert got[3][0][12:20] == bytes.fromhex("88a8006481000007") and got[2] == [f], got
    assert send(1, frame(1, -1, [(0x8100, 8)])) == {}
    assert send(2, f)[3][0][12:20] == bytes.fromhex("8100006481000007")
    assert sorted(send(3, frame(3, -1, [(0x88a8, 100), (0x8100, 8)]))) == [2, 4]
    # Priority tags.
    host.vsctl("clear port p1 vlan_mode cvlans -- clear port p2 vlan_mode -- set port p1 tag=5 -- set port p2 tag=5 "
               "other_config:priority-tags=if-nonzero -- set port p3 tag=5 -- set port p4 tag=5 other_config:priority-tags=always")
    f = frame(1, -1, [(0x8100, 0x6000)])
    got = wait_until(lambda: (lambda g: len(g) == 3 and g)(send(1, f)), 3, "one VLAN")
    assert got[2] == [f] and got[3] == [frame(1, -1)] and got[4] == [f], got
    got = send(1, frame(1, -1))
    assert got[2] == [frame(1, -1)] and got[3] == got[2], got


def test_flood_vlans(lab):
    host, send = four(lab)
    a, b = frame(1, 2, [(0x8100, 10)]), frame(2, 1, [(0x8100, 10)])
    send(1, a)
    wait_until(lambda: sorted(send(2, b)) == [1], 3, "learning")
    host.vsctl("set bridge br0 flood_vlans=[10]")
    wait_until(lambda: sorted(send(2, b)) == [1, 3, 4], 3, "flooding")
    assert host.appctl("fdb/show", "br0").count("\n") == 1, "what was learned is forgotten"
    host.vsctl("clear bridge br0 flood_vlans")
    send(1, a)
    wait_until(lambda: sorted(send(2, b)) == [1], 3, "learning again")


def test_tags_around_a_select_group(lab):
    """A flow has room for two tags, packets for more: none is lost around a group that goes on with the packet as it is."""
    host, send = four(lab)
    host.ofctl("-O", "OpenFlow13", "add-group", "br0", "group_id=1,type=select,bucket=push_vlan:0x8100,set_field:4108->vlan_vid,output:2")
    host.ofctl("-O", "OpenFlow13", "add-flow", "br0", "priority=9,in_port=1,actions=push_vlan:0x8100,set_field:4106->vlan_vid,group:1,"
               "push_vlan:0x8100,set_field:4105->vlan_vid,3")
    tags = lambda *vids: frame(1, 2, [(0x8100, vid) for vid in vids])
    for inner in ((5,), (5, 6)):
        got = wait_until(lambda: send(1, tags(*inner)), 3, "the frames")
        assert got == {2: [tags(12, 10, *inner)], 3: [tags(9, 10, *inner)]}, got
    assert send(1, tags()) == {2: [tags(12, 10)], 3: [tags(9, 10)]}


def test_what_the_table_of_addresses_keeps(lab):
    host, send = four(lab)
    static = "02:00:00:00:00:77", "02:00:00:00:00:78"
    for port, mac in zip(("p1", "p2"), static):
        host.appctl("fdb/add", "br0", port, "0", mac)
    host.appctl("fdb/flush", "br0")
    assert all(mac in host.appctl("fdb/show", "br0") for mac in static)
    # What an access port has no use for changes nothing.
    host.vsctl("set port p1 tag=0")
    wait_until(lambda: static[0] not in host.appctl("fdb/show", "br0"), 3, "p1's entry to go")
    host.appctl("fdb/add", "br0", "p1", "0", static[0])
    host.vsctl("set port p1 vlan_mode=access trunks=10,20")
    assert static[0] in host.appctl("fdb/show", "br0")
    # The port is another one, with other VLANs or when it is added again.
    host.vsctl("set port p1 tag=10")
    wait_until(lambda: static[0] not in host.appctl("fdb/show", "br0"), 3, "p1's entry to go")
    host.vsctl("del-port p2")
    host.vsctl("add-port br0 p2")
    wait_until(lambda: static[1] not in host.appctl("fdb/show", "br0"), 3, "p2's entry to go")
    # The ranges of ovs-vswitchd.conf.db(5).
    for size, what in ((1, 10), (5000, 5000), (9999999, 1000000)):
        host.vsctl("set bridge br0 other_config:mac-table-size=%d" % size)
        wait_until(lambda: re.search(r"table: \d+/%d\n" % what, host.appctl("fdb/stats-show", "br0")), 3, "a size of %d" % what)


def test_patch_port_keeps_what_it_learned(lab):
    host = ladder(lab, 0)
    for br, port, peer in (("bra", "pa", "pb"), ("brb", "pb", "pa")):
        host.vsctl("add-port %s %s -- set interface %s type=patch options:peer=%s" % (br, port, port, peer))
    host.appctl("fdb/add", "bra", "pa", "0", "02:00:00:00:00:77")
    before = host.vsctl("get interface pa ofport")
    host.vsctl("set interface pa options:peer=other")
    assert "No usable peer 'other'" in host.vsctl("get interface pa error")
    host.vsctl("set interface pa options:peer=pb")
    assert host.vsctl("get interface pa ofport") == before
    assert "02:00:00:00:00:77" in host.appctl("fdb/show", "bra")
    wait_until(lambda: host.vsctl("get interface pa error").strip() == "[]", what="an empty error")


def test_trace_texts(lab):
    host = ladder(lab, 1)
    connect(host, 1)
    host.vsctl("set bridge bra fail_mode=secure -- set bridge brb fail_mode=secure")
    for br, port, peer in (("bra", "pa", "pb"), ("brb", "pb", "pa")):
        host.vsctl("add-port %s %s -- set interface %s type=patch options:peer=%s ofport_request=10"
                   % (br, port, port, peer))
        host.ofctl("del-flows", br)
    host.ofctl("add-flow", "bra", "priority=99,in_port=1,mpls,actions=set_field:9->mpls_label,10")
    for args, lines in (
            (["bra", "ip"], ["Flow: ip,in_port=ANY,"]),
            (["brb", "in_port=10,ip"], [" 0. No match."]),
            (["bra", "in_port=1,mpls,mpls_label=5"], [
                "mpls_label=5,mpls_tc=0,mpls_ttl=0,mpls_bos=0,mpls_lse1=0,mpls_lse2=0\n",
                " 0. mpls,in_port=1, priority 99\n", " 0. reg0=0x2, priority 0\n"]),
            (["bra", "in_port=1,ip", "--ct-next", "trk,new"], ["Datapath actions: drop"])):
        text = host.appctl("ofproto/trace", *args)
        for line in lines:
            assert line in text, (line, text)
    # A packet has one value in each field, and only fields that it has.
    for flow, why in (("in_port=1,tcp_dst=5", "prerequisites not met for setting tcp_dst"), ("ip,tcp", "Ethernet type set multiple times"),
                      ("ip,nw_src=1.2.3.0/24", "bad value for nw_src (1.2.3.0/24: wildcards not allowed here)"),
                      ("in_port=1,in_port=2", "field in_port set multiple times"), ("foo=5", "unknown field foo")):
        said = host.appctl("ofproto/trace", "bra", flow, check=False).stderr
        assert "Bad openflow flow syntax: %s: %s\n" % (flow, why) in said, said
