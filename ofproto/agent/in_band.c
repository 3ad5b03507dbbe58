/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/agent/in_band.h"

#include <arpa/inet.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/headers.h"
#include "ofproto/state/flow_mod.h"
#include "tunnel/neigh.h"
#include "tunnel/route.h"

/* Which is which only matters to who reads a dump; the numbers are Open vSwitch's. */
enum {
	FROM_LOCAL_DHCP = 180000,
	TO_LOCAL_ARP,
	FROM_LOCAL_ARP,
	TO_NEXT_HOP_ARP,
	FROM_NEXT_HOP_ARP,
	TO_REMOTE_ARP,
	FROM_REMOTE_ARP,
	TO_REMOTE_TCP,
	FROM_REMOTE_TCP,
};

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define REFRESH_MS 1000

void in_band_init(struct in_band *ib)
{
	vec_init(&ib->rules);
	ib->refresh_ms = 0;
}

void in_band_uninit(struct in_band *ib)
{
	vec_uninit(&ib->rules);
}

void in_band_flushed(struct in_band *ib)
{
	vec_clear(&ib->rules);
	ib->refresh_ms = 0;
}

bool in_band_parse_target(const char *target, uint16_t default_port, struct in_band_remote *remote)
{
	char host[INET_ADDRSTRLEN];
	const char *colon;
	uint64_t port = default_port;

	if (!str_starts_with(target, "tcp:") && !str_starts_with(target, "ssl:"))
		return false;
	target += 4;
	colon = strchr(target, ':');
	if (colon && parse_u64(colon + 1, 1, UINT16_MAX, &port))
		return false;
	if ((colon ? (size_t)(colon - target) : strlen(target)) >= sizeof host)
		return false;
	str_copy(host, target, colon ? (size_t)(colon - target) + 1 : sizeof host);
	if (inet_pton(AF_INET, host, &remote->addr) != 1)
		return false;
	remote->port = htobe16((uint16_t)port);
	return true;
}

/* ------------------------------------------------------------------ what is wanted */

static void want(struct in_band *ib, const struct match *match, int priority)
{
	struct in_band_rule *rule;

	VEC_FOR_EACH (rule, &ib->rules)
		if (rule->priority == priority && !memcmp(&rule->match, match, sizeof *match)) {
			rule->wanted = true;
			return;
		}
	rule = vec_push_zero(&ib->rules);
	rule->match = *match;
	/* Negative: not in the table yet. */
	rule->priority = -priority;
	rule->wanted = true;
}

static void match_ethertype(struct match *match, uint16_t type, uint8_t proto)
{
	memset(match, 0, sizeof *match);
	match->flow.dl_type = htobe16(type);
	match->mask.dl_type = BE16_MAX;
	match->flow.nw_proto = proto;
	match->mask.nw_proto = UINT8_MAX;
}

static void match_mac(struct eth_addr *value, struct eth_addr *mask, struct eth_addr mac)
{
	*value = mac;
	memset(mask, 0xff, sizeof *mask);
}

static void want_arp_of_mac(struct in_band *ib, struct eth_addr mac, int to, int from)
{
	struct match match;

	match_ethertype(&match, ETH_T_ARP, ARP_OP_REPLY);
	match_mac(&match.flow.dl_dst, &match.mask.dl_dst, mac);
	want(ib, &match, to);
	match_ethertype(&match, ETH_T_ARP, ARP_OP_REQUEST);
	match_mac(&match.flow.dl_src, &match.mask.dl_src, mac);
	want(ib, &match, from);
}

static void want_local(struct in_band *ib, struct eth_addr mac)
{
	struct match match;

	match_ethertype(&match, ETH_T_IP, IP_P_UDP);
	match.flow.in_port = OFPP_LOCAL;
	match.mask.in_port = UINT32_MAX;
	match_mac(&match.flow.dl_src, &match.mask.dl_src, mac);
	match.flow.tp_src = htobe16(DHCP_CLIENT_PORT);
	match.flow.tp_dst = htobe16(DHCP_SERVER_PORT);
	match.mask.tp_src = match.mask.tp_dst = BE16_MAX;
	want(ib, &match, FROM_LOCAL_DHCP);
	want_arp_of_mac(ib, mac, TO_LOCAL_ARP, FROM_LOCAL_ARP);
}

