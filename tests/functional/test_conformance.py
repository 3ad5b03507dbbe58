# SPDX-License-Identifier: Apache-2.0
"""OpenFlow 1.3.5, field by field and action by action, over one controller's connection with whole frames.

A case is a flow, a frame that must come out (as the specification has it, byte for byte) and often one that must not;
cases are made from tables: every field x every kind of frame that has it x what the frame is carried in x masked."""
import ipaddress
import select
import struct
import time

import frames as fr
import of13 as of
from bench import N_PORTS, Bench
from lab import Failure, wait_until

MAC = lambda text: fr.mac(text)
IP = lambda text: fr.ip(text)
NUM = lambda n: n

# name: (layer, its field, kinds of frames, a value, another, mask of that width or None, to wire)
# Masks are those that 7.2.3.7 allows. The value is what the flow asks for; the other does not match.
FIELDS = {
    "eth_dst": ("eth", "dst", ["tcp4", "tcp6", "arp"], "02:00:00:00:0b:02", "02:00:00:00:0b:12", 0xfffffffffff0, MAC),
    "eth_src": ("eth", "src", ["tcp4", "tcp6", "arp"], "02:00:00:00:0a:01", "12:00:00:00:0a:01", 0xff0000000000, MAC),
    "vlan_vid": ("vlan", "vid", ["tcp4", "tcp6", "arp"], 0x064, 0x895, 0x0f0, NUM),
    "vlan_pcp": ("vlan", "pcp", ["tcp4", "tcp6", "arp"], 3, 4, None, NUM),
    "ip_dscp": ("ip", "dscp", ["tcp4", "tcp6"], 10, 46, None, NUM),
    "ip_ecn": ("ip", "ecn", ["tcp4", "tcp6"], 1, 2, None, NUM),
    "ipv4_src": ("ip4", "src", ["tcp4"], "10.1.2.3", "10.1.3.3", 0xffffff00, IP),
    "ipv4_dst": ("ip4", "dst", ["tcp4"], "10.4.5.6", "138.4.5.6", 0xff00ff00, IP),
    "tcp_src": ("tcp", "src", ["tcp4", "tcp6"], 1111, 1112, None, NUM),
    "tcp_dst": ("tcp", "dst", ["tcp4", "tcp6"], 2222, 2223, None, NUM),
    "udp_src": ("udp", "src", ["udp4", "udp6"], 1111, 1112, None, NUM),
    "udp_dst": ("udp", "dst", ["udp4", "udp6"], 2222, 2223, None, NUM),
    "sctp_src": ("sctp", "src", ["sctp4", "sctp6"], 1111, 1112, None, NUM),
    "sctp_dst": ("sctp", "dst", ["sctp4", "sctp6"], 2222, 2223, None, NUM),
    "icmpv4_type": ("icmp", "type", ["icmp4"], 8, 13, None, NUM),
    "icmpv4_code": ("icmp", "code", ["icmp4"], 0, 7, None, NUM),
    "arp_op": ("arp", "op", ["arp"], 1, 2, None, NUM),
    "arp_spa": ("arp", "spa", ["arp"], "10.1.2.3", "10.1.3.3", 0xffffff00, IP),
    "arp_tpa": ("arp", "tpa", ["arp"], "10.4.5.6", "10.4.5.7", 0x000000ff, IP),
    "arp_sha": ("arp", "sha", ["arp"], "02:00:00:00:0a:01", "02:00:00:00:0a:21", 0xfffffffffff0, MAC),
    "arp_tha": ("arp", "tha", ["arp"], "02:00:00:00:0b:02", "02:00:80:00:0b:02", 0x0000ff000000, MAC),
    "ipv6_src": ("ip6", "src", ["tcp6"], "2001:db8::a1", "2001:db8:1::a1", (1 << 128) - (1 << 16), IP),
    "ipv6_dst": ("ip6", "dst", ["tcp6"], "2001:db8::b2", "2001:db8::b3", 0xff, IP),
    "ipv6_flabel": ("ip6", "label", ["tcp6"], 0x12345, 0x12355, 0x0fff0, NUM),
    "icmpv6_type": ("icmp6", "type", ["icmp6"], 128, 129, None, NUM),
    "icmpv6_code": ("icmp6", "code", ["icmp6"], 0, 3, None, NUM),
    "ipv6_nd_target": ("icmp6", "target", ["ns", "na"], "2001:db8::77", "2001:db8::78", None, IP),
    "ipv6_nd_sll": ("icmp6", "sll", ["ns"], "02:00:00:00:0c:03", "02:00:00:00:0c:05", None, MAC),
    "ipv6_nd_tll": ("icmp6", "tll", ["na"], "02:00:00:00:0c:04", "02:00:00:00:0c:05", None, MAC),
    "mpls_label": ("mpls", "label", ["tcp4", "tcp6", "arp"], 100, 99, None, NUM),
    "mpls_tc": ("mpls", "tc", ["tcp4", "tcp6", "arp"], 3, 2, None, NUM),
    "pbb_isid": ("itag", "isid", ["tcp4", "tcp6", "arp"], 0x123456, 0x123457, 0x00000f, NUM),
}
CARRIED_BY = {"vlan": [fr.VLAN], "mpls": [fr.MPLS], "itag": [fr.ITAG]}


def eth_type_of(kind):
    return fr.TYPES[fr.INNER[kind][0][0]]


def layer_in(layer, kind):
    return {"ip": "ip" + kind[-1]}.get(layer, layer)


def prerequisites(name, kind):
    """What must be matched before NAME (7.2.3.8)."""
    layer = FIELDS[name][0] if name in FIELDS else "ip" if name == "ip_proto" else "ip6"
    if layer in ("eth", "vlan"):
        return [("vlan_vid", 0x1000 | 100)] if name == "vlan_pcp" else []
    if layer in ("mpls", "itag"):
        return [("eth_type", fr.TYPES[layer])]
    out = [("eth_type", eth_type_of(kind))]
    if layer in fr.PROTOS:
        out.append(("ip_proto", fr.PROTOS[layer]))
    if name.startswith("ipv6_nd"):
        out.append(("icmpv6_type", fr.first(fr.INNER[kind], "icmp6")["type"]))
    return out


def wire(name, v):
    """As the flow writes it: bytes."""
    convert = FIELDS[name][6]
    if name == "vlan_vid":
        v |= 0x1000
    return of.value(name, convert(v))


def with_field(layers, name, kind, v):
    layer, field = FIELDS[name][:2]
    return fr.with_(layers, layer_in(layer, kind), -1 if layer == "eth" else 0, **{field: v})


def from_wire(name, b):
    """Back to how frames say it."""
    convert = FIELDS[name][6]
    n = int.from_bytes(b, "big")
    if name == "vlan_vid":
        return n & 0xfff
    return n if convert is NUM else str(ipaddress.ip_address(b)) if convert is IP else ":".join("%02x" % x for x in b)


