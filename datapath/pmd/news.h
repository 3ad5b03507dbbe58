/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * News from a PMD to control: what control must learn, answer or decide. Two bounded rings a PMD:
 * small facts, and packets. A full ring, or a port that takes more than its share of one that fills
 * up, loses the news (counted), never the forwarding.
 *
 * Facts that repeat themselves are filtered: the same one within NEWS_REPEAT_MS counts as taken.
 *
 * Control is told of news at once; but of MAC addresses, which may come in floods, not more often than every
 * NEWS_PATIENCE_US as long as packets come. It takes no facts before: each time that it has learned some, every
 * path in use looks at what it depends on.
 *
 * Threads: the put functions are the PMD's, the others control's.
 */

#include <rte_mbuf.h>

#include "datapath/pipeline/program.h"
#include "datapath/pmd/ring.h"
#include "lib/types.h"

#define NEWS_FACTS 4096
#define NEWS_PACKETS 2048
#define NEWS_FILTER 1024
#define NEWS_REPEAT_MS 200
#define NEWS_PATIENCE_US 4000

enum news_type {
	NEWS_FDB,		/* fdb: MAC seen on a port. */
	NEWS_NEIGH,		/* neigh: next hop unknown. */
	NEWS_FIN,		/* fin: TCP connection of a rule ends. */
	NEWS_OP,		/* A packet with the operation that sent it up (punt, hold, snoop, L2). */
	NEWS_LEARN,		/* A packet that control must translate; op: where to resume, or NULL. */
};

struct news {
	uint8_t type;		/* enum news_type. */
	union {
		struct {
			uint32_t bridge;
			ofp_port_t port;
			struct eth_addr mac;
			uint16_t vlan;
		} fdb;
		struct {
			uint32_t bridge;
			struct ipv6_addr next_hop;
		} neigh;
		struct {
			uint32_t counter;
			uint16_t idle, hard;
		} fin;
		struct {
			struct rte_mbuf *mbuf;
			struct rte_mbuf *op;	/* The operation's bytes. */
		} packet;
	};
};

/* How much of the rings one input port has taken lately. */
struct news_share {
	uint32_t epoch;
	uint32_t n;
};

struct news_ring {
	struct ring facts;
	struct ring packets;
	struct {
		uint64_t hash;
		int64_t ms;
	} filter[NEWS_FILTER];
	_Atomic bool facts_told;	/* Control has not yet asked for what it was told of. */
	bool put_some;			/* Since control was last told. */
	bool put_urgent;		/* Some that somebody waits for. */
	_Atomic uint64_t n_lost;
};

void news_init(struct news_ring *news);
void news_uninit(struct news_ring *news);	/* Must be drained. */

/* True if control is to be woken now. IDLE: no packets come; SINCE_US since it last was. */
bool news_tell(struct news_ring *news, bool idle, uint64_t since_us);

/* True if FACT was taken, or was a short time ago. */
bool news_put_fact(struct news_ring *news, const struct news *fact, int64_t now_ms);
/* Takes MBUF over if it returns true. OP may be NULL. Its bytes are copied, into buffers of MBUF's pool. */
bool news_put_packet(struct news_ring *news, struct news_share *share, enum news_type type,
	struct rte_mbuf *mbuf, const struct op *op);

/* True if control was told of facts since it asked last. */
bool news_facts_told(struct news_ring *news);
/* That it has not taken them all. */
void news_facts_left(struct news_ring *news);
/* There is something to take. */
bool news_wait(const struct news_ring *news);
/* Oldest fact, or packet (mbuf and op then are the caller's). False: none. */
bool news_get_fact(struct news_ring *news, struct news *fact);
bool news_get_packet(struct news_ring *news, struct news *packet);
/* Copies the first LEN bytes of M's chain (or what there is) to BUF; returns how many. */
size_t mbuf_read(const struct rte_mbuf *m, void *buf, size_t len);
/* The operation's bytes, 8-byte aligned, to free(); NULL for NULL. Frees M. */
struct op *news_take_op(struct rte_mbuf *m);
