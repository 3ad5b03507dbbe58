/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug builds: hits are held against the interpreter. A key's mask that leaves out what some rule or action reads
 * would send packets of one flow another one's way, and nothing else would notice.
 *
 * Where subtables are ruled out by filters, one failed filter is enough, and which one a lookup tells depends on those that were
 * asked before it and passed, which it does not tell. Two flows that are one under the mask may so have read different bits for the
 * same answer. So bits that the mask leaves out are turned over: the answer must stay.
 */
#include <string.h>
#include <unistd.h>

#include "datapath/pmd/pmd.h"
#include "lib/fatal.h"

/* How long what control publishes may be there before its sequence number is. */
#define PATIENCE_US 100000

/* Words of keys of CLASS, but the cache's own. */
static unsigned int n_key_words(enum flow_key_class class)
{
	return class == FLOW_KEY_K64 ? 7 : class == FLOW_KEY_K128 ? 15 : FLOW_KEY_MAX_WORDS - 1;
}

/* The class whose mask KEY is under: no deeper than the Ethernet header all are of the small one. */
static enum flow_key_class class_under(const struct key_mask *mask, const struct flow_key *key)
{
	return mask->depth < XLATE_ALL ? FLOW_KEY_K64 : flow_key_class(key);
}

/* WC's bits in keys of class FROM that MASK leaves out in keys of class UNDER, which lie elsewhere. */
static void bits_left_out_elsewhere(const struct key_mask *mask, const struct flow *wc, enum flow_key_class under,
	enum flow_key_class from, struct flow_key *bits)
{
	static const struct flow nothing;
	struct flow_key always, here, there;
	struct flow one = nothing;

	memset(bits, 0, sizeof *bits);
	for (size_t i = 0; i < sizeof one; i++) {
		uint8_t byte = ((const uint8_t *)wc)[i];

		if (!byte)
			continue;
		((uint8_t *)&one)[i] = byte;
		key_mask_bits(&one, under, &here);
		key_mask_bits(&one, from, &there);
		((uint8_t *)&one)[i] = 0;
		for (unsigned int j = 0; j < n_key_words(from) && !key_mask_has(mask, under, &here); j++)
			bits->w[j] |= there.w[j];
	}
	key_mask_bits(&nothing, from, &always);
	for (unsigned int i = 0; i < n_key_words(from); i++)
		bits->w[i] &= ~always.w[i];
}

/* What OUT has looked at in KEY, and MASK leaves out. */
static void bits_left_out(const struct key_mask *mask, const struct xlate_out *out, const struct flow_key *key,
	struct flow_key *bits)
{
	enum flow_key_class class = flow_key_class(key), under = class_under(mask, key);
	struct flow wc;

	xlate_mask(&out->wc, out->depth, &wc);
	if (class != under) {
		bits_left_out_elsewhere(mask, &wc, under, class, bits);
		return;
	}
	key_mask_bits(&wc, class, bits);
	for (unsigned int i = 0; i < n_key_words(class); i++)
		bits->w[i] &= ~mask->bits[class].w[i];
}

/* PATH's program, for KEY. True, too, if nothing can be said. */
static bool is_answer(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	const struct path *path, struct xlate_out *out)
{
	out->cacheable = false;
	if (!pmd_translate_again(pmd, in_port, key, out) || out->to_control || !out->cacheable)
		return true;
	return out->program.buf.len == path->body->program->len &&
		!memcmp(out->program.buf.data, path->ops, out->program.buf.len);
}

/* Turns BITS of KEY over, word by word and all of them: true if the answer stays PATH's. */
static bool may_be_left_out(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	const struct path *path, const struct flow_key *bits, unsigned int n)
{
	struct flow_key all = *key;
	struct xlate_out out;
	bool stays = true, any = false;

	xlate_out_init(&out);
	for (unsigned int i = 0; i < n && stays; i++) {
		struct flow_key one = *key;

		one.w[i] ^= bits->w[i];
		all.w[i] ^= bits->w[i];
		any |= bits->w[i];
		stays = !bits->w[i] || is_answer(pmd, in_port, &one, path, &out);
	}
	stays = stays && (!any || is_answer(pmd, in_port, &all, path, &out));
	xlate_out_uninit(&out);
	return stays;
}

static const char *judge(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	const struct path *path, struct xlate_out *out)
{
	const struct key_mask *mask = pmd_key_mask(pmd, in_port->dp_port);
	struct flow_key bits;

	if (!is_answer(pmd, in_port, key, path, out))
		return "the interpreter comes to another program";
	if (out->to_control || !out->cacheable)
		return NULL;
	if (out->depth > mask->depth)
		return "the interpreter reads deeper than the port's mask of keys";
	bits_left_out(mask, out, key, &bits);
	if (!may_be_left_out(pmd, in_port, key, path, &bits, n_key_words(flow_key_class(key))))
		return "the interpreter reads what the port's mask of keys leaves out, and it matters";
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