def carriers(name, kind):
    """(what the frame is in, layers outside, how the flow's table is reached: (match, instructions) or None)."""
    layer = FIELDS[name][0] if name in FIELDS else "ip"
    if layer in CARRIED_BY:
        return [(layer, CARRIED_BY[layer], None)]
    inner = eth_type_of(kind)
    return [
        ("plain", [], None), ("vlan", [fr.VLAN], None), ("qinq", [fr.SVLAN, fr.VLAN], None),
        ("mpls", [fr.MPLS], ([("eth_type", 0x8847)], [of.apply(of.simple(of.POP_MPLS, inner, 2)), of.goto(1)])),
        ("itag", [fr.ITAG, fr.ETH], ([("eth_type", 0x88e7)], [of.apply(of.simple(of.POP_PBB)), of.goto(1)])),
    ]


def make(name, kind, outer):
    """PBB frames carry a whole frame; also when the I-TAG itself is what is asked about."""
    if outer == [fr.ITAG]:
        outer = [fr.ITAG, fr.ETH]
    return fr.make(kind, *outer)


def unwrapped(layers, carrier, reach):
    """What the flow behind REACH sees."""
    if not reach:
        return layers
    return layers[2:] if carrier == "itag" else [x for x in layers if x[0] != "mpls"] if carrier == "mpls" else layers


def run_case(bench, what, reach, fields, actions, sent, frame, other=None):
    table = 1 if reach else 0
    mods = [of.flow_mod(reach[0], reach[1])] if reach else []
    last = of.flow_mod(fields, [of.apply(*actions)], table=table)
    try:
        bench.flows(*mods, last)
    except AssertionError as e:
        raise Failure("%s: %s" % (what, e))
    stats = [x for x in bench.c.flow_stats() if x[0] == table]
    if [x[2:4] for x in stats] != [(of.match(fields), of.apply(*actions))]:
        raise Failure("%s: reads back as %s, was %s" % (what, [x[2].hex() + " " + x[3].hex() for x in stats],
                                                        of.match(fields).hex() + " " + of.apply(*actions).hex()))
    bench.expect(what, fr.frame(sent), fr.frame(frame), nothing_of=other and fr.frame(other))
    lookups, matched = table_counts(bench.c)[table]
    if (lookups, matched) != (1 + (other is not None) + bench.lookups.get(table, 0), 1 + bench.matched.get(table, 0)):
        raise Failure("%s: table %d counts %d lookups and %d matches more than before" % (
            what, table, lookups - bench.lookups.get(table, 0), matched - bench.matched.get(table, 0)))
    for t, (n, m) in enumerate(table_counts(bench.c)[:2]):
        bench.lookups[t], bench.matched[t] = n, m


def table_counts(c):
    data = c.multipart(of.MP_TABLE)
    return [struct.unpack("!QQ", data[i + 8:i + 24]) for i in range(0, len(data), 24)]


def start(lab):
    bench = Bench(lab)
    counts = table_counts(bench.c)
    bench.lookups = {t: n for t, (n, m) in enumerate(counts)}
    bench.matched = {t: m for t, (n, m) in enumerate(counts)}
    return bench


def test_match_fields(lab):
    """Every field in every frame that has it, exact and with each mask that is allowed."""
    bench = start(lab)
    for name, (layer, field, kinds, a, b, mask, convert) in FIELDS.items():
        for kind in kinds:
            for carrier, outer, reach in carriers(name, kind):
                hit = with_field(make(name, kind, outer), name, kind, a)
                miss = with_field(hit, name, kind, b)
                pre = prerequisites(name, kind)
                what = "match %s in %s/%s" % (name, carrier, kind)
                out = [of.output(2)]
                run_case(bench, what, reach, pre + [(name, wire(name, a))], out, hit, unwrapped(hit, carrier, reach), miss)
                if mask is None:
                    continue
                size = of.FIELDS[name][1]
                m = mask | 0x1000 if name == "vlan_vid" else mask
                m = m.to_bytes(size, "big")
                v = bytes(x & y for x, y in zip(wire(name, a), m))
                # Unmasked bits may be anything.
                free = (1 << {"vlan_vid": 12, "ipv6_flabel": 20}.get(name, size * 8)) - 1 & ~mask & 0xfefffffffffffffff
                flipped = (int.from_bytes(wire(name, a), "big") ^ free).to_bytes(size, "big")
                hit = with_field(hit, name, kind, from_wire(name, flipped))
                run_case(bench, what + " masked", reach, pre + [(name, v, m)], out, hit, unwrapped(hit, carrier, reach), miss)
    print("%d matches" % bench.n)


def test_match_the_rest(lab):
    """Fields that are no plain value of a header."""
    bench = start(lab)
    out = [of.output(2)]
    for kind in ("tcp4", "tcp6", "udp4", "sctp6", "icmp4", "icmp6", "arp"):
        t = eth_type_of(kind)
        frame = fr.make(kind)
        other = fr.make("arp" if kind[-1] in "46" else "tcp4")
        run_case(bench, "eth_type " + kind, None, [("eth_type", t)], out, frame, frame, other)
        tagged, other = fr.make(kind, fr.VLAN), fr.make(other[1][0] == "arp" and "arp" or "tcp4", fr.VLAN)
        run_case(bench, "eth_type behind a tag " + kind, None, [("eth_type", t)], out, tagged, tagged, other)
        run_case(bench, "no tag", None, [("vlan_vid", 0)], out, frame, frame, tagged)
        run_case(bench, "any tag", None, [("vlan_vid", 0x1000, 0x1000)], out, tagged, tagged, frame)
        run_case(bench, "in_port", None, [("in_port", 1)], out, frame, frame)
        if kind == "arp":
            continue
        for carrier, outer, reach in carriers("ip_proto", kind):
            hit, miss = fr.make(kind, *outer), fr.make(("udp" if kind[:3] == "tcp" else "tcp") + kind[-1], *outer)
            proto = fr.PROTOS[fr.INNER[kind][1][0]]
            run_case(bench, "ip_proto %s/%s" % (carrier, kind), reach, [("eth_type", t), ("ip_proto", proto)], out, hit,
                     unwrapped(hit, carrier, reach), miss)
    one, two = fr.make("tcp4", fr.MPLS), fr.make("tcp4", fr.MPLS, fr.MPLS)
    run_case(bench, "mpls_bos 1", None, [("eth_type", 0x8847), ("mpls_bos", 1)], out, one, one, two)
    run_case(bench, "mpls_bos 0", None, [("eth_type", 0x8847), ("mpls_bos", 0)], out, two, two, one)
    frame = fr.make("tcp4")
    for name, into in (("metadata", of.write_metadata(0x1122334455667788)),
                       ("tunnel_id", of.apply(of.set_field("tunnel_id", 0x1122334455667788)))):
        reach = ([], [into, of.goto(1)])
        run_case(bench, name, reach, [(name, 0x1122334455667788)], out, frame, frame)
        run_case(bench, name + " masked", reach, [(name, 0x1100000000000008, 0xff0000000000000f)], out, frame, frame)
    print("%d matches" % bench.n)


