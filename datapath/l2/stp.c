/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/l2/stp.h"

#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/log.h"
#include "lib/util.h"
#include "lib/vec.h"

LOG_MODULE(stp);

/* The clock counts in the protocol's own ticks of 1/256 s. */
#define TICKS(S) ((S) * BPDU_TICKS_PER_S)
#define FIRST_HELLO (BPDU_TICKS_PER_S / 2)	/* Ports are enabled meanwhile. */
#define HOLD_TIME TICKS(1)		/* 8.10.2, table 8-3. */
#define MESSAGE_AGE_INCREMENT 1		/* Ticks: what passing through this bridge may take. */
#define MAX_QUEUED_FRAMES 1024

struct stp_timer {
	bool active;
	int64_t start;			/* Ticks at which it showed 0. */
};

/* What a port's segment has heard of the root (8.5.5.4 to 8.5.5.7); less is better. */
struct stp_vector {
	uint64_t root;
	uint32_t cost;
	uint64_t bridge;
	uint16_t port;
};

struct stp_port {
	uint16_t id;
	uint16_t path_cost;
	enum stp_state state;
	struct stp_vector designated;
	bool topology_change_ack;
	bool config_pending;
	struct stp_timer message_age, forward_delay, hold;
	unsigned int tx_count, rx_count, error_count;
};

struct stp_ticks {
	uint16_t max_age, hello_time, forward_delay;
};

struct stp {
	uint64_t bridge_id;
	uint64_t root;
	uint32_t root_path_cost;
	struct stp_port *root_port;	/* NULL: this bridge is the root. */
	struct stp_ticks times;		/* In force. */
	struct stp_ticks own;		/* 8.5.3.8 to 8.5.3.10. */
	bool topology_change_detected;
	bool topology_change;
	bool flush;
	struct stp_timer hello, tcn, topology;
	int64_t now;			/* Ticks. */
	VEC(struct bpdu_frame) frames;
	size_t next_frame;
	struct stp_port ports[STP_MAX_PORTS];
};

static const char *const state_names[] = {
	[STP_DISABLED] = "disabled", [STP_LISTENING] = "listening", [STP_LEARNING] = "learning",
	[STP_FORWARDING] = "forwarding", [STP_BLOCKING] = "blocking",
};

static const char *const role_names[] = {
	[STP_ROLE_ROOT] = "root", [STP_ROLE_DESIGNATED] = "designated",
	[STP_ROLE_ALTERNATE] = "alternate", [STP_ROLE_DISABLED] = "disabled",
};

const char *stp_state_name(enum stp_state state)
{
	return state_names[state];
}

const char *stp_role_name(enum stp_role role)
{
	return role_names[role];
}

uint16_t stp_speed_to_cost(uint64_t mbps)
{
	static const struct {
		uint64_t mbps;
		uint16_t cost;
	} table[] = {{10000, 2}, {1000, 4}, {100, 19}, {16, 62}, {10, 100}, {4, 250}};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (mbps >= table[i].mbps)
			return table[i].cost;
	return 2;
}

/* ------------------------------------------------------------------ small change */

static int64_t ms_to_ticks(int64_t ms)
{
	return ms * BPDU_TICKS_PER_S / 1000;
}

static uint32_t ticks_to_ms(uint32_t ticks)
{
	return (ticks * 1000 + BPDU_TICKS_PER_S - 1) / BPDU_TICKS_PER_S;
}

static void timer_start(const struct stp *stp, struct stp_timer *timer)
{
	timer->active = true;
	timer->start = stp->now;
}

static void timer_stop(struct stp_timer *timer)
{
	timer->active = false;
}

/* Stops TIMER if it shows TIMEOUT or more. */
static bool timer_expired(const struct stp *stp, struct stp_timer *timer, int64_t timeout)
{
	if (!timer->active || stp->now - timer->start < timeout)
		return false;
	timer_stop(timer);
	return true;
}

