# SPDX-License-Identifier: Apache-2.0
"""Frames as lists of layers, each [kind, {field: value}], and their bytes.

Types, lengths and checksums follow from the layers unless a layer says its own ("type", "proto", "bos", "csum").
Addresses are text, numbers are numbers. So what an action ought to do to a frame can be written as the same
list with another value in it. Kinds: eth, vlan, mpls, itag, ip4, ip6, arp, tcp, udp, sctp, icmp, icmp6, raw."""
import copy
import ipaddress
import struct

TYPES = {"vlan": 0x8100, "mpls": 0x8847, "itag": 0x88e7, "ip4": 0x0800, "ip6": 0x86dd, "arp": 0x0806}
PROTOS = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "icmp6": 58}


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip(text):
    return ipaddress.ip_address(text).packed


def csum(data):
    """RFC 1071."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def crc32c(data):
    """RFC 9260, appendix A, bit by bit."""
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def _transport(kind, f, payload, pseudo):
    if kind == "raw":
        return f["bytes"]
    if kind == "tcp":
        head = struct.pack("!HHIIHHHH", f["src"], f["dst"], 1, 2, 0x5000 | f.get("flags", 0x10), 512, 0, 0)
        at = 16
    elif kind == "udp":
        head, at = struct.pack("!HHHH", f["src"], f["dst"], 8 + len(payload), 0), 6
    elif kind == "sctp":
        head = struct.pack("!HHII", f["src"], f["dst"], 7, 0)
        return head[:8] + struct.pack("<I", crc32c(head + payload)) + payload
    else:
        head, at = struct.pack("!BBH", f["type"], f["code"], 0), 2
        if "target" in f:
            head += bytes(4) + ip(f["target"])
            head += b"".join(bytes([n, 1]) + mac(f[k]) for k, n in (("sll", 1), ("tll", 2)) if k in f)
    data = head + payload
    if kind == "icmp":
        pseudo = b""
    elif pseudo is None:
        return data
    total = csum(pseudo + struct.pack("!I", len(data)) * bool(pseudo) + data)
    if kind == "udp" and not total:
        total = 0xffff
    return data[:at] + struct.pack("!H", total) + data[at + 2:]


def _network(kind, f, upper, layers):
    if kind == "arp":
        return struct.pack("!HHBBH", 1, 0x800, 6, 4, f["op"]) + mac(f["sha"]) + ip(f["spa"]) + mac(f["tha"]) + ip(f["tpa"]) + encode(layers)
    proto = f.get("proto", PROTOS.get(upper, 253))
    tos = f["dscp"] << 2 | f["ecn"]
    pseudo = ip(f["src"]) + ip(f["dst"]) + (struct.pack("!H", proto) if kind == "ip4" else b"")
    if kind == "ip6":
        ext = f.get("ext", [])
        payload = encode(layers, pseudo, proto)
        for i in range(len(ext) - 1, -1, -1):
            after = ext[i + 1] if i + 1 < len(ext) else proto
            # 8 bytes each; an authentication header counts in words of 4 (RFC 4302).
            size = 0
            payload = bytes([after, size, 1, 4, 0, 0, 0, 0] if ext[i] not in (43, 44, 51) else
                            [after, 0, 0, 0, 0, 0, 0, 0]) + payload
        return struct.pack("!IHBB", 6 << 28 | tos << 20 | f["label"], len(payload), ext[0] if ext else proto,
                           f["ttl"]) + ip(f["src"]) + ip(f["dst"]) + payload
    payload = encode(layers, pseudo, proto)
    head = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(payload), 1, 0, f["ttl"], proto, 0) + ip(f["src"]) + ip(f["dst"])
    return head[:10] + struct.pack("!H", csum(head)) + head[12:] + payload


def _pseudo(start, proto):
    """The checksum's pseudo-header but for the length: an even number of bytes either way."""
    if start is None:
        return None
    return start if len(start) == 10 else start + struct.pack("!HH", 0, proto)


