/* SPDX-License-Identifier: Apache-2.0 */

/* Translation where nothing but the first rule decides: floods of new flows end in drops and plain outputs. */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"
#include "lib/headers.h"

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

/* What of FLOW xlate_wc_end() goes by. */
static uint32_t shape_of(const struct flow *flow, const struct pl_bridge_conf *conf)
{
	bool ip = xlate_is_ip(flow);

	return ip | (uint32_t)(ip && (flow->nw_proto == IP_P_ICMP || flow->nw_proto == IP_P_ICMPV6)) << 1 |
		(uint32_t)eth_type_is_mpls(flow->dl_type) << 2 | (uint32_t)conf->frag_drop << 3;
}

bool xlate_look(const struct xlate_in *in, struct xlate_look *look)
{
	const struct pl_bridge_conf *conf = pl_bridge_conf(in->bridge);
	const struct cls_rule *cr;

	if (!input_is_plain(in, conf) ||
		!classifier_lookup_traced(in->bridge->tables[0].cls, in->version, in->flow, &look->trace,
			&cr) || !cr)
		return false;
	look->rule = container_of(cr, struct pl_rule, cr);
	look->shape = shape_of(in->flow, conf);
	return true;
}

bool xlate_look_decides(const struct xlate_in *in, const struct xlate_look *look)
{
	return acts_are_plain(pl_bridge_conf(in->bridge),
		atomic_load_explicit(&look->rule->actions, memory_order_acquire));
}

bool xlate_look_wildcards(const struct xlate_in *in, const struct xlate_look *look, struct flow *wc,
	enum xlate_depth *depth, bool *has_key)
{
	const struct pl_bridge_conf *conf = pl_bridge_conf(in->bridge);

	memset(wc, 0, sizeof *wc);
	if (shape_of(in->flow, conf) != look->shape ||
		!classifier_trace_wildcards(in->bridge->tables[0].cls, &look->trace, wc, has_key))
		return false;
	*depth = xlate_wc_end(in->flow, wc, conf->frag_drop);
	return true;
}
