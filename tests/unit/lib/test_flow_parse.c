/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/util.h"

#define MACS "02aa0000000202aa00000001"
#define IP4(LEN, PROTO) "4500" LEN "0001000040" PROTO "00000a0100010a010002"
#define IP4_FRAG(LEN, FRAG, PROTO) "4500" LEN "0001" FRAG "40" PROTO "00000a0100010a010002"
#define TCP "0457005000000001000000025012200000000000"
#define UDP "08ae003500100000" "0001020304050607"
#define SRC6 "20010db8000000000000000000000001"
#define DST6 "20010db8000000000000000000000002"
#define IP6(LEN, NEXT) "62e12345" LEN NEXT "40" SRC6 DST6

/* Parses the bytes HEX, in a buffer of just their size, so that a sanitizer sees any overrun. */
static int parse_limit(const char *hex, int max_vlans, struct flow *flow, struct packet *packet)
{
	struct flow_limits limits = {.max_vlans = (uint8_t)max_vlans};
	size_t n = strlen(hex) / 2;
	uint8_t *data = malloc(n ? n : 1);
	struct packet local;
	int err;

	if (!packet)
		packet = &local;
	assert_int_equal(parse_hex_bytes(hex, data, n), 0);
	packet_init(packet, data, (uint32_t)n, 0);
	err = flow_extract_limits(packet, &limits, flow);
	free(data);
	packet->data = NULL;
	return err;
}

static int parse(const char *hex, struct flow *flow)
{
	return parse_limit(hex, 1, flow, NULL);
}

static void test_tcp(void **state)
{
	struct packet p;
	struct flow f;

	assert_int_equal(parse_limit(MACS "0800" IP4("0028", "06") TCP, 1, &f, &p), 0);
	assert_int_equal(eth_addr_to_u64(f.dl_dst), 0x02aa00000002);
	assert_int_equal(eth_addr_to_u64(f.dl_src), 0x02aa00000001);
	assert_int_equal(be16toh(f.dl_type), 0x0800);
	assert_int_equal(be32toh(f.nw_src), 0x0a010001);
	assert_int_equal(be32toh(f.nw_dst), 0x0a010002);
	assert_int_equal(f.nw_proto, 6);
	assert_int_equal(f.nw_ttl, 64);
	assert_int_equal(be16toh(f.tp_src), 1111);
	assert_int_equal(be16toh(f.tp_dst), 80);
	assert_int_equal(be16toh(f.tcp_flags), TCP_SYN | TCP_ACK);
	assert_int_equal(p.l2_5_ofs, PACKET_NO_OFS);
	assert_int_equal(p.l3_ofs, 14);
	assert_int_equal(p.l4_ofs, 34);
}

static void test_tcp_header_cut(void **state)
{
	struct packet p;
	struct flow f;

	/* The data offset says 24, the IP length gives 20. */
	assert_int_equal(parse_limit(MACS "0800" IP4("0028", "06")
		"0457005000000001000000026012200000000000" "00000000", 1, &f, &p), -EBADMSG);
	assert_int_equal(f.nw_proto, 6);
	assert_int_equal(f.tp_dst, 0);
	assert_int_equal(f.tcp_flags, 0);
	assert_int_equal(p.l4_ofs, 34);
	/* A data offset of 4 is less than the header. */
	assert_int_equal(parse(MACS "0800" IP4("0028", "06")
		"0457005000000001000000024012200000000000", &f), -EBADMSG);
	assert_int_equal(f.tp_dst, 0);
}

static void test_short_frames(void **state)
{
	struct flow f, zero = {0};
	char hex[27];

	for (size_t n = 0; n < 14; n++) {
		memset(hex, '1', 2 * n);
		hex[2 * n] = '\0';
		assert_int_equal(parse(hex, &f), -EINVAL);
		assert_true(flow_equal(&f, &zero));
	}
	assert_int_equal(parse(MACS "0800", &f), -EBADMSG);
	assert_int_equal(be16toh(f.dl_type), 0x0800);
	assert_int_equal(parse(MACS "88b5", &f), 0);
}

