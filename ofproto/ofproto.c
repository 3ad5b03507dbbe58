/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/ofproto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/fdb.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/rcu.h"
#include "ofproto/agent/async.h"
#include "ofproto/agent/monitor.h"
#include "ofproto/agent/resume.h"
#include "ofproto/ofproto_l2.h"
#include "ofproto/state/bundle.h"
#include "ofproto/state/evict.h"
#include "ofproto/state/flow_mod.h"
#include "ofproto/state/learn.h"
#include "ofproto/state/timeout.h"
#include "ofproto/state/tlv_map.h"

LOG_MODULE(ofproto);

#define PACKET_INS_PER_TURN 256
#define DYING_POLL_MS 2		/* How soon to look whether a grace period is over. */

struct ofproto_globals ofproto_globals = { .all = SHASH_INITIALIZER, .vlan_limit = 1 };

/* ------------------------------------------------------------------ the process */

void ofproto_init(struct event_loop *loop, const char *rundir)
{
	ofproto_globals.loop = loop;
	ofproto_globals.rundir = xstrdup(rundir);
}

void ofproto_uninit(void)
{
	struct shash_node *node;

	SHASH_FOR_EACH_SAFE (node, &ofproto_globals.all)
		ofproto_destroy(node->data, false);
	shash_uninit(&ofproto_globals.all);
	ofproto_globals.all = (struct shash)SHASH_INITIALIZER;
	free(ofproto_globals.rundir);
	ofproto_globals.rundir = NULL;
}

struct ofproto *ofproto_from_name(const char *name)
{
	return shash_get(&ofproto_globals.all, name);
}

struct ofproto *ofproto_from_bridge_id(uint32_t bridge_id)
{
	struct shash_node *node;

	SHASH_FOR_EACH (node, &ofproto_globals.all) {
		struct ofproto *ofproto = node->data;

		if (ofproto->bridge->id == bridge_id)
			return ofproto;
	}
	return NULL;
}

struct ofproto **ofproto_list(void)
{
	struct shash_node **nodes = shash_sort(&ofproto_globals.all);
	size_t n = shash_count(&ofproto_globals.all);
	struct ofproto **list = xcalloc(n + 1, sizeof *list);

	for (size_t i = 0; i < n; i++)
		list[i] = nodes[i]->data;
	free(nodes);
	return list;
}

struct pl_bridge *ofproto_bridge(const struct ofproto *ofproto)
{
	return ofproto->bridge;
}

const char *ofproto_name(const struct ofproto *ofproto)
{
	return ofproto->name;
}

/* ------------------------------------------------------------------ news of the tables */

static void on_flow_removed(struct of_listener *listener, struct of_rule *rule)
{
	struct ofproto *ofproto = container_of(listener, struct ofproto, listener);

	async_flow_removed(ofproto->mgr, rule);
}

static void on_flow_event(struct of_listener *listener, enum of_flow_event event,
	struct of_rule *rule, uint8_t reason, const struct of_requester *requester,
	const struct pl_actions *old_actions)
{
	struct ofproto *ofproto = container_of(listener, struct ofproto, listener);

	monitor_report(ofproto, event, rule, reason, requester, old_actions);
}

static void on_table_vacancy(struct of_listener *listener, uint8_t table_id, uint8_t reason)
{
	async_table_status(container_of(listener, struct ofproto, listener)->mgr, table_id, reason);
}

static void on_flows_changed(struct of_listener *listener)
{
	monitor_flush(container_of(listener, struct ofproto, listener));
}

/* ------------------------------------------------------------------ life of a bridge */

/* Until the configuration says otherwise: as unlikely as can be to be somebody else's. */
static uint64_t fallback_dpid(const char *name)
{
	uint64_t hash = hash_bytes(name, strlen(name), (uint32_t)clock_wall_ms());

	return UINT64_C(0x002320000000) | (hash & 0xffffff);
}

int ofproto_create(const char *name, struct ofproto **ofprotop)
{
	struct pl_bridge *bridge;
	struct ofproto *ofproto;

	if (ofproto_from_name(name))
		return -EEXIST;
	bridge = pl_bridge_create(name);
	if (!bridge)
		return -ENOSPC;
	ofproto = xcalloc(1, sizeof *ofproto);
	ofproto->name = xstrdup(name);
	ofproto->bridge = bridge;
	ofproto->dpid = fallback_dpid(name);
	ofproto->mcast_flood_unregistered = true;
	ofproto->listener.flow_removed = on_flow_removed;
	ofproto->listener.flow_event = on_flow_event;
	ofproto->listener.table_vacancy = on_table_vacancy;
	ofproto->listener.flows_changed = on_flows_changed;
	of_state_init(&ofproto->state, bridge, &ofproto->listener);
	ofproto_ports_init(ofproto);
	shash_init(&ofproto->bundles);
	ofproto->conf_dirty = true;
	shash_put(&ofproto_globals.all, name, ofproto);
	ofproto->mgr = connmgr_create(ofproto);
	ofproto_commit(ofproto);
	ofproto_flush(ofproto);
	*ofprotop = ofproto;
	return 0;
}

