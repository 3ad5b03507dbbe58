/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way of misses: where a rule of the first table says all, what it says was translated before and
 * what was looked at is remembered by the lookup's trace. So most of a flood of new flows is dealt with from
 * key to path without wildcards, without a program and without a struct packet.
 */
#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "datapath/pmd/pmd.h"
#include "lib/hash.h"

/* ------------------------------------------------------------------ what was looked at */

static bool trace_equal(const struct cls_trace *a, const struct cls_trace *b)
{
	return a->order == b->order && a->common == b->common && a->atoms == b->atoms &&
		a->subtables[0] == b->subtables[0] && a->subtables[1] == b->subtables[1];
}

static struct pmd_look *look_at(struct pmd *pmd, const struct xlate_look *look)
{
	uint64_t hash = hash_fold(look->trace.subtables[0] ^ UINT64_C(0xa0761d6478bd642f),
		look->trace.atoms ^ UINT64_C(0xe7037ed1a0b428db));

	hash = hash_fold(hash ^ look->trace.subtables[1], look->shape ^ UINT64_C(0x8ebc6af09c88c6e3));
	return &pmd->plain.looks[hash % PMD_LOOKS];
}

static void fill_bits(struct pmd_look *known, const struct flow *wc, enum flow_key_class class)
{
	struct flow_key bits;
	struct flow mask;

	xlate_mask(wc, known->depth, &mask);
	key_mask_bits(&mask, class, &bits);
	memcpy(known->bits, bits.w, sizeof known->bits);
	if (known->depth == XLATE_ALL)
		return;
	key_mask_bits(&mask, FLOW_KEY_K64, &bits);
	memcpy(known->small, bits.w, sizeof known->small);
}

/* What LOOK at a key of CLASS has read; NULL: the table is changing just now. */
static struct pmd_look *know_look(struct pmd *pmd, const struct xlate_in *in, const struct xlate_look *look,
	enum flow_key_class class)
{
	struct pmd_look *known = look_at(pmd, look);
	struct flow wc;

	if (likely(trace_equal(&known->trace, &look->trace) && known->shape == look->shape &&
		    known->class == class))
		return known;
	known->trace.order = 0;
	if (!xlate_look_wildcards(in, look, &wc, &known->depth, &known->has_key))
		return NULL;
	fill_bits(known, &wc, class);
	known->shape = look->shape;
	known->class = class;
	known->epoch = 0;
	known->trace = look->trace;
	return known;
}

/* ------------------------------------------------------------------ what need not be known */

static bool cover_is(const struct pmd_cover *cover, const struct xlate_look *look, enum flow_key_class class,
	dp_port_t port, uint64_t epoch)
{
	return cover->order == look->trace.order && cover->common == look->trace.common &&
		cover->shape == look->shape && cover->class == class && cover->port == port &&
		cover->epoch == epoch;
}

/* MASK has all of what lookups like LOOK, by the same table as it is now, may ever read. */
static bool mask_has_all(const struct key_mask *mask, const struct xlate_in *in, const struct xlate_look *look,
	enum flow_key_class class)
{
	struct xlate_look all = *look;
	enum xlate_depth depth;
	struct flow_key bits;
	struct flow wc, deep;
	bool has_key;

	cls_trace_all(&all.trace);
	if (mask->depth < XLATE_ALL || !xlate_look_wildcards(in, &all, &wc, &depth, &has_key))
		return false;
	xlate_mask(&wc, depth, &deep);
	key_mask_bits(&deep, class, &bits);
	return key_mask_has(mask, class, &bits);
}

/* Tables of many masks are read in thousands of ways. Once the port's mask has them all, it does not matter which of
 * them LOOK was: nothing is to be added to it, and the table's second dependency follows from the trace. */
static bool is_covered(struct pmd *pmd, const struct xlate_in *in, const struct xlate_look *look,
	enum flow_key_class class)
{
	dp_port_t port = in->in_port->dp_port;
	const struct key_mask *mask = pmd_key_mask(pmd, port);
	struct pmd_cover *cover = &pmd->plain.covers[(look->trace.order + look->shape + port * 8u + class) %
		PMD_COVERS];

	if (mega_wants(&pmd->mega) || (look->trace.common && !look->trace.atoms))
		return false;
	if (unlikely(!cover_is(cover, look, class, port, mask->epoch)))
		*cover = (struct pmd_cover){
			.order = look->trace.order,
			.common = look->trace.common,
			.epoch = mask->epoch,
			.shape = look->shape,
			.class = class,
			.port = port,
			.is_all = mask_has_all(mask, in, look, class),
		};
	return cover->is_all;
}

/* ------------------------------------------------------------------ what it led to */

static struct pmd_plain *plain_at(struct pmd *pmd, const struct pmd_plain *plain)
{
	return &pmd->plain.paths[hash_pointer(plain->rule, (uint32_t)plain->in_port << 16 | plain->deps[1]) %
		PMD_PLAINS];
}

