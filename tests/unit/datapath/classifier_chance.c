/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/datapath/classifier_chance.h"

#include <string.h>

uint64_t cls_rng_state;

uint32_t cls_rnd(uint32_t n)
{
	cls_rng_state = cls_rng_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(cls_rng_state >> 33) % n;
}

static void random_mask(struct flow *mask)
{
	static const uint32_t prefixes[] = {0, 0, 0xff000000, 0xffff0000, 0xfffffff0, 0xffffffff};

	memset(mask, 0, sizeof *mask);
	mask->nw_src = htobe32(prefixes[cls_rnd(6)]);
	if (!cls_rnd(3))
		mask->nw_dst = htobe32(prefixes[cls_rnd(6)]);
	if (!cls_rnd(3))
		mask->in_port = UINT32_MAX;
	if (!cls_rnd(3))
		mask->tp_dst = BE16_MAX;
	if (!cls_rnd(4))
		mask->regs[1] = 0x3;
	if (!cls_rnd(6))
		memset(&mask->dl_dst, 0xff, 6);
}

void cls_random_flow(struct flow *flow)
{
	static const uint32_t addresses[] = {0x0a000001, 0x0a000002, 0x0a000011, 0x0a010001,
		0x0b000001};

	memset(flow, 0, sizeof *flow);
	flow->nw_src = htobe32(addresses[cls_rnd(5)]);
	flow->nw_dst = htobe32(addresses[cls_rnd(5)]);
	flow->in_port = 1 + cls_rnd(3);
	flow->tp_dst = htobe16((uint16_t)(80 + cls_rnd(2)));
	flow->regs[1] = cls_rnd(4);
	flow->dl_dst.b[5] = (uint8_t)cls_rnd(2);
}

void cls_random_match(struct match *match)
{
	random_mask(&match->mask);
	cls_random_flow(&match->flow);
	flow_mask_apply(&match->flow, &match->mask);
}
