/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A switch on the table for tests of translation: bridges with ports and rules made by hand, packets
 * translated and executed, and what left by which port. Every fx_send() also checks the wildcards: all
 * flows that differ only in bits that were not looked at must get the same program.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datapath/pipeline/execute.h"
#include "datapath/pipeline/translate.h"
#include "tests/unit/datapath/xlate_frames.h"

#define FX_MAX_FRAMES 128

struct fx_frame {
	dp_port_t port;
	uint32_t len;
	uint8_t data[2048];
};

struct fx_sink_note {
	struct pl_bridge *bridge;
	struct eth_addr mac;
	uint16_t vlan;
	ofp_port_t port;
};

struct fx {
	struct xlate_sink sink;
	struct xlate_out out;
	struct exec_env env;
	version_t version;
	bool check_wildcards;
	struct flow_tnl tunnel;		/* What packets sent from now on came out of. */

	/* Of the last fx_send(). */
	unsigned int n_frames;
	struct fx_frame frames[FX_MAX_FRAMES];
	unsigned int n_punts;
	struct op_punt punts[16];
	uint32_t punt_len[16];
	unsigned int n_control;
	uint16_t control_ops[16];
	enum drop_reason dropped;
	unsigned int n_learned;			/* FDB. */
	struct fx_sink_note learned[16];
	unsigned int n_rules_learned;
	struct match learned_match;
	uint8_t learned_acts[1024];
	uint32_t learned_acts_len;
	enum xlate_learn_result learn_answer;
	bool learn_written;
	unsigned int n_fin;
	unsigned int n_recirculated;
	unsigned int n_neigh_needed;

	struct pl_bridge *bridges[8];
	unsigned int n_bridges;
	struct pl_rule *rules[512];
	unsigned int n_rules;
	struct pl_bridge *rule_bridges[512];
};

struct fx *fx_create(void);
void fx_destroy(struct fx *fx);

/* A bridge with device ports 1 to N_PORTS (dp_port: fx_dp()), trunks all. */
struct pl_bridge *fx_bridge(struct fx *fx, const char *name, unsigned int n_ports);
dp_port_t fx_dp(const struct pl_bridge *bridge, ofp_port_t port);
/* A snapshot to change and give to pl_bridge_set_conf(). */
struct pl_bridge_conf *fx_conf(struct pl_bridge *bridge);
/* A port more, of KIND, with a bundle of its own; its name and bundle's NAME. */
struct pl_port *fx_add_port(struct pl_bridge *bridge, struct pl_bridge_conf *conf, ofp_port_t port,
	enum pl_port_kind kind, const char *name);
void fx_patch(struct pl_bridge *a, ofp_port_t port_a, struct pl_bridge *b, ofp_port_t port_b);

/* A rule: MATCH as "name=value,name=value" in lib/field's syntax, or "". Takes what B holds. */
struct pl_rule *fx_rule(struct fx *fx, struct pl_bridge *bridge, uint8_t table, int priority,
	const char *match, struct act_builder *b);

/* Actions. */
struct act_builder *fx_acts(void);	/* Empties and returns one of a few builders. */
void fx_output(struct act_builder *b, ofp_port_t port);
void fx_goto(struct act_builder *b, uint8_t table);
void fx_resubmit(struct act_builder *b, uint8_t table);
void fx_set(struct act_builder *b, const char *field, const char *value);
void fx_load(struct act_builder *b, const char *subfield, uint64_t value);
void fx_move(struct act_builder *b, const char *src, const char *dst);
void fx_plain(struct act_builder *b, enum act_type type);
struct subfield fx_subfield(const char *text);

/* Groups: buckets by fx_bucket(). */
struct pl_group *fx_group(uint32_t id, enum pl_group_type type, unsigned int n_buckets);
void fx_bucket(struct pl_group *group, unsigned int i, struct act_builder *b);

/* Sends FRAME in by PORT: translates, executes, records. */
void fx_send(struct fx *fx, struct pl_bridge *bridge, ofp_port_t port, const void *frame, size_t len);
/* Of the last fx_send: frames that left by PORT of BRIDGE. */
unsigned int fx_count(const struct fx *fx, const struct pl_bridge *bridge, ofp_port_t port);
const struct fx_frame *fx_get(const struct fx *fx, const struct pl_bridge *bridge, ofp_port_t port,
	unsigned int n);
/* How often the last packet touched counter ID. */
unsigned int fx_counted(const struct fx *fx, uint32_t id);
