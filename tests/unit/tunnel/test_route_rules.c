/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Policy rules and routes against the kernel: random ones in a namespace of the test's own, and for
 * random packets the same answer as RTM_GETROUTE (`ip route get`).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "lib/headers.h"
#include "lib/rcu.h"
#include "tunnel/netlink.h"
#include "tunnel/route.h"
#include "tunnel/tnl_addr.h"

#define N_ROUNDS 12
#define N_RULES 10
#define N_ROUTES 24
#define N_LOOKUPS 400

static const uint8_t toses[] = {0, 0, 0, 0x04, 0x08, 0x10};
static const uint8_t protos[] = {IP_P_UDP, IP_P_UDP, IP_P_TCP};
static const char *const tables[] = {"main", "main", "100", "101", "default"};

/* ------------------------------------------------------------------ chance */

static uint32_t seed;

static uint32_t chance(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)seed * n) >> 32);
}

#define ANY(ARRAY) ((ARRAY)[chance(ARRAY_SIZE(ARRAY))])

/* Few addresses, so that prefixes overlap. */
static const char *random_address(bool v4, char text[INET6_ADDRSTRLEN])
{
	if (v4)
		snprintf(text, INET6_ADDRSTRLEN, "172.%u.%u.%u", 16 + chance(2), chance(3), chance(4));
	else
		snprintf(text, INET6_ADDRSTRLEN, "fd10:%u:%u::%u", chance(2), chance(3), 1 + chance(4));
	return text;
}

static const char *random_prefix(bool v4, char text[64])
{
	static const unsigned int plens4[] = {0, 8, 12, 16, 22, 24, 31, 32};
	static const unsigned int plens6[] = {0, 16, 31, 32, 48, 64, 126, 128};
	unsigned int plen = v4 ? ANY(plens4) : ANY(plens6);
	char address[INET6_ADDRSTRLEN], masked[INET6_ADDRSTRLEN];
	struct ipv6_addr a;

	tnl_addr_parse(random_address(v4, address), &a);
	a = tnl_addr_masked(&a, plen + (v4 ? 96 : 0));
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a.b + 12 : a.b, masked, sizeof masked);
	snprintf(text, 64, "%s/%u", masked, plen);
	return text;
}

/* An address of this host's. */
static const char *random_own(bool v4)
{
	static const char *const own4[] = {"10.0.0.1", "10.0.9.1", "10.1.0.1", "10.2.0.1"};
	static const char *const own6[] = {"fd00::1", "fd00:0:0:9::1", "fd01::1"};

	return v4 ? ANY(own4) : ANY(own6);
}

/* ------------------------------------------------------------------ the kernel's side */

static void put_rule(FILE *batch, bool v4)
{
	static const char *const froms4[] = {"10.0.0.0/8", "10.0.0.1", "10.1.0.0/16", "0.0.0.0/5"};
	static const char *const froms6[] = {"fd00::/16", "fd00::1", "fd01::/32", "fd00::/63"};
	unsigned int kind = chance(10);
	char prefix[64];

	fprintf(batch, "rule add %s pref %u", chance(8) ? "" : "not", 1 + chance(60000));
	if (!chance(3))
		fprintf(batch, " from %s", v4 ? ANY(froms4) : ANY(froms6));
	if (!chance(3))
		fprintf(batch, " to %s", random_prefix(v4, prefix));
	if (!chance(4))
		fprintf(batch, " fwmark %u/%u", chance(4), 1 + chance(3));
	if (!chance(4))
		fprintf(batch, " tos 0x%x", toses[2 + chance(4)]);
	if (!chance(4))
		fprintf(batch, " ipproto %s", chance(3) ? "udp" : "tcp");
	if (!chance(6))
		fprintf(batch, " dport %u-%u", 4000 + chance(500), 4600 + chance(500));
	if (!chance(8))
		fprintf(batch, " sport %u-%u", 1000 + chance(1000), 2000 + chance(1000));
	if (!chance(10))
		fprintf(batch, " iif %s", chance(2) ? "lo" : "d0");
	if (!chance(12))
		fprintf(batch, " oif d1");
	if (kind == 0)
		fprintf(batch, " goto %u\n", 30000 + chance(5) * 1000);
	else if (kind == 1)
		fprintf(batch, " nop\n");
	else if (kind == 2)
		fprintf(batch, " %s\n", chance(2) ? "unreachable" : chance(2) ? "blackhole" : "prohibit");
	else if (kind == 3)
		fprintf(batch, " table %s suppress_prefixlength %u\n", ANY(tables), chance(24));
	else if (kind == 4)
		fprintf(batch, " table %s suppress_ifgroup 7\n", ANY(tables));
	else
		fprintf(batch, " table %s\n", ANY(tables));
}

