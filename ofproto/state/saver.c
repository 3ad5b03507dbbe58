/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/saver.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "ofproto/state/snapshot.h"

#define RULES_A_STEP 200

struct section {
	char *id;
	struct of_rules rules;	/* NULL: written already. */
	size_t next;
	struct sbuf early;	/* Flows that went before their turn. */
};

struct of_saver {
	struct sbuf head;
	VEC(struct section) sections;
	size_t current;
	int64_t now_ms;
	bool head_written;
};

static struct of_saver *running;

struct of_saver *of_saver_create(const char *boot)
{
	struct of_saver *saver = xcalloc(1, sizeof *saver);

	saver->now_ms = clock_ms();
	sbuf_putf(&saver->head, "sluice-snapshot 2\nboot %s\n", boot);
	running = saver;
	return saver;
}

void of_saver_destroy(struct of_saver *saver)
{
	struct section *section;

	if (!saver)
		return;
	VEC_FOR_EACH (section, &saver->sections) {
		for (size_t i = 0; i < section->rules.v.n; i++)
			if (section->rules.v.items[i])
				section->rules.v.items[i]->saved_slot = 0;
		of_rules_uninit(&section->rules);
		sbuf_uninit(&section->early);
		free(section->id);
	}
	vec_uninit(&saver->sections);
	sbuf_uninit(&saver->head);
	free(saver);
	running = NULL;
}

static void put_ports(struct of_saver *saver, const struct shash *ports)
{
	struct shash_node **nodes = shash_sort(ports);

	for (size_t i = 0; i < shash_count(ports); i++)
		sbuf_putf(&saver->head, "port %lu %s\n",
			(unsigned long)(uintptr_t)nodes[i]->data, nodes[i]->name);
	free(nodes);
}

void of_saver_add(struct of_saver *saver, const char *id, const struct of_state *state,
	const struct shash *ports)
{
	struct section *section = vec_push_zero(&saver->sections);
	struct of_criteria criteria;

	section->id = xstrdup(id);
	sbuf_putf(&saver->head, "bridge %s %s\n", id, state->bridge->name);
	put_ports(saver, ports);
	of_snapshot_put_rest(state, &saver->head, saver->now_ms);
	of_criteria_init(&criteria);
	of_state_collect(state, &criteria, &section->rules);
	for (size_t i = 0; i < section->rules.v.n; i++)
		section->rules.v.items[i]->saved_slot = (uint32_t)i + 1;
}

struct sbuf *of_saver_rest(struct of_saver *saver)
{
	return &saver->head;
}

/* ------------------------------------------------------------------ writing */

static void put_rule(struct of_saver *saver, struct of_rule *rule, struct sbuf *out)
{
	const struct field_tlv_map *old = field_tlv_use(atomic_load_explicit(
		&rule->state->bridge->tun_table, memory_order_relaxed));

	of_snapshot_put_rule(rule, out, saver->now_ms);
	rule->saved_slot = 0;
	field_tlv_use(old);
}

/* False: the section is complete. */
static bool section_step(struct of_saver *saver, struct section *section, struct sbuf *out)
{
	size_t end = MIN(section->next + RULES_A_STEP, section->rules.v.n);

	if (!section->next)
		sbuf_putf(out, "flows %s\n", section->id);
	for (; section->next < end; section->next++) {
		struct of_rule **rule = &section->rules.v.items[section->next];

		if (*rule)
			put_rule(saver, *rule, out);
		*rule = NULL;
	}
	if (section->next < section->rules.v.n)
		return true;
	sbuf_put(out, section->early.data, section->early.len);
	return false;
}

bool of_saver_step(struct of_saver *saver, struct sbuf *out)
{
	if (!saver->head_written) {
		sbuf_put(out, saver->head.data, saver->head.len);
		saver->head_written = true;
	}
	if (saver->current >= saver->sections.n)
		return false;
	if (!section_step(saver, &saver->sections.items[saver->current], out))
		saver->current++;
	return saver->current < saver->sections.n;
}

void of_saver_rule_goes(struct of_rule *rule)
{
	struct section *section;
	uint32_t slot = rule->saved_slot - 1;

	VEC_FOR_EACH (section, &running->sections) {
		if (slot >= section->rules.v.n || section->rules.v.items[slot] != rule)
			continue;
		put_rule(running, rule, &section->early);
		section->rules.v.items[slot] = NULL;
	}
}
