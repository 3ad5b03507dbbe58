/* SPDX-License-Identifier: Apache-2.0 */

/* From roles to learning and forwarding: 802.1D-2004, 17.29 and 17.30. */

#include "datapath/l2/rstp_private.h"

/* ------------------------------------------------------------------ 17.20, 17.21 */

static uint16_t fwd_delay(const struct rstp_port *p)
{
	return p->designated_times.forward_delay;
}

/* forwardDelay: short where a neighbour's agreement can be had. */
static uint16_t forward_delay(const struct rstp_port *p)
{
	return p->send_rstp ? p->designated_times.hello_time : p->designated_times.forward_delay;
}

static uint16_t edge_delay(const struct rstp_port *p)
{
	return p->oper_p2p ? RSTP_MIGRATE_S : p->designated_times.max_age;
}

static bool all_synced(const struct rstp_port *self)
{
	RSTP_FOR_EACH_PORT (p, self->rstp)
		if (!p->selected || p->role != p->selected_role || p->updt_info ||
			(!p->synced && p->role != RSTP_ROLE_ROOT))
			return false;
	return true;
}

static bool re_rooted(const struct rstp_port *self)
{
	RSTP_FOR_EACH_PORT (p, self->rstp)
		if (p != self && p->rr_while)
			return false;
	return true;
}

static void set_sync_tree(const struct rstp_port *self)
{
	RSTP_FOR_EACH_PORT (p, self->rstp)
		p->sync = true;
}

static void set_re_root_tree(const struct rstp_port *self)
{
	RSTP_FOR_EACH_PORT (p, self->rstp)
		p->re_root = true;
}

/* ------------------------------------------------------------------ 17.29.1: disabled */

static void start_learning(struct rstp_port *p)
{
	p->learn = true;
	p->fd_while = forward_delay(p);
}

static void stop_both(struct rstp_port *p)
{
	p->learn = p->forward = false;
}

static void settle(struct rstp_port *p, uint16_t fd_while)
{
	p->fd_while = fd_while;
	p->synced = true;
	p->rr_while = 0;
	p->sync = p->re_root = false;
}

void rstp_transition_begin(struct rstp_port *p)
{
	p->role = RSTP_ROLE_DISABLED;
	p->selected_role = RSTP_ROLE_DISABLED;
	stop_both(p);
	p->learning = p->forwarding = false;
	p->state = RSTP_DISCARDING;
	p->synced = false;
	p->sync = p->re_root = true;
	p->rr_while = p->rstp->bridge_times.forward_delay;
	p->fd_while = p->rstp->bridge_times.max_age;
	p->rb_while = 0;
	p->transition = RSTP_PRT_DISABLE;
}

static bool disabled_step(struct rstp_port *p)
{
	uint16_t max_age = p->designated_times.max_age;

	if (p->transition == RSTP_PRT_DISABLE) {
		if (p->learning || p->forwarding)
			return false;
		p->transition = RSTP_PRT_DISABLED;
	} else if (p->fd_while == max_age && !p->sync && !p->re_root && p->synced) {
		return false;
	}
	settle(p, max_age);
	return true;
}

/* ------------------------------------------------------------------ 17.29.2: root */

static bool agreement_due(const struct rstp_port *p)
{
	return (all_synced(p) && !p->agree) || (p->proposed && p->agree);
}

/* What root and alternate ports do alike when they are asked to agree. */
static bool agreement_step(struct rstp_port *p)
{
	if (p->proposed && !p->agree) {
		set_sync_tree(p);
		p->proposed = false;
	} else if (agreement_due(p)) {
		p->proposed = false;
		if (p->role == RSTP_ROLE_ROOT)
			p->sync = false;
		p->agree = true;
		p->new_info = true;
	} else {
		return false;
	}
	return true;
}

static bool root_may_move(const struct rstp_port *p)
{
	return !p->fd_while || (re_rooted(p) && !p->rb_while && rstp_is_rapid(p->rstp));
}

static bool root_step(struct rstp_port *p)
{
	if (agreement_step(p))
		return true;
	if (!p->forward && !p->re_root) {
		set_re_root_tree(p);
	} else if (p->re_root && p->forward) {
		p->re_root = false;
	} else if (!p->learn && root_may_move(p)) {
		start_learning(p);
	} else if (p->learn && !p->forward && root_may_move(p)) {
		p->forward = true;
		p->fd_while = 0;
	} else if (p->rr_while != fwd_delay(p)) {
		p->rr_while = fwd_delay(p);
	} else {
		return false;
	}
	return true;
}

