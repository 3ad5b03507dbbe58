/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The datapath's front: ports with drivers, PMD threads, caches, and the control thread's half of
 * them. Everything here is called on control; nothing blocks (opening and closing of devices happens
 * on the worker thread and is reported by dp_port_event_next()).
 *
 * Port life: dp_port_open() takes a number at once and answers later with DP_PORT_OPENED or
 * DP_PORT_FAILED; the owner then puts the port into its bridge's snapshot (pipeline.h) and only then
 * does traffic flow. dp_port_close() after it was taken out of the snapshot; the number is free again
 * once DP_PORT_CLOSED (or DP_PORT_FAILED) was taken from the queue.
 *
 * No type of DPDK shows here.
 */

#include "datapath/pipeline/pipeline.h"
#include "datapath/pipeline/translate.h"
#include "lib/event.h"
#include "lib/packet.h"
#include "lib/shash.h"

/* ------------------------------------------------------------------ start and stop */

/* Balancing by itself (pmd-auto-lb and what belongs to it). */
struct dp_auto_lb {
	bool enabled;
	unsigned int interval_min;	/* 0: 1. */
	unsigned int load_threshold;	/* Per cent of its time that some PMD must be busy. */
	unsigned int improvement;	/* Per cent by which the variance must sink. */
};

/* From Open_vSwitch.other_config or the JSON file; all zero is good: hugepages if there are any. */
struct dp_config {
	const char *dpdk_extra;		/* dpdk-extra; NULL none. */
	const char *socket_mem;		/* dpdk-socket-mem; NULL: chosen. */
	const char *lcore_mask;		/* dpdk-lcore-mask; NULL none. */
	const char *hugepage_dir;
	const char *pmd_cpu_mask;	/* pmd-cpu-mask, hexadecimal; NULL: one PMD on the last allowed core. */
	unsigned int n_mbufs;		/* 0: chosen from memory. */
	unsigned int cache_entries;	/* Exact cache entries a PMD; 0: default. */
	unsigned int pmd_sleep_max_us;	/* Longest sleep of an idle PMD; 0: default. */
	bool pmd_no_sleep;		/* Idle PMDs never sleep. */
	const char *pmd_rxq_assign;	/* "cycles", "group" or "roundrobin"; NULL: cycles. */
	bool pmd_rxq_no_isolate;	/* PMDs with pinned queues take others too. */
	struct dp_auto_lb auto_lb;
	bool no_caches;			/* Every packet through the interpreter (tests). */
	bool no_too_big_answers;	/* Who sends what is too big for a tunnel's underlay is not told. */
	bool drop_unresolved;		/* Tunnel packets whose next hop is unknown ask for it and are
					 * dropped, as in Open vSwitch, instead of being held for it. */
};

/* Begins to start EAL, worker and PMD threads, which takes some tenths of a second; whatever else may be called
 * meanwhile, ports are opened afterwards. LOOP drives dp_run() when there is news. SINK does the writes
 * of packets that were handed to control (learn); dp fills in fdb_learn and neigh_needed itself
 * before calling it (so SINK's own may be NULL). 0; or -errno with *ERROR (caller frees): then, as if the start
 * fails later, which the log says, ports with drivers fail to open and everything else works. */
int dp_init(const struct dp_config *config, struct event_loop *loop, struct xlate_sink *sink,
	char **error);
/* The start has neither succeeded nor failed yet. */
bool dp_is_starting(void);
/* Waits for that: 0, or -errno with *ERROR (caller frees). */
int dp_start_wait(char **error);
/* Stops the PMDs, closes every port, frees. */
void dp_uninit(void);
/* Changes what may change while running: pmd_* and auto_lb. Traffic goes on: queues move one by one, PMDs that
 * stay are not disturbed. */
int dp_reconfigure(const struct dp_config *config, char **error);

/* Control's turn: drains news, ages FDBs and neighbours, sweeps counters once a second, reclaims. Call
 * once per loop iteration. Bounded work per call. */
void dp_run(void);

/* Every PMD has gone on since the last call, or sleeps: for a watchdog. */
bool dp_is_alive(void);

/* Hold all packets back (flow-restore-wait): ports receive nothing until released. */
void dp_hold(bool hold);

