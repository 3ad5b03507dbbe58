/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a packet: the parser stays inside them, offsets lie inside the frame, the compact
 * key expands to the very flow, and a packet composed from the flow can be parsed again.
 *
 * Input: a byte of options, a byte that says how many bytes at the end are chained, the frame.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/flow_compose.h"
#include "lib/flow_key.h"
#include "lib/flow_parse.h"
#include "tests/fuzz/fuzz.h"

#define OPT_TWO_VLANS 1
#define OPT_TUNNEL 2
#define OPT_COMPOSE 4

static void check_offsets(const struct packet *p)
{
	const uint16_t ofs[] = {p->l2_5_ofs, p->l3_ofs, p->l4_ofs};

	for (size_t i = 0; i < 3; i++)
		if (ofs[i] != PACKET_NO_OFS && ofs[i] > p->seg_len)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_limits limits;
	struct packet p, q;
	struct flow flow, again;
	struct flow_key key;
	uint8_t *frame;
	size_t n;

	if (size < 2 || size > 65000)
		return 0;
	n = size - 2;
	/* A block of just this size: a sanitizer sees the first byte read beyond it. */
	frame = malloc(n ? n : 1);
	if (!frame)
		return 0;
	memcpy(frame, data + 2, n);
	packet_init(&p, frame, (uint32_t)n, 0);
	p.seg_len -= data[1] < n ? data[1] : 0;
	limits.max_vlans = data[0] & OPT_TWO_VLANS ? 2 : 1;
	if (data[0] & OPT_TUNNEL) {
		p.tunnel.tun_id = htobe64(5);
		p.tunnel.ip_src = p.tunnel.ip_dst = htobe32(0x0a000001);
	}

	q = p;
	if (flow_extract_limits(&p, &limits, &flow) != flow_key_extract(&q, 1, &limits, &key))
		abort();
	check_offsets(&p);
	check_offsets(&q);
	flow_key_expand(&key, &again, NULL);
	if (!flow_equal(&flow, &again))
		abort();
	if (data[0] & OPT_COMPOSE) {
		struct packet *made = flow_compose(&flow, NULL, 20);

		flow_extract_limits(made, &limits, &again);
		packet_heap_ops.free(NULL, made);
	}
	free(frame);
	return 0;
}
