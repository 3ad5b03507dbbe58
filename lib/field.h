/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The one table of match fields: for each its names, its OXM, NXM and experimenter encodings, its
 * place and width in struct flow, how it may be masked, whether actions may write it, and what must
 * be matched before it (prerequisites). Codecs, texts, set_field / move / load, the classifier and
 * translation all go through this table: adding a field touches one row here and its parser.
 *
 * Values (union field_value) are in the field's wire form: big-endian, n_bytes long, at the start
 * of the union; unused high bits are zero. Fields that share storage in struct flow (the registers
 * seen as reg, xreg, xxreg; vlan_tci, vlan_vid, dl_vlan, vlan_pcp; ip_dscp, nw_tos) are views: get
 * and set translate. All functions are pure and may be called from any thread.
 *
 * Sources: OpenFlow 1.3.5 section 7.2.3, OpenFlow 1.5.1 7.2.3, ovs-fields(7).
 */

#include <netinet/in.h>

#include "lib/flow.h"
#include "lib/sbuf.h"

enum field_id {
	FIELD_NONE,

	/* Metadata. */
	FIELD_DP_HASH,
	FIELD_RECIRC_ID,
	FIELD_PACKET_TYPE,
	FIELD_CONJ_ID,
	FIELD_TUN_ID,
	FIELD_TUN_SRC,
	FIELD_TUN_DST,
	FIELD_TUN_IPV6_SRC,
	FIELD_TUN_IPV6_DST,
	FIELD_TUN_FLAGS,
	FIELD_TUN_TTL,
	FIELD_TUN_TOS,
	FIELD_TUN_GBP_ID,
	FIELD_TUN_GBP_FLAGS,
	FIELD_TUN_METADATA0,
	FIELD_TUN_METADATA63 = FIELD_TUN_METADATA0 + 63,
	FIELD_METADATA,
	FIELD_IN_PORT,		/* NXM and OpenFlow 1.0: 16 bits. */
	FIELD_IN_PORT_OXM,	/* OXM: 32 bits. */
	FIELD_ACTSET_OUTPUT,
	FIELD_SKB_PRIORITY,
	FIELD_PKT_MARK,
	FIELD_CT_STATE,
	FIELD_CT_ZONE,
	FIELD_CT_MARK,
	FIELD_CT_LABEL,
	FIELD_CT_NW_PROTO,
	FIELD_CT_NW_SRC,
	FIELD_CT_NW_DST,
	FIELD_CT_IPV6_SRC,
	FIELD_CT_IPV6_DST,
	FIELD_CT_TP_SRC,
	FIELD_CT_TP_DST,
	FIELD_REG0,
	FIELD_REG15 = FIELD_REG0 + 15,
	FIELD_XREG0,
	FIELD_XREG7 = FIELD_XREG0 + 7,
	FIELD_XXREG0,
	FIELD_XXREG3 = FIELD_XXREG0 + 3,

	/* Ethernet. */
	FIELD_ETH_SRC,
	FIELD_ETH_DST,
	FIELD_ETH_TYPE,
	FIELD_VLAN_TCI,		/* NXM: PCP, present bit, VID. */
	FIELD_DL_VLAN,		/* OpenFlow 1.0: VID only (not OXM). */
	FIELD_VLAN_VID,		/* OXM: VID with OFPVID_PRESENT. */
	FIELD_DL_VLAN_PCP,	/* OpenFlow 1.0. */
	FIELD_VLAN_PCP,		/* OXM. */
	FIELD_MPLS_LABEL,
	FIELD_MPLS_TC,
	FIELD_MPLS_BOS,
	FIELD_MPLS_TTL,
	FIELD_PBB_ISID,
	FIELD_PBB_UCA,

