/* SPDX-License-Identifier: Apache-2.0 */

/* learn: what it computes, and when it is asked for. */

#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "lib/field.h"
#include "tests/unit/datapath/xlate_fixture.h"

static struct fx *fx;
static struct pl_bridge *br;
static struct act_learn *learn;
static struct act_builder *acts;

/* Neutron's: by VLAN and source to a destination rule with its tunnel key and port. */
static int setup(void **state)
{
	struct act_learn_spec *spec;

	fx = fx_create();
	br = fx_bridge(fx, "br0", 4);
	acts = fx_acts();
	learn = act_put(acts, ACT_LEARN, sizeof *learn + 4 * sizeof *spec);
	learn->table_id = 20;
	learn->priority = 1;
	learn->hard_timeout = 300;
	learn->cookie = htobe64(0x77);
	learn->n_specs = 4;
	spec = learn->specs;
	spec[0].n_bits = 12;
	spec[0].src = spec[0].dst = fx_subfield("NXM_OF_VLAN_TCI[0..11]");
	spec[1].n_bits = 48;
	spec[1].src = fx_subfield("NXM_OF_ETH_SRC[]");
	spec[1].dst = fx_subfield("NXM_OF_ETH_DST[]");
	spec[2].src_type = ACT_LEARN_SRC_IMMEDIATE;
	spec[2].dst_type = ACT_LEARN_DST_LOAD;
	spec[2].n_bits = 8;
	spec[2].dst = fx_subfield("NXM_NX_REG0[8..15]");
	spec[2].imm.b[0] = 0xaa;
	spec[3].dst_type = ACT_LEARN_DST_OUTPUT;
	spec[3].n_bits = 16;
	spec[3].src = fx_subfield("NXM_OF_IN_PORT[]");
	return 0;
}

static int teardown(void **state)
{
	fx_destroy(fx);
	return 0;
}

static void add_rule(void)
{
	fx_output(acts, 2);
	fx_rule(fx, br, 0, 10, "", acts);
}

static void feed(struct fx_packet p)
{
	fx_send(fx, br, 1, p.data, p.len);
}

/* A flow can match all of a field that has no mask, or nothing of it. */
static void no_part_of_a_field_without_mask(void **state)
{
	learn->specs[0].dst = fx_subfield("OXM_OF_IN_PORT[0..11]");
	learn->specs[3].dst_type = ACT_LEARN_DST_MATCH;
	learn->specs[3].src = learn->specs[3].dst = fx_subfield("NXM_OF_ETH_TYPE[]");
	add_rule();
	feed(fx_udp(1, 2));
	assert_int_equal(fx->n_rules_learned, 1);
	assert_int_equal(fx->learned_match.mask.in_port, 0);
	assert_int_equal(fx->learned_match.flow.dl_dst.b[5], 1);
	assert_int_equal(fx->learned_match.mask.dl_type, UINT16_MAX);
	assert_int_equal(fx->learned_match.flow.dl_type, htobe16(0x0800));
}

static void computes_match_and_actions(void **state)
{
	const struct act *act;
	const struct act_set_field *set;

	add_rule();
	feed(fx_vlan(fx_udp(1, 2), 0x8100, 0x6005));
	assert_int_equal(fx->n_rules_learned, 1);
	assert_int_equal(fx->learned_match.flow.vlans[0].tci, htobe16(5));
	assert_int_equal(fx->learned_match.mask.vlans[0].tci, htobe16(0xfff));
	assert_int_equal(fx->learned_match.flow.dl_dst.b[5], 1);
	assert_int_equal(fx->learned_match.mask.dl_dst.b[0], 0xff);
	assert_int_equal(fx->learned_match.mask.dl_src.b[0], 0);

	act = (const struct act *)(const void *)fx->learned_acts;
	assert_int_equal(act->type, ACT_SET_FIELD);
	assert_int_equal(act->raw, ACT_RAW_NX_REG_LOAD);
	set = (const struct act_set_field *)act;
	assert_memory_equal(act_set_field_value(set), "\0\0\xaa\0", 4);
	assert_memory_equal(act_set_field_mask(set), "\0\0\xff\0", 4);
	act = act_next(act);
	assert_int_equal(act->type, ACT_OUTPUT);
	assert_int_equal(((const struct act_output *)act)->port, 1);
	assert_ptr_equal(act_next(act), act_end((const struct act *)(const void *)fx->learned_acts,
		fx->learned_acts_len));
	assert_int_equal(fx_count(fx, br, 2), 1);
	assert_false(fx->out.cacheable);
}

static void fin_timeouts_come_first(void **state)
{
	learn->fin_idle_timeout = 5;
	add_rule();
	feed(fx_udp(1, 2));
	assert_int_equal(((const struct act *)(const void *)fx->learned_acts)->type,
		ACT_FIN_TIMEOUT);
}

