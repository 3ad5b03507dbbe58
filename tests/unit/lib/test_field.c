/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "lib/headers.h"
#include "lib/util.h"

static uint64_t seed = 3;

static uint32_t random32(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33);
}

static const struct field *fld(const char *name)
{
	const struct field *f = field_from_name(name);

	assert_non_null(f);
	return f;
}

/* A random value that F may have. */
static void random_value(const struct field *f, union field_value *v)
{
	union field_value ones;

	field_all_ones(f, &ones);
	for (unsigned int i = 0; i < f->n_bytes; i++)
		v->b[i] = (uint8_t)random32() & ones.b[i];
	if (f->id == FIELD_CT_STATE)
		v->u32 &= htobe32(0xff);
	if (f->format == FIELD_FMT_PORT32)
		v->u32 = htobe32(random32() % 3 ? random32() % 0xff00 : OFPP_MAX + random32() % 256);
}

static void test_table(void **state)
{
	for (enum field_id id = FIELD_NONE + 1; id < FIELD_N_IDS; id++) {
		const struct field *f = field_from_id(id);

		assert_int_equal(f->id, id);
		assert_ptr_equal(field_from_name(f->name), f);
		if (f->alias)
			assert_ptr_equal(field_from_name(f->alias), f);
		if (f->oxm_name) {
			assert_ptr_equal(field_from_name(f->oxm_name), f);
			/* Whatever has-mask bit and length are. */
			assert_ptr_equal(field_from_header(f->oxm_header | 0x108,
				f->oxm_experimenter), f);
		}
		if (f->nxm_name) {
			assert_ptr_equal(field_from_name(f->nxm_name), f);
			assert_ptr_equal(field_from_header(f->nxm_header, 0), f);
		}
		assert_true(f->n_bits <= f->n_bytes * 8u);
	}
	assert_null(field_from_name("no_such_field"));
	assert_null(field_from_header(0x80000000 | 127 << 9, 0));
	assert_null(field_from_header(0xffff0000 | 42 << 9, 1));
	assert_ptr_equal(field_from_header(0x80000000 | 42 << 9, 0), fld("tcp_flags"));
	assert_ptr_equal(field_from_header(0xffff0000 | 42 << 9, 0x4f4e4600), fld("tcp_flags"));
}

static void test_set_and_get(void **state)
{
	static struct field_tlv_map map;
	const struct field_tlv_map *old;

	for (int i = 0; i < FLOW_TUN_METADATA_OPTS; i++) {
		map.opts[i].len = 4;
		map.opts[i].ofs = (uint16_t)(4 * i);
	}
	old = field_tlv_use(&map);
	for (enum field_id id = FIELD_NONE + 1; id < FIELD_N_IDS; id++) {
		const struct field *f = field_from_id(id);
		union field_value v, w;
		struct flow flow, wc;

		if (f->place == FIELD_PLACE_NONE)
			continue;
		for (int i = 0; i < 20; i++) {
			for (size_t k = 0; k < sizeof flow; k++)
				((uint8_t *)&flow)[k] = (uint8_t)random32();
			random_value(f, &v);
			if (f->place == FIELD_PLACE_TUN_METADATA)
				memset(&v, 0, f->n_bytes - 4);
			field_set(f, &v, &flow);
			field_get(f, &flow, &w);
			assert_memory_equal(&v, &w, f->n_bytes);
		}
		memset(&wc, 0, sizeof wc);
		assert_true(field_is_all_wild(f, &wc));
		field_unwildcard(f, &wc);
		assert_true(field_is_all_exact(f, &wc));
		assert_false(field_is_all_wild(f, &wc));
	}
	assert_ptr_equal(field_tlv_use(old), &map);
}

static void test_tun_metadata_needs_a_map(void **state)
{
	const struct field *f = fld("tun_metadata7");
	union field_value v;
	struct flow flow = {0}, zero = {0};

	memset(&v, 0xff, sizeof v);
	field_set(f, &v, &flow);
	assert_true(flow_equal(&flow, &zero));
	field_get(f, &flow, &v);
	assert_int_equal(v.b[f->n_bytes - 1], 0);
}