const char *dp_dpdk_version(void);
bool dp_dpdk_initialized(void);
bool dp_has_hugepages(void);

/* ------------------------------------------------------------------ ports */

struct dp_port_spec {
	const char *name;	/* Interface name; at most 15 characters. */
	const char *type;	/* "internal", "system", "dpdk"; patch and tunnels: dp_port_alloc(). */
	const struct smap *options;
	struct eth_addr mac;	/* Wanted; all zero: the device's own, or a random local one. */
	uint32_t mtu;		/* Wanted; 0: the device's own. */
};

enum dp_port_event_type {
	DP_PORT_OPENED,
	DP_PORT_FAILED,		/* error says what to do. */
	DP_PORT_CLOSED,
	DP_PORT_CHANGED,	/* Link, MAC, MTU, admin state: see info. */
	DP_PORT_GONE,		/* The device vanished under us; still to be closed. */
};

struct dp_port_info {
	struct eth_addr mac;
	uint32_t mtu;
	bool admin_up;
	bool link_up;
	uint64_t link_speed_mbps;	/* 0: unknown. */
	bool full_duplex;
	int ifindex;			/* 0: none. */
	uint32_t n_rxq, n_txq;
	char driver[32];
	char details[256];		/* More of Interface.status: lines "key=value". */
	uint64_t link_resets;
};

struct dp_port_event {
	enum dp_port_event_type type;
	dp_port_t port;
	struct dp_port_info info;
	char error[256];
};

/* Asks for a port. Its number, which is valid at once. Never fails; see the event. */
dp_port_t dp_port_open(const struct dp_port_spec *spec);
void dp_port_close(dp_port_t port);
/* A number without a driver, for patch and tunnel ports; given back at once. */
dp_port_t dp_port_alloc(const char *name);
void dp_port_free(dp_port_t port);
/* Next event, oldest first; false: none. */
bool dp_port_event_next(struct dp_port_event *event);
/* Asynchronous: a DP_PORT_CHANGED follows. */
void dp_port_set_admin(dp_port_t port, bool up);
void dp_port_set_mtu(dp_port_t port, uint32_t mtu);
void dp_port_set_mac(dp_port_t port, struct eth_addr mac);

/* Of what a port receives. As in the database, but bursts of 0 have become the default. */
struct policing {
	uint32_t kbps, kb;		/* Kilobits a second and of burst; kbps 0: any. */
	uint32_t kpps, kpkts;		/* Thousands of packets; kpps 0: any. */
};

/* At once. A port without a device does not police: returns false then. */
bool dp_port_set_policing(dp_port_t port, const struct policing *policing);

struct dp_port_stats {
	uint64_t rx_packets, rx_bytes, rx_errors, rx_dropped;
	uint64_t tx_packets, tx_bytes, tx_errors, tx_dropped;
	uint64_t rx_over_errors, rx_frame_errors, rx_crc_errors, collisions, multicast;
};

/* Exact for packets already dealt with. Patch and tunnel ports too (from their counters). False: no
 * such port. */
bool dp_port_stats(dp_port_t port, struct dp_port_stats *stats);
const char *dp_port_name(dp_port_t port);
/* "queue:core,...": who polls the port's queues (pmd-rxq-affinity); NULL or "": whoever has least to do. */
void dp_port_set_rxq_affinity(dp_port_t port, const char *affinity);
/* Assigns all queues anew by what they take now. */
void dp_rxqs_rebalance(void);

/* ------------------------------------------------------------------ packets from and to control */

/*
 * Sends FRAME[LEN] through ACTS, as from IN_PORT of BRIDGE (OFPP_CONTROLLER, OFPP_NONE, OFPP_LOCAL or
 * a port). METADATA: registers and tunnel fields to start with, or NULL. Translated at once; sent by
 * a PMD.
 */
void dp_packet_out(struct pl_bridge *bridge, ofp_port_t in_port, const struct flow *metadata,
	const struct act *acts, size_t acts_len, const void *frame, size_t len);
/* Goes on where a paused packet-in stopped (NXT_RESUME). */
void dp_packet_resume(const struct op_resume *state, const void *frame, size_t len);

