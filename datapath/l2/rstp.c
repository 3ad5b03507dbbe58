/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/l2/rstp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/l2/rstp_private.h"
#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/log.h"
#include "lib/util.h"

LOG_MODULE(rstp);

#define MAX_MOVES 1000			/* No topology needs that many. */
#define TICK_MS 1000
#define MAX_PATH_COST 200000000

static const char *const state_names[] = {
	[RSTP_DISABLED] = "Disabled", [RSTP_LEARNING] = "Learning",
	[RSTP_FORWARDING] = "Forwarding", [RSTP_DISCARDING] = "Discarding",
};

static const char *const role_names[] = {
	[RSTP_ROLE_ROOT] = "Root", [RSTP_ROLE_DESIGNATED] = "Designated",
	[RSTP_ROLE_ALTERNATE] = "Alternate", [RSTP_ROLE_BACKUP] = "Backup",
	[RSTP_ROLE_DISABLED] = "Disabled",
};

const char *rstp_state_name(enum rstp_state state)
{
	return state_names[state];
}

const char *rstp_role_name(enum rstp_role role)
{
	return role_names[role];
}

uint32_t rstp_speed_to_cost(uint64_t mbps)
{
	static const struct {
		uint64_t mbps;
		uint32_t cost;
	} table[] = {{10000000, 2}, {1000000, 20}, {100000, 200}, {10000, 2000}, {1000, 20000},
		{100, 200000}, {10, 2000000}, {1, 20000000}};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (mbps >= table[i].mbps)
			return table[i].cost;
	return 2000;
}

/* ------------------------------------------------------------------ the machines */

static bool port_step(struct rstp_port *p)
{
	bool moved = rstp_receive_step(p);

	moved |= rstp_detection_step(p);
	moved |= rstp_information_step(p);
	moved |= rstp_transition_step(p);
	moved |= rstp_state_step(p);
	moved |= rstp_topology_step(p);
	moved |= rstp_migration_step(p);
	return moved;
}

/* Sending comes last: what the others have come to is one BPDU, not one for each of their steps. */
void rstp_move(struct rstp *rstp)
{
	for (int i = 0; i < MAX_MOVES; i++) {
		bool moved = rstp_select_roles(rstp);

		RSTP_FOR_EACH_PORT (p, rstp)
			moved |= port_step(p);
		if (moved)
			continue;
		RSTP_FOR_EACH_PORT (p, rstp)
			moved |= rstp_transmit_step(p);
		if (!moved)
			return;
	}
	log_err("the state machines do not come to rest");
}

static void port_begin(struct rstp_port *p)
{
	p->port_enabled = p->operational && p->admin_up;
	p->agree = p->agreed = p->proposed = p->proposing = p->updt_info = false;
	p->rcvd_tc = p->rcvd_tcn = p->rcvd_tc_ack = p->tc_prop = false;
	p->designated_times = p->rstp->bridge_times;
	rstp_info_begin(p);
	rstp_transition_begin(p);
	rstp_topology_begin(p);
}

/* ------------------------------------------------------------------ bridge */

static uint64_t make_id(uint32_t priority, struct eth_addr address)
{
	return (uint64_t)priority << 48 | eth_addr_to_u64(address);
}

static void reselect_all(struct rstp *rstp)
{
	RSTP_FOR_EACH_PORT (p, rstp) {
		p->reselect = true;
		p->selected = false;
	}
	if (!rstp->ports.n) {
		rstp->root_priority = (struct rstp_vector) {
			.root_id = rstp->bridge_id, .bridge_id = rstp->bridge_id};
		rstp->root_times = rstp->bridge_times;
		rstp->root_port_id = 0;
	}
}

/* Both at once, so that one may make room for the other. */
static void set_times(struct rstp *rstp, uint32_t max_age, uint32_t delay)
{
	if (max_age < 6 || max_age > 40)
		max_age = rstp->bridge_times.max_age;
	if (delay < 4 || delay > 30)
		delay = rstp->bridge_times.forward_delay;
	if (2 * (delay - 1) < max_age || max_age < 2 * (RSTP_HELLO_S + 1))
		return;
	rstp->bridge_times.max_age = (uint16_t)max_age;
	rstp->bridge_times.forward_delay = (uint16_t)delay;
}

