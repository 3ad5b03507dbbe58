/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A PMD: a thread on its own core that polls receive queues and carries their packets through to the
 * transmit queues: burst by burst, hits by its caches, misses by translating them itself.
 *
 * What lies in struct pmd is the PMD's, and only it writes there. Control reads the counters (relaxed
 * atomics, exact once the PMD has gone on), puts commands, takes news, and takes the counts of paths
 * (path.h). Ports and queues are made and freed by control and handed over by command.
 *
 * A thread that finds nothing to do for a while goes to sleep: RCU-offline, in epoll, on the
 * descriptors of its queues and on one for commands. Queues without a descriptor (DPDK devices) are
 * looked at again after at most sleep_max_us.
 *
 * Words: `fate`: how one received packet ended: forwarded (one copy or more), consumed, or dropped.
 */

#include <pthread.h>
#include <rte_mbuf.h>
#include <rte_spinlock.h>

#include "datapath/cache/exact.h"
#include "datapath/cache/key_mask.h"
#include "datapath/cache/mega.h"
#include "datapath/cache/path.h"
#include "datapath/packet/defrag.h"
#include "datapath/pipeline/execute.h"
#include "datapath/pmd/command.h"
#include "datapath/pmd/miss_budget.h"
#include "datapath/pmd/news.h"
#include "datapath/pmd/uncached.h"
#include "datapath/port/port.h"
#include "lib/flow_key.h"
#include "lib/flow_key_parse.h"
#include "tunnel/tnl_plain.h"

#define PMD_MAX 64
#define PMD_MAX_RXQS 1024
#define PMD_MAX_DEPTH 8			/* Packets within packets: tunnels in tunnels, resumes. */
#define PMD_SLEEP_MAX_US 500		/* Default. */
#define PMD_CACHE_ENTRIES (1024 * 1024)	/* Default: what it may grow to. */
#define PMD_CACHE_ENTRIES_FIRST (128 * 1024)
#define PMD_MAX_PATHS (512 * 1024)
#define PMD_PATHS_A_TICK 4096		/* So many new ones a second for whoever comes. */
#define PMD_PLAINS 4096
#define PMD_LOOKS 256
#define PMD_COVERS 32
#define PMD_OUTERS 256
#define PMD_PLAIN_MAX_PAUSE 63u
#define PMD_PATH_BYTES ((size_t)256 << 20)

struct event_async;
struct pmd;

/* A number that one thread adds to and others read. */
typedef _Atomic uint64_t stat_t;

static inline void stat_add(stat_t *stat, uint64_t n)
{
	atomic_store_explicit(stat, atomic_load_explicit(stat, memory_order_relaxed) + n,
		memory_order_relaxed);
}

static inline uint64_t stat_get(const stat_t *stat)
{
	return atomic_load_explicit(stat, memory_order_relaxed);
}

/* A PMD's turn with packets: from the first change of its counts until all of them are in. */
static inline void pmd_counts_begin(_Atomic uint32_t *burst_seq)
{
	atomic_store_explicit(burst_seq,
		atomic_load_explicit(burst_seq, memory_order_relaxed) + 1, memory_order_relaxed);
	/* Seen before the packet is. */
	atomic_thread_fence(memory_order_release);
}

static inline void pmd_counts_end(_Atomic uint32_t *burst_seq)
{
	atomic_store_explicit(burst_seq,
		atomic_load_explicit(burst_seq, memory_order_relaxed) + 1, memory_order_release);
}

/* A device port as one PMD has it: transmit buffer and counts. */
struct pmd_port {
	struct port *port;
	dp_port_t dp_port;
	uint16_t txq;
	rte_spinlock_t *tx_lock;	/* The queue is shared; NULL: our own. */
	rte_spinlock_t *tx_shared_lock;	/* The one to take then. */
	uint16_t n_tx;
	bool tx_queued;			/* In pmd->flush. */
	bool tx_bare;			/* All of tx[] is bare, and it is queued; else nothing of it is. */
	bool has_outers;		/* Of what is received here some is in pmd->outers. */
	struct news_share share;
	struct miss_share miss_share;
	struct rte_mbuf *tx[PORT_BURST];