/* ------------------------------------------------------------------ 17.29.3: designated */

static bool designated_is_synced(const struct rstp_port *p)
{
	return (!p->learning && !p->forwarding && !p->synced) || (p->agreed && !p->synced) ||
		(p->oper_edge && !p->synced) || (p->sync && p->synced);
}

static bool designated_must_discard(const struct rstp_port *p)
{
	return ((p->sync && !p->synced) || (p->re_root && p->rr_while) || p->disputed) &&
		!p->oper_edge && (p->learn || p->forward);
}

static bool designated_may_move(const struct rstp_port *p)
{
	return (!p->fd_while || p->agreed || p->oper_edge) && (!p->rr_while || !p->re_root) &&
		!p->sync;
}

static bool designated_step(struct rstp_port *p)
{
	if (!p->forward && !p->agreed && !p->proposing && !p->oper_edge) {
		p->proposing = true;
		p->edge_delay_while = edge_delay(p);
		p->new_info = true;
	} else if (designated_is_synced(p)) {
		p->rr_while = 0;
		p->synced = true;
		p->sync = false;
	} else if (p->re_root && !p->rr_while) {
		p->re_root = false;
	} else if (designated_must_discard(p)) {
		stop_both(p);
		p->disputed = false;
		p->fd_while = forward_delay(p);
	} else if (!p->learn && designated_may_move(p)) {
		start_learning(p);
	} else if (p->learn && !p->forward && designated_may_move(p)) {
		p->forward = true;
		p->fd_while = 0;
		p->agreed = p->send_rstp;
	} else {
		return false;
	}
	return true;
}

/* ------------------------------------------------------------------ 17.29.4: alternate, backup */

static bool alternate_step(struct rstp_port *p)
{
	uint16_t rb_while = 2 * p->designated_times.hello_time;

	if (p->transition == RSTP_PRT_BLOCK) {
		if (p->learning || p->forwarding)
			return false;
		p->transition = RSTP_PRT_ALTERNATE;
		settle(p, forward_delay(p));
		return true;
	}
	if (agreement_step(p))
		return true;
	if (p->role == RSTP_ROLE_BACKUP && p->rb_while != rb_while) {
		p->rb_while = rb_while;
	} else if (p->fd_while != forward_delay(p) || p->sync || p->re_root || !p->synced) {
		settle(p, forward_delay(p));
	} else {
		return false;
	}
	return true;
}

/* ------------------------------------------------------------------ the machine */

static void enter_role(struct rstp_port *p)
{
	p->role = p->selected_role;
	switch (p->role) {
	case RSTP_ROLE_ROOT:
		p->rr_while = fwd_delay(p);
		p->transition = RSTP_PRT_ROOT;
		break;
	case RSTP_ROLE_DESIGNATED:
		p->transition = RSTP_PRT_DESIGNATED;
		break;
	case RSTP_ROLE_ALTERNATE:
	case RSTP_ROLE_BACKUP:
		stop_both(p);
		p->transition = RSTP_PRT_BLOCK;
		break;
	case RSTP_ROLE_DISABLED:
		stop_both(p);
		p->transition = RSTP_PRT_DISABLE;
		break;
	}
}

bool rstp_transition_step(struct rstp_port *p)
{
	if (!p->selected || p->updt_info)
		return false;
	if (p->role != p->selected_role) {
		enter_role(p);
		return true;
	}
	switch (p->transition) {
	case RSTP_PRT_DISABLE:
	case RSTP_PRT_DISABLED:
		return disabled_step(p);
	case RSTP_PRT_ROOT:
		return root_step(p);
	case RSTP_PRT_DESIGNATED:
		return designated_step(p);
	case RSTP_PRT_BLOCK:
	case RSTP_PRT_ALTERNATE:
		return alternate_step(p);
	}
	return false;
}

bool rstp_state_step(struct rstp_port *p)
{
	enum rstp_state next = p->state;

	if (p->state == RSTP_DISCARDING && p->learn)
		next = RSTP_LEARNING;
	else if (p->state == RSTP_LEARNING)
		next = !p->learn ? RSTP_DISCARDING : p->forward ? RSTP_FORWARDING : RSTP_LEARNING;
	else if (p->state == RSTP_FORWARDING && !p->forward)
		next = RSTP_DISCARDING;
	if (next == p->state)
		return false;
	p->state = next;
	p->learning = rstp_state_learns(next);
	p->forwarding = rstp_state_forwards(next);
	return true;
}
