/* SPDX-License-Identifier: Apache-2.0 */

/* Control's questions: exact rules, overlaps, loose matches, walks. */

#include <string.h>

#include "datapath/pipeline/classifier_private.h"

struct cls_rule *classifier_find_exactly(const struct classifier *cls, const struct match *match,
	int priority, version_t version)
{
	struct cls_subtable *s = cls_find_subtable(cls, &match->mask);
	uint64_t key[FLOW_WORDS];
	struct cls_rule *rule;

	if (!s)
		return NULL;
	CMAP_FOR_EACH_WITH_HASH (rule, node, cls_mask_key(s->mask, &match->flow, key), &s->rules)
		if (rule->priority == priority && versions_visible(&rule->versions, version) &&
			cls_key_equal(rule->key, key, s->mask->n))
			return rule;
	return NULL;
}

/* No packet can match both: they want different values of a bit. */
static bool is_disjoint(const struct cls_rule *rule, const struct match *match)
{
	const struct cls_mask *mask = rule->subtable->mask;

	for (uint32_t i = 0; i < mask->n; i++) {
		uint8_t w = mask->index[i];

		if ((rule->key[i] ^ flow_words_const(&match->flow)[w]) & mask->words[i] &
			flow_words_const(&match->mask)[w])
			return true;
	}
	return false;
}

struct cls_rule *classifier_find_overlap(const struct classifier *cls, const struct match *match,
	int priority, version_t version)
{
	struct cls_subtable *s;
	struct cls_rule *rule;

	LIST_FOR_EACH (s, list_node, &cls->subtables) {
		if (!cls_has_priority(s, priority))
			continue;
		LIST_FOR_EACH (rule, list, &s->list)
			if (rule->priority == priority && !is_disjoint(rule, match) &&
				versions_visible(&rule->versions, version))
				return rule;
	}
	return NULL;
}

void cls_rule_get_match(const struct cls_rule *rule, struct match *match)
{
	const struct cls_mask *mask = rule->subtable->mask;

	memset(match, 0, sizeof *match);
	for (uint32_t i = 0; i < mask->n; i++) {
		flow_words(&match->flow)[mask->index[i]] = rule->key[i];
		flow_words(&match->mask)[mask->index[i]] = mask->words[i];
	}
}

/* Rules of S can be a loose match: they say something about every bit of CRITERIA. */
static bool subtable_is_loose(const struct cls_subtable *s, const struct match *criteria)
{
	const uint64_t *words = flow_words_const(&criteria->mask);
	uint32_t j = 0;

	for (size_t i = 0; i < FLOW_WORDS; i++) {
		if (!words[i])
			continue;
		while (j < s->mask->n && s->mask->index[j] < i)
			j++;
		if (j == s->mask->n || s->mask->index[j] != i || words[i] & ~s->mask->words[j])
			return false;
	}
	return true;
}

/* ... and RULE, of such a subtable, is one. */
static bool rule_is_loose(const struct cls_rule *rule, const struct match *criteria)
{
	const struct cls_mask *mask = rule->subtable->mask;

	for (uint32_t i = 0; i < mask->n; i++) {
		uint8_t w = mask->index[i];

		if ((rule->key[i] ^ flow_words_const(&criteria->flow)[w]) &
			flow_words_const(&criteria->mask)[w])
			return false;
	}
	return true;
}

bool cls_rule_is_loose_match(const struct cls_rule *rule, const struct match *criteria)
{
	return subtable_is_loose(rule->subtable, criteria) && rule_is_loose(rule, criteria);
}

/* ------------------------------------------------------------------ cursors */

/* The first rule of a subtable from POS on that CURSOR is interested in. */
static struct cls_rule *first_from(const struct cls_cursor *cursor, const struct list *pos)
{
	for (; pos != &cursor->cls->subtables; pos = pos->next) {
		struct cls_subtable *s = container_of(pos, struct cls_subtable, list_node);

		if (!cursor->criteria || subtable_is_loose(s, cursor->criteria))
			return container_of(s->list.next, struct cls_rule, list);
	}
	return NULL;
}

static struct cls_rule *rule_after(const struct cls_cursor *cursor, const struct cls_rule *rule)
{
	if (rule->list.next != &rule->subtable->list)
		return container_of(rule->list.next, struct cls_rule, list);
	return first_from(cursor, rule->subtable->list_node.next);
}

void cls_cursor_init(struct cls_cursor *cursor, struct classifier *cls, const struct match *criteria,
	version_t version)
{
	*cursor = (struct cls_cursor){.cls = cls, .criteria = criteria, .version = version};
	list_push_back(&cls->cursors, &cursor->node);
	cursor->next = first_from(cursor, cls->subtables.next);
}

struct cls_rule *cls_cursor_next(struct cls_cursor *cursor)
{
	struct cls_rule *rule;

	while ((rule = cursor->next) != NULL) {
		cursor->next = rule_after(cursor, rule);
		if (versions_visible(&rule->versions, cursor->version) &&
			(!cursor->criteria || rule_is_loose(rule, cursor->criteria)))
			return rule;
	}
	cls_cursor_uninit(cursor);
	return NULL;
}

void cls_cursor_uninit(struct cls_cursor *cursor)
{
	cursor->next = NULL;
	list_remove(&cursor->node);
}

void cls_cursors_skip(struct classifier *cls, struct cls_rule *rule)
{
	struct cls_cursor *cursor;

	LIST_FOR_EACH (cursor, node, &cls->cursors)
		if (cursor->next == rule)
			cursor->next = rule_after(cursor, rule);
}