	stat_t rx_packets, rx_bytes;
	stat_t forwarded, consumed;	/* Of those received here ... */
	stat_t drops[DROP_N_REASONS];	/* ... and these; their sum is rx_packets. */
	stat_t tx_packets, tx_bytes;
	stat_t tx_drops[DROP_N_REASONS];
};

struct pmd_rxq {
	struct pmd_port *port;
	uint16_t qid;
	int fd;				/* -1: polled. */
	bool ready;			/* Of a descriptor: epoll said so, and it was not read empty. */
	stat_t packets, cycles;
};

/* What one packet has met so far. */
struct pmd_fate {
	struct pmd_port *port;		/* Where it was received. */
	bool forwarded, consumed;
	bool looked_at;			/* Control got a copy to look at: settles nothing by itself. */
	uint8_t drop;			/* enum drop_reason, if neither. */
};

struct pmd_stats {
	stat_t packets;			/* Received. */
	stat_t recirculations;
	stat_t exact_hits, mega_hits, mega_lookups, misses;
	stat_t miss_cycles;
	stat_t uncached;		/* Of the misses: ran without a path. */
	stat_t fragments_lost;		/* Of datagrams that never were whole. */
	stat_t datagrams_bad;		/* Whole, with a wrong checksum. */
	stat_t lost;			/* Of the misses: dropped for want of cycles or memory. */
	stat_t tx_packets, tx_flushes;
	stat_t busy_cycles, idle_cycles, busy_iterations, idle_iterations, sleep_iterations;
	stat_t sleep_us;
	stat_t rx_bursts;
};

/* How late it woke up; cycles. */
struct pmd_wakes {
	stat_t calls, call_cycles, call_max;		/* Control called. */
	stat_t timeouts, timeout_cycles, timeout_max;	/* The time was over. */
};

/* Packets on their way through the stages, and what each stage leaves for the next. */
struct pmd_burst {
	unsigned int n;
	uint64_t bytes;				/* Of all of them. */
	const struct pl_port *in_port;
	uint64_t dressed;			/* A bit each: has a struct packet; else bare (mbuf.h). */
	uint64_t parsed;			/* ... its key is all of it. */
	bool popped;				/* The bare ones have their plain outer header before them. */
	struct rte_mbuf *mbufs[PORT_BURST];
	uint64_t large;				/* ... its key is not of the small class. */
	bool same;				/* All keys are equal under the mask. */
	uint64_t left;				/* Small keys that are not where they were guessed to be, and large ones. */
	struct flow_key keys[PORT_BURST];	/* As parsed ... */
	struct flow_key masked[PORT_BURST];	/* ... and under the port's mask: large ones and what has no path. */
	uint64_t hashes[PORT_BURST];		/* Of the keys under the mask. */
	const uint64_t *entries[PORT_BURST];	/* Where small ones may be; from where keys are made on, their first way. */
	struct exact_ref refs[PORT_BURST];	/* What the cache knows; the slot is PATH_NONE: nothing. */
	struct path *paths[PORT_BURST];		/* Of those; then NULL: a miss, of a known flow whose path is out of date. */
};

/* A plain outer header, of packets to be taken off it: the path that they take until then, and the port by which
 * they then come in. For packets from IN_PORT under its key mask of EPOCH, as long as SEQ is dep_seq(). */
struct pmd_outer {
	uint8_t header[64];		/* Of the frame, without what differs from packet to packet. */
	uint64_t epoch;
	uint32_t seq;
	uint32_t sum;			/* Of the IP header without those. */
	struct exact_ref path;
	dp_port_t in_port, tunnel;	/* 0: nothing is known. */
} __attribute__((aligned(64)));

/* Packets in a row that came out of tunnels by one port. */
struct pmd_popped_row {
	const struct pl_port *port;
	unsigned int n;
	uint64_t bytes;
};

