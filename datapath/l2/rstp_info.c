/* SPDX-License-Identifier: Apache-2.0 */

/* What a port hears: 802.1D-2004, 17.23 to 17.25 and 17.27. */

#include "datapath/l2/rstp_private.h"

static bool is_designated_msg(const struct rstp_port *p)
{
	return p->bpdu.type == BPDU_CONFIG ||
		(p->bpdu.type == BPDU_RST &&
			(p->bpdu.flags & BPDU_F_ROLE) == BPDU_ROLE_DESIGNATED);
}

/* ------------------------------------------------------------------ 17.23: receive */

static void enter_discard(struct rstp_port *p)
{
	p->rcvd_bpdu = p->rcvd_rstp = p->rcvd_stp = p->rcvd_msg = false;
	p->edge_delay_while = RSTP_MIGRATE_S;
	p->receive = RSTP_RX_DISCARD;
}

bool rstp_receive_step(struct rstp_port *p)
{
	if ((p->rcvd_bpdu || p->edge_delay_while != RSTP_MIGRATE_S) && !p->port_enabled) {
		enter_discard(p);
		return true;
	}
	if (!p->rcvd_bpdu || !p->port_enabled || (p->receive == RSTP_RX_RECEIVE && p->rcvd_msg))
		return false;
	if (p->bpdu.type == BPDU_RST)
		p->rcvd_rstp = true;
	else
		p->rcvd_stp = true;
	p->oper_edge = p->rcvd_bpdu = false;
	p->rcvd_msg = true;
	p->edge_delay_while = RSTP_MIGRATE_S;
	p->receive = RSTP_RX_RECEIVE;
	return true;
}

/* ------------------------------------------------------------------ 17.24: protocol migration */

static bool enter_checking(struct rstp_port *p)
{
	p->mcheck = false;
	p->send_rstp = rstp_is_rapid(p->rstp);
	p->mdelay_while = RSTP_MIGRATE_S;
	p->migration = RSTP_PPM_CHECKING;
	return true;
}

static bool enter_sensing(struct rstp_port *p)
{
	p->rcvd_rstp = p->rcvd_stp = false;
	p->migration = RSTP_PPM_SENSING;
	return true;
}

bool rstp_migration_step(struct rstp_port *p)
{
	switch (p->migration) {
	case RSTP_PPM_CHECKING:
		if (p->mdelay_while != RSTP_MIGRATE_S && !p->port_enabled)
			return enter_checking(p);
		return !p->mdelay_while && enter_sensing(p);
	case RSTP_PPM_SELECTING:
		return (!p->mdelay_while || !p->port_enabled || p->mcheck) && enter_sensing(p);
	case RSTP_PPM_SENSING:
		break;
	}
	if (!p->port_enabled || p->mcheck ||
		(rstp_is_rapid(p->rstp) && !p->send_rstp && p->rcvd_rstp))
		return enter_checking(p);
	if (!p->send_rstp || !p->rcvd_stp)
		return false;
	p->send_rstp = false;
	p->mdelay_while = RSTP_MIGRATE_S;
	p->migration = RSTP_PPM_SELECTING;
	return true;
}

/* ------------------------------------------------------------------ 17.25: bridge detection */

/* Its states are those of operEdge, which a received BPDU clears. */
bool rstp_detection_step(struct rstp_port *p)
{
	bool edge = p->oper_edge;

	if (edge && !p->port_enabled && !p->admin_edge)
		edge = false;
	else if (!edge && ((!p->port_enabled && p->admin_edge) ||
		(!p->edge_delay_while && p->auto_edge && p->send_rstp && p->proposing)))
		edge = true;
	if (edge == p->oper_edge)
		return false;
	p->oper_edge = edge;
	return true;
}

/* ------------------------------------------------------------------ 17.27: information */

static void reselect(struct rstp_port *p)
{
	p->reselect = true;
	p->selected = false;
}

static void enter_disabled(struct rstp_port *p)
{
	p->rcvd_msg = false;
	p->proposing = p->proposed = p->agree = p->agreed = p->disputed = false;
	p->rcvd_info_while = 0;
	p->info_is = RSTP_INFO_DISABLED;
	reselect(p);
	p->information = RSTP_PIM_DISABLED;
}

static void enter_aged(struct rstp_port *p)
{
	p->info_is = RSTP_INFO_AGED;
	reselect(p);
	p->information = RSTP_PIM_AGED;
}

/* betterorsameinfo(), 17.21.1. */
static bool is_better_or_same(const struct rstp_port *p, enum rstp_info info)
{
	if (info != p->info_is)
		return false;
	return rstp_vector_compare(info == RSTP_INFO_RECEIVED ? &p->msg_priority
		: &p->designated_priority, &p->port_priority) <= 0;
}

static void enter_update(struct rstp_port *p)
{
	p->proposing = p->proposed = false;
	p->agreed = p->agreed && is_better_or_same(p, RSTP_INFO_MINE);
	p->synced = p->synced && p->agreed;
	p->port_priority = p->designated_priority;
	p->port_times = p->designated_times;
	p->updt_info = false;
	p->info_is = RSTP_INFO_MINE;
	p->new_info = true;
	p->information = RSTP_PIM_CURRENT;
}