static void test_vlan_views(void **state)
{
	union field_value v = {0}, m = {0};
	struct flow flow = {0}, wc = {0};
	struct match match = {0};

	v.u16 = htobe16(5);
	field_set(fld("dl_vlan"), &v, &flow);
	assert_int_equal(be16toh(flow.vlans[0].tci), 0x1005);
	assert_int_equal(be16toh(flow.vlans[0].tpid), 0x8100);
	v.u8 = 3;
	field_set(fld("vlan_pcp"), &v, &flow);
	assert_int_equal(be16toh(flow.vlans[0].tci), 0x7005);
	field_get(fld("vlan_vid"), &flow, &v);
	assert_int_equal(be16toh(v.u16), 0x1005);
	v.u16 = BE16_MAX;
	field_set(fld("dl_vlan"), &v, &flow);
	assert_int_equal(flow.vlans[0].tci, 0);

	/* A match does not look at the TPID. */
	v.u16 = htobe16(5);
	field_all_ones(fld("dl_vlan"), &m);
	field_set_match(fld("dl_vlan"), &v, &m, &match);
	assert_int_equal(be16toh(match.flow.vlans[0].tci), 0x1005);
	assert_int_equal(be16toh(match.mask.vlans[0].tci), 0x1fff);
	assert_int_equal(match.flow.vlans[0].tpid | match.mask.vlans[0].tpid, 0);
	v.u8 = 3;
	m.u8 = 7;
	field_set_match(fld("dl_vlan_pcp"), &v, &m, &match);
	assert_int_equal(be16toh(match.flow.vlans[0].tci), 0x7005);
	assert_int_equal(match.mask.vlans[0].tci, BE16_MAX);
	memset(&match, 0, sizeof match);
	v.u16 = htobe16(0x1001);
	m.u16 = htobe16(0x1001);
	field_set_match(fld("vlan_vid"), &v, &m, &match);
	assert_int_equal(be16toh(match.mask.vlans[0].tci), 0x1001);
	v.u16 = BE16_MAX;
	field_set_match(fld("dl_vlan"), &v, &m, &match);
	assert_int_equal(match.flow.vlans[0].tci, 0);
	assert_int_equal(match.mask.vlans[0].tci, BE16_MAX);

	field_unwildcard(fld("vlan_pcp"), &wc);
	assert_int_equal(be16toh(wc.vlans[0].tci), 0xf000);
}

static void test_register_views(void **state)
{
	struct subfield sf = {.field = fld("xxreg0"), .ofs = 96, .n_bits = 32};
	struct flow flow = {0};

	subfield_write_u64(&sf, 0x11223344, &flow);
	assert_int_equal(flow.regs[0], 0x11223344);
	sf = (struct subfield){.field = fld("xreg1"), .ofs = 0, .n_bits = 64};
	subfield_write_u64(&sf, UINT64_C(0x100000002), &flow);
	assert_int_equal(flow.regs[2], 1);
	assert_int_equal(flow.regs[3], 2);
	assert_true(subfield_read_u64(&sf, &flow) == UINT64_C(0x100000002));
}

static void test_ports(void **state)
{
	union field_value v;
	struct flow flow = {.in_port = OFPP_LOCAL};

	field_get(fld("in_port"), &flow, &v);
	assert_int_equal(be16toh(v.u16), 0xfffe);
	v.u16 = htobe16(0xfffd);
	field_set(fld("in_port"), &v, &flow);
	assert_int_equal(flow.in_port, OFPP_CONTROLLER);
	v.u16 = htobe16(7);
	field_set(fld("in_port"), &v, &flow);
	assert_int_equal(flow.in_port, 7);
	v.u32 = htobe32(0x10000);
	assert_false(field_is_value_valid(fld("in_port_oxm"), &v));
}