static bool plain_is(const struct pmd_plain *a, const struct pmd_plain *b)
{
	return a->rule == b->rule && a->in_port == b->in_port && a->deps[0] == b->deps[0] &&
		a->deps[1] == b->deps[1] && a->n_deps == b->n_deps;
}

/* One by one: a struct made elsewhere and copied is read again before its parts have come together. */
static void fill_plain(struct pmd_plain *plain, const struct pmd_miss *miss, const struct xlate_look *look,
	bool has_key)
{
	uint32_t bridge = miss->in_port->bridge->id;

	plain->rule = look->rule;
	plain->in_port = miss->in_port->dp_port;
	plain->n_deps = has_key ? 2 : 1;
	plain->deps[0] = dep_table(bridge, 0);
	plain->deps[1] = has_key ? dep_table_key(bridge, 0, look->trace.key_hash) : 0;
}

/* Pipelines of many tables hardly have any such rule: not every flow is looked up in vain. */
static void be_patient(struct pmd *pmd)
{
	pmd->plain.failures = MIN(pmd->plain.failures * 2 + 1, PMD_PLAIN_MAX_PAUSE);
	pmd->plain.pause = pmd->plain.failures;
}

/* ------------------------------------------------------------------ both */

/* MASK, PORT's, gets all that KNOWN needs. */
static void widen(struct key_mask *mask, struct pmd_look *known, dp_port_t port)
{
	struct flow_key bits;

	memcpy(bits.w, known->bits, sizeof known->bits);
	known->is_all = key_mask_need(mask, known->depth, known->class, &bits);
	if (mask->depth < XLATE_ALL) {
		memcpy(bits.w, known->small, sizeof known->small);
		key_mask_need(mask, known->depth, FLOW_KEY_K64, &bits);
	}
	known->epoch = mask->epoch;
	known->port = port;
}

/* The exact cache learns that MISS leads to REF; as pmd_translate.c's remember(), but what is needed is KNOWN, or there
 * (NULL). */
static void remember(struct pmd *pmd, struct pmd_miss *miss, struct pmd_look *known, struct exact_ref ref)
{
	dp_port_t port = miss->in_port->dp_port;
	struct key_mask *mask = pmd_key_mask(pmd, port);
	struct flow_key bits;

	if (known && unlikely(known->epoch != mask->epoch || known->port != port))
		widen(mask, known, port);
	pmd_insert(pmd, miss, ref);
	if (known && !known->is_all && mega_wants(&pmd->mega)) {
		memcpy(bits.w, known->bits, sizeof known->bits);
		mega_insert(&pmd->mega, pmd->paths, miss->key, &bits, ref);
	}
}

/* The flow of MISS; WHOLE is room for it. */
static const struct flow *expand(struct pmd *pmd, const struct pmd_miss *miss, struct flow *whole)
{
	if (likely(flow_key_class(miss->key) == FLOW_KEY_K64)) {
		whole = &pmd->plain.flow;
		flow_key_expand_small(miss->key, whole);
	} else {
		flow_key_expand(miss->key, whole, NULL);
	}
	whole->in_port = miss->in_port->ofp_port;
	whole->actset_output = OFPP_UNSET;
	return whole;
}

struct path *pmd_plain_find(struct pmd *pmd, struct pmd_miss *miss, struct pmd_plain *plain)
{
	struct xlate_in in = {
		.version = pmd->version,
		.bridge = miss->in_port->bridge,
		.in_port = miss->in_port,
	};
	enum flow_key_class class = flow_key_class(miss->key);
	const struct pmd_plain *before;
	struct pmd_look *known = NULL;
	struct xlate_look look;
	struct path *path;
	struct flow whole;

	plain->rule = NULL;
	if (pmd->no_caches || class == FLOW_KEY_KL)
		return NULL;
	if (pmd->plain.pause) {
		pmd->plain.pause--;
		return NULL;
	}
	in.flow = expand(pmd, miss, &whole);
	if (!xlate_look(&in, &look) ||
		(!is_covered(pmd, &in, &look, class) && !(known = know_look(pmd, &in, &look, class)))) {
		be_patient(pmd);
		return NULL;
	}
	fill_plain(plain, miss, &look, known ? known->has_key : look.trace.common != 0);
	before = plain_at(pmd, plain);
	path = &pmd->paths[before->ref.slot];
	if (likely(plain_is(before, plain) && path_generation(path) == before->ref.generation &&
		    path_is_valid(path, pmd->seq))) {
		pmd->plain.failures = 0;
		remember(pmd, miss, known, before->ref);
		return path;
	}
	if (!xlate_look_decides(&in, &look)) {
		plain->rule = NULL;
		be_patient(pmd);
	}
	return NULL;
}

void pmd_plain_learn(struct pmd *pmd, const struct pmd_plain *plain, struct exact_ref ref)
{
	struct pmd_plain *at = plain_at(pmd, plain);

	*at = *plain;
	at->ref = ref;
}
