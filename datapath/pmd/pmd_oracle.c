/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug builds: hits are held against the interpreter. A key's mask that leaves out what some rule or action reads
 * would send packets of one flow another one's way, and nothing else would notice.
 *
 * Where subtables are ruled out by filters this is stricter than need be: one failed filter is enough, and which one a lookup
 * tells depends on filters that were asked before it and passed, which it does not tell. Two flows that are one under the mask
 * may so have read different bits for the same answer.
 */
#include <string.h>
#include <unistd.h>

#include "datapath/pmd/pmd.h"
#include "lib/fatal.h"

/* How long what control publishes may be there before its sequence number is. */
#define PATIENCE_US 100000

static bool covers(const struct flow_key *have, const struct flow_key *want, enum flow_key_class class)
{
	unsigned int n = class == FLOW_KEY_K64 ? 7 : class == FLOW_KEY_K128 ? 15 : FLOW_KEY_MAX_WORDS - 1;
	uint64_t missing = 0;

	for (unsigned int i = 0; i < n; i++)
		missing |= want->w[i] & ~have->w[i];
	return !missing;
}

/* All that OUT has looked at in a key of CLASS is in MASK. */
static bool mask_has(const struct key_mask *mask, const struct xlate_out *out, enum flow_key_class class)
{
	struct flow_key bits;
	struct flow wc;

	if (out->depth > mask->depth)
		return false;
	xlate_mask(&out->wc, out->depth, &wc);
	/* No deeper than the Ethernet header all keys are of the small class. */
	if (mask->depth < XLATE_ALL)
		class = FLOW_KEY_K64;
	key_mask_bits(&wc, class, &bits);
	return covers(&mask->bits[class], &bits, class);
}

static const char *judge(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	const struct path *path, struct xlate_out *out)
{
	if (!pmd_translate_again(pmd, in_port, key, out) || out->to_control || !out->cacheable)
		return NULL;
	if (!mask_has(pmd_key_mask(pmd, in_port->dp_port), out, flow_key_class(key)))
		return "the interpreter reads what the port's mask of keys leaves out";
	if (out->program.buf.len != path->body->program->len ||
		memcmp(out->program.buf.data, path->ops, out->program.buf.len))
		return "the interpreter comes to another program";
	return NULL;
}

const char *pmd_oracle_ask(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	const struct path *path)
{
	struct xlate_out out;
	const char *wrong;

	xlate_out_init(&out);
	wrong = judge(pmd, in_port, key, path, &out);
	xlate_out_uninit(&out);
	return wrong;
}

void pmd_oracle_check(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	const struct path *path)
{
	const char *wrong = pmd->no_oracle ? NULL : pmd_oracle_ask(pmd, in_port, key, path);

	if (!wrong)
		return;
	/* Things have changed since the burst began, and whoever did that has still to say so. */
	for (unsigned int us = 0; us < PATIENCE_US && pmd->started; us += 1000) {
		if (dep_seq() != pmd->seq)
			return;
		usleep(1000);
	}
	if (dep_seq() == pmd->seq)
		fatal("a packet that the caches know: %s", wrong);
}