static void test_vlan(void **state)
{
	const char *qinq = MACS "88a82064" "81004005" "0800" IP4("0028", "06") TCP;
	struct packet p;
	struct flow f;

	assert_int_equal(parse_limit(qinq, 1, &f, &p), 0);
	assert_int_equal(be16toh(f.vlans[0].tpid), 0x88a8);
	assert_int_equal(be16toh(f.vlans[0].tci), 0x3064);
	assert_int_equal(f.vlans[1].tci, 0);
	assert_int_equal(be16toh(f.dl_type), 0x8100);
	assert_int_equal(f.nw_proto, 0);
	assert_int_equal(p.l3_ofs, 18);

	assert_int_equal(parse_limit(qinq, 2, &f, &p), 0);
	assert_int_equal(be16toh(f.vlans[1].tpid), 0x8100);
	assert_int_equal(be16toh(f.vlans[1].tci), 0x5005);
	assert_int_equal(be16toh(f.tp_dst), 80);
	assert_int_equal(flow_n_vlans(&f), 2);
	assert_int_equal(p.l3_ofs, 22);

	/* 5 bytes from the TPID on: no tag, the TPID is the type. */
	assert_int_equal(parse_limit(MACS "8100200508", 1, &f, &p), -EBADMSG);
	assert_int_equal(flow_n_vlans(&f), 0);
	assert_int_equal(be16toh(f.dl_type), 0x8100);
	assert_int_equal(p.l3_ofs, 14);
}

static void test_llc_snap(void **state)
{
	struct packet p;
	struct flow f;

	assert_int_equal(parse(MACS "0026424203" "0000000000000000", &f), 0);
	assert_int_equal(be16toh(f.dl_type), 0x05ff);
	assert_int_equal(parse_limit(MACS "0030aaaa030000000800" IP4("0028", "06") TCP, 1, &f, &p), 0);
	assert_int_equal(be16toh(f.dl_type), 0x0800);
	assert_int_equal(be16toh(f.tp_dst), 80);
	assert_int_equal(p.l3_ofs, 22);
	/* Another OUI, a SNAP type that is a length, a SNAP header that is cut. */
	assert_int_equal(parse(MACS "0030aaaa0300000c0800" IP4("0028", "06") TCP, &f), 0);
	assert_int_equal(be16toh(f.dl_type), 0x05ff);
	assert_int_equal(parse(MACS "0030aaaa0300000005ff", &f), 0);
	assert_int_equal(be16toh(f.dl_type), 0x05ff);
	assert_int_equal(parse(MACS "0030aaaa03000000", &f), 0);
	assert_int_equal(be16toh(f.dl_type), 0x05ff);
}

static void test_ipv4_malformed(void **state)
{
	struct flow f;

	/* IHL 4; total length less than the header; more than the frame; header cut. */
	static const char *const bad[] = {
		MACS "0800" "4400002800010000400600000a0100010a010002" TCP,
		MACS "0800" IP4("0013", "06") TCP,
		MACS "0800" IP4("0029", "06") TCP,
		MACS "0800" "450000280001000040060000" "0a0100010a0100",
		MACS "0800" "4f00002800010000400600000a0100010a010002" TCP,
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct packet p;

		assert_int_equal(parse_limit(bad[i], 1, &f, &p), -EBADMSG);
		assert_int_equal(f.nw_src | f.nw_dst | f.nw_proto | f.nw_ttl, 0);
		assert_int_equal(be16toh(f.dl_type), 0x0800);
		assert_int_equal(p.l3_ofs, 14);
		assert_int_equal(p.l4_ofs, PACKET_NO_OFS);
	}
	/* Version 6 in an IPv4 packet does not matter. */
	assert_int_equal(parse(MACS "0800" "6500002800010000400600000a0100010a010002" TCP, &f), 0);
	assert_int_equal(be16toh(f.tp_dst), 80);
}

static void test_ipv4_padding_hides_ports(void **state)
{
	struct flow f;

	/* 4 bytes of UDP by the total length, although the frame goes on. */
	assert_int_equal(parse(MACS "0800" IP4("0018", "11") UDP, &f), -EBADMSG);
	assert_int_equal(f.nw_proto, 17);
	assert_int_equal(f.tp_src | f.tp_dst, 0);
}

static void test_ipv4_fragments(void **state)
{
	struct flow f;

	assert_int_equal(parse(MACS "0800" IP4_FRAG("0024", "2000", "11") UDP, &f), 0);
	assert_int_equal(f.nw_frag, FLOW_NW_FRAG_ANY);
	assert_int_equal(be16toh(f.tp_dst), 53);
	assert_int_equal(parse(MACS "0800" IP4_FRAG("0024", "2005", "11") UDP, &f), 0);
	assert_int_equal(f.nw_frag, FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER);
	assert_int_equal(f.tp_dst, 0);
	assert_int_equal(f.nw_proto, 17);
	assert_int_equal(parse(MACS "0800" IP4_FRAG("0024", "4000", "11") UDP, &f), 0);
	assert_int_equal(f.nw_frag, 0);
}