	/* IP. */
	FIELD_IPV4_SRC,
	FIELD_IPV4_DST,
	FIELD_IPV6_SRC,
	FIELD_IPV6_DST,
	FIELD_IPV6_LABEL,
	FIELD_IPV6_EXTHDR,
	FIELD_IP_PROTO,
	FIELD_IP_DSCP,		/* NXM nw_tos: DSCP in the high 6 bits. */
	FIELD_IP_DSCP_SHIFTED,	/* OXM ip_dscp: DSCP in the low 6 bits. */
	FIELD_IP_ECN,
	FIELD_IP_TTL,
	FIELD_IP_FRAG,

	/* ARP. */
	FIELD_ARP_OP,
	FIELD_ARP_SPA,
	FIELD_ARP_TPA,
	FIELD_ARP_SHA,
	FIELD_ARP_THA,

	/* Transport. */
	FIELD_TCP_SRC,
	FIELD_TCP_DST,
	FIELD_TCP_FLAGS,
	FIELD_UDP_SRC,
	FIELD_UDP_DST,
	FIELD_SCTP_SRC,
	FIELD_SCTP_DST,
	FIELD_ICMPV4_TYPE,
	FIELD_ICMPV4_CODE,
	FIELD_ICMPV6_TYPE,
	FIELD_ICMPV6_CODE,
	FIELD_ND_TARGET,
	FIELD_ND_SLL,
	FIELD_ND_TLL,
	FIELD_ND_RESERVED,
	FIELD_ND_OPTIONS_TYPE,

	FIELD_N_IDS,
};

/* How the text syntax shows a value. */
enum field_format {
	FIELD_FMT_DECIMAL,
	FIELD_FMT_HEX,
	FIELD_FMT_ETHERNET,
	FIELD_FMT_IPV4,
	FIELD_FMT_IPV6,
	FIELD_FMT_PORT16,
	FIELD_FMT_PORT32,
	FIELD_FMT_FRAG,
	FIELD_FMT_TCP_FLAGS,
	FIELD_FMT_TNL_FLAGS,
	FIELD_FMT_CT_STATE,
	FIELD_FMT_PACKET_TYPE,
};

/* Where a value lives in struct flow. */
enum field_place {
	FIELD_PLACE_NONE,	/* Nowhere: always 0. */
	FIELD_PLACE_BYTES,	/* n_bytes as on the wire. */
	FIELD_PLACE_BE,		/* Some bits of a big-endian word. */
	FIELD_PLACE_HOST,	/* Some bits of a word in host order. */
	FIELD_PLACE_REGS,	/* Consecutive registers, the first the most significant. */
	FIELD_PLACE_PORT16,	/* An ofp_port_t seen with OpenFlow 1.0's numbers. */
	FIELD_PLACE_TUN_METADATA,	/* Where the bridge's TLV table says. */
};

enum field_prereq {
	FIELD_PRE_NONE,
	FIELD_PRE_ETHERNET,
	FIELD_PRE_ARP,		/* ARP or RARP. */
	FIELD_PRE_VLAN_VID,	/* A VLAN tag is present. */
	FIELD_PRE_IPV4,
	FIELD_PRE_IPV6,
	FIELD_PRE_IP_ANY,
	FIELD_PRE_MPLS,
	FIELD_PRE_PBB,
	FIELD_PRE_CT,
	FIELD_PRE_TCP,
	FIELD_PRE_UDP,
	FIELD_PRE_SCTP,
	FIELD_PRE_ICMPV4,
	FIELD_PRE_ICMPV6,
	FIELD_PRE_ND,		/* Neighbour solicitation or advertisement. */
	FIELD_PRE_ND_SOLICIT,
	FIELD_PRE_ND_ADVERT,
};

/*
 * Encodings. A header is (class << 16 | field << 9) without has-mask bit and length, as the high
 * bits of an OXM TLV header; experimenter classes (0xffff) carry the experimenter id beside it. 0:
 * none.
 */