static void set_version(struct rstp *rstp, enum rstp_version version)
{
	if (rstp->version == version ||
		(version != RSTP_VERSION_STP && version != RSTP_VERSION_RSTP))
		return;
	rstp->version = version;
	RSTP_FOR_EACH_PORT (p, rstp)
		port_begin(p);
}

static void set_hold_count(struct rstp *rstp, uint32_t hold_count)
{
	if (hold_count < 1 || hold_count > 10 || hold_count == rstp->hold_count)
		return;
	rstp->hold_count = (uint16_t)hold_count;
	RSTP_FOR_EACH_PORT (p, rstp)
		p->tx_held = 0;
}

void rstp_configure(struct rstp *rstp, const struct rstp_settings *s)
{
	uint32_t priority = (uint32_t)(rstp->bridge_id >> 48);
	struct rstp_times old_times = rstp->bridge_times;
	uint64_t id;

	if (s->priority <= 61440)
		priority = ROUND_DOWN(s->priority, 4096);
	id = make_id(priority, s->address);
	set_times(rstp, s->max_age_s, s->forward_delay_s);
	set_version(rstp, s->version);
	set_hold_count(rstp, s->hold_count);
	if (id != rstp->bridge_id || !rstp_times_same(&old_times, &rstp->bridge_times)) {
		rstp->bridge_id = id;
		reselect_all(rstp);
	}
	rstp_move(rstp);
}

struct rstp *rstp_create(const struct rstp_settings *s, int64_t now_ms)
{
	struct rstp *rstp = xcalloc(1, sizeof *rstp);

	rstp->bridge_id = make_id(RSTP_DEFAULT_PRIORITY, s->address);
	rstp->version = RSTP_VERSION_RSTP;
	rstp->hold_count = RSTP_DEFAULT_HOLD_COUNT;
	rstp->bridge_times = (struct rstp_times) {
		.forward_delay = RSTP_DEFAULT_FORWARD_DELAY_S,
		.hello_time = RSTP_HELLO_S,
		.max_age = RSTP_DEFAULT_MAX_AGE_S,
	};
	rstp->next_tick_ms = now_ms + TICK_MS;
	reselect_all(rstp);
	rstp_configure(rstp, s);
	return rstp;
}

void rstp_destroy(struct rstp *rstp)
{
	if (!rstp)
		return;
	RSTP_FOR_EACH_PORT (p, rstp)
		free(p);
	vec_uninit(&rstp->ports);
	vec_uninit(&rstp->frames);
	free(rstp);
}

/* ------------------------------------------------------------------ clock */

static void count_down(uint16_t *timer)
{
	if (*timer)
		--*timer;
}

/* 17.22. */
static void port_tick(struct rstp_port *p)
{
	count_down(&p->hello_when);
	count_down(&p->tc_while);
	count_down(&p->fd_while);
	count_down(&p->rcvd_info_while);
	count_down(&p->rr_while);
	count_down(&p->rb_while);
	count_down(&p->mdelay_while);
	count_down(&p->edge_delay_while);
	count_down(&p->tx_held);
	p->uptime_s++;
}

void rstp_run(struct rstp *rstp, int64_t now_ms)
{
	/* After a long sleep the seconds that were missed are not made up for: neighbours were
	 * not heard in them either. */
	if (now_ms - rstp->next_tick_ms > 3 * TICK_MS)
		rstp->next_tick_ms = now_ms;
	for (; now_ms >= rstp->next_tick_ms; rstp->next_tick_ms += TICK_MS) {
		RSTP_FOR_EACH_PORT (p, rstp)
			port_tick(p);
		rstp_move(rstp);
	}
}

int64_t rstp_next_ms(const struct rstp *rstp)
{
	return rstp->next_tick_ms;
}

/* ------------------------------------------------------------------ ports */