# IPv6 extension headers (7.2.3.7): number, bit of the pseudo-field.
NONEXT, ESP, AUTH, DEST, FRAG, ROUTER, HOP, UNREP, UNSEQ = (1 << i for i in range(9))
EXT = [([0], HOP), ([60], DEST), ([43], ROUTER), ([44], FRAG), ([51], AUTH),
       ([0, 60, 43, 44, 51, 60], HOP | DEST | ROUTER | FRAG | AUTH),
       ([60, 0], DEST | HOP | UNSEQ), ([43, 43], ROUTER | UNREP), ([51, 44], AUTH | FRAG | UNSEQ)]


def test_match_ipv6_exthdr(lab):
    bench = start(lab)
    plain = fr.make("tcp6")
    for outer, where in (([], "plain"), ([fr.VLAN], "vlan")):
        for ext, bits in EXT:
            hit, miss = fr.with_(fr.make("tcp6", *outer), "ip6", ext=ext), fr.make("tcp6", *outer)
            what = "ipv6_exthdr %s of %s" % (where, ext)
            fields = [("eth_type", 0x86dd), ("ipv6_exthdr", bits)]
            run_case(bench, what, None, fields, [of.output(2)], hit, hit, miss)
            low = bits & -bits
            run_case(bench, what + " masked", None, [fields[0], ("ipv6_exthdr", low, low)], [of.output(2)], hit, hit, miss)
    run_case(bench, "ipv6_exthdr none", None, [("eth_type", 0x86dd), ("ipv6_exthdr", 0)], [of.output(2)], plain, plain,
             fr.with_(plain, "ip6", ext=[0]))
    esp = fr.with_(plain, "ip6", proto=50)
    run_case(bench, "ipv6_exthdr esp", None, [("eth_type", 0x86dd), ("ipv6_exthdr", ESP, ESP)], [of.output(2)], esp, esp,
             plain)
    none = fr.with_(plain, "ip6", proto=59)
    run_case(bench, "ipv6_exthdr no next", None, [("eth_type", 0x86dd), ("ipv6_exthdr", NONEXT, NONEXT)],
             [of.output(2)], none, none, plain)
    print("%d matches" % bench.n)


def test_set_field(lab):
    """Every field that a frame has, in everything that carries it; checksums follow."""
    bench = start(lab)
    for name, (layer, field, kinds, a, b, mask, convert) in FIELDS.items():
        for kind in kinds:
            for carrier, outer, reach in carriers(name, kind):
                before = with_field(make(name, kind, outer), name, kind, a)
                after = with_field(unwrapped(before, carrier, reach), name, kind, b)
                pre = prerequisites(name, kind)
                if name == "vlan_vid":
                    pre = [("vlan_vid", 0x1000, 0x1000)]
                run_case(bench, "set %s in %s/%s" % (name, carrier, kind), reach, pre,
                         [of.set_field(name, wire(name, b)), of.output(2)], before, after)
    # Fields that say what follows: nothing but the field changes, and the checksum that covers it.
    for kind in ("tcp4", "tcp6", "udp4", "udp6"):
        for carrier, outer, reach in carriers("ip_proto", kind):
            before = fr.make(kind, *outer)
            after = fr.with_(unwrapped(before, carrier, reach), "ip" + kind[-1], proto=132)
            run_case(bench, "set ip_proto in %s/%s" % (carrier, kind), reach, [("eth_type", eth_type_of(kind))],
                     [of.set_field("ip_proto", 132), of.output(2)], before, after)
    for kind in ("tcp4", "tcp6", "arp"):
        for new in (0x8848, 0x88b5, 0x0800):
            if new == eth_type_of(kind):
                continue
            before = fr.make(kind)
            run_case(bench, "set eth_type of " + kind, None, [("eth_type", eth_type_of(kind))],
                     [of.set_field("eth_type", new), of.output(2)], before, fr.with_(before, "eth", type=new))
            tagged = fr.make(kind, fr.VLAN)
            run_case(bench, "set eth_type behind a tag of " + kind, None, [("eth_type", eth_type_of(kind))],
                     [of.set_field("eth_type", new), of.output(2)], tagged, fr.with_(tagged, "vlan", type=new))
    two = fr.make("tcp4", fr.MPLS, fr.MPLS)
    run_case(bench, "set mpls_bos 1", None, [("eth_type", 0x8847)], [of.set_field("mpls_bos", 1), of.output(2)], two,
             fr.with_(two, "mpls", bos=1))
    one = fr.make("tcp4", fr.MPLS)
    run_case(bench, "set mpls_bos 0", None, [("eth_type", 0x8847)], [of.set_field("mpls_bos", 0), of.output(2)], one,
             fr.with_(one, "mpls", bos=0))
    ext = fr.with_(fr.make("tcp6"), "ip6", ext=[0, 60])
    run_case(bench, "set ip_proto behind extension headers", None, [("eth_type", 0x86dd)],
             [of.set_field("ip_proto", 253), of.output(2)], ext, fr.with_(ext, "ip6", proto=253))
    print("%d set-fields" % bench.n)


def pushed(layers, *new):
    """NEW layers behind the Ethernet header."""
    return layers[:1] + [list(x) for x in new] + layers[1:]


