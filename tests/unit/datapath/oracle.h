/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The random worlds of test_oracle.c: bridges with rules, groups and ports that are made and changed by chance, a
 * naive switch with the same ones beside them, and frames that meet them. One chance for all: a seed says what
 * happens. One thread.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "datapath/pipeline/dependency.h"
#include "datapath/pipeline/execute.h"
#include "datapath/pipeline/fdb.h"
#include "datapath/pipeline/translate.h"
#include "lib/csum.h"
#include "lib/fatal.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "lib/rcu.h"
#include "tests/support/naive_switch.h"

#define N_BRIDGES 2
#define N_PORTS 4		/* Device ports of each, 1 to N_PORTS, and LOCAL. */
#define PATCH_PORT 9
#define N_TABLES 4
#define N_GROUPS 3
#define MAX_RULES 120
#define N_CACHED 128
#define N_FRAMES 24

struct real_rule {
	struct pl_rule rule;
	uint32_t id;
	unsigned int bridge;
	struct match match;
	int priority;
};

/* A translation kept, as a PMD would. */
struct cached {
	bool used;
	unsigned int bridge;
	struct flow flow, wc;
	uint32_t seq;
	uint16_t n_deps;
	uint16_t deps[XLATE_MAX_DEPS];
	uint32_t len;
	struct op *ops;
};

struct frame {
	uint8_t data[256];
	uint32_t len;
};

struct world {
	uint64_t seed;
	struct frame frames[N_FRAMES];	/* Many packets are one of these, or nearly. */
	struct naive *naive;
	struct pl_bridge *bridges[N_BRIDGES];
	struct naive_port ports[N_BRIDGES][N_PORTS + 2];
	struct real_rule *rules[MAX_RULES];
	unsigned int n_rules;
	uint32_t next_id;
	struct cached cached[N_CACHED];
	struct xlate_sink sink;
	struct exec_env env;
	struct xlate_out out;
	struct naive_result real, naive_result;
	unsigned int n_learned;
	unsigned int depth, n_resumes;
	/* What its rules are made of. */
	bool use_sets, use_check, use_mpls, use_loops, use_normal, use_one_mask;
};

/* oracle_chance.c: numbers below N, true once in so many, and values of fields of which there are few. */
void oracle_seed(uint64_t seed);
uint32_t oracle_rnd(uint32_t n);
bool oracle_chance(uint32_t one_in);
struct eth_addr oracle_mac(void);
be32 oracle_ip(void);
struct ipv6_addr oracle_ipv6(void);
uint16_t oracle_port(void);
uint16_t oracle_vid(void);
extern const uint8_t oracle_tos[4];

/* oracle_rules.c: what rules are made of. Actions of a rule of TABLE; within so many others. */
void oracle_match(struct match *match);
void oracle_put_acts(const struct world *w, struct act_builder *b, unsigned int table,
	int level);
void oracle_put_output(struct act_builder *b, ofp_port_t port, uint32_t trunc);
ofp_port_t oracle_output(const struct world *w);
void oracle_put_set_acts(const struct world *w, struct act_builder *b, bool in_bucket);

/* oracle_world.c: worlds, what happens to their packets, and changes. */
struct world *oracle_world_create(uint64_t seed);
void oracle_world_destroy(struct world *w);
void oracle_change_something(struct world *w);
void oracle_change_what_matters(struct world *w);

/* oracle_frames.c */
void oracle_new_frames(struct world *w);
void oracle_frame(const struct world *w, struct frame *f);
