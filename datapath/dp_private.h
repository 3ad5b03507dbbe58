/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the files of control's half (dp*.c) share. Everything here belongs to control.
 *
 * Words: `device`: a port with a driver behind it, as control keeps it.
 */

#include <sched.h>

#include "datapath/dp.h"
#include "datapath/pmd/pmd.h"
#include "datapath/rxq_sched.h"
#include "datapath/worker.h"
#include "lib/id_pool.h"
#include "lib/list.h"

/* What a queue or a PMD worked lately: cycles of intervals that are over, and of the one under way. */
#define DP_LOAD_INTERVALS 12
#define DP_LOAD_INTERVAL_MS 5000

struct dp_load {
	uint64_t seen;			/* The sum when this interval began. */
	uint64_t past[DP_LOAD_INTERVALS];
};

/* A receive queue. */
struct dp_rxq {
	struct pmd_rxq rxq;
	int pmd;			/* Who polls it; -1: nobody. */
	bool is_pinned;
	struct dp_load load;
};

enum dp_device_state {
	DP_DEVICE_OPENING,
	DP_DEVICE_OPEN,
	DP_DEVICE_LEAVING,	/* PMDs are letting go of it. */
	DP_DEVICE_CLOSING,	/* The worker closes it. */
	DP_DEVICE_NONE,		/* A number without a device: patch and tunnel ports. */
};

struct dp_device {
	struct list node;		/* In dp.devices. */
	dp_port_t number;
	enum dp_device_state state;
	bool close_wanted;		/* While it is opening. */
	struct policing policing;
	char name[16];
	struct port *port;
	struct dp_port_info info;
	rte_spinlock_t *tx_locks;	/* One a transmit queue. */
	struct dp_rxq *rxqs;		/* port->n_rxq of them; NULL: on no PMD. */
	char *rxq_affinity;		/* pmd-rxq-affinity; NULL none. */
	struct pmd_port *pmd_ports[PMD_MAX];
	_Atomic uint32_t leaving;	/* PMDs that still have it. */
	/* From PMDs that are gone. */
	struct dp_port_stats base;
	uint64_t base_drops[DROP_N_REASONS], base_tx_drops[DROP_N_REASONS];
};

struct dp_event_node {
	struct list node;
	struct dp_port_event event;
};

/* A packet that went to control and is not used up: frame and, for packet-ins, the operation. */
struct dp_frame {
	struct list node;
	struct op *op;
	uint32_t len;
	uint8_t frame[];
};

#define DP_MAX_FRAMES 4096	/* Waiting in a queue of them; more are dropped. */

struct dp_queue {
	struct list frames;
	size_t n;
	struct dp_frame *current;	/* What the last _next() gave out. */
};

struct dp {
	bool initialized;
	struct event_loop *loop;
	struct event_async *async;	/* News, results, commands done. */
	struct event_timer *timer;	/* Sweeps. */
	struct worker *worker;
	struct xlate_sink *outer_sink;	/* The owner's. */
	unsigned int cache_entries;
	uint32_t sleep_max_us;
	bool no_caches;
	bool drop_unresolved;
	bool no_too_big_answers;
	char *pmd_cpu_mask;
	cpu_set_t allowed;		/* Cores of the process as it was started, ... */
	cpu_set_t home;			/* ... of its threads but PMDs, where no PMD has them. */
	bool hold;
	bool starting;			/* The worker starts DPDK ... */
	unsigned int n_pmds_planned;	/* ... and there will be so many PMDs. */
	char *start_error;		/* It failed. */

	struct pmd *pmds[PMD_MAX];
	unsigned int n_pmds;
	struct dp_load pmd_loads[PMD_MAX];	/* Busy cycles. */

	/* Receive queues (dp_rxq.c). */
	enum rxq_sched_how rxq_how;
	bool rxq_no_isolate;
	struct dp_auto_lb auto_lb;
	int64_t auto_lb_ms;		/* When it was last looked at. */
	unsigned int load_at;		/* Interval that is written next ... */
	int64_t load_ms;		/* ... and when the one under way began. */
	uint64_t load_tsc;
	uint64_t load_tscs[DP_LOAD_INTERVALS];	/* Lengths. */
	unsigned int n_populating;	/* Jobs of the worker that name a PMD or its memory. */

	struct id_pool *numbers;
	struct dp_device *by_number[PL_MAX_PORTS];
	struct list devices;
	struct list events;		/* struct dp_event_node. */

	/* Translating on control. */
	struct xlate_sink sink;
	struct xlate_out outs[PMD_MAX_DEPTH + 1];
	struct exec_env env;
	unsigned int depth;
	struct dp_queue punts, l2;
	struct ring fins;		/* struct news, NEWS_FIN. */

	/* Held packets (dp_neigh.c). */
	struct list holds;
	size_t n_held;
	int64_t holds_looked_ms;
	int neigh_fd;			/* The kernel's neighbours; negative: none. */
	struct event_fd *neigh_event;
	int64_t refreshed_ms;

	/* Sweeping. */
	bool sweep_due;
	bool swept;			/* A round has ended since ages were looked at. */
	bool sweeping;			/* A round is on its way ... */
	unsigned int sweep_pmd;		/* ... at this slot of this PMD. */
	uint32_t sweep_slot;
	bool grace_passed;		/* A grace period, since the last round that ended. */
	bool grace_at_begin;		/* It had passed when this round began. */
	uint64_t generation;

