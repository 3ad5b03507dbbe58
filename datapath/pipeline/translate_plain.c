/* SPDX-License-Identifier: Apache-2.0 */

/* Translation where nothing but the first rule decides: floods of new flows end in drops and plain outputs. */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"

/* Nothing but the tables looks at FLOW on its way in. */
static bool input_is_plain(const struct xlate_in *in, const struct pl_bridge_conf *conf)
{
	const struct pl_port *port = in->in_port;

	return port && port->kind == PL_PORT_DEVICE && !port->config &&
		!port->is_underlay &&
		port->stp == (PL_PORT_LEARNS | PL_PORT_FORWARDS) && !conf->stp &&
		!conf->n_mirrors && !(in->flow->nw_frag & FLOW_NW_FRAG_ANY) &&
		!flow_tnl_is_set(&in->flow->tunnel);
}

/* An output that looks at no field: to a device, or nowhere. */
static bool output_is_plain(const struct pl_bridge_conf *conf, ofp_port_t number)
{
	const struct pl_port *port = pl_port_from_ofp(conf, number);

	return !port || (port->kind == PL_PORT_DEVICE && !port->is_internal &&
		port->stp == (PL_PORT_LEARNS | PL_PORT_FORWARDS));
}

static bool acts_are_plain(const struct pl_bridge_conf *conf, const struct pl_actions *actions)
{
	const struct act *a;

	if (!actions->only_outputs)
		return false;
	ACT_FOR_EACH (a, actions->acts, actions->len)
		if (!output_is_plain(conf, ((const struct act_output *)(const void *)a)->port))
			return false;
	return true;
}

bool translate_plain(const struct xlate_in *in, struct flow *flow, struct flow *wc,
	struct xlate_plain *plain)
{
	const struct pl_bridge_conf *conf = pl_bridge_conf(in->bridge);
	const struct pl_actions *actions;
	const struct cls_rule *cr;

	if (!input_is_plain(in, conf))
		return false;
	flow->actset_output = OFPP_UNSET;
	memset(wc, 0, sizeof *wc);
	cr = classifier_lookup(in->bridge->tables[0].cls, in->version, flow, wc, NULL);
	if (!cr)
		return false;
	plain->rule = container_of(cr, struct pl_rule, cr);
	actions = atomic_load_explicit(&plain->rule->actions, memory_order_acquire);
	if (!acts_are_plain(conf, actions))
		return false;
	plain->deps[1] = 0;
	plain->n_deps = (uint8_t)pl_table_deps(in->bridge, 0, flow, wc, plain->deps);
	plain->depth = xlate_wc_end(flow, wc, conf->frag_drop);
	return true;
}