struct field {
	enum field_id id;
	const char *name;	/* As in ovs-fields(7) and in OVS's output. */
	const char *alias;	/* Second accepted name (OXM or OpenFlow 1.0 style), or NULL. */
	uint16_t n_bits;
	uint8_t n_bytes;
	bool variable;		/* tun_metadata: fewer bytes on the wire are allowed. */
	bool maskable;		/* Arbitrary masks; else only exact or absent. */
	bool writable;		/* By set_field. */
	bool nx_writable;	/* By load, move, pop, learn and the like too, as in Open vSwitch. */
	bool readable;		/* By move source and learn. */
	enum field_format format;
	enum field_prereq prereq;
	uint32_t oxm_header;	/* OpenFlow standard class (0x8000) or ONF experimenter. */
	uint32_t oxm_experimenter;	/* 0 unless oxm_header's class is 0xffff. */
	uint32_t nxm_header;	/* NXM_OF (0x0000), NXM_NX (0x0001) or Nicira experimenter 0xffff. */
	uint32_t nxm_experimenter;
	const char *oxm_name;	/* "OXM_OF_...", or NULL. */
	const char *nxm_name;	/* "NXM_OF_..." / "NXM_NX_...", or NULL. */
	uint8_t oxm_version;	/* First OpenFlow wire version with oxm_header (4: 1.3), 0: only
				 * understood, never sent. */
	uint32_t oxm15_header;	/* What OpenFlow 1.5 has in place of an ONF experimenter's, or 0. */
	const char *oxm15_name;

	/* Place. Value bit I (of `bits`, the low ones) is bit I + shift of the word. */
	enum field_place place;
	uint16_t ofs;		/* In struct flow. */
	uint8_t word;		/* Bytes of the word. */
	uint8_t shift;
	uint32_t bits;		/* The value bits that may be 1, if a word. */
	uint32_t also;		/* Word bits that matching or writing turns on too (a tag is there). */
};

/*
 * Geneve options of a bridge (OpenFlow's TLV table): which bytes of flow.tun_metadata.data an
 * option takes. len 0: not mapped. Fields tun_metadata0..63 are read and written through the map
 * that the calling thread uses at the moment; without one they are empty and not writable.
 */
struct field_tlv_map {
	struct {
		uint16_t class;
		uint8_t type;
		uint8_t len;	/* Bytes, 0 to 124. */
		uint16_t ofs;	/* In flow.tun_metadata.data. */
	} opts[FLOW_TUN_METADATA_OPTS];
};

/* Makes the calling thread use MAP (NULL: none); returns the one it used before. MAP must stay
 * until another is used. */
const struct field_tlv_map *field_tlv_use(const struct field_tlv_map *map);
/* The one in use, or NULL. */
const struct field_tlv_map *field_tlv_current(void);

union field_value {
	uint8_t b[128];
	uint8_t u8;
	be16 u16;
	be32 u32;
	be64 u64;
	struct eth_addr mac;
	struct ipv6_addr ipv6;
	be64 u128[2];
};

/* A run of bits of one field: `field[ofs..ofs+n_bits-1]`, bit 0 the least significant. */
struct subfield {
	const struct field *field;
	uint16_t ofs;
	uint16_t n_bits;
};

/* The row of ID (never NULL for a valid id other than FIELD_NONE). */
const struct field *field_from_id(enum field_id id);
/* By name, alias, OXM name or NXM name, case as written in ovs-fields(7); NULL if unknown. */
const struct field *field_from_name(const char *name);
/* By encoding. HEADER as in struct field (its low 9 bits are ignored); NULL if unknown. */
const struct field *field_from_header(uint32_t header, uint32_t experimenter);

/* FLOW's value of F, in wire form (n_bytes at the start of VALUE, the rest is left); of a mask the
 * mask. */
void field_get(const struct field *f, const struct flow *flow, union field_value *value);
/* Stores VALUE; of vlan fields also the present bit as ovs-fields(7) says, and a TPID of 0x8100 if
 * there was none. dl_vlan 0xffff (OpenFlow 1.0's "no tag") clears the tag. */
void field_set(const struct field *f, const union field_value *value, struct flow *flow);
/* Stores the bits of VALUE under MASK, leaves the others. */
void field_set_masked(const struct field *f, const union field_value *value,
	const union field_value *mask, struct flow *flow);
