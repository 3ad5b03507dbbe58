/* SPDX-License-Identifier: Apache-2.0 */

/* Who is the root, and what each port is to it: 802.1D-2004, 17.6 and 17.28. */

#include "datapath/l2/rstp_private.h"

int rstp_vector_compare(const struct rstp_vector *a, const struct rstp_vector *b)
{
	if (a->root_id != b->root_id)
		return a->root_id < b->root_id ? -1 : 1;
	if (a->cost != b->cost)
		return a->cost < b->cost ? -1 : 1;
	if (a->bridge_id != b->bridge_id)
		return a->bridge_id < b->bridge_id ? -1 : 1;
	if (a->port_id != b->port_id)
		return a->port_id < b->port_id ? -1 : 1;
	return a->bridge_port_id < b->bridge_port_id ? -1 : a->bridge_port_id > b->bridge_port_id;
}

/* But for where it was received. */
bool rstp_vector_same(const struct rstp_vector *a, const struct rstp_vector *b)
{
	return a->root_id == b->root_id && a->cost == b->cost && a->bridge_id == b->bridge_id &&
		a->port_id == b->port_id;
}

bool rstp_times_same(const struct rstp_times *a, const struct rstp_times *b)
{
	return a->forward_delay == b->forward_delay && a->hello_time == b->hello_time &&
		a->max_age == b->max_age && a->message_age == b->message_age;
}

bool rstp_vector_supersedes(const struct rstp_vector *a, const struct rstp_vector *b)
{
	struct rstp_vector x = *a, y = *b;

	x.bridge_port_id = y.bridge_port_id = 0;
	return rstp_vector_compare(&x, &y) < 0 ||
		(bpdu_id_address(a->bridge_id) == bpdu_id_address(b->bridge_id) &&
			(a->port_id & 0xfff) == (b->port_id & 0xfff));
}

/* 17.21.25, a) to d). */
static const struct rstp_port *select_root(struct rstp *rstp)
{
	const struct rstp_port *root = NULL;

	rstp->root_priority = (struct rstp_vector) {
		.root_id = rstp->bridge_id, .bridge_id = rstp->bridge_id};
	rstp->root_times = rstp->bridge_times;
	RSTP_FOR_EACH_PORT (p, rstp) {
		struct rstp_vector v = p->port_priority;

		if (p->info_is != RSTP_INFO_RECEIVED ||
			bpdu_id_address(v.bridge_id) == bpdu_id_address(rstp->bridge_id))
			continue;
		v.cost += p->path_cost;
		v.bridge_port_id = p->id;
		if (rstp_vector_compare(&v, &rstp->root_priority) >= 0)
			continue;
		root = p;
		rstp->root_priority = v;
		rstp->root_times = p->port_times;
		rstp->root_times.message_age++;
	}
	rstp->root_port_id = root ? root->id : 0;
	return root;
}

/* 17.21.25, f) to l). */
static void select_role(struct rstp *rstp, struct rstp_port *p, const struct rstp_port *root)
{
	switch (p->info_is) {
	case RSTP_INFO_DISABLED:
		p->selected_role = RSTP_ROLE_DISABLED;
		break;
	case RSTP_INFO_AGED:
		p->updt_info = true;
		p->selected_role = RSTP_ROLE_DESIGNATED;
		break;
	case RSTP_INFO_MINE:
		p->selected_role = RSTP_ROLE_DESIGNATED;
		if (!rstp_vector_same(&p->port_priority, &p->designated_priority) ||
			!rstp_times_same(&p->port_times, &p->designated_times))
			p->updt_info = true;
		break;
	case RSTP_INFO_RECEIVED:
		p->updt_info = false;
		if (p == root) {
			p->selected_role = RSTP_ROLE_ROOT;
		} else if (rstp_vector_compare(&p->designated_priority, &p->port_priority) < 0) {
			p->selected_role = RSTP_ROLE_DESIGNATED;
			p->updt_info = true;
		} else if (bpdu_id_address(p->port_priority.bridge_id) !=
			bpdu_id_address(rstp->bridge_id)) {
			p->selected_role = RSTP_ROLE_ALTERNATE;
		} else {
			p->selected_role = RSTP_ROLE_BACKUP;
		}
		break;
	}
}

bool rstp_select_roles(struct rstp *rstp)
{
	const struct rstp_port *root;
	bool reselect = false;

	RSTP_FOR_EACH_PORT (p, rstp)
		reselect |= p->reselect;
	if (!reselect)
		return false;
	root = select_root(rstp);
	RSTP_FOR_EACH_PORT (p, rstp) {
		p->reselect = false;
		p->designated_priority = (struct rstp_vector) {
			.root_id = rstp->root_priority.root_id,
			.cost = rstp->root_priority.cost,
			.bridge_id = rstp->bridge_id,
			.port_id = p->id,
		};
		p->designated_times = rstp->root_times;
		p->designated_times.hello_time = rstp->bridge_times.hello_time;
		select_role(rstp, p, root);
	}
	RSTP_FOR_EACH_PORT (p, rstp)
		p->selected = true;
	return true;
}