static void test_l4_kinds(void **state)
{
	struct flow f;

	assert_int_equal(parse(MACS "0800" IP4("001c", "01") "0301aabb00000000", &f), 0);
	assert_int_equal(be16toh(f.tp_src), 3);
	assert_int_equal(be16toh(f.tp_dst), 1);
	assert_int_equal(parse(MACS "0800" IP4("001b", "01") "0301aabb000000", &f), -EBADMSG);
	assert_int_equal(f.tp_src, 0);
	assert_int_equal(parse(MACS "0800" IP4("001c", "02") "1600aabbe0000005", &f), 0);
	assert_int_equal(be16toh(f.tp_src), 0x16);
	assert_int_equal(be32toh(f.igmp_group_ip4), 0xe0000005);
	assert_int_equal(parse(MACS "0800" IP4("0020", "84") "0d050b5900000005" "00000000", &f), 0);
	assert_int_equal(be16toh(f.tp_dst), 2905);
	assert_int_equal(parse(MACS "0800" IP4("001c", "84") "0d050b5900000005", &f), -EBADMSG);
	assert_int_equal(f.tp_dst, 0);
	/* GRE has nothing. */
	assert_int_equal(parse(MACS "0800" IP4("001c", "2f") "0000655800000005", &f), 0);
	assert_int_equal(f.nw_proto, 47);
	assert_int_equal(f.tp_src | f.tp_dst, 0);
}

static void test_arp(void **state)
{
	struct flow f;

#define ARP_TAIL "02aa000000010a0100010000000000000a010002"
	assert_int_equal(parse(MACS "0806" "0001080006040001" ARP_TAIL, &f), 0);
	assert_int_equal(f.nw_proto, 1);
	assert_int_equal(be32toh(f.nw_src), 0x0a010001);
	assert_int_equal(eth_addr_to_u64(f.arp_sha), 0x02aa00000001);
	/* Opcode over 255: no operation, but addresses. */
	assert_int_equal(parse(MACS "8035" "0001080006040103" ARP_TAIL, &f), 0);
	assert_int_equal(f.nw_proto, 0);
	assert_int_equal(be32toh(f.nw_dst), 0x0a010002);
	/* Not IPv4 over Ethernet; cut. */
	assert_int_equal(parse(MACS "0806" "0006080006040001" ARP_TAIL, &f), 0);
	assert_int_equal(f.nw_proto | f.nw_src, 0);
	assert_int_equal(parse(MACS "0806" "0001080006040001" "02aa00000001", &f), -EBADMSG);
	assert_int_equal(f.nw_proto, 0);
}

static void test_mpls(void **state)
{
	struct packet p;
	struct flow f;

	assert_int_equal(parse_limit(MACS "8847" "0001063f" "0002013f" "4500", 1, &f, &p), 0);
	assert_int_equal(be32toh(f.mpls_lse[0]), 0x0001063f);
	assert_int_equal(f.mpls_lse[2], 0);
	assert_int_equal(flow_n_mpls(&f), 2);
	assert_int_equal(p.l2_5_ofs, 14);
	assert_int_equal(p.l3_ofs, 22);
	/* Five labels: all passed over, three kept. */
	assert_int_equal(parse_limit(MACS "8848" "00010001" "00020002" "00030003" "00040004" "00050105",
		1, &f, &p), 0);
	assert_int_equal(be32toh(f.mpls_lse[2]), 0x00030003);
	assert_int_equal(p.l3_ofs, 34);
	/* No bottom of stack. */
	assert_int_equal(parse_limit(MACS "8847" "00010001" "0002", 1, &f, &p), -EBADMSG);
	assert_int_equal(be32toh(f.mpls_lse[0]), 0x00010001);
	assert_int_equal(f.mpls_lse[1], 0);
}