/* The path of flows of which one rule says all. */
struct pmd_plain {
	const struct pl_rule *rule;	/* NULL: none such. */
	uint16_t deps[2];		/* Of the lookup; the other ones follow from the input port. */
	uint8_t n_deps;
	dp_port_t in_port;
	struct exact_ref ref;
};

/* Whether a port's mask of keys has all that lookups by a table may read. */
struct pmd_cover {
	uint64_t order, common;		/* Of the table, as its traces have them. */
	uint64_t epoch;			/* Of the mask. */
	uint32_t shape;
	enum flow_key_class class;	/* Of the keys. */
	dp_port_t port;
	bool is_all;
};

/* What a lookup by the first table alone has read. */
struct pmd_look {
	struct cls_trace trace;		/* Of order 0: none. */
	uint32_t shape;
	enum flow_key_class class;	/* Of its key. */
	enum xlate_depth depth;
	bool has_key;			/* Depends on the trace's key, too. */
	bool is_all;			/* Port's mask has nothing more in this epoch. */
	dp_port_t port;
	uint64_t epoch;			/* Port's mask has it all then; 0: unknown. */
	uint64_t bits[15];		/* Of a key of `class`, */
	uint64_t small[7];		/* and of the small one if depth is not XLATE_ALL. */
};

/* Misses that are due to a mask of keys that has grown. */
struct pmd_pardon {
	uint64_t epoch;			/* The last one of the mask that is known, */
	int64_t until_ms;		/* and how long they last. */
};

struct pmd {
	/* Set at creation. */
	int core;			/* -1: not pinned. */
	int numa;
	pthread_t thread;
	bool started;
	struct event_async *wake_control;	/* NULL: control looks by itself. */
	bool no_caches;
	bool no_oracle;			/* Tests put paths into the caches that no pipeline leads to. */
	_Atomic uint32_t sleep_max_us;
	_Atomic bool hold;		/* Receive nothing. */

	/* The PMD's. */
	int rcu_id;
	int epoll_fd;
	int wake_fd;			/* eventfd: commands while asleep. */
	struct pmd_rxq *rxqs[PMD_MAX_RXQS];
	unsigned int n_rxqs, n_polled, n_ready;
	struct pmd_port **ports;	/* By dp_port; PL_MAX_PORTS of them. */
	struct pmd_port *flush[PMD_MAX_RXQS];	/* With packets in their buffers. */
	unsigned int n_flush;
	version_t version;
	uint32_t seq;			/* dep_seq() of this burst. */
	int64_t now_us, now_ms;
	uint64_t now_tsc;		/* When those were read. */
	uint64_t last_epoll_tsc, tsc_per_us;
	uint64_t last_wake_tsc;		/* Of control, for news. */
	unsigned int epoll_us;		/* Until descriptors are looked at again. */
	int64_t last_tick_ms, last_check_ms;
	uint64_t tx_drops[DROP_N_REASONS];	/* Scratch; all zero between flushes. */
	unsigned int depth;
	struct pmd_fate fate;
	struct exec_env env;
	struct defrag *defrag;		/* NULL: no memory for one. */
	struct xlate_sink sink;
	struct xlate_out outs[PMD_MAX_DEPTH + 1];
	struct path_pool *pool;
	struct path *paths;
	struct exact exact[FLOW_KEY_N_CLASSES];
	struct mega mega;
	struct miss_budget miss_budget;
	struct {				/* pmd_plain.c's. */
		struct flow flow;
		struct pmd_plain *paths;	/* PMD_PLAINS of them, */
		struct pmd_look *looks;		/* PMD_LOOKS of these. */
		struct pmd_cover covers[PMD_COVERS];
		uint32_t pause, failures;	/* Lookups left out; in vain lately. */
	} plain;
	bool turn_full;				/* Some queue gave a full burst in this turn. */
	struct key_mask *key_masks;		/* By dp_port; PL_MAX_PORTS of them. */
	struct pmd_pardon *pardons;		/* The same; pmd_miss.c's. */
	uint64_t masks_used[PL_MAX_PORTS / 64];
	version_t masks_version;		/* When they were made new ... */
	int64_t masks_ms;
	uint64_t tick_packets, tick_misses, tick_paths;	/* At the last tick. */
	struct pmd_burst burst;
	struct pmd_burst inner;
	struct {
		unsigned int n, n_rows;
		uint64_t dressed;
		struct rte_mbuf *mbufs[PORT_BURST];
		struct pmd_popped_row rows[PORT_BURST];
	} popped;				/* What came out of tunnels in this burst. */
	struct {
		const struct pl_port *port;	/* NULL: nothing is remembered. */
		uint32_t type;
		struct tnl_plain plain;
	} pop_memo;				/* Where the last packet of a tunnel came in; of this burst. */
	struct pmd_outer outers[PMD_OUTERS];	/* pmd_tunnel.c: outer headers that are known. */