void ofproto_destroy(struct ofproto *ofproto, bool del)
{
	if (!ofproto)
		return;
	shash_remove(&ofproto_globals.all, ofproto->name);
	connmgr_destroy(ofproto->mgr);
	ofproto_l2_uninit(ofproto);
	resume_forget(ofproto->bridge);
	of_state_uninit(&ofproto->state);
	if (atomic_load_explicit(&ofproto->bridge->tun_table, memory_order_relaxed))
		of_tlv_set(ofproto->bridge, NULL);
	pl_bridge_destroy(ofproto->bridge);
	rcu_synchronize();
	ofproto_conf_uninit(ofproto);
	ofproto_ports_uninit(ofproto);
	free(ofproto->mfr);
	free(ofproto->hw);
	free(ofproto->sw);
	free(ofproto->serial);
	free(ofproto->dp_desc);
	free(ofproto->uuid);
	free(ofproto->name);
	free(ofproto);
}

void ofproto_use_tlv_map(const struct ofproto *ofproto)
{
	field_tlv_use(ofproto ? atomic_load_explicit(&ofproto->bridge->tun_table,
		memory_order_relaxed) : NULL);
}

void ofproto_flush(struct ofproto *ofproto)
{
	of_flush(&ofproto->state);
	connmgr_flushed(ofproto->mgr);
}

/* ------------------------------------------------------------------ what the datapath needs */

static enum xlate_learn_result sink_learn(
	struct xlate_sink *sink, const struct xlate_learned *learned, bool *written)
{
	struct ofproto *ofproto = ofproto_from_bridge_id(learned->bridge->id);

	*written = false;
	if (ofproto)
		of_learn(&ofproto->state, learned, written);
	return XLATE_LEARN_DONE;
}


static void sink_fin_timeout(struct xlate_sink *sink, const struct pl_rule *pl,
	const struct act_fin_timeout *fin)
{
	struct of_rule *rule = of_rule_from_pl(pl);

	of_timer_reduce(rule->state, rule, fin->idle_timeout, fin->hard_timeout);
}

struct xlate_sink *ofproto_sink(void)
{
	static struct xlate_sink sink = {
		.learn = sink_learn,
		.fin_timeout = sink_fin_timeout,
	};

	return &sink;
}

/* ------------------------------------------------------------------ running */

static void run_packet_ins(void)
{
	struct dp_punt punt;

	for (int i = 0; i < PACKET_INS_PER_TURN; i++) {
		struct ofproto *ofproto;

		if (!dp_punt_next(&punt))
			return;
		ofproto = ofproto_from_bridge_id(punt.punt.bridge);
		ofproto_use_tlv_map(ofproto);
		if (ofproto)
			async_packet_in(ofproto->mgr, &punt);
	}
	event_hook_wake_in(ofproto_globals.loop, 0);
}

/* The news names a counter, since the rule may be gone. */
static void run_fin_timeouts(void)
{
	uint16_t idle, hard;
	uint32_t counter;

	while (dp_fin_timeout_next(&counter, &idle, &hard)) {
		struct of_rule *rule = of_rule_from_counter(counter);

		if (rule)
			of_timer_reduce(rule->state, rule, idle, hard);
	}
}

static void wake_in(int64_t ms)
{
	if (ms >= 0)
		event_hook_wake_in(ofproto_globals.loop, (uint64_t)ms);
}

static void wake_at(int64_t when_ms, int64_t now_ms)
{
	if (when_ms != INT64_MAX)
		wake_in(when_ms > now_ms ? when_ms - now_ms : 0);
}

void ofproto_run_all(void)
{
	int64_t now_ms = clock_ms();
	struct shash_node *node;

	run_packet_ins();
	run_fin_timeouts();
	ofproto_l2_receive();
	SHASH_FOR_EACH (node, &ofproto_globals.all) {
		struct ofproto *ofproto = node->data;

		ofproto_use_tlv_map(ofproto);
		if (ofproto->state.n_dying)
			rcu_reclaim();
		of_state_run(&ofproto->state);
		wake_at(ofproto_l2_run(ofproto, now_ms), now_ms);
		wake_in(connmgr_run(ofproto->mgr, now_ms));
		monitor_run(ofproto);
		wake_in(of_state_wait_ms(&ofproto->state));
		if (ofproto->state.n_dying)
			wake_in(DYING_POLL_MS);
	}
	field_tlv_use(NULL);
}