static struct rstp_port *find_port(const struct rstp *rstp, uint32_t key)
{
	RSTP_FOR_EACH_PORT (p, rstp)
		if (p->key == key)
			return p;
	return NULL;
}

static bool number_is_free(const struct rstp *rstp, uint16_t number, const struct rstp_port *self)
{
	RSTP_FOR_EACH_PORT (p, rstp)
		if (p != self && p->number == number)
			return false;
	return number >= 1 && number <= RSTP_MAX_PORTS;
}

/* Ports lie in the order of their numbers. */
static uint16_t lowest_free_number(const struct rstp *rstp)
{
	uint16_t number = 1;

	RSTP_FOR_EACH_PORT (p, rstp)
		if (p->number == number)
			number++;
	return number <= RSTP_MAX_PORTS ? number : 0;
}

static int compare_numbers(const void *a_, const void *b_)
{
	const struct rstp_port *a = *(struct rstp_port *const *)a_;
	const struct rstp_port *b = *(struct rstp_port *const *)b_;

	return a->number < b->number ? -1 : a->number > b->number;
}

static void set_id(struct rstp_port *p, uint16_t number, uint8_t priority)
{
	/* 12 bits of number below 4 of priority. */
	uint16_t id = (uint16_t)((priority & 0xf0) << 8 | number);

	p->number = number;
	p->priority = priority & 0xf0;
	if (p->id == id)
		return;
	p->id = id;
	p->reselect = true;
	p->selected = false;
	qsort(p->rstp->ports.items, p->rstp->ports.n, sizeof *p->rstp->ports.items,
		compare_numbers);
}

static void apply_port_settings(struct rstp_port *p, const struct rstp_port_settings *s)
{
	uint32_t cost = s->path_cost ? s->path_cost : rstp_speed_to_cost(0);

	if (cost <= MAX_PATH_COST && p->path_cost != cost) {
		p->path_cost = cost;
		p->reselect = true;
		p->selected = false;
	}
	p->oper_p2p = s->p2p == RSTP_P2P_FORCE_TRUE;
	p->admin_up = s->admin_up;
	p->admin_edge = s->admin_edge;
	p->auto_edge = s->auto_edge;
	if (s->mcheck && rstp_is_rapid(p->rstp))
		p->mcheck = true;
	p->port_enabled = p->operational && p->admin_up;
}

int rstp_port_set(struct rstp *rstp, uint32_t key, const struct rstp_port_settings *s)
{
	struct rstp_port *p = find_port(rstp, key);
	uint16_t number = s->number, old = p ? p->number : 0;

	if (!number || !number_is_free(rstp, number, p))
		number = old ? old : lowest_free_number(rstp);
	if (!number)
		return -ENOSPC;
	if (!p) {
		p = xcalloc(1, sizeof *p);
		p->rstp = rstp;
		p->key = key;
		vec_push(&rstp->ports, p);
		apply_port_settings(p, s);
		p->number = number;
		port_begin(p);
	}
	set_id(p, number, s->priority);
	apply_port_settings(p, s);
	rstp_move(rstp);
	return 0;
}

void rstp_port_remove(struct rstp *rstp, uint32_t key)
{
	rstp_port_set_operational(rstp, key, false);
	for (size_t i = 0; i < rstp->ports.n; i++)
		if (rstp->ports.items[i]->key == key) {
			free(rstp->ports.items[i]);
			vec_remove(&rstp->ports, i);
			reselect_all(rstp);
			rstp_move(rstp);
			return;
		}
}

void rstp_port_set_operational(struct rstp *rstp, uint32_t key, bool operational)
{
	struct rstp_port *p = find_port(rstp, key);

	if (!p || p->operational == operational)
		return;
	p->operational = operational;
	p->port_enabled = p->operational && p->admin_up;
	rstp_move(rstp);
}

/* 9.3.4. */
static bool is_valid(const struct rstp_port *p, const struct bpdu *bpdu)
{
	return bpdu->type == BPDU_TCN || (bpdu->message_age < bpdu->max_age &&
		(bpdu->bridge_id != p->rstp->bridge_id || bpdu->port_id != p->id));
}