def action_cases():
    """(what, sent, actions, frame that comes out)"""
    t4 = {"tcp4": 0x0800, "tcp6": 0x86dd, "arp": 0x0806}
    for kind, inner in t4.items():
        plain, vlan = fr.make(kind), fr.make(kind, fr.VLAN)
        qinq, mpls = fr.make(kind, fr.SVLAN, fr.VLAN), fr.make(kind, fr.MPLS)
        mpls2 = fr.make(kind, ["mpls", {"label": 7, "tc": 1, "ttl": 9}], fr.MPLS)
        pbb = fr.make(kind, fr.ITAG, fr.ETH)
        ttl = 0 if kind == "arp" else 64
        tc = 0 if kind == "arp" else 10 & 7
        yield kind + " output", plain, [], plain
        yield (kind + " push_vlan", plain, [of.simple(of.PUSH_VLAN, 0x8100, 2)],
               pushed(plain, ["vlan", {"pcp": 0, "vid": 0}]))
        yield (kind + " push_vlan 88a8", plain, [of.simple(of.PUSH_VLAN, 0x88a8, 2)],
               pushed(plain, ["vlan", {"tpid": 0x88a8, "pcp": 0, "vid": 0}]))
        yield (kind + " push_vlan over a tag", vlan, [of.simple(of.PUSH_VLAN, 0x88a8, 2)],
               pushed(vlan, ["vlan", {"tpid": 0x88a8, "pcp": 3, "vid": 100}]))
        yield (kind + " push_vlan, set", vlan,
               [of.simple(of.PUSH_VLAN, 0x88a8, 2), of.set_field("vlan_vid", 0x1005), of.set_field("vlan_pcp", 6)],
               pushed(vlan, ["vlan", {"tpid": 0x88a8, "pcp": 6, "vid": 5}]))
        yield kind + " pop_vlan", vlan, [of.simple(of.POP_VLAN)], plain
        yield kind + " pop_vlan of two", qinq, [of.simple(of.POP_VLAN)], vlan
        yield kind + " two tags as they are", qinq, [], qinq
        yield (kind + " push_mpls", plain, [of.simple(of.PUSH_MPLS, 0x8847, 2)],
               pushed(plain, ["mpls", {"label": 0, "tc": tc, "ttl": ttl}]))
        yield (kind + " push_mpls 8848", plain, [of.simple(of.PUSH_MPLS, 0x8848, 2)],
               fr.with_(pushed(plain, ["mpls", {"label": 0, "tc": tc, "ttl": ttl}]), "eth", type=0x8848))
        yield (kind + " push_mpls behind a tag", vlan, [of.simple(of.PUSH_MPLS, 0x8847, 2)],
               vlan[:2] + [["mpls", {"label": 0, "tc": tc, "ttl": ttl}]] + vlan[2:])
        yield kind + " push_mpls over a label", mpls, [of.simple(of.PUSH_MPLS, 0x8847, 2)], pushed(mpls, fr.MPLS)
        yield kind + " pop_mpls", mpls, [of.simple(of.POP_MPLS, inner, 2)], plain
        yield kind + " pop_mpls of two", mpls2, [of.simple(of.POP_MPLS, 0x8847, 2)], mpls
        yield kind + " set_mpls_ttl", mpls, [of.simple(of.SET_MPLS_TTL, 5, 1)], fr.with_(mpls, "mpls", ttl=5)
        yield kind + " dec_mpls_ttl", mpls, [of.simple(of.DEC_MPLS_TTL)], fr.with_(mpls, "mpls", ttl=39)
        yield kind + " copy_ttl_out between labels", mpls2, [of.simple(of.COPY_TTL_OUT)], fr.with_(mpls2, "mpls", ttl=40)
        yield kind + " copy_ttl_in between labels", mpls2, [of.simple(of.COPY_TTL_IN)], fr.with_(mpls2, "mpls", 1, ttl=9)
        yield (kind + " push_pbb", plain, [of.simple(of.PUSH_PBB, 0x88e7, 2)], pushed(plain, ["itag", {"isid": 0}], fr.ETH))
        yield (kind + " push_pbb over a tag", vlan, [of.simple(of.PUSH_PBB, 0x88e7, 2)],
               pushed(vlan, ["itag", {"isid": 0, "pcp": 3}], fr.ETH))
        yield (kind + " push_pbb over PBB", pbb, [of.simple(of.PUSH_PBB, 0x88e7, 2)], pushed(pbb, fr.ITAG, fr.ETH))
        yield (kind + " push_pbb, set", plain,
               [of.simple(of.PUSH_PBB, 0x88e7, 2), of.set_field("pbb_isid", 77),
                of.set_field("eth_dst", fr.mac("02:00:00:00:0d:09"))],
               fr.with_(pushed(plain, ["itag", {"isid": 77}], fr.ETH), "eth", dst="02:00:00:00:0d:09"))
        yield kind + " pop_pbb", pbb, [of.simple(of.POP_PBB)], plain
        yield kind + " pop_pbb to tags", fr.make(kind, fr.ITAG, fr.ETH, fr.SVLAN, fr.VLAN), [of.simple(of.POP_PBB)], qinq
        yield (kind + " push and pop", plain, [of.simple(of.PUSH_PBB, 0x88e7, 2), of.simple(of.POP_PBB), of.simple(of.PUSH_MPLS, 0x8847, 2),
               of.simple(of.PUSH_VLAN, 0x8100, 2), of.simple(of.POP_VLAN), of.simple(of.POP_MPLS, inner, 2)], plain)
        yield kind + " set_queue", plain, [of.simple(of.SET_QUEUE, 3, 4)], plain
        if kind == "arp":
            continue
        ip = "ip" + kind[-1]
        yield kind + " set_nw_ttl", plain, [of.simple(of.SET_NW_TTL, 5, 1)], fr.with_(plain, ip, ttl=5)
        yield kind + " dec_nw_ttl", plain, [of.simple(of.DEC_NW_TTL)], fr.with_(plain, ip, ttl=63)
        yield kind + " copy_ttl_out", mpls, [of.simple(of.COPY_TTL_OUT)], fr.with_(mpls, "mpls", ttl=64)
        yield kind + " copy_ttl_in", mpls, [of.simple(of.COPY_TTL_IN)], fr.with_(mpls, ip, ttl=40)
        yield (kind + " copy_ttl_in, pop", mpls, [of.simple(of.COPY_TTL_IN), of.simple(of.POP_MPLS, inner, 2)], fr.with_(plain, ip, ttl=40))


def match_for(sent):
    """As much of a match as the actions' prerequisites ask for."""
    outer = [x for x in sent[1:] if x[0] != "vlan"][0][0]
    vlan = [("vlan_vid", 0x1000, 0x1000)] if sent[1][0] == "vlan" else []
    return [("eth_type", fr.TYPES[outer])] + vlan if outer in fr.TYPES else vlan


def test_actions(lab):
    """Applied and, where the order of an action set allows it, written."""
    bench = start(lab)
    for what, sent, actions, frame in action_cases():
        run_case(bench, what, None, match_for(sent), actions + [of.output(2)], sent, frame)
        kinds = [struct.unpack("!H", a[:2])[0] for a in actions]
        if len(kinds) == 1:
            bench.flows(of.flow_mod(match_for(sent), [of.write(*actions, of.output(2))]))
            bench.expect(what + " (written)", fr.frame(sent), fr.frame(frame))
            bench.lookups[0] += 1
            bench.matched[0] += 1
    short = fr.encode(fr.make("icmp4", fr.VLAN, ))[:46]
    short = short[:18] + struct.pack("!BBH", 0x45, 0, 28) + short[22:]
    bench.flows(of.flow_mod([("vlan_vid", 0x1000, 0x1000)], [of.apply(of.simple(of.POP_VLAN), of.output(2))]))
    bench.raw[1].send(short)
    got = bench.received(2, 1)
    assert got == [short[:12] + short[16:]], "a runt stays one: %s" % [x.hex() for x in got]
    whole = short + bytes(15)
    bench.raw[1].send(whole)
    got = bench.received(2, 1)
    assert got == [whole[:12] + whole[16:] + bytes(3)], "a frame of %d bytes became %s" % (len(whole), [x.hex() for x in got])
    print("%d actions" % bench.n)