static int vector_compare(const struct stp_vector *a, const struct stp_vector *b)
{
	if (a->root != b->root)
		return a->root < b->root ? -1 : 1;
	if (a->cost != b->cost)
		return a->cost < b->cost ? -1 : 1;
	if (a->bridge != b->bridge)
		return a->bridge < b->bridge ? -1 : 1;
	return a->port < b->port ? -1 : a->port > b->port;
}

static unsigned int port_number(const struct stp *stp, const struct stp_port *p)
{
	return (unsigned int)(p - stp->ports);
}

static bool is_root_bridge(const struct stp *stp)
{
	return stp->bridge_id == stp->root;
}

static bool is_designated(const struct stp *stp, const struct stp_port *p)
{
	return p->designated.bridge == stp->bridge_id && p->designated.port == p->id;
}

static struct stp_port *next_enabled(struct stp *stp, struct stp_port *p)
{
	for (p = p ? p + 1 : stp->ports; p < stp->ports + STP_MAX_PORTS; p++)
		if (p->state != STP_DISABLED)
			return p;
	return NULL;
}

#define FOR_EACH_ENABLED(P, STP) for (P = next_enabled(STP, NULL); P; P = next_enabled(STP, P))

static void send_bpdu(struct stp *stp, struct stp_port *p, const struct bpdu *bpdu)
{
	struct bpdu_frame frame;

	if (stp->frames.n - stp->next_frame >= MAX_QUEUED_FRAMES)
		return;
	bpdu_encode(&frame, bpdu);
	frame.port = (uint16_t)port_number(stp, p);
	vec_push(&stp->frames, frame);
	p->tx_count++;
}

/* ------------------------------------------------------------------ 8.6.1 to 8.6.6: messages */

static void transmit_config(struct stp *stp, struct stp_port *p)
{
	struct bpdu bpdu = {
		.type = BPDU_CONFIG,
		.flags = (uint8_t)((p->topology_change_ack ? BPDU_F_TC_ACK : 0) |
			(stp->topology_change ? BPDU_F_TC : 0)),
		.root_id = stp->root,
		.root_path_cost = stp->root_path_cost,
		.bridge_id = stp->bridge_id,
		.port_id = p->id,
		.max_age = stp->times.max_age,
		.hello_time = stp->times.hello_time,
		.forward_delay = stp->times.forward_delay,
	};
	int64_t age = 0;

	if (!is_root_bridge(stp)) {
		if (!stp->root_port)
			return;
		age = stp->now - stp->root_port->message_age.start + MESSAGE_AGE_INCREMENT;
	}
	if (p->hold.active) {
		p->config_pending = true;
		return;
	}
	if (age >= stp->times.max_age)
		return;
	bpdu.message_age = (uint16_t)age;
	p->topology_change_ack = false;
	p->config_pending = false;
	send_bpdu(stp, p, &bpdu);
	timer_start(stp, &p->hold);
}

static void transmit_tcn(struct stp *stp)
{
	const struct bpdu bpdu = {.type = BPDU_TCN};

	if (stp->root_port)
		send_bpdu(stp, stp->root_port, &bpdu);
}

static void config_bpdu_generation(struct stp *stp)
{
	struct stp_port *p;

	FOR_EACH_ENABLED (p, stp)
		if (is_designated(stp, p))
			transmit_config(stp, p);
}

static struct stp_vector bpdu_vector(const struct bpdu *bpdu)
{
	return (struct stp_vector) {
		bpdu->root_id, bpdu->root_path_cost, bpdu->bridge_id, bpdu->port_id};
}

/* 8.6.2.2. */
static bool supersedes_port_info(const struct stp *stp, const struct stp_port *p,
	const struct bpdu *bpdu)
{
	struct stp_vector v = bpdu_vector(bpdu), held = p->designated;

	v.port = held.port = 0;
	if (vector_compare(&v, &held))
		return vector_compare(&v, &held) < 0;
	return bpdu->bridge_id != stp->bridge_id || bpdu->port_id <= p->designated.port;
}

static void record_config(struct stp *stp, struct stp_port *p, const struct bpdu *bpdu)
{
	p->designated = bpdu_vector(bpdu);
	timer_start(stp, &p->message_age);
	p->message_age.start -= bpdu->message_age;
}

