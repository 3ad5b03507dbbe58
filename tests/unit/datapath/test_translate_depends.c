/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What translations say they depend on of ports: whatever is changed by chance, those that are said to be
 * true still come out the same; and ports that have to do with none of it leave them true.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/fdb.h"
#include "lib/field.h"
#include "tests/unit/datapath/xlate_fixture.h"

#define N_PORTS 8
#define N_ROUNDS 3000
#define PATCH 20
#define ABSENT 30
#define N_RULES 10	/* Told apart by the source address. */
#define N_CASES (N_RULES * N_PORTS * 2)

/* A translation and what was seen of it. */
struct outcome {
	unsigned int from, to, rule;
	ofp_port_t in_port;
	struct xlate_out out;
};

static struct fx *fx;
static struct pl_bridge *br, *far;
static struct outcome outcomes[N_CASES];
static uint32_t chance_state;

static uint32_t chance(uint32_t n)
{
	chance_state = chance_state * 1664525u + 1013904223u;
	return (chance_state >> 8) % n;
}

/* ------------------------------------------------------------------ the world */

static struct act_builder *output_to(ofp_port_t port)
{
	struct act_builder *b = fx_acts();

	fx_output(b, port);
	return b;
}

static struct act_builder *to_bundle(void)
{
	struct act_builder *b = fx_acts();
	struct act_bundle *act = act_put(b, ACT_BUNDLE, sizeof *act + 2 * sizeof(ofp_port_t));

	act->n_members = 2;
	act->members[0] = 5;
	act->members[1] = 6;
	return b;
}

static struct act_builder *to_group(void)
{
	struct pl_group *group = fx_group(1, PL_GROUP_FF, 2);
	struct act_builder *b = fx_acts();
	struct act_group *act;

	for (unsigned int i = 0; i < 2; i++) {
		fx_bucket(group, i, output_to(i ? 7 : 2));
		group->buckets[i].watch_port = 3 + i;
	}
	pl_group_set(br, group);
	act = act_put(b, ACT_GROUP, sizeof *act);
	act->group_id = 1;
	return b;
}

static struct act_builder *normal_in_vlan(void)
{
	struct act_builder *b = fx_acts();

	fx_set(b, "vlan_vid", "4103");
	fx_output(b, OFPP_NORMAL);
	return b;
}

static void add_rule(unsigned int i, struct act_builder *b)
{
	char match[64];

	snprintf(match, sizeof match, "eth_src=02:aa:00:00:00:%02x", 0x10 + i);
	fx_rule(fx, br, 0, 10, match, b);
}

static struct eth_addr host(unsigned int i)
{
	return (struct eth_addr){{0x02, 0xaa, 0, 0, 0, (uint8_t)i}};
}

static int setup(void **state)
{
	chance_state = 7;
	fx = fx_create();
	br = fx_bridge(fx, "br0", N_PORTS);
	far = fx_bridge(fx, "br1", 3);
	fx_patch(br, PATCH, far, PATCH);
	add_rule(0, output_to(OFPP_NORMAL));
	add_rule(1, output_to(2));
	add_rule(2, output_to(ABSENT));
	add_rule(3, output_to(OFPP_FLOOD));
	add_rule(4, output_to(OFPP_ALL));
	add_rule(5, to_group());
	add_rule(6, to_bundle());
	add_rule(7, output_to(PATCH));
	add_rule(8, normal_in_vlan());
	add_rule(9, output_to(OFPP_IN_PORT));
	fx_rule(fx, far, 0, 10, "", output_to(OFPP_NORMAL));
	/* The last host is known nowhere. */
	for (unsigned int i = 1; i < N_PORTS; i++) {
		fdb_add_static(br->fdb, host(i), 0, i < N_PORTS - 1 ? i : ABSENT);
		fdb_add_static(br->fdb, host(i), 7, i < N_PORTS - 1 ? i : ABSENT);
		fdb_add_static(far->fdb, host(i), 0, i % 4 ? i % 4 : PATCH);
	}
	memset(outcomes, 0, sizeof outcomes);
	for (unsigned int i = 0; i < N_CASES; i++) {
		outcomes[i].rule = i % N_RULES;
		outcomes[i].in_port = 1 + i / N_RULES % 2 * 3;
		outcomes[i].to = 1 + i / N_RULES / 2;
		xlate_out_init(&outcomes[i].out);
	}
	return 0;
}

