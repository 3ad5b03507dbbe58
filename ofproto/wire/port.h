/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ports on the wire: description (features reply of 1.0 to 1.2, port desc), port_status, port_mod,
 * statistics. Pure functions, any thread.
 */

#include "ofproto/wire/msg.h"

#define OFP_PORT_NAME_LEN 16

struct port_desc {
	ofp_port_t port;
	struct eth_addr hw_addr;
	char name[64];		/* Cut to 15 characters where there is no room. */
	uint32_t config;	/* OFPPC_*. */
	uint32_t state;		/* OFPPS_*. */
	uint32_t curr;		/* OFPPF_*. */
	uint32_t advertised;
	uint32_t supported;
	uint32_t peer;
	uint32_t curr_speed;	/* kbit/s. */
	uint32_t max_speed;
};

/* The struct alone, as in VERSION. */
void port_desc_put(struct sbuf *out, enum ofp_version version, const struct port_desc *pd);
/* The next one of C. */
enum ofp_error port_desc_take(struct cursor *c, enum ofp_version version, struct port_desc *pd);

/* OFPTYPE_PORT_DESC_REQUEST: the port asked for, OFPP_NONE all. Reply: mp_begin, port_desc_put between
 * mp_entry_begin and mp_entry_end, mp_end. */
enum ofp_error port_desc_request_decode(const struct msg *msg, ofp_port_t *port);

void port_status_encode(const struct port_desc *pd, enum ofp_port_reason reason,
	enum ofp_version version, struct sbuf *out);
enum ofp_error port_status_decode(const struct msg *msg, struct port_desc *pd,
	enum ofp_port_reason *reason);

struct port_mod {
	ofp_port_t port;
	struct eth_addr hw_addr;
	uint32_t config;	/* OFPPC_*, within mask. */
	uint32_t mask;
	uint32_t advertise;	/* OFPPF_*; 0: leave. */
};

enum ofp_error port_mod_decode(const struct msg *msg, struct port_mod *pm);
void port_mod_encode(const struct port_mod *pm, enum ofp_version version, be32 xid, struct sbuf *out);

struct port_stats {		/* Counters that are not kept: OFP_COUNTER_UNKNOWN. */
	ofp_port_t port;
	uint32_t duration_sec;
	uint32_t duration_nsec;
	uint64_t rx_packets, tx_packets;
	uint64_t rx_bytes, tx_bytes;
	uint64_t rx_dropped, tx_dropped;
	uint64_t rx_errors, tx_errors;
	uint64_t rx_frame_err, rx_over_err, rx_crc_err;
	uint64_t collisions;
};

/* The port asked for, OFPP_NONE all. */
enum ofp_error port_stats_request_decode(const struct msg *msg, ofp_port_t *port);
void port_stats_put(struct mp_reply *mp, const struct port_stats *ps);
