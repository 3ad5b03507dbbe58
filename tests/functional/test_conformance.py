# SPDX-License-Identifier: Apache-2.0
"""OpenFlow 1.3.5, field by field and action by action, over one controller's connection with whole frames.

A case is a flow, a frame that must come out (as the specification has it, byte for byte) and often one that must not;
cases are made from tables: every field x every kind of frame that has it x what the frame is carried in x masked."""
import ipaddress
import struct

import frames as fr
import of13 as of
from bench import N_PORTS, Bench, table_counts
from lab import Failure

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
               fr.pushed(plain, ["vlan", {"pcp": 0, "vid": 0}]))
        yield (kind + " push_vlan 88a8", plain, [of.simple(of.PUSH_VLAN, 0x88a8, 2)],
               fr.pushed(plain, ["vlan", {"tpid": 0x88a8, "pcp": 0, "vid": 0}]))
        yield (kind + " push_vlan over a tag", vlan, [of.simple(of.PUSH_VLAN, 0x88a8, 2)],
               fr.pushed(vlan, ["vlan", {"tpid": 0x88a8, "pcp": 3, "vid": 100}]))
        yield (kind + " push_vlan, set", vlan,
               [of.simple(of.PUSH_VLAN, 0x88a8, 2), of.set_field("vlan_vid", 0x1005), of.set_field("vlan_pcp", 6)],
               fr.pushed(vlan, ["vlan", {"tpid": 0x88a8, "pcp": 6, "vid": 5}]))
        yield kind + " pop_vlan", vlan, [of.simple(of.POP_VLAN)], plain
        yield kind + " pop_vlan of two", qinq, [of.simple(of.POP_VLAN)], vlan
        yield kind + " two tags as they are", qinq, [], qinq
        yield (kind + " push_mpls", plain, [of.simple(of.PUSH_MPLS, 0x8847, 2)],
               fr.pushed(plain, ["mpls", {"label": 0, "tc": tc, "ttl": ttl}]))
        yield (kind + " push_mpls 8848", plain, [of.simple(of.PUSH_MPLS, 0x8848, 2)],
               fr.with_(fr.pushed(plain, ["mpls", {"label": 0, "tc": tc, "ttl": ttl}]), "eth", type=0x8848))
        yield (kind + " push_mpls behind a tag", vlan, [of.simple(of.PUSH_MPLS, 0x8847, 2)],
               vlan[:2] + [["mpls", {"label": 0, "tc": tc, "ttl": ttl}]] + vlan[2:])
        yield kind + " push_mpls over a label", mpls, [of.simple(of.PUSH_MPLS, 0x8847, 2)], fr.pushed(mpls, fr.MPLS)
        yield kind + " pop_mpls", mpls, [of.simple(of.POP_MPLS, inner, 2)], plain
        yield kind + " pop_mpls of two", mpls2, [of.simple(of.POP_MPLS, 0x8847, 2)], mpls
        yield kind + " set_mpls_ttl", mpls, [of.simple(of.SET_MPLS_TTL, 5, 1)], fr.with_(mpls, "mpls", ttl=5)
        yield kind + " dec_mpls_ttl", mpls, [of.simple(of.DEC_MPLS_TTL)], fr.with_(mpls, "mpls", ttl=39)
        yield kind + " copy_ttl_out between labels", mpls2, [of.simple(of.COPY_TTL_OUT)], fr.with_(mpls2, "mpls", ttl=40)
        yield kind + " copy_ttl_in between labels", mpls2, [of.simple(of.COPY_TTL_IN)], fr.with_(mpls2, "mpls", 1, ttl=9)
        yield (kind + " push_pbb", plain, [of.simple(of.PUSH_PBB, 0x88e7, 2)], fr.pushed(plain, ["itag", {"isid": 0}], fr.ETH))
        yield (kind + " push_pbb over a tag", vlan, [of.simple(of.PUSH_PBB, 0x88e7, 2)],
               fr.pushed(vlan, ["itag", {"isid": 0, "pcp": 3}], fr.ETH))
        yield (kind + " push_pbb over PBB", pbb, [of.simple(of.PUSH_PBB, 0x88e7, 2)], fr.pushed(pbb, fr.ITAG, fr.ETH))
        yield (kind + " push_pbb, set", plain,
               [of.simple(of.PUSH_PBB, 0x88e7, 2), of.set_field("pbb_isid", 77),
                of.set_field("eth_dst", fr.mac("02:00:00:00:0d:09"))],
               fr.with_(fr.pushed(plain, ["itag", {"isid": 77}], fr.ETH), "eth", dst="02:00:00:00:0d:09"))
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