def test_outputs(lab):
    bench = start(lab)
    frame = fr.make("tcp4")
    data = fr.frame(frame)
    bench.c.ok((of.SET_CONFIG, struct.pack("!HH", 0, 0xffff)))         # Who only listens gets none unasked.
    everywhere = {i: 1 for i in range(1, N_PORTS + 1)}
    for what, port, want in (
            ("a port", 3, {3: 1}), ("IN_PORT", of.IN_PORT, {1: 1}), ("its own number", 1, {}),
            ("ALL", of.ALL, {2: 1, 3: 1, 4: 1}), ("FLOOD", of.FLOOD, {2: 1, 3: 1, 4: 1}),
            ("no such port", 77, {})):
        bench.flows(of.flow_mod([], [of.apply(of.output(port))]),
                    of.flow_mod([("eth_dst", bytes(6))], [of.apply(of.output(4))], priority=200))
        bench.raw[1].send(data)
        bench.raw[1].send(bytes(60))                # Behind it in the same queues.
        for i in everywhere:
            got = [x for x in bench.received(i, want.get(i, 0) + (i == 4)) if x != bytes(60)]
            assert got == [data] * want.get(i, 0), "%s: at port %d %s" % (what, i, [x.hex() for x in got])
    bench.c.ok(of.packet_out(data, of.output(3)))
    assert bench.received(3, 1) == [data]
    bench.flows(of.flow_mod([], [of.apply(of.output(of.CONTROLLER, 0xffff))], cookie=0x55))
    bench.raw[1].send(data)
    body = bench.c.wait_news(of.PACKET_IN)
    buffer_id, total, reason, table, cookie = struct.unpack("!IHBBQ", body[:16])
    assert (buffer_id, total, reason, table, cookie) == (of.NO_BUFFER, len(data), 1, 0, 0x55), body.hex()
    assert body.endswith(data) and of.oxm("in_port", 1) in body, body.hex()
    # The table-miss flow has a reason of its own. Nothing is buffered here, so all of the frame comes.
    bench.flows(of.flow_mod([], [of.apply(of.output(of.CONTROLLER, 20))], priority=0))
    bench.raw[1].send(data)
    body = bench.c.wait_news(of.PACKET_IN)
    assert struct.unpack("!HB", body[4:7]) == (len(data), 0) and body.endswith(data), body.hex()
    bench.flows(of.flow_mod([("in_port", 1)], [of.apply(of.set_field("eth_src", fr.mac("02:00:00:00:00:99")), of.output(2))]))
    bench.c.ok(of.packet_out(data, of.output(of.TABLE), in_port=1))
    assert bench.received(2, 1) == [fr.frame(fr.with_(frame, "eth", src="02:00:00:00:00:99"))]


def spread(bench, kinds, vary, n):
    """How N frames that differ by VARY(layers, i) come out at ports 2 and 3."""
    for i in range(n):
        bench.raw[1].send(fr.frame(vary(fr.make(kinds), i)))
    got = {2: 0, 3: 0}
    while sum(got.values()) < n and select.select([bench.raw[2].s, bench.raw[3].s], [], [], 1)[0]:
        for port in got:
            got[port] += len(bench.raw[port].recv(0.0001))
    assert sum(got.values()) == n, "%s of %d came" % (got, n)
    return got


def nth_mac(layers, i):
    return fr.with_(layers, "eth", src="02:%02x:00:%02x:0a:%02x" % (i >> 8 & 255, i & 255, i * 7 & 255))


def nth_address(layers, i):
    kind = layers[1][0]
    text = "10.%d.%d.9" % (i >> 8, i & 255)
    if kind == "arp":
        return fr.with_(layers, "arp", spa=text)
    return fr.with_(layers, kind, src=text if kind == "ip4" else "2001:db8::%x" % i)


def test_groups(lab):
    bench = start(lab)
    frame = fr.frame(fr.make("tcp4"))
    c = bench.c

    def group(*args, **kw):
        c.clear()
        c.ok(of.group_mod(*args, **kw), of.flow_mod([], [of.apply(of.group(args[0]))]))

    group(1, 0, of.bucket(of.simple(of.PUSH_PBB, 0x88e7, 2), of.output(2)), of.bucket(of.output(3)),
          of.bucket(of.set_field("eth_dst", fr.mac("02:00:00:00:00:09")), of.output(4)))
    bench.raw[1].send(frame)
    got = [bench.received(i, 1) for i in (2, 3, 4)]
    assert got == [[fr.frame(pushed(fr.make("tcp4"), ["itag", {"isid": 0}], fr.ETH))], [frame],
                   [fr.mac("02:00:00:00:00:09") + frame[6:]]], got
    group(1, 2, of.bucket(of.output(3)))
    bench.expect("indirect", frame, frame, 3)
    group(1, 3, of.bucket(of.output(2), watch_port=2), of.bucket(of.output(3), watch_port=3))
    bench.expect("fast failover, first", frame, frame, 2)
    bench.host.ip("link set p2 down")
    wait_until(lambda: b"p2" in c.multipart(of.MP_PORT_DESC) and port_is_down(c, 2), what="port 2 to be down")
    bench.expect("fast failover, second", frame, frame, 3)
    bench.host.ip("link set p2 up")
    wait_until(lambda: not port_is_down(c, 2), what="port 2 to be up")
    bench.expect("fast failover, first again", frame, frame, 2)

    n = 3000
    for kind, vary in (("tcp4", nth_mac), ("tcp6", nth_mac), ("arp", nth_mac), ("tcp4", nth_address), ("tcp6", nth_address),
                       ("arp", nth_address)):
        for weights in ((1, 1), (1, 2)):
            group(1, 1, of.bucket(of.output(2), weight=weights[0]), of.bucket(of.output(3), weight=weights[1]))
            got = spread(bench, kind, vary, n)
            share, want = got[2] / n, weights[0] / sum(weights)
            assert abs(share - want) < 0.02 + 2 * (want * (1 - want) / n) ** .5, "%s by %s, weights %s: %s" % (
                kind, vary.__name__, weights, got)

    c.clear()
    bad = lambda error, *args, **kw: expect_error(c, (6, error), of.group_mod(*args, **kw))
    c.ok(of.group_mod(1, 0, of.bucket(of.output(2))))
    bad(0, 1, 0)                                                        # GROUP_EXISTS
    bad(1, 0xffffff01, 0, of.bucket(of.output(2)))                      # INVALID_GROUP: number too large
    bad(1, 2, 1, of.bucket(of.output(2)), of.bucket(of.output(3)))      # a select bucket of weight 0
    bad(1, 2, 1, of.bucket(of.output(2), weight=1), of.bucket(of.output(3)))
    bad(1, 2, 0, of.bucket(of.output(2), weight=1))                     # a weight elsewhere
    bad(1, 2, 2, of.bucket(of.output(2)), of.bucket(of.output(3)))      # indirect has one
    bad(8, 9, 0, command=1)                                             # UNKNOWN_GROUP
    bad(10, 2, 7)                                                       # BAD_TYPE
    bad(11, 2, 0, command=9)                                            # BAD_COMMAND
    c.ok(of.group_mod(2, 0, of.bucket(of.group(1))), of.group_mod(3, 2, of.bucket(of.group(2))))
    bad(7, 1, 0, of.bucket(of.group(3)), command=1)                     # LOOP
    bad(7, 4, 0, of.bucket(of.group(4)))
    assert len(c.multipart(of.MP_GROUP_DESC)) and table_counts(c)
    c.ok(of.flow_mod([], [of.apply(of.group(3))]), of.group_mod(0xfffffffc, 0, command=2))
    assert c.flow_stats() == [], "flows of deleted groups go"


