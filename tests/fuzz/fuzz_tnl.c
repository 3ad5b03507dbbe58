/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/fuzz_tnl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "tunnel/tnl_header.h"

#define OPT_CSUM_VALID 1
#define OPT_CSUM_PARTIAL 2
#define OPT_GSO 4

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* What the kernel may promise of a frame. */
static void promise(struct packet *p, uint8_t opts)
{
	if (opts & OPT_CSUM_VALID)
		p->offload |= PACKET_CSUM_VALID;
	if (!(opts & (OPT_CSUM_PARTIAL | OPT_GSO)) || p->seg_len < 2)
		return;
	p->offload = PACKET_CSUM_PARTIAL;
	p->csum_start = (uint16_t)(p->seg_len / 2);
	p->csum_offset = 0;
	if (opts & OPT_GSO) {
		p->gso_type = PACKET_GSO_TCPV4;
		p->gso_size = 1000;
	}
}

/* PACKET came out of a tunnel: shorter, within what it was, and fit to be parsed. */
static void check_popped(const struct packet *before, struct packet *p)
{
	uint32_t taken = before->len - p->len;
	struct flow flow;

	require(p->len < before->len && p->data == before->data + taken);
	require(p->seg_len == before->seg_len - taken && p->seg_len >= ETH_HEADER_LEN);
	require(p->tunnel.ip_dst || !ipv6_addr_is_zero(&p->tunnel.ipv6_dst) || p->tunnel.ip_src ||
		before->len >= ETH_HEADER_LEN + IPV4_HEADER_LEN);
	require(p->geneve_opts_len <= sizeof p->geneve_opts && !(p->geneve_opts_len % 4));
	require(!p->outer_l3_ofs && !p->outer_l4_ofs && !p->outer_proto);
	flow_extract(p, &flow);
	require(flow.tunnel.tun_id == p->tunnel.tun_id);
}

int fuzz_tnl(enum tnl_type type, const uint8_t *data, size_t size)
{
	struct packet *p, *before;
	struct flow flow;
	uint8_t *frame;
	size_t n;

	if (size < 2 || size > 65000)
		return 0;
	n = size - 2;
	/* A block of just this size: a sanitizer sees the first byte read beyond it. */
	frame = malloc(n ? n : 1);
	p = calloc(2, sizeof *p);
	require(frame && p);
	before = p + 1;
	memcpy(frame, data + 2, n);
	packet_init(p, frame, (uint32_t)n, 0);
	p->seg_len -= data[1] < n ? data[1] : 0;
	promise(p, data[0]);
	if (!flow_extract(p, &flow)) {
		*before = *p;
		if (!tnl_header_pop(p, type, &packet_heap_ops))
			check_popped(before, p);
		else
			require(!memcmp(before, p, sizeof *p));
	}
	free(frame);
	free(p);
	return 0;
}