/* While a topology change is on, learned addresses age by the forward delay (8.3.5): flushed here. */
static void record_timeouts(struct stp *stp, const struct bpdu *bpdu)
{
	stp->times.max_age = bpdu->max_age;
	stp->times.hello_time = bpdu->hello_time;
	stp->times.forward_delay = bpdu->forward_delay;
	stp->topology_change = bpdu->flags & BPDU_F_TC;
	stp->flush |= stp->topology_change;
}

/* ------------------------------------------------------------------ 8.6.7 to 8.6.10: roles */

/* True if P has a better way to the root than BEST. */
static bool is_better_root_port(const struct stp_port *p, const struct stp_port *best)
{
	struct stp_vector a = p->designated, b;
	int cmp;

	if (!best)
		return true;
	b = best->designated;
	a.cost += p->path_cost;
	b.cost += best->path_cost;
	cmp = vector_compare(&a, &b);
	return cmp ? cmp < 0 : p->id < best->id;
}

static void root_selection(struct stp *stp)
{
	struct stp_port *best = NULL, *p;

	FOR_EACH_ENABLED (p, stp)
		if (!is_designated(stp, p) && p->designated.root < stp->bridge_id &&
			is_better_root_port(p, best))
			best = p;
	stp->root_port = best;
	stp->root = best ? best->designated.root : stp->bridge_id;
	stp->root_path_cost = best ? best->designated.cost + best->path_cost : 0;
}

static void become_designated(struct stp *stp, struct stp_port *p)
{
	p->designated = (struct stp_vector) {
		stp->root, stp->root_path_cost, stp->bridge_id, p->id};
}

static void designated_port_selection(struct stp *stp)
{
	struct stp_port *p;

	FOR_EACH_ENABLED (p, stp) {
		struct stp_vector own = {stp->root, stp->root_path_cost, stp->bridge_id, p->id};

		if (is_designated(stp, p) || p->designated.root != stp->root ||
			vector_compare(&own, &p->designated) <= 0)
			become_designated(stp, p);
	}
}

static void configuration_update(struct stp *stp)
{
	root_selection(stp);
	designated_port_selection(stp);
}

/* ------------------------------------------------------------------ 8.6.11 to 8.6.16: states */

static void set_state(struct stp *stp, struct stp_port *p, enum stp_state state)
{
	if (p->state == state)
		return;
	log_dbg("port %u: %s -> %s", port_number(stp, p) + 1, state_names[p->state],
		state_names[state]);
	p->state = state;
}

static void topology_change_detection(struct stp *stp)
{
	if (is_root_bridge(stp)) {
		stp->topology_change = true;
		timer_start(stp, &stp->topology);
	} else if (!stp->topology_change_detected) {
		transmit_tcn(stp);
		timer_start(stp, &stp->tcn);
	}
	stp->flush = true;
	stp->topology_change_detected = true;
}

static void make_forwarding(struct stp *stp, struct stp_port *p)
{
	if (p->state != STP_BLOCKING)
		return;
	set_state(stp, p, STP_LISTENING);
	timer_start(stp, &p->forward_delay);
}

static void make_blocking(struct stp *stp, struct stp_port *p)
{
	if (p->state == STP_DISABLED || p->state == STP_BLOCKING)
		return;
	if (stp_state_learns(p->state))
		topology_change_detection(stp);
	set_state(stp, p, STP_BLOCKING);
	timer_stop(&p->forward_delay);
}

static void port_state_selection(struct stp *stp)
{
	struct stp_port *p;

	FOR_EACH_ENABLED (p, stp) {
		if (p == stp->root_port) {
			p->config_pending = false;
			p->topology_change_ack = false;
			make_forwarding(stp, p);
		} else if (is_designated(stp, p)) {
			timer_stop(&p->message_age);
			make_forwarding(stp, p);
		} else {
			p->config_pending = false;
			p->topology_change_ack = false;
			make_blocking(stp, p);
		}
	}
}

static void become_root(struct stp *stp)
{
	stp->times = stp->own;
	topology_change_detection(stp);
	timer_stop(&stp->tcn);
	config_bpdu_generation(stp);
	timer_start(stp, &stp->hello);
}