def port_is_down(c, port):
    data = c.multipart(of.MP_PORT_DESC)
    for i in range(0, len(data), 64):
        if struct.unpack("!I", data[i:i + 4])[0] == port:
            return struct.unpack("!I", data[i + 36:i + 40])[0] & 1
    raise Failure("no port %d" % port)


def expect_error(c, want, message):
    got = c.do(message)
    if got != want:
        raise Failure("error %s, expected %s, for %s" % (got, want, message[1].hex()))


def test_meters(lab):
    """A flood of frames at once: what passes is the burst, and what the rate gives in the meantime."""
    bench = start(lab)
    c, frame = bench.c, fr.frame(fr.make("tcp4"))
    frame += bytes(1000 - len(frame))
    af12 = fr.with_(fr.make("tcp4"), "ip4", dscp=12)

    def flood(frames, mod):
        c.clear()
        c.ok(mod, of.flow_mod([], [of.meter(1), of.apply(of.output(2))]))
        bench.drain()
        for x in frames:
            bench.raw[1].send(x)
        got = []
        while select.select([bench.raw[2].s], [], [], 0.3)[0]:
            got += bench.raw[2].recv(0.0001)
        return got

    # A burst of 50 packets at 1 a second; 100 kb (12 frames of 1,000 bytes) at 8 kb/s.
    got = flood([frame] * 300, of.meter_mod(1, 2 | 4 | 8, of.band(1, 1, 50)))
    assert 50 <= len(got) <= 60, len(got)
    assert c.multipart(of.MP_METER_CONFIG, struct.pack("!I4x", 1)) == struct.pack("!HHI", 24, 2 | 4 | 8, 1) + of.band(1, 1, 50)
    stats = c.multipart(of.MP_METER, struct.pack("!I4x", 1))
    meter_id, size, flows, packets, n_bytes = struct.unpack("!IH6xIQQ", stats[:32])
    dropped, dropped_bytes = struct.unpack("!QQ", stats[40:56])
    assert (meter_id, flows, packets, n_bytes) == (1, 1, 300, 300 * len(frame)), stats.hex()
    assert (dropped, dropped_bytes) == (300 - len(got), (300 - len(got)) * len(frame)), stats.hex()
    got = flood([frame] * 100, of.meter_mod(1, 1 | 4, of.band(1, 8, 100)))
    assert 12 <= len(got) <= 20, len(got)
    # Without a burst flag the burst is the switch's choice: the flags read back as they were given.
    got = flood([frame] * 300, of.meter_mod(1, 2, of.band(1, 40)))
    assert 40 <= len(got) <= 100, len(got)
    assert c.multipart(of.MP_METER_CONFIG, struct.pack("!I4x", 1)) == struct.pack("!HHI", 24, 2, 1) + of.band(1, 40)
    # dscp_remark: drop precedence of assured forwarding goes up (RFC 2597), other frames as they are.
    for kind, ip in (("tcp4", "ip4"), ("tcp6", "ip6")):
        for level in (1, 2):
            before = fr.with_(fr.make(kind), ip, dscp=10)
            after = fr.with_(before, ip, dscp=10 + 2 * level)
            got = flood([fr.frame(before)] * 30, of.meter_mod(1, 2 | 4, of.band(2, 1, 10, level)))
            same, marked = got.count(fr.frame(before)), got.count(fr.frame(after))
            assert same + marked == 30 and 10 <= same <= 13, (kind, level, same, marked, len(got))
    got = flood([fr.frame(af12)] * 20, of.meter_mod(1, 2 | 4, of.band(2, 1, 5, 3)))
    assert got.count(fr.frame(fr.with_(af12, "ip4", dscp=14))) >= 10, "no precedence above 3"
    for x in (fr.with_(af12, "ip4", dscp=46), fr.with_(af12, "ip4", dscp=0), fr.make("arp")):
        assert flood([fr.frame(x)] * 20, of.meter_mod(1, 2 | 4, of.band(2, 1, 5, 1))) == [fr.frame(x)] * 20
    c.clear()
    bad = lambda error, *args, **kw: expect_error(c, (12, error), of.meter_mod(*args, **kw))
    c.ok(of.meter_mod(5, 2, of.band(1, 10)))
    bad(1, 5, 2, of.band(1, 10))                                        # METER_EXISTS
    bad(3, 6, 2, of.band(1, 10), command=1)                             # UNKNOWN_METER
    bad(4, 6, 2, of.band(1, 10), command=8)                             # BAD_COMMAND
    bad(5, 6, 3, of.band(1, 10))                                        # BAD_FLAGS: both units
    bad(8, 6, 2, of.band(9, 10))                                        # BAD_BAND
    bad(2, 0, 2, of.band(1, 10))                                        # INVALID_METER
    c.ok(of.flow_mod([], [of.meter(5)]), of.meter_mod(5, 0, command=2))
    assert c.flow_stats() == [], "flows of deleted meters go"


