/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reassembly of IP datagrams that arrive for this host in fragments, before a tunnel header is looked
 * for in them (RFC 791; RFC 8200, 4.5). Over DPDK's rte_ip_frag: at most 8 fragments a datagram, a
 * bounded number of datagrams at a time, each for DEFRAG_MS.
 *
 * Fragments that overlap, leave holes, come twice or do not end in time take their datagram with them.
 * A checksum of UDP or GRE is verified, since the pieces lie apart for whoever comes later.
 *
 * One thread at a time a struct defrag.
 */

#include "datapath/port/mbuf.h"

#define DEFRAG_MS 2000

struct defrag;

/* NULL: out of memory. Needs EAL. */
struct defrag *defrag_create(void);
void defrag_destroy(struct defrag *defrag);

/*
 * Takes PACKET over, a fragment whose l3_ofs is set. Returns the whole datagram if it was the last one
 * missing: l3_ofs and l4_ofs set, in_port that of its first fragment. NULL: it is kept, or lost (see
 * defrag_take_lost()). TSC: now, in rte_rdtsc()'s cycles.
 */
struct packet *defrag_add(struct defrag *defrag, struct packet *packet, uint64_t tsc);
/* Gives up what is too old. */
void defrag_expire(struct defrag *defrag, uint64_t tsc);
/* Fragments lost since the last call, and datagrams whose checksum was wrong. */
uint32_t defrag_take_lost(struct defrag *defrag, uint32_t *n_bad_csum);