static int teardown(void **state)
{
	for (unsigned int i = 0; i < N_CASES; i++)
		xlate_out_uninit(&outcomes[i].out);
	fx_destroy(fx);
	return 0;
}

static void look(const struct outcome *c, struct xlate_out *out)
{
	struct flow flow = {
		.dl_src = host(0x10 + c->rule),
		.dl_dst = host(c->to),
		.dl_type = htobe16(0x88b5),
		.in_port = c->in_port,
	};
	struct xlate_in in = {
		.version = version_get(),
		.flow = &flow,
		.bridge = br,
		.in_port = pl_port_from_ofp(pl_bridge_conf(br), c->in_port),
		.packet_len = 60,
	};

	translate(&in, out);
}

static void look_at_all(void)
{
	for (unsigned int i = 0; i < N_CASES; i++)
		look(&outcomes[i], &outcomes[i].out);
}

/* How many are said to be true still; those must be. */
static unsigned int check_all(const char *after)
{
	struct xlate_out now;
	unsigned int n = 0;

	xlate_out_init(&now);
	for (unsigned int i = 0; i < N_CASES; i++) {
		const struct outcome *c = &outcomes[i];

		if (!dep_is_valid(c->out.seq, c->out.deps, c->out.n_deps))
			continue;
		n++;
		look(c, &now);
		if (program_len(&now.program) != program_len(&c->out.program) ||
			memcmp(program_ops(&now.program), program_ops(&c->out.program), program_len(&now.program)) ||
			memcmp(&now.wc, &c->out.wc, sizeof now.wc) || now.drop != c->out.drop ||
			now.n_counters != c->out.n_counters)
			fail_msg("%s: rule %u, from port %u to host %u, is not what it was", after, c->rule,
				c->in_port, c->to);
	}
	xlate_out_uninit(&now);
	return n;
}

/* ------------------------------------------------------------------ changes */

static void remove_port(struct pl_bridge_conf *conf, size_t i)
{
	memmove(&conf->ports[i], &conf->ports[i + 1], (conf->n_ports - i - 1) * sizeof *conf->ports);
	conf->n_ports--;
}

/* The last port gets a bundle that has no port left, if there is one: their number stays small. */
static void use_old_bundle(struct pl_bridge_conf *conf)
{
	for (uint16_t i = 0; i + 1u < conf->n_bundles; i++)
		if (!conf->bundles[i].n_ports) {
			conf->ports[conf->n_ports - 1].bundle = i;
			free(conf->bundles[--conf->n_bundles].name);
			return;
		}
}

static void add_or_remove(struct pl_bridge *bridge, struct pl_bridge_conf *conf, ofp_port_t number)
{
	for (size_t i = 0; i < conf->n_ports; i++)
		if (conf->ports[i].ofp_port == number) {
			remove_port(conf, i);
			return;
		}
	fx_add_port(bridge, conf, number, PL_PORT_DEVICE, "again");
	use_old_bundle(conf);
}

static const char *change_port(struct pl_port *port)
{
	switch (chance(5)) {
	case 0:
		port->config ^= 1u << chance(7);
		return "config";
	case 1:
		port->stp ^= 1u << chance(2);
		return "stp state";
	case 2:
		port->may_enable ^= true;
		return "link";
	case 3:
		port->dp_port = port->kind == PL_PORT_PATCH ? port->dp_port : port->dp_port ^ 32;
		return "device";
	default:
		port->is_internal ^= port->kind == PL_PORT_DEVICE;
		return "kind";
	}
}

static const char *change_bundle(struct pl_bundle *bundle)
{
	switch (chance(4)) {
	case 0:
		bundle->vlan_mode = chance(2) ? PL_VLAN_ACCESS : PL_VLAN_TRUNK;
		bundle->vlan = bundle->vlan_mode == PL_VLAN_ACCESS ? 7 : -1;
		return "VLAN";
	case 1:
		bundle->protected ^= true;
		return "protected";
	case 2:
		bundle->priority_tags = (uint8_t)chance(3);
		return "priority tags";
	default:
		bundle->bond ^= true;
		return "bond";
	}
}