/* Adds (VALUE & MASK) / MASK to MATCH. */
void field_set_match(const struct field *f, const union field_value *value,
	const union field_value *mask, struct match *match);
/* Turns on all of F's bits in the mask WC. */
void field_unwildcard(const struct field *f, struct flow *wc);
/* Turns on those of MASK. */
void field_unwildcard_masked(const struct field *f, const union field_value *mask, struct flow *wc);
/* The bits of F in WC are all zero / all one. */
bool field_is_all_wild(const struct field *f, const struct flow *wc);
bool field_is_all_exact(const struct field *f, const struct flow *wc);

/* VALUE fits the field (no bits beyond n_bits; a port number that exists; ...). */
bool field_is_value_valid(const struct field *f, const union field_value *value);
/* MASK is one the field may have (all ones, or anything if maskable; all zeros never). */
bool field_is_mask_valid(const struct field *f, const union field_value *mask);
/* FLOW's packet has the field. If WC is not NULL, sets in it what was looked at. */
bool field_prereqs_ok(const struct field *f, const struct flow *flow, struct flow *wc);
/* MATCH guarantees that the field is there. */
bool field_prereqs_matched(const struct field *f, const struct match *match);

/* Whole-field all-ones value. */
void field_all_ones(const struct field *f, union field_value *value);

/* Subfields. Bits are taken from and put into the low end of a wire-form value of the field's
 * n_bytes (whose other bits are zero after reading). */
void subfield_read(const struct subfield *sf, const struct flow *flow, union field_value *value);
void subfield_write(const struct subfield *sf, const union field_value *value, struct flow *flow);
uint64_t subfield_read_u64(const struct subfield *sf, const struct flow *flow);	/* n_bits <= 64 */
void subfield_write_u64(const struct subfield *sf, uint64_t value, struct flow *flow);
/* Copies min(src->n_bits, dst->n_bits) bits. */
void subfield_move(const struct subfield *src, const struct subfield *dst, struct flow *flow);
void subfield_unwildcard(const struct subfield *sf, struct flow *wc);
void subfield_format(const struct subfield *sf, struct sbuf *s);
/* Parses "NAME[ofs..end]", "NAME[bit]", "NAME[]" at *TEXT and advances it. 0, or -EINVAL with a
 * line in *ERROR (caller frees). */
int subfield_parse(const char **text, struct subfield *sf, char **error);

/* Copies N_BITS bits between big-endian byte strings; bit 0 is the least significant of the whole.
 */
void field_bitwise_copy(const void *src, unsigned int src_len, unsigned int src_ofs, void *dst,
	unsigned int dst_len, unsigned int dst_ofs, unsigned int n_bits);

/* Names for ports in text. Either function may be NULL, and the map too: numbers only. */
struct port_names {
	const char *(*name)(void *aux, ofp_port_t port);	/* NULL if unknown. */
	bool (*port)(void *aux, const char *name, ofp_port_t *port);
	void *aux;
};

/* "VALUE" or "VALUE/MASK" in the field's format, as OVS prints it (MASK NULL or all ones: exact).
 */
void field_format(const struct field *f, const union field_value *value,
	const union field_value *mask, const struct port_names *names, struct sbuf *s);
/* A port as OVS prints it: a reserved name in capitals, its name (in quotes if need be), or a
 * number. */
void field_format_port(ofp_port_t port, const struct port_names *names, struct sbuf *s);
/* A port by reserved name (any case), number (OpenFlow 1.0's reserved ones too) or name. 0 or
 * -EINVAL. */
int field_parse_port(const char *text, const struct port_names *names, ofp_port_t *port);

/* The reverse of field_format(); also "*" (MASK all zeros). 0, or -EINVAL with one line in *ERROR
 * saying what was expected (caller frees). */
int field_parse(const struct field *f, const char *text, union field_value *value,
	union field_value *mask, const struct port_names *names, char **error);