static void put_route(FILE *batch, bool v4)
{
	static const char *const gateways4[] = {"10.0.0.2", "10.0.9.7", "10.1.0.2", "10.2.0.2"};
	static const char *const gateways6[] = {"fd00::2", "fd01::7", "fd00:0:0:9::2"};
	const char *gateway = v4 ? ANY(gateways4) : ANY(gateways6);
	unsigned int kind = chance(12);
	char prefix[64];

	fprintf(batch, "route add ");
	if (kind == 0)
		fprintf(batch, "%s ", chance(2) ? "throw" : chance(2) ? "blackhole" : "unreachable");
	fprintf(batch, "%s table %s metric %u", random_prefix(v4, prefix), ANY(tables), chance(1000));
	if (v4 && !chance(4))
		fprintf(batch, " tos 0x%x", toses[2 + chance(4)]);
	if (kind == 1)
		fprintf(batch, v4 ? " nexthop via 10.0.0.3 weight 3 nexthop via 10.0.0.4\n"
				  : " nexthop via fd00::3 weight 3 nexthop via fd00::4\n");
	else if (kind == 2)
		fprintf(batch, " nhid %u\n", (v4 ? 10 : 20) + chance(3));
	else if (kind == 3)
		fprintf(batch, " dev %s\n", chance(2) ? "d0" : "d1");
	else if (kind == 4)
		fprintf(batch, " via %s src %s\n", gateway, random_own(v4));
	else if (kind)
		fprintf(batch, " via %s\n", gateway);
	else
		fprintf(batch, "\n");
}

static void ip(const char *command)
{
	char line[200];

	snprintf(line, sizeof line, "ip %s", command);
	assert_int_equal(system(line), 0);
}

static FILE *open_batch(bool v4)
{
	FILE *batch = popen(v4 ? "ip -force -batch - >/dev/null 2>&1"
			       : "ip -6 -force -batch - >/dev/null 2>&1", "w");

	assert_non_null(batch);
	return batch;
}

/* Some are refused (a goto backwards, an address twice): the kernel says what there is. */
static void make_random(bool v4)
{
	static const char objects4[] = "nexthop add id 10 via 10.1.0.9 dev d1\n"
				       "nexthop add id 11 blackhole\n"
				       "nexthop add id 1 via 10.0.0.5 dev d0\n"
				       "nexthop add id 2 via 10.0.0.6 dev d0\n"
				       "nexthop add id 12 group 1,7/2,1\n";
	static const char objects6[] = "nexthop add id 20 via fd01::9 dev d1\n"
				       "nexthop add id 21 blackhole\n"
				       "nexthop add id 3 via fd00::5 dev d0\n"
				       "nexthop add id 4 via fd00::6 dev d0\n"
				       "nexthop add id 22 group 3/4\n";
	FILE *batch = open_batch(v4);

	fputs(v4 ? objects4 : objects6, batch);
	for (unsigned int i = 0; i < N_ROUTES; i++)
		put_route(batch, v4);
	for (unsigned int i = 0; i < 5; i++)
		fprintf(batch, "rule add pref %u from %s nop\n", 30000 + i * 1000,
			v4 ? "10.9.9.9" : "fd99::9");
	for (unsigned int i = 0; i < N_RULES; i++)
		put_rule(batch, v4);
	pclose(batch);
}

static void remove_random(bool v4)
{
	static const unsigned int objects[] = {12, 22, 1, 2, 3, 4, 10, 11, 20, 21};
	FILE *batch = open_batch(v4);

	fprintf(batch, "rule flush\nrule add pref 32766 table main\n");
	fprintf(batch, "rule add pref 32767 table default\n");
	/* Routes that name them go with them. */
	for (unsigned int i = 0; i < ARRAY_SIZE(objects); i++)
		fprintf(batch, "nexthop del id %u\n", objects[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++) {
		fprintf(batch, "route flush table %s proto boot\n", tables[i]);
		/* IPv6 counts what has no device as another kind. */
		fprintf(batch, "route flush table %s root %s\n", tables[i],
			v4 ? "172.0.0.0/8" : "fd10::/16");
	}
	pclose(batch);
}

struct answer {
	bool found, is_local;
	struct ipv6_addr src, gateway;
	char dev[IF_NAMESIZE];
};

static void put_addr(struct nlmsghdr *nlh, uint16_t type, const struct ipv6_addr *addr, bool v4)
{
	if (v4)
		mnl_attr_put(nlh, type, 4, addr->b + 12);
	else
		mnl_attr_put(nlh, type, sizeof *addr, addr);
}

static void read_answer(const struct nlmsghdr *nlh, struct answer *a)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct netlink_attrs attrs;
	uint32_t oif = 0;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return;
	netlink_attrs_of_message(&attrs, nlh, sizeof *rtm);
	netlink_get_u32(attrs.a[RTA_OIF], &oif);
	netlink_get_addr(attrs.a[RTA_PREFSRC], &a->src);
	netlink_get_addr(attrs.a[RTA_GATEWAY], &a->gateway);
	if (attrs.a[RTA_VIA])
		memcpy(&a->gateway, (const uint8_t *)mnl_attr_get_payload(attrs.a[RTA_VIA]) + 2, 16);
	a->is_local = rtm->rtm_type == RTN_LOCAL;
	a->found = (rtm->rtm_type == RTN_UNICAST || a->is_local) && if_indextoname(oif, a->dev);
}