/* The rule as the first packet learned it. */
static struct pl_rule *insert_learned(void)
{
	struct pl_rule *rule = calloc(1, sizeof *rule);

	rule->table_id = 20;
	rule->cookie = htobe64(0x77);
	rule->refresh = counter_alloc();
	pl_rule_set_actions(br, rule, pl_actions_create(
		(const struct act *)(const void *)fx->learned_acts, fx->learned_acts_len));
	pl_rule_insert(br, rule, &fx->learned_match, 1, version_next());
	version_publish();
	pl_rule_changed(br, rule);
	fx->rule_bridges[fx->n_rules] = br;
	fx->rules[fx->n_rules++] = rule;
	return rule;
}

static void known_rule_is_only_refreshed(void **state)
{
	struct pl_rule *rule;
	uint32_t seq;

	add_rule();
	feed(fx_udp(1, 2));
	rule = insert_learned();
	feed(fx_udp(1, 2));
	assert_int_equal(fx->n_rules_learned, 0);
	assert_int_equal(fx->out.n_refreshes, 1);
	assert_int_equal(fx->out.refreshes[0], rule->refresh);
	assert_true(fx->out.cacheable);
	/* Another source is another rule. */
	feed(fx_udp(3, 2));
	assert_int_equal(fx->n_rules_learned, 1);
	/* When it goes, the path that refreshed it must know. */
	feed(fx_udp(1, 2));
	seq = fx->out.seq;
	assert_true(dep_is_valid(seq, fx->out.deps, fx->out.n_deps));
	pl_rule_hide(br, rule, version_next());
	version_publish();
	pl_rule_changed(br, rule);
	assert_false(dep_is_valid(seq, fx->out.deps, fx->out.n_deps));
	feed(fx_udp(1, 2));
	assert_int_equal(fx->n_rules_learned, 1);
}

static void other_actions_or_cookie_are_written_over(void **state)
{
	struct pl_rule *rule;

	add_rule();
	feed(fx_udp(1, 2));
	rule = insert_learned();
	atomic_store(&rule->cookie, htobe64(0x78));
	feed(fx_udp(1, 2));
	assert_int_equal(fx->n_rules_learned, 1);
	atomic_store(&rule->cookie, htobe64(0x77));
	/* The same address at another port. */
	struct fx_packet p = fx_udp(1, 2);

	fx_send(fx, br, 3, p.data, p.len);
	assert_int_equal(fx->n_rules_learned, 1);
}

static void deferred_packet_does_nothing_here(void **state)
{
	fx->learn_answer = XLATE_LEARN_DEFER;
	add_rule();
	fx->check_wildcards = false;
	feed(fx_udp(1, 2));
	assert_true(fx->out.to_control);
	assert_int_equal(fx->n_frames, 0);
	assert_int_equal(program_len(&fx->out.program), 0);
}

static void result_of_a_limit(void **state)
{
	learn->limit = 1;
	learn->flags = ACT_LEARN_WRITE_RESULT;
	learn->result_dst = fx_subfield("NXM_NX_REG5[0]");
	fx->learn_written = false;
	fx_resubmit(acts, 1);
	add_rule();
	struct act_builder *b = fx_acts();

	fx_output(b, 3);
	fx_rule(fx, br, 1, 10, "reg5=0", b);
	b = fx_acts();
	fx_output(b, 4);
	fx_rule(fx, br, 1, 10, "reg5=1", b);
	feed(fx_udp(1, 2));
	assert_int_equal(fx_count(fx, br, 3), 1);
	fx->learn_written = true;
	feed(fx_udp(1, 2));
	assert_int_equal(fx_count(fx, br, 4), 1);
}

static void output_of_what_is_no_port(void **state)
{
	learn->specs[3].src = fx_subfield("NXM_NX_REG1[0..15]");
	fx_load(acts, "NXM_NX_REG1[]", 0);
	add_rule();
	feed(fx_udp(1, 2));
	assert_int_equal(fx->n_rules_learned, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(computes_match_and_actions, setup, teardown),
		cmocka_unit_test_setup_teardown(no_part_of_a_field_without_mask, setup, teardown),
		cmocka_unit_test_setup_teardown(fin_timeouts_come_first, setup, teardown),
		cmocka_unit_test_setup_teardown(known_rule_is_only_refreshed, setup, teardown),
		cmocka_unit_test_setup_teardown(other_actions_or_cookie_are_written_over, setup,
			teardown),
		cmocka_unit_test_setup_teardown(deferred_packet_does_nothing_here, setup, teardown),
		cmocka_unit_test_setup_teardown(result_of_a_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(output_of_what_is_no_port, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