	/* Shared with control as their headers say. */
	struct ring commands;
	struct news_ring news;
	struct uncached uncached;
	struct pmd_stats stats;
	struct pmd_wakes wakes;
	_Atomic uint32_t burst_seq;	/* Odd: a burst is on its way, not all of it counted. */
	_Atomic bool asleep;
	_Atomic uint64_t called_tsc;	/* When control called; 0: it has not. */
	_Atomic bool stopped;		/* The loop is to end ... */
	_Atomic bool ended;		/* ... and the thread touches nothing any more. */

	/* Control's. */
	struct {
		uint64_t packets, bytes;
		uint32_t generation;
		bool counted;		/* Its counters know of it. */
	} *shadows;			/* By path slot: what was already swept. */
	struct command *waiting;	/* vec.h-like queue of commands that found the ring full. */
	size_t n_waiting, max_waiting, first_waiting;
	struct pmd_stats cleared;	/* Stats as they were at the last clear. */
	int64_t created_ms, cleared_ms;
	uint64_t seen_turns;		/* dp_is_alive(). */
};

struct pmd_config {
	int core;
	unsigned int cache_entries;
	uint32_t sleep_max_us;		/* 0: it never sleeps. */
	bool no_caches;
	struct event_async *wake_control;
};

/* Makes a PMD; then starts its thread. 0, or -errno with *ERROR (caller frees). Control. */
int pmd_create(const struct pmd_config *config, struct pmd **pmd, char **error);
int pmd_start(struct pmd *pmd, char **error);
/* One turn of the loop: commands, and a burst of each queue that may have one. Returns how many packets
 * and commands there were. The thread's; tests call it without one. */
unsigned int pmd_turn(struct pmd *pmd);
/* Makes the memory of the caches present, which takes a while; the worker, beginning with STEP 0. False
 * after the last step. */
bool pmd_populate(struct pmd *pmd, unsigned int step);
/* Tells the thread to end; true once it has and its news may be drained for the last time. */
void pmd_stop(struct pmd *pmd);
bool pmd_has_ended(const struct pmd *pmd);
void pmd_destroy(struct pmd *pmd);

/* Control: puts a command, waking the PMD if it sleeps. Never fails but for COMMAND_TX, whose packet
 * is freed if too many wait: false. */
bool pmd_command(struct pmd *pmd, const struct command *command);
/* Control: puts what waits. */
void pmd_commands_flush(struct pmd *pmd);

/* ------------------------------------------------------------------ the parts of the thread */

/* pmd_burst.c: the mask of keys of packets from PORT. */
static inline struct key_mask *pmd_key_mask(struct pmd *pmd, dp_port_t port)
{
	struct key_mask *mask = &pmd->key_masks[port];

	if (unlikely(!mask->epoch)) {
		key_mask_reset(mask);
		pmd->masks_used[port / 64] |= UINT64_C(1) << (port % 64);
	}
	return mask;
}