def test_remarked_packets(lab):
    """What comes after a dscp_remark meter sees the packet as it left the meter."""
    bench = start(lab)
    c = bench.c
    a_few = of.meter_mod(1, 2 | 4, of.band(2, 1, 10, 1))

    def flood(x, *mods, n=30):
        """How many of (port, frame) came out of 30 that were sent: waits for N, and a little for more."""
        c.clear()
        c.ok(a_few, *mods)
        bench.drain()
        for _ in range(30):
            bench.raw[1].send(fr.frame(x))
        got, end = {}, time.monotonic() + 5
        while True:
            missing = sum(got.values()) < n and time.monotonic() < end
            ready = select.select([bench.raw[port].s for port in (2, 3)], [], [], 1 if missing else 0.05)[0]
            if not ready and not missing:
                return got
            for port in (2, 3):
                for y in bench.raw[port].recv(0.0001) if bench.raw[port].s in ready else ():
                    got[port, y] = got.get((port, y), 0) + 1

    def expect(got, port, x, other_port, y):
        same, marked = got.pop((port, fr.frame(x)), 0), got.pop((other_port, fr.frame(y)), 0)
        assert not got and same + marked == 30 and 10 <= same <= 13, (same, marked, got)

    for kind, ip, eth_type in (("tcp4", "ip4", 0x800), ("tcp6", "ip6", 0x86dd)):
        af11, af12 = (fr.with_(fr.make(kind), ip, dscp=n) for n in (10, 12))
        dscp = lambda n: [("eth_type", eth_type), ("ip_dscp", n)]
        with_ecn = lambda x: fr.with_(x, ip, ecn=1)
        by_dscp = [of.flow_mod(dscp(10), [of.apply(of.output(2))], table=1),
                   of.flow_mod(dscp(12), [of.apply(of.output(3))], table=1)]
        # The next table matches on it.
        expect(flood(af11, of.flow_mod([], [of.meter(1), of.goto(1)]), *by_dscp), 2, af11, 3, af12)
        # A write of the byte's other bits leaves it as it is.
        expect(flood(af11, of.flow_mod(dscp(10), [of.meter(1), of.apply(of.set_field("ip_ecn", 1), of.output(2))])),
               2, with_ecn(af11), 2, with_ecn(af12))
        # In the action set, and by a table that reads something else.
        expect(flood(af11, of.flow_mod(dscp(10), [of.meter(1), of.write(of.output(2), of.set_field("ip_ecn", 1)), of.goto(1)]),
                     of.flow_mod([], [of.goto(2)], table=1)), 2, with_ecn(af11), 2, with_ecn(af12))
        # What was written before goes in, and is written over after.
        to_af11 = of.flow_mod([("eth_type", eth_type)], [of.apply(of.set_field("ip_dscp", 10)), of.goto(1)])
        expect(flood(fr.with_(af11, ip, dscp=46), to_af11, of.flow_mod([], [of.meter(1), of.apply(of.output(2))], table=1)),
               2, af11, 2, af12)
        assert flood(af11, of.flow_mod(dscp(10), [of.meter(1), of.apply(of.set_field("ip_dscp", 10), of.output(2))])) == \
            {(2, fr.frame(af11)): 30}
        # Both copies that a group makes are the marked packet.
        got = flood(af11, of.group_mod(1, 0, of.bucket(of.output(2)), of.bucket(of.set_field("ip_ecn", 1), of.output(3))),
                    of.flow_mod(dscp(10), [of.meter(1), of.apply(of.group(1))]), n=60)
        assert got.get((2, fr.frame(af12))) == got.get((3, fr.frame(with_ecn(af12)))) and sum(got.values()) == 60, got
        assert 17 <= got[2, fr.frame(af12)] <= 20, got


IPV4 = ("eth_type", 0x800)
TCP4 = [IPV4, ("ip_proto", 6)]


def error_cases():
    """(what, (type, code), message)"""
    flow = of.flow_mod
    BAD_REQUEST, BAD_ACTION, BAD_INSTRUCTION, BAD_MATCH, FLOW_MOD = 1, 2, 3, 4, 5
    yield "unknown message type", (BAD_REQUEST, 1), (77, b"")
    yield "unknown multipart", (BAD_REQUEST, 2), (of.MULTIPART_REQUEST, struct.pack("!HH4x", 99, 0))
    yield "unknown experimenter", (BAD_REQUEST, 3), (of.EXPERIMENTER, struct.pack("!II", 0x123456, 0))
    yield "short flow_mod", (BAD_REQUEST, 6), (of.FLOW_MOD, bytes(10))
    yield "packet_out with a buffer", (BAD_REQUEST, 8), (of.PACKET_OUT, struct.pack("!IIH6x", 5, of.CONTROLLER, 0))
    yield "unknown action", (BAD_ACTION, 0), flow([], [of.apply(of.act(77, bytes(4)))])
    yield "action too short", (BAD_ACTION, 1), flow([], [of.inst(4, bytes(4) + struct.pack("!HHI", 0, 8, 1))])
    yield "unknown experimenter's action", (BAD_ACTION, 2), flow([], [of.apply(of.act(0xffff, struct.pack("!I", 0x777777)))])
    yield "output to a reserved port", (BAD_ACTION, 4), flow([], [of.apply(of.output(0xffffff01))])
    yield "push_vlan of no tag's type", (BAD_ACTION, 5), flow([], [of.apply(of.simple(of.PUSH_VLAN, 0x1234, 2))])
    yield "push_mpls of no label's type", (BAD_ACTION, 5), flow([], [of.apply(of.simple(of.PUSH_MPLS, 0x1234, 2))])
    yield "push_pbb of another type", (BAD_ACTION, 5), flow([], [of.apply(of.simple(of.PUSH_PBB, 0x1234, 2))])
    yield "group that is not", (BAD_ACTION, 9), flow([], [of.apply(of.group(99))])
    yield "set_field without its prerequisite", (BAD_ACTION, 10), flow([], [of.apply(of.set_field("ipv4_dst", 1))])
    unknown = struct.pack("!HBBI", 0x8000, 77 << 1, 4, 0)
    yield "set_field of an unknown field", (BAD_ACTION, 13), flow([], [of.apply(of.act(25, unknown))])
    yield "set_field of a value too large", (BAD_ACTION, 15), flow([IPV4], [of.apply(of.set_field("ip_dscp", 64))])
    yield "unknown instruction", (BAD_INSTRUCTION, 0), flow([], [of.inst(9, bytes(4))])
    yield "goto backwards", (BAD_INSTRUCTION, 2), flow([], [of.goto(3)], table=3)
    yield "unknown experimenter's instruction", (BAD_INSTRUCTION, 5), flow([], [of.inst(0xffff, struct.pack("!I", 0x777777))])
    yield "instruction too long", (BAD_INSTRUCTION, 7), flow([], [struct.pack("!HHI", 1, 64, 0)])
    unknown = of.pad8(struct.pack("!HHHBBI", 1, 12, 0x8000, 77 << 1, 4, 0))
    yield "unknown field", (BAD_MATCH, 6), (of.FLOW_MOD, flow()[1][:40] + unknown)
    yield "value outside its mask", (BAD_MATCH, 5), flow([IPV4, ("ipv4_dst", 0x0a000001, 0xffffff00)])
    yield "vlan_vid too large", (BAD_MATCH, 7), flow([("vlan_vid", 0x2000)])
    yield "ip_dscp too large", (BAD_MATCH, 7), flow([IPV4, ("ip_dscp", 64)])
    yield "tcp without its prerequisites", (BAD_MATCH, 9), flow([("tcp_dst", 80)])
    yield "tcp of udp", (BAD_MATCH, 9), flow([IPV4, ("ip_proto", 17), ("tcp_dst", 80)])
    yield "mask on eth_type", (BAD_MATCH, 8), flow([("eth_type", 0x800, 0xff00)])
    yield "field twice", (BAD_MATCH, 10), flow(TCP4 + [("tcp_dst", 80), ("tcp_dst", 80)])
    yield "meter that is not", (12, 2), flow([], [of.meter(77)])
    yield "table 255", (FLOW_MOD, 2), flow([], table=0xff)
    yield "unknown command", (FLOW_MOD, 6), flow([], command=9)
    yield "buffer", (BAD_REQUEST, 8), flow([], buffer_id=7)
    yield "role of the past", (11, 2), (of.ROLE_REQUEST, struct.pack("!I4xQ", 9, 0))
    yield "table_mod of unknown bits", None, (of.TABLE_MOD, struct.pack("!B3xI", 3, 3))
    yield "port_mod of no port", (7, 0), (of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 77, bytes(6), 0, 0, 0))
    yield "port_mod of another address", (7, 1), (of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 1, b"\x02\0\0\0\0\x77", 0, 0, 0))
    yield "queues of no port", (9, 0), (of.QUEUE_GET_CONFIG_REQUEST, struct.pack("!I4x", 77))
    yield "config", None, (of.SET_CONFIG, struct.pack("!HH", 0, 128))


