/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/resume.h"

#include <string.h>

#include "lib/fatal.h"

void resume_to_continuation(const struct op_resume *resume, struct packet_in_continuation *continuation)
{
	memset(continuation, 0, sizeof *continuation);
	memcpy(continuation->bridge, &resume->bridge, sizeof resume->bridge);
	continuation->table_id = resume->table_id;
	continuation->cookie = BE64_MAX;
	continuation->acts = (const struct act *)(const void *)(resume + 1);
	continuation->acts_len = resume->acts_len;
	continuation->odp_port = OFPP_NONE;
}

struct op_resume *resume_from_decoded(const struct packet_in_decoded *d, const struct pl_bridge *bridge)
{
	const struct packet_in_continuation *c = &d->continuation;
	struct op_resume *resume;
	const struct pl_port *port = pl_port_from_ofp(pl_bridge_conf(bridge), d->match.flow.in_port);
	uint32_t id;

	memcpy(&id, c->bridge, sizeof id);
	if (id != bridge->id)
		return NULL;
	resume = xcalloc(1, sizeof *resume + c->acts_len);
	resume->op.type = OP_RESUME;
	resume->bridge = id;
	resume->table_id = c->table_id;
	resume->acts_len = (uint32_t)c->acts_len;
	resume->metadata = d->match.flow;
	if (c->acts_len)
		memcpy(resume + 1, c->acts, c->acts_len);
	if (port)
		resume->in_port = port->dp_port;
	return resume;
}