/* Carries pmd->burst.mbufs[N] of BYTES, just received at PORT. Takes them over. */
void pmd_burst(struct pmd *pmd, struct pmd_port *port, unsigned int n, uint64_t bytes);
/* Runs packet I of BURST, received at PP, on PATH; true if it was forwarded and that is still to be counted. */
bool pmd_run_hit(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, struct path *path,
	unsigned int i);
/* Those of BURST that FOUND has a bit for, on their paths[]. */
void pmd_run_found(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, uint64_t found);
/* A packet that starts anew inside another one's program. */
void pmd_recirculate(struct pmd *pmd, dp_port_t in_port, struct packet *packet);
void pmd_resume(struct pmd *pmd, const struct op_resume *resume, struct packet *packet);

/* A packet that the exact cache did not know. */
struct pmd_miss {
	const struct pl_port *in_port;
	const uint8_t *data;		/* The frame, as far as it is contiguous: ... */
	uint32_t len;			/* ... so many bytes. */
	const struct flow_key *key;
	struct flow_key *masked;	/* The key under the port's mask, ... */
	uint64_t hash;			/* ... and its hash, ... */
	uint64_t epoch;			/* ... as the mask was in this epoch. */
};

/* pmd_miss.c: looks after those of BURST that have no path: MISSING has a bit for each. */
void pmd_misses(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp, uint64_t missing);
/* Looks PACKET up and runs it, whatever that takes. */
void pmd_run_one(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	struct packet *packet);
void pmd_run_path(struct pmd *pmd, struct path *path, struct packet *packet);

/* pmd_translate.c: fills masked, hash and epoch for the port's mask of now. */
void pmd_miss_key(struct pmd *pmd, struct pmd_miss *miss);
/* The exact cache learns that MISS leads to REF; its port's mask is wide enough. */
void pmd_insert(struct pmd *pmd, struct pmd_miss *miss, struct exact_ref ref);
/* The path that MISS leads to; the exact cache remembers, and if PLAIN has a rule, that what comes of it. NULL:
 * PACKET was dealt with. */
struct path *pmd_translate(struct pmd *pmd, struct pmd_miss *miss, struct packet *packet,
	const struct pmd_plain *plain);
/* What a packet of KEY from IN_PORT comes to in this burst, without any effect; into OUT, which is initialised. False:
 * it is dropped for its options. */
bool pmd_translate_again(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	struct xlate_out *out);

/* pmd_oracle.c: why a packet of KEY from IN_PORT should not run on PATH, which the caches gave, as the interpreter sees it;
 * NULL: it should. */
const char *pmd_oracle_ask(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	const struct path *path);
/* The same for debug builds: ends the process. */
void pmd_oracle_check(struct pmd *pmd, const struct pl_port *in_port, const struct flow_key *key,
	const struct path *path);
/* The path that the second tier has, or NULL; the exact cache remembers. */
struct path *pmd_mega_find(struct pmd *pmd, struct pmd_miss *miss);
void pmd_miss_resume(struct pmd *pmd, struct flow *flow, const struct op_resume *resume,
	struct packet *packet);
void pmd_sink_init(struct pmd *pmd);

/* pmd_plain.c: the path that MISS leads to if one rule says all and its path is known; the exact cache remembers.
 * NULL: MISS must be translated; then PLAIN says what that will be an example of. */
struct path *pmd_plain_find(struct pmd *pmd, struct pmd_miss *miss, struct pmd_plain *plain);
void pmd_plain_learn(struct pmd *pmd, const struct pmd_plain *plain, struct exact_ref ref);

/* pmd_parse.c: fills the keys, as deep as DEPTH says. A bit of the result for each packet that is not even
 * an Ethernet frame. */
uint64_t pmd_parse(struct pmd_burst *burst, enum xlate_depth depth);
/* The same for packet I alone. False: it is no frame. */
bool pmd_parse_one(struct pmd_burst *burst, unsigned int i, enum xlate_depth depth,
	struct flow_key_origin *origin);
void pmd_parse_whole(struct pmd_burst *burst, unsigned int i);