def test_errors(lab):
    """Each refusal by its type and code, with the offending message, and nothing done."""
    bench = start(lab)
    c = bench.c
    for what, want, message in error_cases():
        got = c.do(message)
        if got != want:
            raise Failure("%s: error %s, expected %s" % (what, got, want))
    assert c.flow_stats() == []
    c.ok(of.flow_mod(TCP4, [], priority=5))
    expect_error(c, (5, 3), of.flow_mod([IPV4], [], priority=5, flags=2))          # OVERLAP
    bad = of.flow_mod([("tcp_dst", 80)])
    xid = c.send(*bad)
    kind, got, body = c.take(5)
    assert (kind, got) == (of.ERROR, xid), (kind, got)
    assert body[4:] == struct.pack("!BBHI", 4, of.FLOW_MOD, 8 + len(bad[1]), xid) + bad[1], body.hex()


def test_messages(lab):
    """Replies: what was set is what is told."""
    bench = start(lab)
    c = bench.c
    n_buffers, n_tables, aux, caps = struct.unpack("!IBB2xI", c.features[8:20])
    assert (n_buffers, n_tables, aux) == (0, 254, 0), c.features.hex()
    assert c.ask(of.ECHO_REQUEST, b"hello") == [(of.ECHO_REPLY, b"hello")]
    c.ok((of.SET_CONFIG, struct.pack("!HH", 0, 99)))
    assert c.ask(of.GET_CONFIG_REQUEST) == [(of.GET_CONFIG_REPLY, struct.pack("!HH", 0, 99))]
    masks = struct.pack("!6I", 7, 1, 5, 2, 15, 8)
    c.ok((of.SET_ASYNC, masks))
    assert c.ask(of.GET_ASYNC_REQUEST) == [(of.GET_ASYNC_REPLY, masks)]
    c.ok((of.SET_ASYNC, struct.pack("!6I", 7, 7, 7, 7, 15, 15)))
    assert c.ask(of.ROLE_REQUEST, struct.pack("!I4xQ", 2, 5))[0][0] == of.ROLE_REPLY
    expect_error(c, (11, 0), (of.ROLE_REQUEST, struct.pack("!I4xQ", 2, 4)))         # STALE
    c.ok((of.ROLE_REQUEST, struct.pack("!I4xQ", 1, 0)))
    # Flow removed, with the counts.
    frame = fr.frame(fr.make("tcp4"))
    c.ok(of.flow_mod([("in_port", 1)], [of.apply(of.output(2))], flags=1, cookie=0x77, priority=9))
    bench.expect("a flow that goes", frame, frame)
    c.ok(of.flow_mod(table=0xff, command=3, cookie=0x77, cookie_mask=0xff))
    cookie, prio, reason, table, _, _, _, _, packets, n_bytes = struct.unpack("!QHBBIIHHQQ", c.wait_news(of.FLOW_REMOVED)[:40])
    assert (cookie, prio, reason, table, packets, n_bytes) == (0x77, 9, 2, 0, 1, len(frame))
    # Statistics at once after the packet.
    bench.flows(of.flow_mod([("in_port", 1)], [of.apply(of.output(2))]))
    before = dict(port_counts(c))
    for i in range(3):
        bench.expect("counted", frame, frame)
    assert [x[4:6] for x in c.flow_stats()] == [(3, 3 * len(frame))]
    agg = c.multipart(of.MP_AGGREGATE, struct.pack("!B3xII4xQQ", 0xff, of.ANY, of.ANY, 0, 0) + of.match([]))
    assert struct.unpack("!QQI", agg[:20]) == (3, 3 * len(frame), 1)
    after = dict(port_counts(c))
    assert after[1][0] - before[1][0] == 3 and after[2][1] - before[2][1] == 3, (before, after)
    assert {0xfffffffe, 1, 2, 3, 4} == set(after)
    # A port that is told not to receive, forward or flood.
    addr = next(c.multipart(of.MP_PORT_DESC)[i + 8:i + 14] for i in range(0, 5 * 64, 64)
                if struct.unpack("!I", c.multipart(of.MP_PORT_DESC)[i:i + 4])[0] == 2)
    c.ok((of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 2, addr, 1 << 5, 1 << 5, 0)))   # NO_FWD
    bench.flows(of.flow_mod([], [of.apply(of.output(2), of.output(3))]))
    bench.expect("the other port", frame, frame, 3)
    assert bench.received(2, 0) == []
    c.ok((of.PORT_MOD, struct.pack("!I4x6s2xIII4x", 2, addr, 0, 1 << 5, 0)))
    bench.expect("forwards again", frame, frame, 2)


def port_counts(c):
    data = c.multipart(of.MP_PORT_STATS, struct.pack("!I4x", of.ANY))
    for i in range(0, len(data), 112):
        port, rx, tx = struct.unpack("!I4xQQ", data[i:i + 24])
        yield port, (rx, tx)