/* Roles and states after something changed. */
static void reselect(struct stp *stp, bool was_root)
{
	configuration_update(stp);
	port_state_selection(stp);
	if (is_root_bridge(stp) && !was_root)
		become_root(stp);
}

/* ------------------------------------------------------------------ 8.7: received BPDUs */

static void received_config(struct stp *stp, struct stp_port *p, const struct bpdu *bpdu)
{
	bool was_root = is_root_bridge(stp);

	if (!supersedes_port_info(stp, p, bpdu)) {
		if (is_designated(stp, p))
			transmit_config(stp, p);
		return;
	}
	record_config(stp, p, bpdu);
	configuration_update(stp);
	port_state_selection(stp);
	if (!is_root_bridge(stp) && was_root) {
		timer_stop(&stp->hello);
		if (stp->topology_change_detected) {
			timer_stop(&stp->topology);
			transmit_tcn(stp);
			timer_start(stp, &stp->tcn);
		}
	}
	if (p == stp->root_port) {
		record_timeouts(stp, bpdu);
		config_bpdu_generation(stp);
		if (bpdu->flags & BPDU_F_TC_ACK) {
			stp->topology_change_detected = false;
			timer_stop(&stp->tcn);
		}
	}
}

static void received_tcn(struct stp *stp, struct stp_port *p)
{
	if (!is_designated(stp, p))
		return;
	topology_change_detection(stp);
	p->topology_change_ack = true;
	transmit_config(stp, p);
}

/* 9.3.4: neither too old nor this port's own. */
static bool is_valid(const struct stp *stp, const struct stp_port *p, const struct bpdu *bpdu)
{
	return bpdu->type == BPDU_TCN || (bpdu->message_age < bpdu->max_age &&
		(bpdu->bridge_id != stp->bridge_id || bpdu->port_id != p->id));
}

void stp_receive(struct stp *stp, unsigned int number, const void *frame, size_t len)
{
	struct stp_port *p = &stp->ports[number];
	struct bpdu bpdu;

	if (p->state == STP_DISABLED)
		return;
	/* A rapid spanning tree's BPDU is of no type that this protocol knows. */
	if (bpdu_decode(&bpdu, frame, len) || bpdu.type == BPDU_RST || !is_valid(stp, p, &bpdu)) {
		p->error_count++;
		return;
	}
	p->rx_count++;
	if (bpdu.type == BPDU_CONFIG)
		received_config(stp, p, &bpdu);
	else
		received_tcn(stp, p);
}

/* ------------------------------------------------------------------ 8.7.3 to 8.7.8: timers */

static void message_age_expired(struct stp *stp, struct stp_port *p)
{
	bool was_root = is_root_bridge(stp);

	become_designated(stp, p);
	reselect(stp, was_root);
}

static bool is_designated_for_some_port(struct stp *stp)
{
	struct stp_port *p;

	FOR_EACH_ENABLED (p, stp)
		if (p->designated.bridge == stp->bridge_id)
			return true;
	return false;
}

static void forward_delay_expired(struct stp *stp, struct stp_port *p)
{
	if (p->state == STP_LISTENING) {
		set_state(stp, p, STP_LEARNING);
		timer_start(stp, &p->forward_delay);
	} else if (p->state == STP_LEARNING) {
		set_state(stp, p, STP_FORWARDING);
		if (is_designated_for_some_port(stp))
			topology_change_detection(stp);
	}
}

static void run_bridge_timers(struct stp *stp)
{
	if (timer_expired(stp, &stp->hello, stp->times.hello_time)) {
		config_bpdu_generation(stp);
		timer_start(stp, &stp->hello);
	}
	if (timer_expired(stp, &stp->tcn, stp->own.hello_time)) {
		transmit_tcn(stp);
		timer_start(stp, &stp->tcn);
	}
	if (timer_expired(stp, &stp->topology, stp->times.max_age + stp->times.forward_delay)) {
		stp->topology_change_detected = false;
		stp->topology_change = false;
	}
}

