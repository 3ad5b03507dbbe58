/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "lib/fatal.h"
#include "ofproto/agent/connmgr.h"
#include "ofproto/ofproto_private.h"
#include "ofproto/state/flow_mod.h"
#include "ofproto/text/flow_text.h"
#include "ofproto/wire/action.h"

static enum ofp_error check_acts(struct flow_mod *fm)
{
	struct act_check check = {
		.match = &fm->match,
		.table_id = fm->table_id == OFP_TABLE_ALL ? 0 : fm->table_id,
		.n_tables = OFP_N_TABLES,
		.consistent = true,
	};

	return act_check(flow_mod_acts(fm), flow_mod_acts_len(fm), &check);
}

int ofproto_add_flow_text(struct ofproto *ofproto, const char *text, char **error)
{
	struct port_names names;
	enum ofp_error refused;
	struct flow_mod fm;
	int retval;

	ofproto_use_tlv_map(ofproto);
	ofproto_port_names(ofproto, &names);
	retval = flow_text_parse(text, &names, &fm, error);
	if (!retval) {
		refused = check_acts(&fm);
		if (!refused)
			refused = of_flow_mod(&ofproto->state, &fm, NULL);
		if (refused) {
			*error = xasprintf("%s: %s", text, ofp_error_name(refused));
			retval = -EINVAL;
		}
		flow_mod_uninit(&fm);
	}
	ofproto_use_tlv_map(NULL);
	return retval;
}

static void add_usage(struct shash *usage, const char *name, uint64_t n)
{
	uint64_t *value = shash_get(usage, name);

	if (!value) {
		value = xcalloc(1, sizeof *value);
		shash_put(usage, name, value);
	}
	*value += n;
}

/* Of the first rules of TABLE, so many that it takes no time. */
#define SAMPLE 64

static void sample_rules(const struct of_table *table, uint64_t *bytes, uint64_t *n)
{
	struct cls_cursor cursor;
	struct cls_rule *cr;

	if (!table->n_flows)
		return;
	cls_cursor_init(&cursor, table->pl->cls, NULL, version_get());
	for (unsigned int i = 0; i < SAMPLE && (cr = cls_cursor_next(&cursor)) != NULL; i++) {
		*bytes += of_rule_memory(of_rule_from_cls(cr));
		++*n;
	}
	cls_cursor_uninit(&cursor);
}

void ofproto_memory_usage(struct shash *usage)
{
	uint64_t bytes = 0, n_sampled = 0;
	struct shash_node *node;

	SHASH_FOR_EACH (node, &ofproto_globals.all) {
		struct ofproto *ofproto = node->data;
		uint64_t n_rules = 0;

		for (unsigned int i = 0; i < PL_N_TABLES; i++) {
			n_rules += ofproto->state.tables[i].n_flows;
			sample_rules(&ofproto->state.tables[i], &bytes, &n_sampled);
		}
		add_usage(usage, "rules", n_rules);
		add_usage(usage, "ports", hmap_count(&ofproto->ports));
		add_usage(usage, "ofconns", list_size(connmgr_sessions(ofproto->mgr)));
	}
	add_usage(usage, "bytes per rule", n_sampled ? bytes / n_sampled : 0);
}