def encode(layers, pseudo=None, proto=0):
    if not layers:
        return b""
    (kind, f), rest = layers[0], layers[1:]
    upper = rest[0][0] if rest else None
    kind_type = f.get("type") or (rest[0][1].get("tpid") if upper == "vlan" else None) or TYPES.get(upper, 0x1234)
    if kind == "eth":
        return mac(f["dst"]) + mac(f["src"]) + struct.pack("!H", kind_type) + encode(rest)
    if kind == "vlan":
        return struct.pack("!HH", f["pcp"] << 13 | f["vid"], kind_type) + encode(rest)
    if kind == "mpls":
        bos = f.get("bos", upper != "mpls")
        return struct.pack("!I", f["label"] << 12 | f["tc"] << 9 | bos << 8 | f["ttl"]) + encode(rest)
    if kind == "itag":
        return struct.pack("!I", f.get("pcp", 0) << 29 | f.get("uca", 0) << 27 | f["isid"]) + encode(rest)
    if kind in ("ip4", "ip6", "arp"):
        return _network(kind, f, upper, rest)
    return _transport(kind, f, encode(rest), _pseudo(pseudo, proto))


def frame(layers):
    """The bytes, padded to the 60 that a device would send."""
    data = encode(layers)
    return data + bytes(max(0, 60 - len(data)))


ETH = ["eth", {"dst": "02:00:00:00:0b:02", "src": "02:00:00:00:0a:01"}]
IP4 = ["ip4", {"src": "10.1.2.3", "dst": "10.4.5.6", "dscp": 10, "ecn": 1, "ttl": 64}]
IP6 = ["ip6", {"src": "2001:db8::a1", "dst": "2001:db8::b2", "dscp": 10, "ecn": 1, "ttl": 64, "label": 0x12345}]
RAW = ["raw", {"bytes": bytes(range(40))}]
ND = {"code": 0, "target": "2001:db8::77"}
INNER = {
    "tcp4": [IP4, ["tcp", {"src": 1111, "dst": 2222}], RAW], "tcp6": [IP6, ["tcp", {"src": 1111, "dst": 2222}], RAW],
    "udp4": [IP4, ["udp", {"src": 1111, "dst": 2222}], RAW], "udp6": [IP6, ["udp", {"src": 1111, "dst": 2222}], RAW],
    "sctp4": [IP4, ["sctp", {"src": 1111, "dst": 2222}], RAW], "sctp6": [IP6, ["sctp", {"src": 1111, "dst": 2222}], RAW],
    "icmp4": [IP4, ["icmp", {"type": 8, "code": 0}], RAW], "icmp6": [IP6, ["icmp6", {"type": 128, "code": 0}], RAW],
    "ns": [IP6, ["icmp6", dict(ND, type=135, sll="02:00:00:00:0c:03")]],
    "na": [IP6, ["icmp6", dict(ND, type=136, tll="02:00:00:00:0c:04")]],
    "arp": [["arp", {"op": 1, "sha": "02:00:00:00:0a:01", "spa": "10.1.2.3", "tha": "02:00:00:00:0b:02", "tpa": "10.4.5.6"}],
            ["raw", {"bytes": bytes(range(40, 80))}]],
}
VLAN = ["vlan", {"pcp": 3, "vid": 100}]
SVLAN = ["vlan", {"tpid": 0x88a8, "pcp": 5, "vid": 200}]
MPLS = ["mpls", {"label": 100, "tc": 3, "ttl": 40}]
ITAG = ["itag", {"isid": 0x123456}]


def make(kind, *outer):
    """A frame of KIND behind OUTER layers (between Ethernet and network header), to be changed at will."""
    return copy.deepcopy([ETH] + list(outer) + INNER[kind])


def pushed(layers, *new):
    """NEW layers behind the Ethernet header."""
    return layers[:1] + [list(x) for x in new] + layers[1:]


def with_(layers, kind, n=0, **fields):
    """LAYERS with FIELDS of the Nth layer of KIND changed."""
    out = copy.deepcopy(layers)
    [x for x in out if x[0] == kind][n][1].update(fields)
    return out


def first(layers, kind):
    return next(x[1] for x in layers if x[0] == kind)
