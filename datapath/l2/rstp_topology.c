/* SPDX-License-Identifier: Apache-2.0 */

/* What a port tells others: 802.1D-2004, 17.26 and 17.31. */

#include "datapath/l2/rstp_private.h"

#define MAX_QUEUED_FRAMES 8192

static bool is_active_role(const struct rstp_port *p)
{
	return p->role == RSTP_ROLE_ROOT || p->role == RSTP_ROLE_DESIGNATED;
}

/* ------------------------------------------------------------------ 17.31: topology change */

/* newTcWhile(), 17.21.7. */
void rstp_new_tc_while(struct rstp_port *p)
{
	if (p->tc_while)
		return;
	if (p->send_rstp) {
		p->tc_while = p->rstp->root_times.hello_time + 1;
		p->new_info = true;
	} else {
		p->tc_while = p->rstp->root_times.max_age + p->rstp->root_times.forward_delay;
	}
}

/* setTcPropTree(), 17.21.18. */
void rstp_set_tc_prop(struct rstp_port *self)
{
	RSTP_FOR_EACH_PORT (p, self->rstp)
		if (p != self)
			p->tc_prop = true;
}

static void enter_inactive(struct rstp_port *p)
{
	p->fdb_flush = true;
	p->tc_while = 0;
	p->tc_ack = false;
	p->topology = RSTP_TCM_INACTIVE;
}

static void enter_learning(struct rstp_port *p)
{
	p->rcvd_tc = p->rcvd_tcn = p->rcvd_tc_ack = p->tc_prop = false;
	p->topology = RSTP_TCM_LEARNING;
}

static bool learning_step(struct rstp_port *p)
{
	if (is_active_role(p) && p->forward && !p->oper_edge) {
		rstp_new_tc_while(p);
		rstp_set_tc_prop(p);
		p->new_info = true;
		p->topology = RSTP_TCM_ACTIVE;
	} else if (p->rcvd_tc || p->rcvd_tcn || p->rcvd_tc_ack || p->tc_prop) {
		enter_learning(p);
	} else if (!is_active_role(p) && !p->learn && !p->learning) {
		enter_inactive(p);
	} else {
		return false;
	}
	return true;
}

static bool active_step(struct rstp_port *p)
{
	if (!is_active_role(p) || p->oper_edge) {
		enter_learning(p);
	} else if (p->rcvd_tcn || p->rcvd_tc) {
		if (p->rcvd_tcn)
			rstp_new_tc_while(p);
		p->rcvd_tcn = p->rcvd_tc = false;
		p->tc_ack |= p->role == RSTP_ROLE_DESIGNATED;
		rstp_set_tc_prop(p);
	} else if (p->tc_prop) {
		rstp_new_tc_while(p);
		p->fdb_flush = true;
		p->tc_prop = false;
	} else if (p->rcvd_tc_ack) {
		p->tc_while = 0;
		p->rcvd_tc_ack = false;
	} else {
		return false;
	}
	return true;
}

/* The owner flushes before it lets the port learn again, so fdbFlush counts as done at once. */
bool rstp_topology_step(struct rstp_port *p)
{
	switch (p->topology) {
	case RSTP_TCM_INACTIVE:
		if (!p->learn)
			return false;
		enter_learning(p);
		return true;
	case RSTP_TCM_LEARNING:
		return learning_step(p);
	case RSTP_TCM_ACTIVE:
		return active_step(p);
	}
	return false;
}

/* ------------------------------------------------------------------ 17.26: transmit */

static uint8_t role_flags(const struct rstp_port *p)
{
	switch (p->role) {
	case RSTP_ROLE_ROOT:
		return BPDU_ROLE_ROOT;
	case RSTP_ROLE_DESIGNATED:
		return BPDU_ROLE_DESIGNATED;
	case RSTP_ROLE_ALTERNATE:
	case RSTP_ROLE_BACKUP:
		return BPDU_ROLE_ALTERNATE;
	case RSTP_ROLE_DISABLED:
		break;
	}
	return BPDU_ROLE_UNKNOWN;
}

static uint8_t tx_flags(const struct rstp_port *p, enum bpdu_type type)
{
	uint8_t flags = p->tc_while ? BPDU_F_TC : 0;

	if (type == BPDU_CONFIG)
		return flags | (p->tc_ack ? BPDU_F_TC_ACK : 0);
	return flags | role_flags(p) | (p->proposing ? BPDU_F_PROPOSAL : 0) |
		(p->agree ? BPDU_F_AGREEMENT : 0) | (p->learning ? BPDU_F_LEARNING : 0) |
		(p->forwarding ? BPDU_F_FORWARDING : 0);
}

static uint16_t ticks(uint16_t seconds)
{
	return (uint16_t)(seconds * BPDU_TICKS_PER_S);
}

static void transmit(struct rstp_port *p, enum bpdu_type type)
{
	const struct rstp_vector *v = &p->designated_priority;
	const struct rstp_times *t = &p->designated_times;
	const struct bpdu bpdu = {
		.type = type,
		.flags = tx_flags(p, type),
		.root_id = v->root_id,
		.root_path_cost = v->cost,
		.bridge_id = v->bridge_id,
		.port_id = v->port_id,
		.message_age = ticks(t->message_age),
		.max_age = ticks(t->max_age),
		.hello_time = ticks(t->hello_time),
		.forward_delay = ticks(t->forward_delay),
	};
	struct rstp *rstp = p->rstp;
	struct rstp_tx tx;

	p->new_info = false;
	p->tx_held++;
	if (type != BPDU_TCN)
		p->tc_ack = false;
	if (rstp->frames.n - rstp->next_frame >= MAX_QUEUED_FRAMES)
		return;
	tx.key = p->key;
	bpdu_encode(&tx.frame, &bpdu);
	tx.frame.port = p->number;
	vec_push(&rstp->frames, tx);
	p->tx_count++;
}

bool rstp_transmit_step(struct rstp_port *p)
{
	if (!p->selected || p->updt_info || p->role == RSTP_ROLE_DISABLED)
		return false;
	if (!p->hello_when) {
		p->new_info |= p->role == RSTP_ROLE_DESIGNATED ||
			(p->role == RSTP_ROLE_ROOT && p->tc_while);
	} else if (!p->new_info || p->tx_held >= p->rstp->hold_count) {
		return false;
	} else if (p->send_rstp) {
		transmit(p, BPDU_RST);
	} else if (p->role == RSTP_ROLE_ROOT) {
		transmit(p, BPDU_TCN);
	} else if (p->role == RSTP_ROLE_DESIGNATED) {
		transmit(p, BPDU_CONFIG);
	} else {
		return false;
	}
	p->hello_when = p->designated_times.hello_time;
	return true;
}

void rstp_topology_begin(struct rstp_port *p)
{
	enter_inactive(p);
	p->new_info = true;
	p->tx_held = 0;
	p->hello_when = RSTP_HELLO_S;
}