static const char *change_bridge(struct pl_bridge_conf *conf)
{
	switch (chance(4)) {
	case 0:
		conf->stp ^= true;
		return "STP";
	case 1:
		conf->frag_drop ^= true;
		return "fragments";
	case 2:
		if (conf->n_mirrors) {
			conf->n_mirrors = 0;
			free(conf->mirrors[0].name);
			for (size_t i = 0; i < conf->n_bundles; i++)
				conf->bundles[i].src_mirrors = conf->bundles[i].dst_mirrors = 0;
			return "no mirror";
		}
		conf->n_mirrors = 1;
		conf->mirrors[0] = (struct pl_mirror){.name = strdup("m"), .select_all = true,
			.out_bundle = (int)chance((uint32_t)conf->n_bundles), .out_vlan = -1};
		return "mirror";
	default:
		conf->forward_bpdu ^= true;
		return "forward-bpdu";
	}
}

static const char *change_something(void)
{
	struct pl_bridge *bridge = chance(5) ? br : far;
	struct pl_bridge_conf *conf = fx_conf(bridge);
	const char *what = "port comes or goes";

	switch (chance(6)) {
	case 0:
		add_or_remove(bridge, conf, ABSENT + chance(2));
		break;
	case 1:
		add_or_remove(bridge, conf, 2 + chance(2));
		break;
	case 2:
		what = change_bundle(&conf->bundles[chance((uint32_t)conf->n_bundles)]);
		break;
	case 3:
		what = "port in another bundle";
		conf->ports[chance((uint32_t)conf->n_ports)].bundle = (uint16_t)chance((uint32_t)conf->n_bundles);
		break;
	case 4:
		if (!chance(4)) {
			what = change_bridge(conf);
			break;
		}
		/* Fall through. */
	default:
		what = change_port(&conf->ports[chance((uint32_t)conf->n_ports)]);
		break;
	}
	pl_bridge_set_conf(bridge, conf);
	return what;
}

/* ------------------------------------------------------------------ tests */

static void test_what_stays_true_is_the_same(void **state)
{
	unsigned int n_true = 0;

	for (unsigned int i = 0; i < N_ROUNDS; i++) {
		look_at_all();
		n_true += check_all(change_something());
		if (i % 256 == 255)
			rcu_synchronize();
	}
	/* Else nothing was proved. */
	assert_in_range(n_true, N_ROUNDS * N_CASES / 5, N_ROUNDS * N_CASES * 9 / 10);
}

/* Whether C floods. */
static bool looks_at_all_ports(const struct outcome *c)
{
	return c->rule == 3 || c->rule == 4 || ((c->rule == 0 || c->rule == 8) && c->to == N_PORTS);
}

static void test_new_ports_leave_others_alone(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);
	unsigned int n = 0;

	look_at_all();
	fx_add_port(br, conf, ABSENT + 1, PL_PORT_DEVICE, "new");
	pl_bridge_set_conf(br, conf);
	for (unsigned int i = 0; i < N_CASES; i++) {
		const struct outcome *c = &outcomes[i];
		bool is_true = dep_is_valid(c->out.seq, c->out.deps, c->out.n_deps);

		assert_int_equal(is_true, !looks_at_all_ports(c));
		n += is_true;
	}
	assert_true(n > N_CASES / 2);
	assert_int_equal(check_all("a new port"), n);
}

/* However many ports a flood meets, it is remembered. */
static void test_wide_floods_are_cacheable(void **state)
{
	struct pl_bridge_conf *conf = fx_conf(br);
	const struct outcome *c = &outcomes[3];

	for (unsigned int i = 0; i < 60; i++)
		fx_add_port(br, conf, 100 + i, PL_PORT_DEVICE, "more");
	pl_bridge_set_conf(br, conf);
	look_at_all();
	assert_int_equal(c->rule, 3);
	assert_true(c->out.cacheable);
	assert_in_range(c->out.n_deps, 1, 12);
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_what_stays_true_is_the_same),
		TEST(test_new_ports_leave_others_alone),
		TEST(test_wide_floods_are_cacheable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