void stp_run(struct stp *stp, int64_t now_ms)
{
	struct stp_port *p;

	stp->now = ms_to_ticks(now_ms);
	run_bridge_timers(stp);
	FOR_EACH_ENABLED (p, stp)
		if (timer_expired(stp, &p->message_age, stp->times.max_age))
			message_age_expired(stp, p);
	FOR_EACH_ENABLED (p, stp) {
		if (timer_expired(stp, &p->forward_delay, stp->times.forward_delay))
			forward_delay_expired(stp, p);
		if (timer_expired(stp, &p->hold, HOLD_TIME) && p->config_pending)
			transmit_config(stp, p);
	}
}

static void earlier(int64_t *next, const struct stp_timer *timer, int64_t timeout)
{
	if (timer->active)
		*next = MIN(*next, timer->start + timeout);
}

int64_t stp_next_ms(const struct stp *stp)
{
	int64_t next = stp->now + TICKS(1);

	earlier(&next, &stp->hello, stp->times.hello_time);
	earlier(&next, &stp->tcn, stp->own.hello_time);
	earlier(&next, &stp->topology, stp->times.max_age + stp->times.forward_delay);
	for (const struct stp_port *p = stp->ports; p < stp->ports + STP_MAX_PORTS; p++) {
		if (p->state == STP_DISABLED)
			continue;
		earlier(&next, &p->message_age, stp->times.max_age);
		earlier(&next, &p->forward_delay, stp->times.forward_delay);
		earlier(&next, &p->hold, HOLD_TIME);
	}
	/* Round up: at that time the tick must have come. */
	return (next * 1000 + BPDU_TICKS_PER_S - 1) / BPDU_TICKS_PER_S;
}

/* ------------------------------------------------------------------ 8.8: management */

static uint32_t clamp(uint32_t value, uint32_t min, uint32_t max)
{
	return value < min ? min : value > max ? max : value;
}

static struct stp_ticks own_times(const struct stp_settings *s)
{
	uint32_t hello = clamp(s->hello_ms, 1000, 10000);
	uint32_t age = clamp(s->max_age_ms, MAX(2 * (hello + 1000), 6000u), 40000);
	uint32_t delay = clamp(s->forward_delay_ms, MAX(age / 2 + 1000, 4000u), 30000);

	return (struct stp_ticks) {
		.hello_time = (uint16_t)ms_to_ticks(hello),
		.max_age = (uint16_t)ms_to_ticks(age),
		.forward_delay = (uint16_t)ms_to_ticks(delay),
	};
}

static uint64_t settings_id(const struct stp_settings *s)
{
	return (uint64_t)s->priority << 48 | eth_addr_to_u64(s->system_id);
}

static void set_bridge_id(struct stp *stp, uint64_t id)
{
	bool was_root = is_root_bridge(stp);
	struct stp_port *p;

	if (stp->bridge_id == id)
		return;
	FOR_EACH_ENABLED (p, stp)
		if (is_designated(stp, p))
			p->designated.bridge = id;
	stp->bridge_id = id;
	reselect(stp, was_root);
}

void stp_configure(struct stp *stp, const struct stp_settings *s)
{
	set_bridge_id(stp, settings_id(s));
	stp->own = own_times(s);
	if (is_root_bridge(stp))
		stp->times = stp->own;
}

static void init_port(struct stp *stp, struct stp_port *p, enum stp_state state)
{
	become_designated(stp, p);
	p->state = state;
	p->topology_change_ack = false;
	p->config_pending = false;
	timer_stop(&p->message_age);
	timer_stop(&p->forward_delay);
	timer_stop(&p->hold);
	p->tx_count = p->rx_count = p->error_count = 0;
}

struct stp *stp_create(const struct stp_settings *s, int64_t now_ms)
{
	struct stp *stp = xcalloc(1, sizeof *stp);

	stp->now = ms_to_ticks(now_ms);
	stp->bridge_id = stp->root = settings_id(s);
	stp->times = stp->own = own_times(s);
	for (unsigned int i = 0; i < STP_MAX_PORTS; i++) {
		stp->ports[i].id = (uint16_t)(STP_DEFAULT_PORT_PRIORITY << 8 | (i + 1));
		stp->ports[i].path_cost = stp_speed_to_cost(0);
		init_port(stp, &stp->ports[i], STP_DISABLED);
	}
	/* 8.8.1: the first hello is not to wait for a whole hello time. */
	timer_start(stp, &stp->hello);
	stp->hello.start -= stp->times.hello_time - FIRST_HELLO;
	return stp;
}