/* The whole key of packet I of BURST. */
static inline const struct flow_key *pmd_key(struct pmd_burst *burst, unsigned int i)
{
	if (unlikely(!(burst->parsed >> i & 1)))
		pmd_parse_whole(burst, i);
	return &burst->keys[i];
}

struct flow_limits pmd_limits(const struct pl_port *in_port);

/* What keys of BURST have that is not in the frames. */
static inline struct flow_key_origin pmd_origin(const struct pmd_burst *burst)
{
	return (struct flow_key_origin){
		.in_port = burst->in_port->dp_port,
		.max_vlans = pmd_limits(burst->in_port).max_vlans,
	};
}

/* The plain outer header that lies before the inner frame at DATA. */
static inline void pmd_origin_popped(const uint8_t *data, struct flow_key_origin *origin)
{
	const uint8_t *ip = data - TNL_PLAIN_LEN;

	flow_key_tunnel(origin->tunnel, tnl_plain_id(ip), load64(ip + offsetof(struct ipv4_header, src)),
		ip[offsetof(struct ipv4_header, tos)], FLOW_TNL_F_KEY);
}

/* pmd_keys.c: parses BURST as deep as MASK wants it, and unless that is XLATE_PORT, hashes the keys and asks for
 * where they may be. A bit of the result for each packet that is not even an Ethernet frame; then only
 * keys are filled. */
uint64_t pmd_keys(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask);
/* The second half of it, for keys that are there. */
void pmd_mask_keys(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask);

/* Packet I of BURST, which was parsed, as programs want it. */
struct packet *pmd_dress(struct pmd_burst *burst, unsigned int i);

/* pmd_lookup.c: fills refs[] and paths[] of what the exact cache knows, without looking whether those are still
 * true; `left` says which packets are to be looked at more closely.
 * True: all packets are of one key, of which paths[0] is the path; if that is NULL, all of paths[] is filled and all of
 * refs[]. */
bool pmd_look_up(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask);
/* Fills refs[] of those left, and paths[] of those that have one: a bit each. */
uint64_t pmd_look_closer(struct pmd *pmd, struct pmd_burst *burst, const struct key_mask *mask);
/* What pmd_look_closer() did not find of those MISSING in BURST may lie elsewhere in the exact cache: a bit each of those
 * that were found there and now have a path. */
uint64_t pmd_look_elsewhere(struct pmd *pmd, struct pmd_burst *burst, uint64_t missing);
/* PATH, remembered as of GENERATION, is alive and still true. SEQ: the PMD's. */
static inline bool pmd_path_is_true(struct pmd *pmd, struct path *path, uint32_t generation, uint32_t seq)
{
	if (unlikely(path_generation(path) != generation))
		return false;
	if (likely(path_is_valid(path, seq)))
		return true;
	path_retire(pmd->pool, (uint32_t)(path - pmd->paths));
	return false;
}

/* The path behind REF if it is. */
static inline struct path *pmd_check(struct pmd *pmd, struct exact_ref ref)
{
	struct path *path = &pmd->paths[ref.slot];

	return likely(pmd_path_is_true(pmd, path, ref.generation, pmd->seq)) ? path : NULL;
}

/* The path of a single MASKED key; or NULL, and REF says if the flow is known but its path out of date. */
struct path *pmd_look_up_one(struct pmd *pmd, const struct flow_key *masked, uint64_t hash,
	struct exact_ref *ref);

/* pmd_tunnel.c: the short way of PATH_POP. Removes the outer header of packet I of BURST and puts it into
 * pmd->popped; or drops it. */
void pmd_tunnel_pop(struct pmd *pmd, struct path *path, struct pmd_burst *burst, unsigned int i,
	struct pmd_port *pp);
/* The shorter one, before anything is parsed: does that for all packets of BURST, received at PP, whose outer
 * header is known, and leaves the others in it. */
void pmd_tunnel_pop_known(struct pmd *pmd, struct pmd_burst *burst, struct pmd_port *pp);