/* A packet for a controller. */
struct dp_punt {
	struct op_punt punt;
	const uint8_t *userdata;
	const uint8_t *frame;	/* Whole frame; the agent cuts it to max_len. */
	uint32_t frame_len;
	const struct op_resume *resume;	/* Paused: how to go on; NULL. */
};

/* Next packet-in; valid until the next call. False: none. */
bool dp_punt_next(struct dp_punt *punt);

/* A frame for a protocol engine (STP, IGMP, ...); as above. */
struct dp_l2_frame {
	enum l2_proto kind;
	const struct pl_port *port;
	uint16_t vlan;
	const uint8_t *frame;
	uint32_t len;
};
bool dp_l2_next(struct dp_l2_frame *frame);

/* fin_timeout news: RULE's idle and hard timeouts are to be cut. False: none. The rule is looked up by
 * its counter id, since it may be gone. */
bool dp_fin_timeout_next(uint32_t *counter, uint16_t *idle, uint16_t *hard);

/* ------------------------------------------------------------------ underlay */

/* tnl/arp/set and tnl/arp/flush: changes the table, bumps what depends on it, sends held packets.
 * BRIDGE NULL: all. */
void dp_neigh_set(const char *bridge, const struct ipv6_addr *addr, struct eth_addr mac);
void dp_neigh_flush(const char *bridge);
/* The kernel's routes, addresses or devices have changed: what depends on them is bumped, implicit
 * underlay ports come and go, neighbours are told of a new MAC. LINK_ONLY: as route_init() says it. */
void dp_routes_changed(bool link_only);
/* Appends one line for each implicit underlay port to tnl/ports/show's text. */
void dp_underlay_format(struct sbuf *s);

/* ------------------------------------------------------------------ statistics and inspection */

/* Sweeps now: counter_get() is exact for all packets already forwarded. Costs microseconds per
 * thousand paths; callers that answer a statistics request use it once per request. */
void dp_sweep(void);

/* Drops by reason, on the way in and out, over all PMDs and control. */
uint64_t dp_drops(enum drop_reason reason);
/* ... on input port PORT. */
uint64_t dp_port_drops(dp_port_t port, enum drop_reason reason);

/* Texts for ovs-appctl, as OVS 3.1 prints them. */
/* Which paths are printed, and how. */
struct dp_paths_format {
	const char *bridge;	/* Those that came in by one of its ports; NULL: all. */
	bool by_core;		/* Those of the PMD on `core`. */
	int core;
	bool none;		/* No path at all. */
	bool titles;		/* A line for each PMD before its paths. */
	bool names;		/* Ports by name, not by number. */
	bool more;		/* What depends on what. */
};

void dp_format_paths(const struct dp_paths_format *format, struct sbuf *s);	/* dpctl/dump-flows */

/* Of which PMD threads a text is. */
struct dp_pmd_format {
	bool by_core;		/* Of the one on `core`. */
	int core;
	unsigned int seconds;	/* Load of so many, up to 60 in steps of 5; 0: of all 60. */
};

void dp_format_pmd_stats(const struct dp_pmd_format *f, struct sbuf *s);	/* dpif-netdev/pmd-stats-show */
void dp_format_pmd_perf(const struct dp_pmd_format *f, struct sbuf *s);	/* dpif-netdev/pmd-perf-show */
void dp_format_pmd_rxq(const struct dp_pmd_format *f, struct sbuf *s);	/* dpif-netdev/pmd-rxq-show */
void dp_format_pmd_sleep(struct sbuf *s);		/* sluice/pmd-sleep-show */
void dp_clear_pmd_stats(const struct dp_pmd_format *f);
void dp_memory_usage(struct shash *usage);		/* name -> (uint64_t *), for memory/show */

/* Forgets every cached path (revalidator/purge); waits until every PMD has. Counts are kept. */
void dp_purge(void);
struct dp_path_count {
	int core;
	uint32_t n, limit;
};

/* Paths of each PMD, at most MAX of them; returns how many. */
size_t dp_count_paths(struct dp_path_count *counts, size_t max);
/* Hits, misses and path counts over all PMDs, for dpctl/show. */
void dp_cache_stats(uint64_t *hits, uint64_t *misses, uint64_t *lost, uint64_t *n_paths);