static void test_bitwise_copy(void **state)
{
	for (int i = 0; i < 20000; i++) {
		uint8_t src[16], dst[16], want[16];
		unsigned int n = random32() % 129, so, d0;

		for (int k = 0; k < 16; k++) {
			src[k] = (uint8_t)random32();
			dst[k] = want[k] = (uint8_t)random32();
		}
		so = random32() % (129 - n);
		d0 = random32() % (129 - n);
		if (i % 4 == 0)
			so = so / 8 * 8, d0 = d0 / 8 * 8;
		for (unsigned int b = 0; b < n; b++) {
			unsigned int from = so + b, to = d0 + b;
			unsigned int bit = src[15 - from / 8] >> from % 8 & 1;

			want[15 - to / 8] = (uint8_t)((want[15 - to / 8] & ~(1u << to % 8)) | bit << to % 8);
		}
		field_bitwise_copy(src, 16, so, dst, 16, d0, n);
		assert_memory_equal(dst, want, 16);
	}
}

static void test_subfield_text(void **state)
{
	static const struct {
		const char *text;
		const char *field;
		unsigned int ofs, n_bits;
		const char *rest;
		const char *out;
	} good[] = {
		{"NXM_NX_REG0[0..3],x", "reg0", 0, 4, ",x", "NXM_NX_REG0[0..3]"},
		{"NXM_OF_ETH_DST[]=NXM", "eth_dst", 0, 48, "=NXM", "NXM_OF_ETH_DST[]"},
		{"reg1[5]->", "reg1", 5, 1, "->", "NXM_NX_REG1[5]"},
		{"eth_src", "eth_src", 0, 48, "", "NXM_OF_ETH_SRC[]"},
		{"OXM_OF_METADATA[32..63]", "metadata", 32, 32, "", "OXM_OF_METADATA[32..63]"},
		{"NXM_OF_VLAN_TCI[0..11]", "vlan_tci", 0, 12, "", "NXM_OF_VLAN_TCI[0..11]"},
		{"mpls_bos", "mpls_bos", 0, 1, "", "OXM_OF_MPLS_BOS[]"},
	};
	static const char *const bad[] = {"", "nothing[]", "reg0[", "reg0[4..2]", "reg0[32]",
		"reg0[0..32]", "reg0[x]", "reg0[1..]", "reg0[1...2]"};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const char *text = good[i].text;
		struct sbuf s = SBUF_INITIALIZER;
		struct subfield sf;
		char *error;

		assert_int_equal(subfield_parse(&text, &sf, &error), 0);
		assert_ptr_equal(sf.field, fld(good[i].field));
		assert_int_equal(sf.ofs, good[i].ofs);
		assert_int_equal(sf.n_bits, good[i].n_bits);
		assert_string_equal(text, good[i].rest);
		subfield_format(&sf, &s);
		assert_string_equal(sbuf_cstr(&s), good[i].out);
		sbuf_uninit(&s);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *text = bad[i];
		struct subfield sf;
		char *error = NULL;

		assert_int_equal(subfield_parse(&text, &sf, &error), -EINVAL);
		assert_non_null(error);
		assert_ptr_equal(text, bad[i]);
		free(error);
	}
}

static void test_subfield_move_and_mask(void **state)
{
	struct subfield src = {fld("vlan_tci"), 0, 12}, dst = {fld("reg2"), 4, 12};
	struct flow flow = {0}, wc = {0};

	flow.vlans[0].tci = htobe16(0x1abc);
	flow.regs[2] = 0xffff000f;
	subfield_move(&src, &dst, &flow);
	assert_int_equal(flow.regs[2], 0xffffabcf);
	subfield_unwildcard(&dst, &wc);
	assert_int_equal(wc.regs[2], 0xfff0);
	src = (struct subfield){fld("in_port"), 0, 8};
	subfield_unwildcard(&src, &wc);
	assert_int_equal(wc.in_port, UINT32_MAX);
}

struct text_case {
	const char *field;
	const char *in;
	const char *out;	/* NULL: an error. */
};

static const char *name_of(void *aux, ofp_port_t port)
{
	return port == 1 ? "eth0" : port == 2 ? "a port" : NULL;
}

static bool port_of(void *aux, const char *name, ofp_port_t *port)
{
	if (!strcmp(name, "eth0"))
		*port = 1;
	else if (!strcmp(name, "a port"))
		*port = 2;
	else
		return false;
	return true;
}

