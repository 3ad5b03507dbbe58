/* SPDX-License-Identifier: Apache-2.0 */
#include "tunnel/tnl_port.h"

#include <errno.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/hash.h"
#include "lib/headers.h"
#include "lib/log.h"
#include "tunnel/tnl_addr.h"
#include "tunnel/tnl_listener.h"

LOG_MODULE(tunnel);

/*
 * What a port matches, as a number: key before remote before local, specific before any before
 * `flow`. A lookup tries the kinds that exist, in this order.
 */
#define N_KINDS 12
enum {
	LOCAL_GIVEN,
	LOCAL_ANY,
	LOCAL_FLOW
};

static struct cmap ports = CMAP_INITIALIZER;
static _Atomic uint32_t n_of_kind[N_KINDS];

/* Changes whenever the table does. */
static _Atomic uint64_t generation = 1;
static uint64_t listening = 1;

/* What a thread found lately, so that packets of few tunnels cost few searches. An entry is good while
 * the table is that of its generation; a port is not freed before the thread is quiescent. */
#define N_RECENT 16
struct recent {
	uint64_t generation;	/* 0: empty. */
	be64 tun_id;
	be32 ip_src, ip_dst;
	be16 dst_port;
	uint8_t type;
	const struct tnl_port *port;
};
static _Thread_local struct recent recents[N_RECENT];

struct cmap tnl_listeners = CMAP_INITIALIZER;

static uint32_t kind_of(const struct tnl_config *c)
{
	uint32_t local = c->local_flow                  ? LOCAL_FLOW
			 : ipv6_addr_is_zero(&c->local) ? LOCAL_ANY
							: LOCAL_GIVEN;

	return 6 * c->in_key_flow + 3 * c->remote_flow + local;
}

/* Hash of what a port of KIND compares. */
static uint32_t match_hash(uint32_t kind, enum tnl_type type, be16 dst_port, be64 key,
	const struct ipv6_addr *remote, const struct ipv6_addr *local)
{
	uint32_t h = hash_add(hash_add(kind, type), dst_port);

	if (kind < 6)
		h = hash_add64(h, key);
	if (kind % 6 < 3)
		h = hash_add64(hash_add64(h, remote->w64[0]), remote->w64[1]);
	if (kind % 3 == LOCAL_GIVEN)
		h = hash_add64(hash_add64(h, local->w64[0]), local->w64[1]);
	return h;
}

static const struct tnl_port *find(uint32_t kind, enum tnl_type type, be16 dst_port, be64 key,
	const struct ipv6_addr *remote, const struct ipv6_addr *local)
{
	const struct tnl_port *port;

	CMAP_FOR_EACH_WITH_HASH (
		port, node, match_hash(kind, type, dst_port, key, remote, local), &ports) {
		const struct tnl_config *c = &port->config;

		if (port->match_kind == kind && c->type == type && c->dst_port == dst_port &&
			(kind >= 6 || c->in_key == key) &&
			(kind % 6 >= 3 || ipv6_addr_equal(&c->remote, remote)) &&
			(kind % 3 != LOCAL_GIVEN || ipv6_addr_equal(&c->local, local)))
			return port;
	}
	return NULL;
}

static const struct tnl_port *search(
	enum tnl_type type, be16 dst_port, const struct flow_tnl *tnl)
{
	struct ipv6_addr remote = tnl_addr_src(tnl), local = tnl_addr_dst(tnl);

	if (type == TNL_GRE)
		dst_port = 0;
	for (uint32_t kind = 0; kind < N_KINDS; kind++) {
		const struct tnl_port *port;

		if (!atomic_load_explicit(&n_of_kind[kind], memory_order_relaxed))
			continue;
		port = find(kind, type, dst_port, tnl->tun_id, &remote, &local);
		if (port)
			return port;
	}
	return NULL;
}

const struct tnl_port *tnl_port_lookup(
	enum tnl_type type, be16 dst_port, const struct flow_tnl *tnl)
{
	uint64_t now = atomic_load_explicit(&generation, memory_order_acquire);
	uint64_t ends = (uint64_t)tnl->ip_src << 32 | tnl->ip_dst;
	struct recent *r = &recents[hash_u64(tnl->tun_id ^ ends, dst_port) % N_RECENT];
	const struct tnl_port *port;

	if (!tnl->ip_dst)
		return search(type, dst_port, tnl);
	if (r->generation == now && r->tun_id == tnl->tun_id && r->ip_src == tnl->ip_src &&
		r->ip_dst == tnl->ip_dst && r->dst_port == dst_port && r->type == type)
		return r->port;
	port = search(type, dst_port, tnl);
	if (port)
		*r = (struct recent){now, tnl->tun_id, tnl->ip_src, tnl->ip_dst, dst_port,
			(uint8_t)type, port};
	return port;
}

