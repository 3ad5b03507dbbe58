/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/resume.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/hmap.h"
#include "lib/list.h"
#include "lib/util.h"

struct kept {
	struct hmap_node node;
	struct list lru;	/* Oldest first. */
	uint64_t ticket;
	size_t len;
	struct op_resume *resume;
};

static struct hmap tickets = HMAP_INITIALIZER;
static struct list oldest = LIST_INITIALIZER(&oldest);

static void kept_destroy(struct kept *kept)
{
	hmap_remove(&tickets, &kept->node);
	list_remove(&kept->lru);
	free(kept->resume);
	free(kept);
}

static size_t resume_len(const struct op_resume *resume)
{
	return sizeof *resume + ROUND_UP(resume->acts_len, OP_ALIGN) +
		ROUND_UP(resume->stack_len, OP_ALIGN) + ROUND_UP(resume->action_set_len, OP_ALIGN);
}

static uint64_t new_ticket(void)
{
	uint64_t ticket;

	if (getrandom(&ticket, sizeof ticket, 0) != sizeof ticket)
		fatal("getrandom failed");
	return ticket;
}

void resume_keep(const struct op_resume *resume, struct packet_in_continuation *continuation)
{
	struct kept *kept = xcalloc(1, sizeof *kept);

	if (hmap_count(&tickets) >= RESUME_MAX)
		kept_destroy(LIST_TO(list_front(&oldest), struct kept, lru));
	kept->ticket = new_ticket();
	kept->len = resume_len(resume);
	kept->resume = xmemdup(resume, kept->len);
	hmap_insert(&tickets, &kept->node, hash_u64(kept->ticket, 0));
	list_push_back(&oldest, &kept->lru);

	memset(continuation, 0, sizeof *continuation);
	memcpy(continuation->bridge, &kept->ticket, sizeof kept->ticket);
	continuation->table_id = resume->table_id;
	continuation->cookie = BE64_MAX;
	continuation->odp_port = OFPP_NONE;
}

static struct kept *kept_find(uint64_t ticket)
{
	struct kept *kept;

	HMAP_FOR_EACH_WITH_HASH (kept, node, hash_u64(ticket, 0), &tickets)
		if (kept->ticket == ticket)
			return kept;
	return NULL;
}

/* Fields that a controller sees are as it says; a field that it leaves out is zero. */
static void set_metadata(struct flow *metadata, const struct flow *said)
{
	metadata->metadata = said->metadata;
	memcpy(metadata->regs, said->regs, sizeof metadata->regs);
	metadata->in_port = said->in_port;
	metadata->pkt_mark = said->pkt_mark;
	metadata->tunnel = said->tunnel;
	metadata->tun_metadata = said->tun_metadata;
}

struct op_resume *resume_take(const struct packet_in_decoded *d, const struct pl_bridge *bridge)
{
	struct op_resume *resume;
	struct kept *kept;
	uint64_t ticket;

	memcpy(&ticket, d->continuation.bridge, sizeof ticket);
	kept = kept_find(ticket);
	if (!kept || kept->resume->bridge != bridge->id)
		return NULL;
	resume = xmemdup(kept->resume, kept->len);
	set_metadata(&resume->metadata, &d->match.flow);
	return resume;
}

void resume_forget(const struct pl_bridge *bridge)
{
	struct kept *kept;

	LIST_FOR_EACH_SAFE (kept, lru, &oldest)
		if (!bridge || kept->resume->bridge == bridge->id)
			kept_destroy(kept);
}