static void want_remote(struct in_band *ib, const struct in_band_remote *remote)
{
	struct match match;

	match_ethertype(&match, ETH_T_ARP, ARP_OP_REPLY);
	match.flow.nw_dst = remote->addr;
	match.mask.nw_dst = BE32_MAX;
	want(ib, &match, TO_REMOTE_ARP);
	match_ethertype(&match, ETH_T_ARP, ARP_OP_REQUEST);
	match.flow.nw_src = remote->addr;
	match.mask.nw_src = BE32_MAX;
	want(ib, &match, FROM_REMOTE_ARP);
	match_ethertype(&match, ETH_T_IP, IP_P_TCP);
	match.flow.nw_dst = remote->addr;
	match.flow.tp_dst = remote->port;
	match.mask.nw_dst = BE32_MAX;
	match.mask.tp_dst = BE16_MAX;
	want(ib, &match, TO_REMOTE_TCP);
	match_ethertype(&match, ETH_T_IP, IP_P_TCP);
	match.flow.nw_src = remote->addr;
	match.flow.tp_src = remote->port;
	match.mask.nw_src = BE32_MAX;
	match.mask.tp_src = BE16_MAX;
	want(ib, &match, FROM_REMOTE_TCP);
}

static struct ipv6_addr mapped(be32 addr)
{
	struct ipv6_addr v6 = { .b = { [10] = 0xff, [11] = 0xff } };

	v6.w32[3] = addr;
	return v6;
}

/* What the kernel, whose connection it is, knows of ADDR on DEV. */
static bool kernel_neighbour(const char *dev, be32 addr, struct eth_addr *mac)
{
	char line[256], text[INET_ADDRSTRLEN], hw[20], device[20];
	FILE *stream = fopen("/proc/self/net/arp", "re");
	unsigned int flags;
	bool found = false;
	be32 ip;

	while (stream && !found && fgets(line, sizeof line, stream))
		found = sscanf(line, "%15s %*x %x %19s %*s %19s", text, &flags, hw, device) == 4 &&
			inet_pton(AF_INET, text, &ip) == 1 && ip == addr && flags & ATF_COM &&
			!strcmp(device, dev) && !parse_mac(hw, mac->b);
	if (stream)
		fclose(stream);
	return found;
}

/* The MAC that packets to REMOTE go to, as far as it is known. */
static bool next_hop_mac(const struct in_band_remote *remote, struct eth_addr *mac)
{
	struct ipv6_addr addr = mapped(remote->addr);
	struct route_hop hop;

	if (!route_lookup_addr(&addr, &hop))
		return false;
	if (hop.gateway.w64[0] || hop.gateway.w64[1])
		addr = hop.gateway;
	return neigh_lookup(hop.dev, &addr, mac) || kernel_neighbour(hop.dev, addr.w32[3], mac);
}

/* ------------------------------------------------------------------ the table */

static void install(struct in_band *ib, struct ofproto *ofproto)
{
	struct act_builder acts;
	struct act_output *output;

	act_builder_init(&acts);
	output = act_put(&acts, ACT_OUTPUT, sizeof *output);
	output->port = OFPP_NORMAL;
	for (size_t i = 0; i < ib->rules.n;) {
		struct in_band_rule *rule = &ib->rules.items[i];

		if (rule->priority < 0) {
			rule->priority = -rule->priority;
			of_hidden_flow(&ofproto->state, &rule->match, rule->priority,
				(const struct act *)(const void *)acts.buf.data, acts.buf.len);
		}
		if (rule->wanted) {
			i++;
			continue;
		}
		of_hidden_flow(&ofproto->state, &rule->match, rule->priority, NULL, 0);
		vec_remove_swap(&ib->rules, i);
	}
	act_builder_uninit(&acts);
}

int64_t in_band_run(struct in_band *ib, struct ofproto *ofproto, const struct in_band_remote *remotes,
	size_t n, int64_t now_ms)
{
	struct in_band_rule *rule;
	struct eth_addr mac;

	if (!n && !ib->rules.n)
		return -1;
	if (now_ms < ib->refresh_ms)
		return ib->refresh_ms - now_ms;
	ib->refresh_ms = now_ms + REFRESH_MS;
	VEC_FOR_EACH (rule, &ib->rules)
		rule->wanted = false;
	if (n && route_dev_mac(ofproto->name, &mac))
		want_local(ib, mac);
	for (size_t i = 0; i < n; i++) {
		if (next_hop_mac(&remotes[i], &mac))
			want_arp_of_mac(ib, mac, TO_NEXT_HOP_ARP, FROM_NEXT_HOP_ARP);
		want_remote(ib, &remotes[i]);
	}
	install(ib, ofproto);
	return REFRESH_MS;
}