void stp_destroy(struct stp *stp)
{
	if (!stp)
		return;
	vec_uninit(&stp->frames);
	free(stp);
}

void stp_port_enable(struct stp *stp, unsigned int number)
{
	struct stp_port *p = &stp->ports[number];

	if (p->state != STP_DISABLED)
		return;
	init_port(stp, p, STP_BLOCKING);
	port_state_selection(stp);
}

void stp_port_disable(struct stp *stp, unsigned int number)
{
	struct stp_port *p = &stp->ports[number];
	bool was_root = is_root_bridge(stp);

	if (p->state == STP_DISABLED)
		return;
	/* What was learned there is behind no port now; others must hear of it (17.20 of 2004 too). */
	if (stp_state_learns(p->state))
		stp->flush = true;
	become_designated(stp, p);
	set_state(stp, p, STP_DISABLED);
	p->topology_change_ack = false;
	p->config_pending = false;
	timer_stop(&p->message_age);
	timer_stop(&p->forward_delay);
	reselect(stp, was_root);
}

void stp_port_configure(struct stp *stp, unsigned int number, uint8_t priority, uint16_t path_cost)
{
	struct stp_port *p = &stp->ports[number];
	uint16_t id = (uint16_t)(priority << 8 | (p->id & 0xff));

	if (p->id != id) {
		if (is_designated(stp, p))
			p->designated.port = id;
		p->id = id;
		if (p->designated.bridge == stp->bridge_id && p->id < p->designated.port) {
			become_designated(stp, p);
			port_state_selection(stp);
		}
	}
	if (p->path_cost != path_cost) {
		bool was_root = is_root_bridge(stp);

		p->path_cost = path_cost;
		reselect(stp, was_root);
	}
}

void stp_topology_change(struct stp *stp)
{
	topology_change_detection(stp);
}

/* ------------------------------------------------------------------ what comes out */

bool stp_next_frame(struct stp *stp, struct bpdu_frame *frame)
{
	if (stp->next_frame == stp->frames.n) {
		vec_clear(&stp->frames);
		stp->next_frame = 0;
		return false;
	}
	*frame = stp->frames.items[stp->next_frame++];
	return true;
}

bool stp_take_flush(struct stp *stp)
{
	bool flush = stp->flush;

	stp->flush = false;
	return flush;
}

static struct stp_times times_in_ms(const struct stp_ticks *t)
{
	return (struct stp_times) {ticks_to_ms(t->hello_time), ticks_to_ms(t->max_age),
		ticks_to_ms(t->forward_delay)};
}

void stp_status(const struct stp *stp, struct stp_status *status)
{
	*status = (struct stp_status) {
		.bridge_id = stp->bridge_id,
		.root_id = stp->root,
		.root_path_cost = stp->root_path_cost,
		.root_port = stp->root_port ? (int)port_number(stp, stp->root_port) : -1,
		.times = times_in_ms(&stp->times),
		.own_times = times_in_ms(&stp->own),
	};
}

void stp_port_status(const struct stp *stp, unsigned int number, struct stp_port_status *status)
{
	const struct stp_port *p = &stp->ports[number];

	*status = (struct stp_port_status) {
		.id = p->id,
		.state = p->state,
		.role = p == stp->root_port ? STP_ROLE_ROOT
			: p->state == STP_DISABLED ? STP_ROLE_DISABLED
			: is_designated(stp, p) ? STP_ROLE_DESIGNATED : STP_ROLE_ALTERNATE,
		.path_cost = p->path_cost,
		.tx_count = p->tx_count,
		.rx_count = p->rx_count,
		.error_count = p->error_count,
	};
}

enum stp_state stp_port_state(const struct stp *stp, unsigned int number)
{
	return stp->ports[number].state;
}