static const struct text_case texts[] = {
	{"dl_vlan", "5", "5"}, {"dl_vlan", "010", "8"}, {"dl_vlan", "0x10", "16"},
	{"dl_vlan", "4096", NULL}, {"dl_vlan", "5/1", NULL}, {"dl_vlan", "x", NULL},
	{"dl_vlan", "", NULL}, {"dl_vlan", "-1", NULL}, {"dl_vlan", "65536", NULL},
	{"vlan_vid", "0x1005/0x1fff", "4101"}, {"vlan_vid", "0x1001/0x1001", "4097/0x1001"},
	{"vlan_tci", "0x1000/0x1000", "0x1000/0x1000"}, {"vlan_tci", "0", "0"},
	{"eth_src", "2:aa:0:0:0:1", "02:aa:00:00:00:01"}, {"eth_src", "02:aa:00:00:00", NULL},
	{"eth_dst", "01:00:00:00:00:00/01:00:00:00:00:00", "01:00:00:00:00:00/01:00:00:00:00:00"},
	{"eth_dst", "02:aa:00:00:00:01/1", NULL},
	{"nw_src", "10.1.0.1", "10.1.0.1"}, {"nw_src", "10.1.2.3/24", "10.1.2.0/24"},
	{"nw_src", "10.1.2.3/255.255.0.0", "10.1.0.0/16"}, {"nw_src", "10.0.0.1/32", "10.0.0.1"},
	{"nw_src", "10.0.0.1/255.0.0.255", "10.0.0.1/255.0.0.255"}, {"nw_src", "1.2.3.4/0", "ANY"},
	{"nw_src", "10.0.0.1/33", NULL}, {"nw_src", "10.0.0", NULL}, {"nw_src", "10.0.0.256", NULL},
	{"ipv6_src", "2001:DB8::1", "2001:db8::1"}, {"ipv6_src", "2001:db8::1/64", "2001:db8::/64"},
	{"ipv6_src", "2001::1/ffff::ff", "2001::1/ffff::ff"}, {"ipv6_src", "::1/129", NULL},
	{"ipv6_src", "10.0.0.1", NULL},
	{"tcp_flags", "+syn-ack", "+syn-ack"}, {"tcp_flags", "0x002", "syn"},
	{"tcp_flags", "syn|ack", "syn|ack"}, {"tcp_flags", "0x018/0x018", "+psh+ack"},
	{"tcp_flags", "0x200", "[200]"}, {"tcp_flags", "0", "0"}, {"tcp_flags", "+syn-syn", NULL},
	{"tcp_flags", "+xyz", NULL}, {"tcp_flags", "0x1000", NULL}, {"tcp_flags", "+syn|ack", NULL},
	{"tun_flags", "oam", "oam"}, {"tun_flags", "+oam", "oam"}, {"tun_flags", "df", NULL},
	{"tun_flags", "-oam", "0"}, {"tun_flags", "0", "0"},
	{"ct_state", "+trk-new", "-new+trk"}, {"ct_state", "est|trk", "est|trk"},
	{"ct_state", "+trk+", NULL},
	{"ip_frag", "later", "later"}, {"ip_frag", "YES", "yes"}, {"ip_frag", "not_later", "not_later"},
	{"ip_frag", "no", "no"}, {"ip_frag", "maybe", NULL},
	{"reg0", "0x5/0xf", "0x5/0xf"}, {"reg0", "12", "0xc"}, {"reg0", "0", "0"},
	{"reg0", "0x100000000", NULL}, {"reg0", "4294967296", NULL}, {"reg0", "5/", NULL},
	{"reg0", "0x", NULL}, {"reg0", "5 ", NULL},
	{"xxreg0", "0x112233445566778899aabbccddeeff00", "0x112233445566778899aabbccddeeff00"},
	{"xxreg0", "0x1112233445566778899aabbccddeeff00", NULL}, {"xxreg0", "0x7/0xf", "0x7/0xf"},
	{"metadata", "0xabcd000000000012", "0xabcd000000000012"},
	{"metadata", "18446744073709551616", NULL},
	{"tun_id", "0x3f2", "0x3f2"}, {"tun_id", "5/0xff", "0x5/0xff"},
	{"in_port", "1", "eth0"}, {"in_port", "eth0", "eth0"}, {"in_port", "2", "\"a port\""},
	{"in_port", "\"a port\"", "\"a port\""}, {"in_port", "local", "LOCAL"},
	{"in_port", "LOCAL", "LOCAL"}, {"in_port", "65534", "LOCAL"}, {"in_port", "77", "77"},
	{"in_port", "nobody", NULL}, {"in_port", "65536", NULL}, {"in_port", "-1", NULL},
	{"in_port_oxm", "4294967294", "LOCAL"}, {"in_port_oxm", "any", "ANY"},
	{"nw_tos", "0x28", "40"}, {"nw_tos", "41", NULL}, {"nw_ecn", "3", "3"}, {"nw_ecn", "4", NULL},
	{"arp_op", "2", "2"}, {"arp_op", "256", NULL}, {"mpls_label", "1048575", "1048575"},
	{"mpls_label", "1048576", NULL}, {"ipv6_label", "0x2345/0xffff", "0x2345/0xffff"},
	{"pbb_isid", "0x123456", "0x123456"}, {"pbb_isid", "0x1000000", NULL},
	{"ipv6_exthdr", "0x48/0x48", "0x48/0x48"}, {"ipv6_exthdr", "0x200", NULL},
	{"packet_type", "(0,0)", "eth"}, {"packet_type", "(1,0x800)", "packet_type=(1,0x800)"},
	{"packet_type", "(1)", NULL}, {"nw_proto", "*", "ANY"}, {"nw_proto", "6", "6"},
};

