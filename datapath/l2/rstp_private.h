/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inside of the RSTP entity: its variables (17.18 to 17.20), named as in the standard but for the
 * house's spelling, and its state machines (17.22 to 17.31), one function each.
 *
 * A machine's function looks once whether it is to go from its state to another one, goes there
 * (runs that state's actions, and those of states it falls through), and returns true if it went.
 * rstp_move() runs them all until none goes any further. `BEGIN` is in the *_begin() functions.
 * Pure; one thread at a time.
 */

#include "datapath/l2/rstp.h"
#include "lib/vec.h"

struct rstp_vector {			/* 17.5: less is better, from the top. */
	uint64_t root_id;
	uint32_t cost;
	uint64_t bridge_id;
	uint16_t port_id;
	uint16_t bridge_port_id;	/* Where it was received. */
};

enum rstp_info { RSTP_INFO_DISABLED, RSTP_INFO_AGED, RSTP_INFO_MINE, RSTP_INFO_RECEIVED };

enum rstp_receive_state { RSTP_RX_DISCARD, RSTP_RX_RECEIVE };
enum rstp_migration_state { RSTP_PPM_CHECKING, RSTP_PPM_SELECTING, RSTP_PPM_SENSING };
enum rstp_information_state { RSTP_PIM_DISABLED, RSTP_PIM_AGED, RSTP_PIM_CURRENT };
enum rstp_transition_state {
	RSTP_PRT_DISABLE,	/* Waits until it neither learns nor forwards. */
	RSTP_PRT_DISABLED,
	RSTP_PRT_ROOT,
	RSTP_PRT_DESIGNATED,
	RSTP_PRT_BLOCK,		/* As DISABLE, on the way to ALTERNATE. */
	RSTP_PRT_ALTERNATE,	/* Or backup. */
};
enum rstp_topology_state { RSTP_TCM_INACTIVE, RSTP_TCM_LEARNING, RSTP_TCM_ACTIVE };

struct rstp_port {
	struct rstp *rstp;
	uint32_t key;
	uint16_t number;
	uint8_t priority;
	uint16_t id;
	uint32_t path_cost;
	enum rstp_state state;
	bool operational, admin_up;
	bool oper_p2p, admin_edge, auto_edge, mcheck;

	/* 17.19. */
	bool port_enabled;
	bool agree, agreed, disputed, fdb_flush, forward, forwarding, learn, learning, new_info;
	bool oper_edge, proposed, proposing, rcvd_bpdu, rcvd_msg, rcvd_rstp, rcvd_stp;
	bool rcvd_tc, rcvd_tc_ack, rcvd_tcn, re_root, reselect, selected, send_rstp, sync, synced;
	bool tc_ack, tc_prop, updt_info;
	enum rstp_info info_is;
	enum rstp_role role, selected_role;
	struct rstp_vector designated_priority, msg_priority, port_priority;
	struct rstp_times designated_times, msg_times, port_times;

	/* 17.17, in seconds, counting down. */
	uint16_t edge_delay_while, fd_while, hello_when, mdelay_while, rb_while, rcvd_info_while;
	uint16_t rr_while, tc_while;
	uint16_t tx_held;		/* txCount. */

	enum rstp_receive_state receive;
	enum rstp_migration_state migration;
	enum rstp_information_state information;
	enum rstp_transition_state transition;
	enum rstp_topology_state topology;

	struct bpdu bpdu;		/* Received last. */
	unsigned int tx_count, rx_count, error_count, uptime_s;
};

struct rstp_tx {
	uint32_t key;
	struct bpdu_frame frame;
};

struct rstp {
	uint64_t bridge_id;
	enum rstp_version version;
	uint16_t hold_count;
	struct rstp_times bridge_times;
	struct rstp_vector root_priority;
	struct rstp_times root_times;
	uint16_t root_port_id;		/* 0: this bridge is the root. */
	VEC(struct rstp_port *) ports;	/* By number. */
	int64_t next_tick_ms;
	VEC(struct rstp_tx) frames;
	size_t next_frame;
};

#define RSTP_FOR_EACH_PORT(P, RSTP)                                                                \
	for (struct rstp_port **P##_i = (RSTP)->ports.items, *P;                                   \
		(RSTP)->ports.n && P##_i < (RSTP)->ports.items + (RSTP)->ports.n &&                \
			((P) = *P##_i, true);                                                      \
		P##_i++)

static inline bool rstp_is_rapid(const struct rstp *rstp)
{
	return rstp->version >= RSTP_VERSION_RSTP;
}

/* Runs every machine until nothing moves. */
void rstp_move(struct rstp *rstp);

/* rstp_roles.c: priority vectors (17.6) and the port role selection machine (17.28). */
int rstp_vector_compare(const struct rstp_vector *a, const struct rstp_vector *b);
bool rstp_vector_same(const struct rstp_vector *a, const struct rstp_vector *b);
bool rstp_times_same(const struct rstp_times *a, const struct rstp_times *b);
/* A replaces B as a port's information. */
bool rstp_vector_supersedes(const struct rstp_vector *a, const struct rstp_vector *b);
bool rstp_select_roles(struct rstp *rstp);

/* rstp_info.c: receive (17.23), protocol migration (17.24), bridge detection (17.25), information
 * (17.27). */
void rstp_info_begin(struct rstp_port *p);
bool rstp_receive_step(struct rstp_port *p);
bool rstp_migration_step(struct rstp_port *p);
bool rstp_detection_step(struct rstp_port *p);
bool rstp_information_step(struct rstp_port *p);

/* rstp_transition.c: role transitions (17.29) and state transition (17.30). */
void rstp_transition_begin(struct rstp_port *p);
bool rstp_transition_step(struct rstp_port *p);
bool rstp_state_step(struct rstp_port *p);

/* rstp_topology.c: topology change (17.31) and transmit (17.26). */
void rstp_topology_begin(struct rstp_port *p);
bool rstp_topology_step(struct rstp_port *p);
bool rstp_transmit_step(struct rstp_port *p);
void rstp_new_tc_while(struct rstp_port *p);
void rstp_set_tc_prop(struct rstp_port *p);
