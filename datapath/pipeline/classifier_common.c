/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The common mask: which changes of rules can be told by their key to the paths they matter to.
 *
 * Why it is enough. A path whose lookup looked into a subtable that has the common mask has that mask
 * in its wildcards and so depends on the key of its flow. A rule of such a subtable can match only
 * flows with the rule's own key. A path that ended before the subtable's turn found something of a
 * priority not below all that was in there; only a rule of a higher priority than any the subtable
 * had can concern it. So the first change with such a priority is wide (`announced`).
 */

#include <string.h>

#include "datapath/pipeline/classifier_private.h"
#include "lib/fatal.h"

/* So many rules make a subtable selective; so many bits are worth a key. */
#define SELECTIVE_RULES 16
#define COMMON_MIN_BITS 8

static unsigned int count_bits(const struct flow *mask)
{
	unsigned int n = 0;

	for (size_t i = 0; i < FLOW_WORDS; i++)
		n += (unsigned int)__builtin_popcountll(flow_words_const(mask)[i]);
	return n;
}

/* COMMON &= the subtable's mask. The conjunction id is not the packet's. */
static void intersect(struct flow *common, const struct cls_subtable *s)
{
	struct flow mask;

	cls_mask_expand(s->mask, &mask);
	mask.conj_id = 0;
	flow_mask_apply(common, &mask);
}

static bool mask_has(const struct cls_mask *super, const struct cls_mask *sub)
{
	uint32_t j = 0;

	for (uint32_t i = 0; i < sub->n; i++) {
		while (j < super->n && super->index[j] < sub->index[i])
			j++;
		if (j == super->n || super->index[j] != sub->index[i] ||
			sub->words[i] & ~super->words[j])
			return false;
	}
	return true;
}

void cls_common_check(struct cls_subtable *s)
{
	const struct cls_mask *common = rcu_get_protected(&s->cls->common);

	s->has_common = common && mask_has(s->mask, common);
}

/* COMMON NULL: none. */
static void publish(struct classifier *cls, const struct flow *common)
{
	struct cls_mask *old = rcu_get_protected(&cls->common), *mask = NULL;
	struct cls_subtable *s;

	if (common) {
		mask = cls_mask_create(common);
		mask->serial = cls_next_serial();
	}
	rcu_set(&cls->common, mask);
	if (old)
		rcu_defer_free(old);
	cls->common_changed = true;
	LIST_FOR_EACH (s, list_node, &cls->subtables)
		cls_common_check(s);
}

void cls_common_grown(struct cls_subtable *s)
{
	struct classifier *cls = s->cls;
	const struct cls_mask *old = rcu_get_protected(&cls->common);
	struct flow common, before;

	if (s->selective || cmap_count(&s->rules) != SELECTIVE_RULES)
		return;
	if (old)
		cls_mask_expand(old, &before);
	else
		memset(&before, 0xff, sizeof before);
	common = before;
	intersect(&common, s);
	if (count_bits(&common) < COMMON_MIN_BITS)
		return;
	s->selective = true;
	if (!flow_equal(&common, &before))
		publish(cls, &common);
}

void cls_common_gone(struct cls_subtable *s)
{
	struct classifier *cls = s->cls;
	struct cls_subtable *other;
	bool any = false;
	struct flow common;

	if (!s->selective)
		return;
	memset(&common, 0xff, sizeof common);
	LIST_FOR_EACH (other, list_node, &cls->subtables)
		if (other->selective) {
			intersect(&common, other);
			any = true;
		}
	publish(cls, any ? &common : NULL);
}

bool cls_common_is_in(const struct cls_mask *common, const struct flow *wc)
{
	const uint64_t *wc_words = flow_words_const(wc);

	if (!common)
		return false;
	for (uint32_t i = 0; i < common->n; i++)
		if (common->words[i] & ~wc_words[common->index[i]])
			return false;
	return true;
}

bool classifier_flow_key(const struct classifier *cls, const struct flow *flow,
	const struct flow *wc, uint32_t *key_hash)
{
	const struct cls_mask *common = rcu_get(&cls->common);
	uint64_t key[FLOW_WORDS];

	if (!cls_common_is_in(common, wc))
		return false;
	*key_hash = cls_mask_key(common, flow, key);
	return true;
}

bool classifier_rule_key(struct classifier *cls, struct cls_rule *rule, uint32_t *key_hash)
{
	const struct cls_mask *common = rcu_get_protected(&cls->common);
	struct cls_subtable *s = rule->subtable;
	uint64_t key[FLOW_WORDS];
	struct match match;

	if (!s || rule->priority > s->announced || cls->common_changed) {
		if (s)
			s->announced = MAX(s->announced, rule->priority);
		cls->common_changed = false;
		return false;
	}
	if (!s->has_common)
		return false;
	cls_rule_get_match(rule, &match);
	*key_hash = cls_mask_key(common, &match.flow, key);
	return true;
}