static void set_tc_flags(struct rstp_port *p)
{
	p->rcvd_tc |= (p->bpdu.flags & BPDU_F_TC) != 0;
	p->rcvd_tc_ack |= (p->bpdu.flags & BPDU_F_TC_ACK) != 0;
}

static void record_proposal(struct rstp_port *p)
{
	p->proposed |= p->bpdu.type == BPDU_RST && p->bpdu.flags & BPDU_F_PROPOSAL;
}

static void record_agreement(struct rstp_port *p)
{
	p->agreed = rstp_is_rapid(p->rstp) && p->oper_p2p && p->bpdu.flags & BPDU_F_AGREEMENT;
	if (p->agreed)
		p->proposing = false;
}

/* Who is inferior but learns does not hear this port, as over a link that carries one way only: it
 * must not forward. As in 802.1Q-2005, 13.26.9; the rule of 2004 would let a loop be. */
static void record_dispute(struct rstp_port *p)
{
	if (p->bpdu.type != BPDU_RST || !(p->bpdu.flags & BPDU_F_LEARNING))
		return;
	p->disputed = true;
	p->agreed = false;
}

/* updtRcvdInfoWhile(), 17.21.23. */
static void update_info_while(struct rstp_port *p)
{
	const struct rstp_times *t = &p->port_times;

	p->rcvd_info_while = t->message_age + 1 <= t->max_age ? 3 * t->hello_time : 0;
}

static void superior_designated(struct rstp_port *p)
{
	p->agreed = p->proposing = p->disputed = false;
	record_proposal(p);
	set_tc_flags(p);
	p->agree = p->agree && is_better_or_same(p, RSTP_INFO_RECEIVED);
	p->port_priority = p->msg_priority;
	p->port_times = p->msg_times;
	update_info_while(p);
	p->info_is = RSTP_INFO_RECEIVED;
	reselect(p);
}

static void repeated_designated(struct rstp_port *p)
{
	record_proposal(p);
	set_tc_flags(p);
	update_info_while(p);
}

static uint16_t seconds(uint16_t ticks)
{
	return (uint16_t)((ticks + BPDU_TICKS_PER_S / 2) / BPDU_TICKS_PER_S);
}

static void unpack_message(struct rstp_port *p)
{
	const struct bpdu *bpdu = &p->bpdu;

	p->msg_priority = (struct rstp_vector) {
		.root_id = bpdu->root_id,
		.cost = bpdu->root_path_cost,
		.bridge_id = bpdu->bridge_id,
		.port_id = bpdu->port_id,
	};
	p->msg_times = (struct rstp_times) {
		.forward_delay = seconds(bpdu->forward_delay),
		.hello_time = seconds(bpdu->hello_time),
		.max_age = seconds(bpdu->max_age),
		.message_age = seconds(bpdu->message_age),
	};
	if (!p->msg_times.hello_time)
		p->msg_times.hello_time = 1;
}

/* rcvInfo(), 17.21.8, and what follows from its answer. */
static void receive_message(struct rstp_port *p)
{
	bool same;

	p->rcvd_msg = false;
	if (p->bpdu.type == BPDU_TCN) {
		p->rcvd_tcn = true;
		return;
	}
	unpack_message(p);
	same = rstp_vector_same(&p->msg_priority, &p->port_priority);
	if (is_designated_msg(p)) {
		if (same && p->info_is == RSTP_INFO_RECEIVED &&
			rstp_times_same(&p->msg_times, &p->port_times))
			repeated_designated(p);
		else if (rstp_vector_supersedes(&p->msg_priority, &p->port_priority))
			superior_designated(p);
		else
			record_dispute(p);
	} else if ((p->bpdu.flags & BPDU_F_ROLE) != BPDU_ROLE_UNKNOWN &&
		(same || rstp_vector_compare(&p->msg_priority, &p->port_priority) > 0)) {
		record_agreement(p);
		set_tc_flags(p);
	}
}

bool rstp_information_step(struct rstp_port *p)
{
	if (!p->port_enabled && p->info_is != RSTP_INFO_DISABLED) {
		enter_disabled(p);
		return true;
	}
	switch (p->information) {
	case RSTP_PIM_DISABLED:
		if (p->port_enabled)
			enter_aged(p);
		else if (p->rcvd_msg)
			enter_disabled(p);
		else
			return false;
		return true;
	case RSTP_PIM_AGED:
		if (!p->selected || !p->updt_info)
			return false;
		enter_update(p);
		return true;
	case RSTP_PIM_CURRENT:
		break;
	}
	if (p->selected && p->updt_info)
		enter_update(p);
	else if (p->info_is == RSTP_INFO_RECEIVED && !p->rcvd_info_while && !p->updt_info &&
		!p->rcvd_msg)
		enter_aged(p);
	else if (p->rcvd_msg && !p->updt_info)
		receive_message(p);
	else
		return false;
	return true;
}

void rstp_info_begin(struct rstp_port *p)
{
	enter_discard(p);
	enter_checking(p);
	p->oper_edge = p->admin_edge;
	enter_disabled(p);
}