void rstp_receive(struct rstp *rstp, uint32_t key, const void *frame, size_t len)
{
	struct rstp_port *p = find_port(rstp, key);
	struct bpdu bpdu;

	if (!p || !p->port_enabled)
		return;
	if (bpdu_decode(&bpdu, frame, len) || !is_valid(p, &bpdu)) {
		p->error_count++;
		return;
	}
	/* 9.2.9: of unknown role, treated as a Configuration BPDU. */
	if (bpdu.type == BPDU_RST && (bpdu.flags & BPDU_F_ROLE) == BPDU_ROLE_UNKNOWN) {
		bpdu.type = BPDU_CONFIG;
		bpdu.flags &= BPDU_F_TC | BPDU_F_TC_ACK;
	}
	p->rx_count++;
	p->bpdu = bpdu;
	p->rcvd_bpdu = true;
	rstp_move(rstp);
}

void rstp_topology_change(struct rstp *rstp)
{
	RSTP_FOR_EACH_PORT (p, rstp)
		if (p->topology == RSTP_TCM_ACTIVE) {
			rstp_new_tc_while(p);
			p->fdb_flush = true;
			p->new_info = true;
		}
	rstp_move(rstp);
}

/* ------------------------------------------------------------------ what comes out */

bool rstp_next_frame(struct rstp *rstp, uint32_t *key, struct bpdu_frame *frame)
{
	const struct rstp_tx *tx;

	if (rstp->next_frame == rstp->frames.n) {
		vec_clear(&rstp->frames);
		rstp->next_frame = 0;
		return false;
	}
	tx = &rstp->frames.items[rstp->next_frame++];
	*key = tx->key;
	*frame = tx->frame;
	return true;
}

bool rstp_next_flush(struct rstp *rstp, uint32_t *key)
{
	RSTP_FOR_EACH_PORT (p, rstp)
		if (p->fdb_flush) {
			p->fdb_flush = false;
			*key = p->key;
			return true;
		}
	return false;
}

void rstp_status(const struct rstp *rstp, struct rstp_status *status)
{
	const struct rstp_vector *v = &rstp->root_priority;

	*status = (struct rstp_status) {
		.bridge_id = rstp->bridge_id,
		.root_id = v->root_id,
		.designated_id = v->bridge_id,
		.designated_port_id = v->port_id,
		.bridge_port_id = v->bridge_port_id,
		.root_path_cost = v->cost,
		.is_root = !rstp->root_port_id,
		.root_port = UINT32_MAX,
		.own_times = rstp->bridge_times,
		.root_times = rstp->root_times,
	};
	status->root_times.hello_time = RSTP_HELLO_S;
	RSTP_FOR_EACH_PORT (p, rstp)
		if (p->id == rstp->root_port_id)
			status->root_port = p->key;
}

bool rstp_port_status(const struct rstp *rstp, uint32_t key, struct rstp_port_status *status)
{
	const struct rstp_port *p = find_port(rstp, key);

	if (!p)
		return false;
	*status = (struct rstp_port_status) {
		.id = p->id,
		.number = p->number,
		.priority = p->priority,
		.path_cost = p->path_cost,
		.state = p->state,
		.role = p->role,
		.designated_bridge_id = p->port_priority.bridge_id,
		.designated_port_id = p->port_priority.port_id,
		.designated_path_cost = p->port_priority.cost,
		.tx_count = p->tx_count,
		.rx_count = p->rx_count,
		.error_count = p->error_count,
		.uptime_s = p->uptime_s,
	};
	return true;
}

enum rstp_state rstp_port_state(const struct rstp *rstp, uint32_t key)
{
	const struct rstp_port *p = find_port(rstp, key);

	return p ? p->state : RSTP_DISABLED;
}

bool rstp_port_next(const struct rstp *rstp, uint16_t number, uint32_t *key)
{
	RSTP_FOR_EACH_PORT (p, rstp)
		if (p->number > number) {
			*key = p->key;
			return true;
		}
	return false;
}