/* ------------------------------------------------------------------ settings */

void ofproto_set_datapath_id(struct ofproto *ofproto, uint64_t dpid)
{
	if (ofproto->dpid == dpid)
		return;
	ofproto->dpid = dpid;
	ofproto->bridge->dpid = dpid;
	/* Controllers know the bridge by it. */
	connmgr_reconnect(ofproto->mgr);
}

uint64_t ofproto_datapath_id(const struct ofproto *ofproto)
{
	return ofproto->dpid;
}

void ofproto_set_fail_mode(struct ofproto *ofproto, enum ofproto_fail_mode mode)
{
	connmgr_set_fail_mode(ofproto->mgr, mode);
}

void ofproto_set_protocols(struct ofproto *ofproto, uint32_t versions)
{
	connmgr_set_versions(ofproto->mgr, versions);
}

void ofproto_set_mac_aging(struct ofproto *ofproto, unsigned int seconds, size_t max_entries)
{
	/* The ranges of ovs-vswitchd.conf.db(5). */
	fdb_set_age(ofproto->bridge->fdb, MIN(MAX(seconds, 15u), 3600u));
	fdb_set_max(ofproto->bridge->fdb, MIN(MAX(max_entries, (size_t)10), (size_t)1000000));
}

static void set_string(char **dst, const char *src)
{
	free(*dst);
	*dst = src ? xstrdup(src) : NULL;
}

void ofproto_set_desc(struct ofproto *ofproto, const char *mfr, const char *hw, const char *sw,
	const char *serial, const char *dp)
{
	set_string(&ofproto->mfr, mfr);
	set_string(&ofproto->hw, hw);
	set_string(&ofproto->sw, sw);
	set_string(&ofproto->serial, serial);
	set_string(&ofproto->dp_desc, dp);
}

static void set_eviction_groups(struct ofproto *ofproto, uint8_t table_id,
	const struct ofproto_table_conf *conf)
{
	static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(1, 5);
	VEC(struct subfield) fields = VEC_INITIALIZER;
	struct subfield sf;

	for (size_t i = 0; i < conf->n_groups; i++) {
		const char *text = conf->groups[i];
		char *error = NULL;

		if (!subfield_parse(&text, &sf, &error) && !*text)
			vec_push(&fields, sf);
		else
			log_warn_rl(&rl, "bridge %s: table %u: groups: %s%s", ofproto->name, table_id,
				error ? error : conf->groups[i], error ? "" : " is no field");
		free(error);
	}
	of_evict_set_groups(&ofproto->state, table_id, fields.items, fields.n);
	vec_uninit(&fields);
}

void ofproto_set_table(struct ofproto *ofproto, uint8_t table_id, const struct ofproto_table_conf *conf)
{
	struct of_table *table = &ofproto->state.tables[table_id];

	if (table_id >= OF_N_VISIBLE_TABLES)
		return;
	if (conf->name || table->name_level == 2)
		of_table_set_name(&ofproto->state, table_id, conf->name, 2);
	table->flow_limit = conf->flow_limit;
	set_eviction_groups(ofproto, table_id, conf);
	of_evict_enable(&ofproto->state, table_id, OF_EVICT_CONFIG, conf->evict);
	of_table_evict(&ofproto->state, table_id);
}

void ofproto_set_bundle_idle(uint32_t seconds)
{
	of_bundles_set_idle(seconds);
}

void ofproto_set_vlan_limit(uint8_t limit)
{
	struct shash_node *node;

	if (!limit || limit > FLOW_MAX_VLANS)
		limit = FLOW_MAX_VLANS;
	if (ofproto_globals.vlan_limit == limit)
		return;
	ofproto_globals.vlan_limit = limit;
	SHASH_FOR_EACH (node, &ofproto_globals.all) {
		struct ofproto *ofproto = node->data;

		ofproto->conf_dirty = true;
		ofproto_commit(ofproto);
	}
}

/* ------------------------------------------------------------------ controllers */

void ofproto_set_controllers(struct ofproto *ofproto, const struct ofproto_controller *controllers,
	size_t n)
{
	connmgr_set_controllers(ofproto->mgr, controllers, n);
}

bool ofproto_controller_status(const struct ofproto *ofproto, const char *target,
	struct ofproto_controller_status *status)
{
	return connmgr_controller_status(ofproto->mgr, target, status);
}

void ofproto_hold_controllers(bool hold)
{
	struct shash_node *node;

	ofproto_globals.hold_controllers = hold;
	SHASH_FOR_EACH (node, &ofproto_globals.all)
		connmgr_hold(((struct ofproto *)node->data)->mgr, hold);
}

bool ofproto_has_primary_controller(const struct ofproto *ofproto)
{
	return connmgr_has_controllers(ofproto->mgr);
}