static void test_text(void **state)
{
	static const struct port_names names = {name_of, port_of, NULL};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct field *f = fld(texts[i].field);
		struct sbuf s = SBUF_INITIALIZER;
		union field_value v, m;
		char *error = NULL;
		int err = field_parse(f, texts[i].in, &v, &m, &names, &error);

		if (!texts[i].out) {
			if (!err)
				fail_msg("%s=%s was accepted", f->name, texts[i].in);
			assert_non_null(error);
			assert_null(strchr(error, '\n'));
			free(error);
			continue;
		}
		if (err)
			fail_msg("%s=%s: %s", f->name, texts[i].in, error);
		field_format(f, &v, &m, &names, &s);
		assert_string_equal(sbuf_cstr(&s), texts[i].out);
		sbuf_uninit(&s);
	}
}

static void test_text_round_trip(void **state)
{
	for (enum field_id id = FIELD_NONE + 1; id < FIELD_N_IDS; id++) {
		const struct field *f = field_from_id(id);

		for (int i = 0; i < 50; i++) {
			union field_value v, m, v2, m2;
			struct sbuf s = SBUF_INITIALIZER;
			char *error = NULL;

			random_value(f, &v);
			field_all_ones(f, &m);
			if (f->maskable && f->format != FIELD_FMT_FRAG && random32() % 2) {
				random_value(f, &m);
				if (!field_is_mask_valid(f, &m))
					m.b[f->n_bytes - 1] |= 1;
			}
			for (unsigned int k = 0; k < f->n_bytes; k++)
				v.b[k] &= m.b[k];
			/* Not every combination of the two bits has a name. */
			if (f->format == FIELD_FMT_FRAG && v.u8 == FLOW_NW_FRAG_LATER)
				continue;
			if (f->format == FIELD_FMT_PACKET_TYPE)
				continue;
			field_format(f, &v, &m, NULL, &s);
			if (field_parse(f, sbuf_cstr(&s), &v2, &m2, NULL, &error))
				fail_msg("%s=%s: %s", f->name, sbuf_cstr(&s), error);
			assert_memory_equal(&v, &v2, f->n_bytes);
			assert_memory_equal(&m, &m2, f->n_bytes);
			sbuf_uninit(&s);
		}
	}
}

static void match_u8(struct match *m, const char *field, uint64_t value)
{
	struct subfield sf = {fld(field), 0, fld(field)->n_bits};
	union field_value v, ones;
	struct flow tmp = {0};

	subfield_write_u64(&sf, value, &tmp);
	field_get(sf.field, &tmp, &v);
	field_all_ones(sf.field, &ones);
	field_set_match(sf.field, &v, &ones, m);
}

