/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A switch under test, whatever it is: sluice inside this process (lab.h) or a peer with daemons of its
 * own (peer.h), set up from a conf on its stage. One a process.
 *
 * Sources give nothing while held; a target begins held. What they give follows the last orders. Calls
 * that can fail return 0, or -errno with one line in *ERROR (caller frees).
 */

#include "tools/sluice-bench/conf.h"

#define TARGET_MAX_OVS_CONFIGS 8

struct target_config {
	int core;		/* Of the PMD; -1: the last. */
	uint64_t max_frames;	/* In a source's file; more flows are made by rewriting. */
	bool no_caches;		/* sluice. */
	bool ordinary_memory;	/* sluice: not even if there are hugepages. */
	bool verbose;
	const char *vswitchd;	/* Peer: ovs-vswitchd with DPDK. */
	const char *ovs_configs[TARGET_MAX_OVS_CONFIGS];	/* Its other_config, KEY=VALUE each. */
	unsigned int n_ovs_configs;
};

struct target_orders {
	bool attack;		/* Sources that have an attack mix it in. */
	uint64_t first;		/* Number of the first flow: others than those are new to the switch. */
	uint64_t n_flows;	/* 0: as the traffic says; UINT64_MAX: each frame a new one. */
	double pps;		/* Of all sources; 0: as fast as they are polled. */
	uint32_t queue;		/* Paced: frames that wait. */
	bool stamp;		/* Paced: each carries its time of arrival. */
};

/* All only grows, but for what orders begin anew. */
struct target_reading {
	uint64_t received;	/* Taken from the generator ... */
	uint64_t missed;	/* ... or lost before, since the switch did not come for them. */
	uint64_t victims_in, attackers_in;
	uint64_t sent;		/* By devices. */
	int64_t victims, attackers;	/* Carried. */
	uint64_t cpu_ns;	/* Of the PMD thread. */
	uint64_t wall_ns;
	/* The switch's own counts. */
	uint64_t packets, exact_hits, mega_hits, misses, lost;
	uint64_t cache_bytes;	/* At the later time. */
};

struct target {
	int (*start)(struct conf *conf, const struct target_config *config, char **error);
	void (*stop)(void);
	void (*version)(char *text, size_t size);
	/* While held. */
	void (*order)(const struct target_orders *orders);
	void (*hold)(bool hold);
	/* Lets time pass. */
	void (*run)(unsigned int ms);
	int (*read)(struct target_reading *reading, char **error);
	/* Looks at contents and stamps of what leaves, or no longer; while held. */
	void (*watch)(bool samples, bool latency);
	/* While watched: what was seen to leave through PORT; NULL: nothing is. */
	const struct bench_watch *(*watched)(const struct conf_port *port);
	/* Brings the passing ports, all or none of them, and waits for it; nothing else changes. */
	int (*set_passing)(bool there, char **error);
	/* Forgets cached flows. */
	void (*purge)(void);
	/* CPU time of everything but the PMD; memory of the process that is its own, in bytes. */
	uint64_t (*control_cpu_ns)(void);
	uint64_t (*memory)(void);
	/* The directory with the bridges' management sockets. */
	const char *(*rundir)(void);
	bool (*has_hugepages)(void);
};

extern const struct target target_lab, target_peer;

/* B less A. */
struct target_reading target_since(const struct target_reading *b, const struct target_reading *a);
/* What PORT's source shall give; CONF's traffic under ORDERS. */
void target_bench_orders(const struct conf *conf, const struct conf_port *port, uint64_t max_frames,
	const struct target_orders *orders, struct bench_orders *bench);
/* Adds what PORT's source counted: in all, lost, of its first stream; under ATTACK. */
void target_count_source(const struct conf_port *port, uint64_t taken, uint64_t lost, uint64_t first,
	bool attack, struct target_reading *reading);
/* Adds what left through PORT. */
void target_count_sent(const struct conf_port *port, uint64_t packets, struct target_reading *reading);