static void test_ipv6(void **state)
{
	struct packet p;
	struct flow f;

	assert_int_equal(parse_limit(MACS "86dd" IP6("0010", "11") UDP, 1, &f, &p), 0);
	assert_int_equal(f.nw_tos, 0x2e);
	assert_int_equal(be32toh(f.ipv6_label), 0x12345);
	assert_int_equal(f.nw_proto, 17);
	assert_int_equal(be16toh(f.tp_dst), 53);
	assert_int_equal(f.ipv6_src.b[15], 1);
	assert_int_equal(f.ipv6_exthdr, 0);
	assert_int_equal(p.l4_ofs, 54);
	/* A payload length beyond the frame: no IP field at all. */
	assert_int_equal(parse(MACS "86dd" IP6("0011", "11") UDP, &f), -EBADMSG);
	assert_int_equal(f.nw_proto | f.ipv6_src.b[15] | f.nw_tos, 0);
}

static void test_ipv6_fragments(void **state)
{
	struct flow f;

	assert_int_equal(parse(MACS "86dd" IP6("0018", "2c") "1100000100000009" UDP, &f), 0);
	assert_int_equal(f.nw_frag, FLOW_NW_FRAG_ANY);
	assert_int_equal(f.nw_proto, 17);
	assert_int_equal(be16toh(f.tp_dst), 53);
	assert_int_equal(be16toh(f.ipv6_exthdr), IPV6_EXT_FRAG);
	assert_int_equal(parse(MACS "86dd" IP6("0018", "2c") "1100002100000009" UDP, &f), 0);
	assert_int_equal(f.nw_frag, FLOW_NW_FRAG_ANY | FLOW_NW_FRAG_LATER);
	assert_int_equal(f.nw_proto, 44);
	assert_int_equal(f.tp_dst, 0);
	/* An atomic fragment is none. */
	assert_int_equal(parse(MACS "86dd" IP6("0018", "2c") "1100000000000009" UDP, &f), 0);
	assert_int_equal(f.nw_frag, 0);
	assert_int_equal(be16toh(f.tp_dst), 53);
	/* A cut chain: addresses only. */
	assert_int_equal(parse(MACS "86dd" IP6("0004", "2c") "11000000", &f), -EBADMSG);
	assert_int_equal(f.nw_proto | f.nw_frag | f.nw_ttl | f.ipv6_exthdr, 0);
	assert_int_equal(f.ipv6_src.b[15], 1);
}

/* An extension header of 8 bytes that is followed by NEXT. */
#define EXT(NEXT) NEXT "00000000000000"

static int exthdr(const char *len, const char *first, const char *chain)
{
	char hex[1024];
	struct flow f;

	strcpy(hex, MACS "86dd" "62e12345");
	strcat(hex, len);
	strcat(hex, first);
	strcat(hex, "40" SRC6 DST6);
	strcat(hex, chain);
	assert_int_equal(parse(hex, &f), 0);
	return be16toh(f.ipv6_exthdr);
}

static void test_ipv6_exthdr(void **state)
{
	assert_int_equal(exthdr("0018", "00", EXT("11") UDP), IPV6_EXT_HOP);
	assert_int_equal(exthdr("0010", "3b", UDP), IPV6_EXT_NONEXT);
	assert_int_equal(exthdr("0010", "32", UDP), IPV6_EXT_ESP);
	/* The order of RFC 8200, destination options in both places. */
	assert_int_equal(exthdr("0030", "00", EXT("3c") EXT("2b") EXT("3c") EXT("11") UDP),
		IPV6_EXT_HOP | IPV6_EXT_DEST | IPV6_EXT_ROUTER);
	assert_int_equal(exthdr("0020", "2b", EXT("3c") EXT("11") UDP),
		IPV6_EXT_DEST | IPV6_EXT_ROUTER);
	/* Hop-by-hop not first. */
	assert_int_equal(exthdr("0020", "3c", EXT("00") EXT("11") UDP),
		IPV6_EXT_DEST | IPV6_EXT_HOP | IPV6_EXT_UNSEQ);
	/* Authentication (8 bytes: its length counts differently) before routing. */
	assert_int_equal(exthdr("0020", "33", EXT("2b") EXT("11") UDP),
		IPV6_EXT_AUTH | IPV6_EXT_ROUTER | IPV6_EXT_UNSEQ);
	/* Twice. */
	assert_int_equal(exthdr("0020", "2b", EXT("2b") EXT("11") UDP),
		IPV6_EXT_ROUTER | IPV6_EXT_UNREP);
	assert_int_equal(exthdr("0028", "3c", EXT("3c") EXT("3c") EXT("11") UDP),
		IPV6_EXT_DEST | IPV6_EXT_UNREP);
}