static void test_prerequisites(void **state)
{
	struct match m = {0};
	struct flow flow = {0}, wc = {0};

	assert_false(field_prereqs_matched(fld("tp_dst"), &m));
	match_u8(&m, "eth_type", ETH_T_IP);
	assert_true(field_prereqs_matched(fld("nw_src"), &m));
	assert_false(field_prereqs_matched(fld("ipv6_src"), &m));
	assert_false(field_prereqs_matched(fld("tp_dst"), &m));
	match_u8(&m, "nw_proto", IP_P_TCP);
	assert_true(field_prereqs_matched(fld("tp_dst"), &m));
	assert_false(field_prereqs_matched(fld("udp_dst"), &m));
	match_u8(&m, "ip_frag", 3);
	assert_false(field_prereqs_matched(fld("tp_dst"), &m));

	memset(&m, 0, sizeof m);
	assert_false(field_prereqs_matched(fld("vlan_pcp"), &m));
	assert_true(field_prereqs_matched(fld("dl_vlan_pcp"), &m));
	match_u8(&m, "dl_vlan", 0);
	assert_true(field_prereqs_matched(fld("vlan_pcp"), &m));

	memset(&m, 0, sizeof m);
	match_u8(&m, "eth_type", ETH_T_IPV6);
	match_u8(&m, "nw_proto", IP_P_ICMPV6);
	assert_false(field_prereqs_matched(fld("nd_target"), &m));
	match_u8(&m, "icmpv6_type", ND_NS);
	match_u8(&m, "icmpv6_code", 0);
	assert_true(field_prereqs_matched(fld("nd_target"), &m));
	assert_true(field_prereqs_matched(fld("nd_sll"), &m));
	assert_false(field_prereqs_matched(fld("nd_tll"), &m));

	/* What a packet is asked for is marked. */
	flow.dl_type = htobe16(ETH_T_IP);
	flow.nw_proto = IP_P_UDP;
	assert_false(field_prereqs_ok(fld("tcp_src"), &flow, &wc));
	assert_int_equal(wc.dl_type, BE16_MAX);
	assert_int_equal(wc.nw_proto, UINT8_MAX);
	assert_int_equal(wc.nw_frag, 0);
	assert_true(field_prereqs_ok(fld("udp_src"), &flow, &wc));
	assert_int_equal(wc.nw_frag, FLOW_NW_FRAG_LATER);
	flow.nw_frag = FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER;
	assert_false(field_prereqs_ok(fld("udp_src"), &flow, NULL));
	assert_true(field_prereqs_ok(fld("nw_src"), &flow, NULL));
	assert_true(field_prereqs_ok(fld("reg0"), &flow, NULL));
}

static void test_set_masked(void **state)
{
	union field_value v = {0}, m = {0};
	struct flow flow = {0};

	flow.nw_tos = 0xb9;
	v.u8 = 0x0a;
	field_set(fld("ip_dscp"), &v, &flow);
	assert_int_equal(flow.nw_tos, 0x29);
	v.u8 = 2;
	field_set(fld("nw_ecn"), &v, &flow);
	assert_int_equal(flow.nw_tos, 0x2a);
	flow.nw_src = htobe32(0x0a010203);
	v.u32 = htobe32(0xffffffff);
	m.u32 = htobe32(0x0000ff00);
	field_set_masked(fld("nw_src"), &v, &m, &flow);
	assert_int_equal(be32toh(flow.nw_src), 0x0a01ff03);
	v.u32 = htobe32(99);
	flow.mpls_lse[0] = htobe32(0x00010f40);
	field_set(fld("mpls_label"), &v, &flow);
	assert_int_equal(be32toh(flow.mpls_lse[0]), 99 << 12 | 0xf40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_set_and_get),
		cmocka_unit_test(test_tun_metadata_needs_a_map),
		cmocka_unit_test(test_vlan_views),
		cmocka_unit_test(test_register_views),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_bitwise_copy),
		cmocka_unit_test(test_subfield_text),
		cmocka_unit_test(test_subfield_move_and_mask),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_round_trip),
		cmocka_unit_test(test_prerequisites),
		cmocka_unit_test(test_set_masked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