static struct answer ask_kernel(struct mnl_socket *socket, const struct route_query *q)
{
	char buf[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	bool v4 = tnl_addr_is_ipv4(&q->dst);
	struct answer a = {.found = false};
	struct rtmsg *rtm;
	ssize_t n;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);
	rtm->rtm_family = v4 ? AF_INET : AF_INET6;
	rtm->rtm_dst_len = v4 ? 32 : 128;
	rtm->rtm_tos = q->tos;
	put_addr(nlh, RTA_DST, &q->dst, v4);
	if (!ipv6_addr_is_zero(&q->src)) {
		rtm->rtm_src_len = rtm->rtm_dst_len;
		put_addr(nlh, RTA_SRC, &q->src, v4);
	}
	mnl_attr_put_u32(nlh, RTA_MARK, q->mark);
	mnl_attr_put_u8(nlh, RTA_IP_PROTO, q->proto);
	mnl_attr_put_u16(nlh, RTA_SPORT, htobe16(q->sport_min));
	mnl_attr_put_u16(nlh, RTA_DPORT, htobe16(q->dport));
	assert_true(mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) > 0);
	n = mnl_socket_recvfrom(socket, buf, sizeof buf);
	assert_true(n >= (ssize_t)sizeof *nlh);
	read_answer((const struct nlmsghdr *)buf, &a);
	return a;
}

/* ------------------------------------------------------------------ comparing */

static struct route_query random_query(void)
{
	struct route_query q = {.mark = chance(4), .tos = ANY(toses), .proto = ANY(protos)};
	char text[INET6_ADDRSTRLEN];
	bool v4 = chance(2);

	tnl_addr_parse(chance(10) ? random_address(v4, text) : random_own(v4), &q.dst);
	if (!chance(3))
		tnl_addr_parse(random_own(v4), &q.src);
	q.sport_min = q.sport_max = (uint16_t)(500 + chance(3000));
	q.dport = (uint16_t)(3800 + chance(1600));
	return q;
}

static void fail_with(const struct route_query *q, const struct answer *kernel, bool found,
	const struct route *ours)
{
	struct sbuf s = SBUF_INITIALIZER;

	sbuf_puts(&s, "dst ");
	tnl_addr_format(&q->dst, &s);
	sbuf_puts(&s, " src ");
	tnl_addr_format(&q->src, &s);
	sbuf_putf(&s, " mark %u tos 0x%x proto %u sport %u dport %u\nkernel: %d %s ", q->mark, q->tos,
		q->proto, q->sport_min, q->dport, kernel->found, kernel->dev);
	tnl_addr_format(&kernel->src, &s);
	sbuf_putc(&s, ' ');
	tnl_addr_format(&kernel->gateway, &s);
	sbuf_putf(&s, "\nours: %d ", found);
	for (unsigned int i = 0; found && i < ours->n_hops; i++) {
		sbuf_putf(&s, "%s ", ours->hops[i].dev);
		tnl_addr_format(&ours->hops[i].src, &s);
		sbuf_putc(&s, ' ');
		tnl_addr_format(&ours->hops[i].gateway, &s);
		sbuf_puts(&s, "; ");
	}
	printf("%s\n", sbuf_cstr(&s));
	sbuf_uninit(&s);
	if (getenv("SHOW_RULES"))
		assert_int_equal(system("ip rule; ip route show table all; ip -6 rule;"
					"ip -6 route show table all"), 0);
	fail();
}

