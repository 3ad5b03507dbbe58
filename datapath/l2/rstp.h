/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Rapid Spanning Tree Protocol, IEEE 802.1D-2004 clause 17: one bridge's entity. A pure engine: the
 * clock and received frames go in; port states, frames to send and requests to flush learned
 * addresses come out, to be asked for after each call.
 *
 * Words are the standard's. `edge`: a port behind which there is no bridge, which forwards at once.
 * `operational`: its MAC can carry frames (carrier, administratively up).
 *
 * Ports are named by a key of the owner's choice (the OpenFlow port number). The port number on the
 * wire, 1 to RSTP_MAX_PORTS, is the configured one if free, else the lowest free one. One thread.
 */

#include "datapath/l2/bpdu.h"

#define RSTP_MAX_PORTS 4095
#define RSTP_DEFAULT_PRIORITY 32768
#define RSTP_DEFAULT_PORT_PRIORITY 128
#define RSTP_DEFAULT_MAX_AGE_S 20
#define RSTP_DEFAULT_FORWARD_DELAY_S 15
#define RSTP_DEFAULT_HOLD_COUNT 6
#define RSTP_HELLO_S 2			/* Table 17-1: fixed. */
#define RSTP_MIGRATE_S 3		/* The same. */

enum rstp_version { RSTP_VERSION_STP = 0, RSTP_VERSION_RSTP = 2 };

enum rstp_state {
	RSTP_DISABLED,
	RSTP_LEARNING,
	RSTP_FORWARDING,
	RSTP_DISCARDING,
};

enum rstp_role {
	RSTP_ROLE_ROOT,
	RSTP_ROLE_DESIGNATED,
	RSTP_ROLE_ALTERNATE,
	RSTP_ROLE_BACKUP,
	RSTP_ROLE_DISABLED,
};

enum rstp_p2p { RSTP_P2P_FORCE_FALSE, RSTP_P2P_FORCE_TRUE, RSTP_P2P_AUTO };

/* What is out of range (table 17-1 and 17.14) leaves the setting as it was. */
struct rstp_settings {
	struct eth_addr address;
	uint32_t priority;		/* 0 to 61440 in steps of 4096. */
	enum rstp_version version;
	uint32_t max_age_s;		/* 6 to 40, at most 2 * (delay - 1). */
	uint32_t forward_delay_s;	/* 4 to 30. */
	uint32_t hold_count;		/* 1 to 10: BPDUs a second. */
};

struct rstp_port_settings {
	uint16_t number;		/* 0: any. */
	uint8_t priority;		/* 0 to 240 in steps of 16. */
	uint32_t path_cost;		/* 1 to 200,000,000; 0: the default. */
	enum rstp_p2p p2p;
	bool admin_up;			/* Administrative bridge port state. */
	bool admin_edge;
	bool auto_edge;
	bool mcheck;			/* Try whether all STP bridges have gone. */
};

struct rstp_times {			/* Seconds. */
	uint16_t forward_delay, hello_time, max_age, message_age;
};

struct rstp_status {
	uint64_t bridge_id;
	uint64_t root_id;
	uint64_t designated_id;		/* Of the bridge the root port hears. */
	uint16_t designated_port_id;
	uint16_t bridge_port_id;	/* Of the root port; 0 on the root. */
	uint32_t root_path_cost;
	bool is_root;
	uint32_t root_port;		/* Key; UINT32_MAX: none. */
	struct rstp_times own_times;
	struct rstp_times root_times;	/* As the root port hands them on. */
};

struct rstp_port_status {
	uint16_t id;
	uint16_t number;
	uint8_t priority;
	uint32_t path_cost;
	enum rstp_state state;
	enum rstp_role role;
	uint64_t designated_bridge_id;
	uint16_t designated_port_id;
	uint32_t designated_path_cost;
	unsigned int tx_count, rx_count, error_count;
	unsigned int uptime_s;
};

struct rstp;

struct rstp *rstp_create(const struct rstp_settings *settings, int64_t now_ms);
void rstp_destroy(struct rstp *rstp);
void rstp_configure(struct rstp *rstp, const struct rstp_settings *settings);

/* The clock has come to NOW_MS: runs the timers, which tick once a second. */
void rstp_run(struct rstp *rstp, int64_t now_ms);
int64_t rstp_next_ms(const struct rstp *rstp);

/* Adds port KEY (not operational), or changes its settings. -ENOSPC: no number is free. */
int rstp_port_set(struct rstp *rstp, uint32_t key, const struct rstp_port_settings *settings);
void rstp_port_remove(struct rstp *rstp, uint32_t key);
void rstp_port_set_operational(struct rstp *rstp, uint32_t key, bool operational);

/* FRAME[LEN] came in by port KEY. What is no valid BPDU is counted as an error. */
void rstp_receive(struct rstp *rstp, uint32_t key, const void *frame, size_t len);

/* As if the topology had changed at each of the bridge's own ports (rstp/tcn). */
void rstp_topology_change(struct rstp *rstp);

/* A frame to send; false: none. */
bool rstp_next_frame(struct rstp *rstp, uint32_t *key, struct bpdu_frame *frame);
/* A port whose learned addresses are to be forgotten; false: none. */
bool rstp_next_flush(struct rstp *rstp, uint32_t *key);

void rstp_status(const struct rstp *rstp, struct rstp_status *status);
/* False: no such port. */
bool rstp_port_status(const struct rstp *rstp, uint32_t key, struct rstp_port_status *status);
enum rstp_state rstp_port_state(const struct rstp *rstp, uint32_t key);
/* The key of the next port after number NUMBER (start with 0), in the order of numbers; false: none. */
bool rstp_port_next(const struct rstp *rstp, uint16_t number, uint32_t *key);

static inline bool rstp_state_learns(enum rstp_state state)
{
	return state == RSTP_LEARNING || state == RSTP_FORWARDING;
}

static inline bool rstp_state_forwards(enum rstp_state state)
{
	return state == RSTP_FORWARDING;
}

const char *rstp_state_name(enum rstp_state state);
const char *rstp_role_name(enum rstp_role role);
/* Table 17-3; 0 Mb/s: unknown, taken for 10 Gb/s. */
uint32_t rstp_speed_to_cost(uint64_t mbps);