/* pmd_exec.c: the environment of programs; transmit buffers. */
void pmd_exec_init(struct pmd *pmd);
void pmd_output(struct pmd *pmd, dp_port_t port, struct packet *packet);
/* Gives up fragments whose datagram was not whole in time. */
void pmd_expire_fragments(struct pmd *pmd);
void pmd_flush(struct pmd *pmd);
void pmd_flush_port(struct pmd *pmd, struct pmd_port *pp);

/* Makes the transmit buffer of PP one of struct packets. */
void pmd_dress_tx(struct pmd_port *pp);

static inline void pmd_tx_added(struct pmd *pmd, struct pmd_port *pp)
{
	if (unlikely(!pp->tx_queued)) {
		pp->tx_queued = true;
		pmd->flush[pmd->n_flush++] = pp;
	}
	if (unlikely(pp->n_tx == PORT_BURST))
		pmd_flush_port(pmd, pp);
}

/* Puts PACKET into PP's transmit buffer. */
static inline void pmd_put_tx(struct pmd *pmd, struct pmd_port *pp, struct packet *packet)
{
	if (unlikely(pp->tx_bare))
		pmd_dress_tx(pp);
	/* port_tx() syncs the mbuf with its packet. */
	pp->tx[pp->n_tx++] = packet_mbuf(packet);
	pmd_tx_added(pmd, pp);
}

/* The first bare MBUF of a burst, or one among struct packets. */
void pmd_put_tx_first(struct pmd *pmd, struct pmd_port *pp, struct rte_mbuf *mbuf);

/* The same as pmd_put_tx() for a bare MBUF. */
__attribute__((always_inline)) static inline void pmd_put_tx_bare(struct pmd *pmd, struct pmd_port *pp,
	struct rte_mbuf *mbuf)
{
	uint16_t n = pp->n_tx;

	if (unlikely(!pp->tx_bare)) {
		pmd_put_tx_first(pmd, pp, mbuf);
		return;
	}
	pp->tx[n++] = mbuf;
	pp->n_tx = n;
	if (unlikely(n == PORT_BURST))
		pmd_flush_port(pmd, pp);
}

/* PACKET ends here for REASON; frees it. */
void pmd_drop(struct pmd *pmd, enum drop_reason reason, struct packet *packet);

/* Runs OPS[LEN] on PACKET; DROP is why it ends if there are none. */
static inline void pmd_run(struct pmd *pmd, const struct op *ops, uint32_t len, uint32_t drop,
	struct packet *packet)
{
	if (unlikely(!len)) {
		pmd_drop(pmd, drop ? drop : DROP_ACTION, packet);
		return;
	}
	execute(&pmd->env, ops, len, packet);
}

/* Starts and ends the accounting of one received packet. */
static inline void pmd_fate_begin(struct pmd *pmd, struct pmd_port *port)
{
	pmd->fate = (struct pmd_fate){.port = port};
}

static inline void pmd_fate_end(struct pmd *pmd)
{
	struct pmd_fate *fate = &pmd->fate;

	if (likely(fate->forwarded))
		stat_add(&fate->port->forwarded, 1);
	else if (fate->consumed || (fate->looked_at && fate->drop == DROP_NONE))
		stat_add(&fate->port->consumed, 1);
	else
		stat_add(&fate->port->drops[fate->drop], 1);
}

/* pmd_sleep.c. */
int pmd_sleep_init(struct pmd *pmd, char **error);
void pmd_sleep_uninit(struct pmd *pmd);
int pmd_watch(struct pmd *pmd, struct pmd_rxq *rxq);
void pmd_unwatch(struct pmd *pmd, struct pmd_rxq *rxq);
/* Looks which descriptors are ready, without waiting. */
void pmd_poll_fds(struct pmd *pmd);
/* Nothing was received for IDLE_US: sleeps as long as that justifies. */
void pmd_sleep(struct pmd *pmd, uint64_t idle_us);
/* Control. */
void pmd_wake(struct pmd *pmd);