	/* Of packets that control itself dealt with, and of PMDs that are gone. */
	uint64_t drops[DROP_N_REASONS];
	struct pmd_stats gone;
};

extern struct dp dp;

/* dp_port.c */
void dp_ports_init(void);
void dp_ports_uninit(void);		/* Closes everything; waits. */
void dp_ports_run(void);
/* dp.c: the worker has started DPDK, or not: ERR, for reason WHY. */
void dp_started(int err, const char *why);
struct dp_device *dp_device(dp_port_t number);
/* All open devices onto PMD I, which is new. */
void dp_ports_attach_pmd(unsigned int i);
/* PMD I is gone; LAST (perhaps I itself) gets its number. */
void dp_ports_forget_pmd(unsigned int i, unsigned int last);

/* dp_cores.c. LCORE_MASK (dpdk-lcore-mask, hexadecimal; NULL: none) says where threads shall run that are
 * no PMDs. _uninit() gives the caller the cores back that it was started with. */
void dp_cores_init(const char *lcore_mask);
void dp_cores_uninit(void);
/* By pmd-cpu-mask, else the last one allowed; how many. -EINVAL: the mask makes no sense. */
int dp_cores_choose(unsigned int cores[PMD_MAX], char **error);
/* All other threads leave the cores of the PMDs there are, if that leaves them any: a PMD that waits for
 * its core is late for its packets. Threads that they start later are where they are. */
void dp_cores_leave_to_pmds(void);
/* NUMA node of CORE; 0 where there are no nodes. */
int dp_core_numa(unsigned int core);

/* dp_pmd.c. -EINVAL: pmd-cpu-mask makes no sense, and nothing was done. */
int dp_pmds_start(char **error);
/* How many that will make. */
unsigned int dp_pmds_plan(void);
void dp_pmds_stop(void);
int dp_pmds_change(char **error);

/* dp_rxq.c */
void dp_rxqs_configure(const struct dp_config *config);
/* DEVICE's queues get their PMDs; lose them (memory too). */
void dp_rxqs_attach(struct dp_device *device);
void dp_rxqs_detach(struct dp_device *device);
void dp_rxqs_forget_pmd(struct dp_device *device, unsigned int i, unsigned int last);
/* Assigns all queues anew, but not to those PMDs that LEAVE (NULL: none does), and moves those whose PMD
 * changes. */
void dp_rxqs_assign(const bool *leave);
/* About once a second: measures, and balances if that is wanted. */
void dp_rxqs_run(int64_t now_ms);
/* Cycles that a queue took, and that PMD I was busy, in the last N intervals and the one under way; and all
 * that there were. */
uint64_t dp_rxq_load(const struct dp_rxq *rxq, unsigned int n);
uint64_t dp_pmd_load(unsigned int i, unsigned int n);
uint64_t dp_load_tsc(unsigned int n);
bool dp_pmd_is_isolated(unsigned int i);
/* Waits until PMDs have carried out all commands that count DONE down. */
void dp_commands_wait(_Atomic uint32_t *done);

/* dp_stats.c */
void dp_sweep_pmd(struct pmd *pmd);
void dp_stats_run(void);

/* dp_packet.c */
void dp_packets_init(void);
/* There is memory for packets. */
void dp_packets_start(void);
void dp_packets_uninit(void);
/* Takes PMD's news, as much as is good for a turn; or all, of one that has ended. */
void dp_news_run(struct pmd *pmd);
void dp_news_run_last(struct pmd *pmd);
/* Sends the packet in M through ACTS from IN_PORT of BRIDGE. Takes M over. FLOW: the packet's fields
 * with metadata. */
void dp_run_actions(struct pl_bridge *bridge, const struct act *acts, size_t acts_len,
	const struct flow *flow, const struct pl_port *in_port, struct rte_mbuf *m);
void dp_count_drop(enum drop_reason reason);
/* As if FRAME[LEN] had come out of tunnel port IN, with TUNNEL's fields. */
void dp_inject(dp_port_t in, const struct flow_tnl *tunnel, const void *frame, size_t len);

/* dp_too_big.c: PACKET did not fit. Only looks at it (and may change its bytes). */
void dp_too_big(const struct op_tnl_too_big *op, struct packet *packet);

/* dp_underlay.c */
/* True if EVENT is of an implicit port, whose owner is there. */
bool dp_underlay_takes(const struct dp_port_event *event);
void dp_underlay_run(int64_t now_ms);
/* Which there must be is looked at soon. */
void dp_underlay_changed(void);
void dp_underlay_uninit(void);

/* dp_neigh.c */
void dp_neigh_init(void);
void dp_neigh_uninit(void);
void dp_neigh_run(int64_t now_ms);
void dp_neigh_needed(struct pl_bridge *underlay, const struct ipv6_addr *next_hop);
/* Next hops of tunnels may be other ones: those that are not known are asked for soon. */
void dp_neigh_ask_ahead(void);
/* Has BRIDGE's local port send FRAME[LEN]. */
void dp_neigh_send(struct pl_bridge *bridge, const uint8_t *frame, size_t len);
/* Takes PACKET over. */
void dp_neigh_hold(const struct op_neigh_hold *hold, struct packet *packet);
void dp_neigh_snoop(struct pl_bridge *bridge, const uint8_t *frame, size_t len);