/* True if there was a route. */
static bool compare(struct mnl_socket *socket, const struct route_query *q)
{
	struct answer kernel = ask_kernel(socket, q), again;
	struct route_query with_src = *q;
	struct route route;
	bool found = route_lookup(q, &route), same = false;

	/* Here too the address that was chosen is asked for. */
	if (kernel.found && ipv6_addr_is_zero(&q->src)) {
		with_src.src = kernel.src;
		again = ask_kernel(socket, &with_src);
		again.src = kernel.src;
		kernel = again;
	} else {
		kernel.src = q->src;
	}
	for (unsigned int i = 0; found && i < route.n_hops; i++)
		same |= ipv6_addr_equal(&route.hops[i].src, &kernel.src) &&
			(kernel.is_local ||
				(!strcmp(route.hops[i].dev, kernel.dev) &&
					ipv6_addr_equal(&route.hops[i].gateway, &kernel.gateway)));
	/* To the kernel the device of an own address is lo. */
	if (found != kernel.found || (found && !same) ||
		(kernel.is_local && !route_is_local(&q->dst, NULL)))
		fail_with(q, &kernel, found, &route);
	return found;
}

static void set_up(void)
{
	ip("link set lo up");
	for (int i = 0; i < 3; i++) {
		char line[100];

		snprintf(line, sizeof line, "link add d%d type veth peer name e%d", i, i);
		ip(line);
		snprintf(line, sizeof line, "link set d%d up", i);
		ip(line);
		snprintf(line, sizeof line, "link set e%d up", i);
		ip(line);
	}
	ip("link set d1 group 7");
	ip("addr add 10.0.0.1/24 dev d0");
	ip("addr add 10.0.9.1/24 dev d0");
	ip("addr add 10.1.0.1/24 dev d1");
	ip("addr add 10.2.0.1/30 dev d2");
	ip("-6 addr add fd00::1/64 dev d0 nodad");
	ip("-6 addr add fd00:0:0:9::1/64 dev d0 nodad");
	ip("-6 addr add fd01::1/64 dev d1 nodad");
}

static void test_random(void **state)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	unsigned int n_found = 0;

	set_up();
	assert_non_null(socket);
	assert_int_equal(mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID), 0);
	assert_int_equal(route_init(NULL, NULL), 0);
	for (unsigned int round = 0; round < N_ROUNDS; round++) {
		seed = round + 1;
		make_random(true);
		make_random(false);
		route_reload();
		for (unsigned int i = 0; i < N_LOOKUPS; i++) {
			struct route_query q = random_query();

			n_found += compare(socket, &q);
		}
		remove_random(true);
		remove_random(false);
	}
	printf("%u lookups, %u found\n", N_ROUNDS * N_LOOKUPS, n_found);
	/* Neither all nor nothing. */
	assert_in_range(n_found, N_ROUNDS * N_LOOKUPS / 10, N_ROUNDS * N_LOOKUPS * 9 / 10);
	route_uninit();
	mnl_socket_close(socket);
	rcu_reclaim();
}

/* ------------------------------------------------------------------ what the kernel can't be asked for */

static void test_undecidable(void **state)
{
	struct route_query q = {.proto = IP_P_UDP, .dport = 4789, .sport_min = 32768, .sport_max = 60999};
	struct route route;

	ip("rule flush");
	ip("rule add pref 32766 table main");
	ip("route add default via 10.0.0.2");
	ip("route add default via 10.1.0.2 table 100");
	ip("rule add pref 1 ipproto udp sport 40000-50000 table 100");
	assert_true(tnl_addr_parse("172.16.0.1", &q.dst));
	assert_int_equal(route_init(NULL, NULL), 0);
	/* Some packets would take it, others not. */
	assert_true(route_lookup(&q, &route));
	assert_string_equal(route.hops[0].dev, "d0");
	ip("rule add pref 2 ipproto udp sport 32768-60999 table 100");
	assert_true(route_reload());
	assert_true(route_lookup(&q, &route));
	assert_string_equal(route.hops[0].dev, "d1");
	ip("rule del pref 2");
	ip("rule add pref 2 not ipproto udp sport 1-32767 table 100");
	assert_true(route_reload());
	assert_true(route_lookup(&q, &route));
	assert_string_equal(route.hops[0].dev, "d1");
	route_uninit();
	rcu_reclaim();
}

static void test_choice(void **state)
{
	struct route route = {.n_hops = 3, .hops = {{.weight = 1}, {.weight = 2}, {.weight = 1}}};
	unsigned int n[3] = {0};

	for (uint32_t i = 0; i < 1000; i++)
		n[route_choose(&route, i * 4294967u)]++;
	assert_in_range(n[0], 249, 251);
	assert_in_range(n[1], 499, 501);
	assert_int_equal(route_choose(&route, 0), 0);
	assert_int_equal(route_choose(&route, UINT32_MAX), 2);
	route.n_hops = 1;
	assert_int_equal(route_choose(&route, UINT32_MAX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_undecidable),
	};

	if (unshare(CLONE_NEWNET)) {
		perror("unshare");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
