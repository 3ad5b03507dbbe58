/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Spanning Tree Protocol, IEEE 802.1D-1998 clause 8: one bridge's entity. A pure engine: the clock
 * and received frames go in; port states, frames to send and requests to flush learned addresses
 * come out, to be asked for after each call.
 *
 * Words: `port number`: 0 to STP_MAX_PORTS - 1; the port identifier on the wire carries it + 1 below
 * the port's priority. `topology change`: learned addresses must go soon.
 *
 * A port is one of STP_MAX_PORTS that the entity always has; those not enabled are disabled and take
 * no part. One thread.
 */

#include "datapath/l2/bpdu.h"

#define STP_MAX_PORTS 255
#define STP_DEFAULT_PRIORITY 32768
#define STP_DEFAULT_PORT_PRIORITY 128
#define STP_DEFAULT_HELLO_MS 2000
#define STP_DEFAULT_MAX_AGE_MS 20000
#define STP_DEFAULT_FORWARD_DELAY_MS 15000

enum stp_state {
	STP_DISABLED,
	STP_LISTENING,
	STP_LEARNING,
	STP_FORWARDING,
	STP_BLOCKING,
};

enum stp_role {
	STP_ROLE_ROOT,
	STP_ROLE_DESIGNATED,
	STP_ROLE_ALTERNATE,
	STP_ROLE_DISABLED,
};

/* Times are brought into what 8.10.2 allows: 1 to 10 s hello, 6 to 40 s age, 4 to 30 s delay, with
 * 2 * (delay - 1 s) >= age >= 2 * (hello + 1 s). */
struct stp_settings {
	struct eth_addr system_id;
	uint16_t priority;
	uint32_t hello_ms, max_age_ms, forward_delay_ms;
};

struct stp_port_status {
	uint16_t id;
	enum stp_state state;
	enum stp_role role;
	uint16_t path_cost;
	unsigned int tx_count, rx_count, error_count;
};

struct stp_times {		/* In milliseconds. */
	uint32_t hello, max_age, forward_delay;
};

struct stp_status {
	uint64_t bridge_id;
	uint64_t root_id;
	uint32_t root_path_cost;
	int root_port;			/* -1: this bridge is the root. */
	struct stp_times times;		/* In force: the root's. */
	struct stp_times own_times;	/* That this bridge would dictate. */
};

struct stp;

struct stp *stp_create(const struct stp_settings *settings, int64_t now_ms);
void stp_destroy(struct stp *stp);
void stp_configure(struct stp *stp, const struct stp_settings *settings);

/* The clock has come to NOW_MS: runs the timers. */
void stp_run(struct stp *stp, int64_t now_ms);
/* When stp_run() has something to do again. */
int64_t stp_next_ms(const struct stp *stp);

/* Enabling is idempotent; a port starts blocking, and becomes listening at once if it is designated. */
void stp_port_enable(struct stp *stp, unsigned int port);
void stp_port_disable(struct stp *stp, unsigned int port);
void stp_port_configure(struct stp *stp, unsigned int port, uint8_t priority, uint16_t path_cost);

/* FRAME[LEN] came in by PORT. What is no BPDU is counted as an error. */
void stp_receive(struct stp *stp, unsigned int port, const void *frame, size_t len);

/* As if a port had gone to forwarding (stp/tcn). */
void stp_topology_change(struct stp *stp);

/* Next frame to send, oldest first; false: none. */
bool stp_next_frame(struct stp *stp, struct bpdu_frame *frame);
/* True once after the topology changed: all learned addresses must be forgotten. */
bool stp_take_flush(struct stp *stp);

void stp_status(const struct stp *stp, struct stp_status *status);
void stp_port_status(const struct stp *stp, unsigned int port, struct stp_port_status *status);
enum stp_state stp_port_state(const struct stp *stp, unsigned int port);

static inline bool stp_state_learns(enum stp_state state)
{
	return state == STP_LEARNING || state == STP_FORWARDING;
}

static inline bool stp_state_forwards(enum stp_state state)
{
	return state == STP_FORWARDING;
}

const char *stp_state_name(enum stp_state state);
const char *stp_role_name(enum stp_role role);
/* Recommended cost of a link (802.1D-1998, table 8-5); 0 Mb/s: unknown, taken for fast. */
uint16_t stp_speed_to_cost(uint64_t mbps);