const struct tnl_port *tnl_port_sends(enum tnl_type type, const struct flow_tnl *tnl)
{
	struct ipv6_addr dst = tnl_addr_dst(tnl), src = tnl_addr_src(tnl);
	const struct tnl_port *port;

	CMAP_FOR_EACH (port, node, &ports) {
		const struct tnl_config *c = &port->config;

		if (c->type == type && (type == TNL_GRE || c->dst_port == tnl->tp_dst) &&
			(c->out_key_flow || c->out_key == tnl->tun_id) &&
			(c->remote_flow || ipv6_addr_equal(&c->remote, &dst)) &&
			(c->local_flow || ipv6_addr_is_zero(&c->local) ||
				ipv6_addr_equal(&c->local, &src)))
			return port;
	}
	return NULL;
}

/* ------------------------------------------------------------------ listeners */

static uint32_t listener_hash(enum tnl_type type, be16 dst_port)
{
	return hash_u32(type == TNL_GRE ? 0 : dst_port, 0);
}

static struct tnl_listener *listener_find(enum tnl_type type, be16 dst_port)
{
	struct tnl_listener *l;

	CMAP_FOR_EACH_WITH_HASH (l, node, listener_hash(type, dst_port), &tnl_listeners)
		if (l->type == type && l->dst_port == dst_port)
			return l;
	return NULL;
}

static void listener_name(struct tnl_listener *l)
{
	struct sbuf s = SBUF_INITIALIZER;

	if (l->type == TNL_GRE)
		sbuf_puts(&s, "gre_sys");
	else
		sbuf_putf(&s, "%s_sys_%u", l->type == TNL_VXLAN ? "vxlan" : "genev",
			be16toh(l->dst_port));
	str_copy(l->name, sbuf_cstr(&s), sizeof l->name);
	sbuf_uninit(&s);
}

static struct tnl_listener *listener_get(const struct tnl_config *config, dp_port_t dp_port)
{
	struct tnl_listener *l = listener_find(config->type, config->dst_port);

	if (!l) {
		l = xcalloc(1, sizeof *l);
		l->type = config->type;
		l->dst_port = config->dst_port;
		l->gbp = config->gbp;
		l->dp_port = dp_port;
		listener_name(l);
		tnl_guard_open(&l->guard, l->dst_port);
		cmap_insert(&tnl_listeners, &l->node, listener_hash(l->type, l->dst_port));
		listening++;
	}
	l->n_ports++;
	return l;
}

static void listener_put(struct tnl_listener *l)
{
	if (--l->n_ports)
		return;
	cmap_remove(&tnl_listeners, &l->node);
	listening++;
	tnl_guard_close(&l->guard);
	rcu_defer_free(l);
}

bool tnl_port_listens(uint8_t nw_proto, be16 tp_dst, enum tnl_type *type)
{
	const struct tnl_listener *l;

	if (nw_proto == IP_P_GRE)
		tp_dst = 0;
	else if (nw_proto != IP_P_UDP)
		return false;
	CMAP_FOR_EACH_WITH_HASH (l, node, hash_u32(tp_dst, 0), &tnl_listeners) {
		if (l->dst_port == tp_dst && (l->type == TNL_GRE) == (nw_proto == IP_P_GRE)) {
			*type = l->type;
			return true;
		}
	}
	return false;
}

bool tnl_port_listens_for_any(uint8_t nw_proto)
{
	const struct tnl_listener *l;

	CMAP_FOR_EACH (l, node, &tnl_listeners)
		if (nw_proto == IP_P_FRAGMENT || (l->type == TNL_GRE) == (nw_proto == IP_P_GRE))
			return true;
	return false;
}

bool tnl_port_has_gbp(be16 dst_port)
{
	const struct tnl_listener *l = listener_find(TNL_VXLAN, dst_port);

	return l && l->gbp;
}

/* ------------------------------------------------------------------ add and remove */