#define TARGET "20010db8000000000000000000000002"

static void test_nd(void **state)
{
	struct flow f;

	assert_int_equal(parse(MACS "86dd" IP6("0020", "3a") "8700aabb00000000" TARGET
		"010102aa00000001", &f), 0);
	assert_int_equal(be16toh(f.tp_src), 135);
	assert_int_equal(f.nd_target.b[15], 2);
	assert_int_equal(eth_addr_to_u64(f.arp_sha), 0x02aa00000001);
	assert_int_equal(f.nd_options_type, 1);
	assert_int_equal(parse(MACS "86dd" IP6("0020", "3a") "8800aabb60000000" TARGET
		"020102aa00000001", &f), 0);
	assert_int_equal(eth_addr_to_u64(f.arp_tha), 0x02aa00000001);
	assert_int_equal(be32toh(f.nd_reserved), 0x60000000);
	assert_int_equal(f.nd_options_type, 2);
	/* The same option twice: target and addresses are gone. */
	assert_int_equal(parse(MACS "86dd" IP6("0028", "3a") "8700aabb00000000" TARGET
		"010102aa00000001" "010102aa00000001", &f), -EBADMSG);
	assert_int_equal(f.nd_target.b[15] | f.arp_sha.b[0], 0);
	/* An option of length 0 ends the search; one of length 2 is passed over. */
	assert_int_equal(parse(MACS "86dd" IP6("0028", "3a") "8700aabb00000000" TARGET
		"0500000000000000" "010102aa00000001", &f), -EBADMSG);
	assert_int_equal(f.nd_target.b[15], 2);
	assert_int_equal(f.arp_sha.b[0], 0);
	assert_int_equal(parse(MACS "86dd" IP6("0030", "3a") "8700aabb00000000" TARGET
		"01020000000000000000000000000000" "010102aa00000001", &f), 0);
	assert_int_equal(f.arp_sha.b[0], 2);
	/* Code not 0: no neighbour discovery. */
	assert_int_equal(parse(MACS "86dd" IP6("0020", "3a") "8701aabb00000000" TARGET
		"010102aa00000001", &f), 0);
	assert_int_equal(f.nd_target.b[15], 0);
	assert_int_equal(be16toh(f.tp_dst), 1);
}

static void test_pbb(void **state)
{
	struct flow f;

	assert_int_equal(parse(MACS "88a80064" "88e7" "08123456" "0a0000000001" "0a0000000002" "0800",
		&f), 0);
	assert_int_equal(be32toh(f.pbb_isid), FLOW_PBB_PRESENT | FLOW_PBB_UCA | 0x123456);
	assert_int_equal(parse(MACS "88e7" "00123456" "0a0000000001" "0a00000000", &f), -EBADMSG);
	assert_int_equal(f.pbb_isid, 0);
}

static void test_chained_payload(void **state)
{
	uint8_t data[42];
	struct packet p;
	struct flow f;

	/* 1000 more bytes of UDP are chained; then the header itself is out of reach. */
	parse_hex_bytes(MACS "0800" IP4("0404", "11") "08ae003503f00000", data, sizeof data);
	packet_init(&p, data, sizeof data, 0);
	p.len = 14 + 0x404;
	assert_int_equal(flow_extract(&p, &f), 0);
	assert_int_equal(be16toh(f.tp_dst), 53);
	p.seg_len = 41;
	assert_int_equal(flow_extract(&p, &f), -EBADMSG);
	assert_int_equal(f.nw_proto, 17);
	assert_int_equal(f.tp_dst, 0);
	p.seg_len = 42;
	p.len--;
	assert_int_equal(flow_extract(&p, &f), -EBADMSG);
	assert_int_equal(f.nw_proto, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_tcp_header_cut),
		cmocka_unit_test(test_short_frames),
		cmocka_unit_test(test_vlan),
		cmocka_unit_test(test_llc_snap),
		cmocka_unit_test(test_ipv4_malformed),
		cmocka_unit_test(test_ipv4_padding_hides_ports),
		cmocka_unit_test(test_ipv4_fragments),
		cmocka_unit_test(test_l4_kinds),
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_mpls),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_ipv6_fragments),
		cmocka_unit_test(test_ipv6_exthdr),
		cmocka_unit_test(test_nd),
		cmocka_unit_test(test_pbb),
		cmocka_unit_test(test_chained_payload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