int tnl_port_add(const struct tnl_config *config, dp_port_t dp_port, const char *name,
	const struct tnl_port **portp)
{
	uint32_t kind = kind_of(config);
	const struct tnl_port *other = find(kind, config->type, config->dst_port, config->in_key,
		&config->remote, &config->local);
	const struct tnl_listener *listener = listener_find(config->type, config->dst_port);
	struct tnl_port *port;

	if (other) {
		log_warn("%s: attempting to add tunnel port with same config as port '%s'", name,
			other->name);
		return -EEXIST;
	}
	if (listener && listener->gbp != config->gbp) {
		log_warn("%s: VXLAN-GBP, and non-VXLAN-GBP tunnels can't be configured on the same "
			 "dst_port",
			name);
		return -EADDRINUSE;
	}
	port = xcalloc(1, sizeof *port);
	port->config = *config;
	port->dp_port = dp_port;
	str_copy(port->name, name, sizeof port->name);
	port->match_kind = kind;
	port->listener = listener_get(config, dp_port);
	cmap_insert(&ports, &port->node,
		match_hash(kind, config->type, config->dst_port, config->in_key, &config->remote,
			&config->local));
	n_of_kind[kind]++;
	atomic_fetch_add(&generation, 1);
	*portp = port;
	return 0;
}

void tnl_port_remove(const struct tnl_port *const_port)
{
	struct tnl_port *port = (struct tnl_port *)(uintptr_t)const_port;

	if (!port)
		return;
	n_of_kind[port->match_kind]--;
	cmap_remove(&ports, &port->node);
	/* Before its memory is given up: whoever looks it up from now on searches. */
	atomic_fetch_add(&generation, 1);
	listener_put(port->listener);
	rcu_defer_free(port);
}

uint64_t tnl_port_generation(void)
{
	return atomic_load(&generation);
}

uint64_t tnl_port_listening(void)
{
	return listening;
}

size_t tnl_port_count(void)
{
	return cmap_count(&ports);
}

const struct cmap *tnl_port_map(void)
{
	return &ports;
}

/* ------------------------------------------------------------------ output */

static void set_addresses(const struct tnl_config *c, struct flow_tnl *outer)
{
	static const struct ipv6_addr zero;
	bool is_ipv4;

	if (!c->remote_flow) {
		outer->ip_dst = tnl_addr_to_ipv4(&c->remote);
		outer->ipv6_dst = outer->ip_dst ? zero : c->remote;
	}
	is_ipv4 = outer->ip_dst;
	if (!c->local_flow) {
		outer->ip_src = tnl_addr_to_ipv4(&c->local);
		outer->ipv6_src = outer->ip_src ? zero : c->local;
	}
	/* One family only. */
	if (is_ipv4)
		outer->ipv6_src = outer->ipv6_dst = zero;
	else
		outer->ip_src = 0;
}

/* RFC 6040 says CE goes out as CE; Open vSwitch sends ECT(0). */
static void set_tos(const struct tnl_config *c, const struct flow *flow, struct flow *wc,
	struct flow_tnl *outer)
{
	bool is_ip = flow->dl_type == htobe16(ETH_T_IP) || flow->dl_type == htobe16(ETH_T_IPV6);
	uint8_t ecn = flow->nw_tos & IP_ECN_MASK;

	outer->ip_tos = c->tos;
	outer->ip_ttl = c->ttl;
	if (!is_ip)
		return;
	if (c->ttl_inherit) {
		wc->nw_ttl = 0xff;
		outer->ip_ttl = flow->nw_ttl;
	}
	if (c->tos_inherit) {
		wc->nw_tos |= IP_DSCP_MASK;
		outer->ip_tos = flow->nw_tos & IP_DSCP_MASK;
	}
	wc->nw_tos |= IP_ECN_MASK;
	outer->ip_tos |= ecn == IP_ECN_CE ? IP_ECN_ECT_0 : ecn;
}

bool tnl_port_output(const struct tnl_port *port, const struct flow *flow, struct flow *wc,
	struct flow_tnl *outer)
{
	const struct tnl_config *c = &port->config;

	*outer = flow->tunnel;
	set_addresses(c, outer);
	if (!flow_tnl_is_set(outer))
		return false;
	outer->tp_src = 0;
	outer->tp_dst = c->dst_port;
	if (!c->out_key_flow)
		outer->tun_id = c->out_key;
	set_tos(c, flow, wc, outer);
	outer->flags &= FLOW_TNL_F_OAM;
	outer->flags |= c->dont_fragment ? FLOW_TNL_F_DONT_FRAGMENT : 0;
	outer->flags |= c->csum ? FLOW_TNL_F_CSUM : 0;
	outer->flags |= c->out_key_present ? FLOW_TNL_F_KEY : 0;
	if (c->gbp && flow_tnl_is_set(&flow->tunnel)) {
		wc->tunnel.gbp_id = BE16_MAX;
		wc->tunnel.gbp_flags = 0xff;
	}
	return true;
}
