/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/headers.h"
#include "lib/rcu.h"
#include "lib/smap.h"
#include "tunnel/tnl_addr.h"
#include "tunnel/tnl_port.h"

/* OPTIONS: "key=value key=value". */
static int parse(const char *type, const char *options, struct tnl_config *config, char **error)
{
	char copy[256], *save = NULL;
	struct smap smap = SMAP_INITIALIZER;
	int err;

	strcpy(copy, options);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *equals = strchr(word, '=');

		*equals = '\0';
		smap_set(&smap, word, equals + 1);
	}
	err = tnl_config_parse("t0", type, &smap, config, error);
	smap_uninit(&smap);
	return err;
}

static const struct tnl_port *add(
	const char *name, const char *type, const char *options, dp_port_t dp_port)
{
	const struct tnl_port *port;
	struct tnl_config config;
	char *error;

	if (parse(type, options, &config, &error))
		fail_msg("%s", error);
	return tnl_port_add(&config, dp_port, name, &port) ? NULL : port;
}

static struct ipv6_addr addr(const char *s)
{
	struct ipv6_addr a = {.w64 = {0, 0}};

	assert_true(tnl_addr_parse(s, &a));
	return a;
}

static void check_error(const char *type, const char *options, const char *expected)
{
	struct tnl_config config;
	char *error = NULL;

	assert_int_equal(parse(type, options, &config, &error), -EINVAL);
	assert_string_equal(error, expected);
	free(error);
}

static void test_parse(void **state)
{
	struct tnl_config c;
	char *error;

	assert_int_equal(parse("vxlan",
				 "remote_ip=10.0.0.2 in_key=flow out_key=0x7b tos=0x28 ttl=9 "
				 "df_default=false csum=true dst_port=8472 local_ip=10.0.0.1 "
				 "egress_pkt_mark=7",
				 &c, &error),
		0);
	assert_true(c.in_key_flow && c.in_key_present && !c.out_key_flow && c.out_key_present);
	assert_int_equal(be64toh(c.out_key), 123);
	assert_int_equal(c.tos, 0x28);
	assert_int_equal(c.ttl, 9);
	assert_true(!c.dont_fragment && c.csum);
	assert_int_equal(be16toh(c.dst_port), 8472);
	assert_int_equal(c.egress_pkt_mark, 7);
	assert_int_equal(
		parse("gre", "remote_ip=flow tos=inherit ttl=inherit seq=true", &c, &error), 0);
	assert_true(
		c.remote_flow && c.tos_inherit && c.ttl_inherit && c.gre_seq && c.dont_fragment);
	assert_true(!c.in_key_present && !c.out_key_present && !c.in_key);
	assert_int_equal(parse("geneve", "remote_ip=fd00::2 key=flow", &c, &error), 0);
	assert_int_equal(be16toh(c.dst_port), 6081);
	assert_int_equal(c.ttl, 64);
	/* Unknown keys and values are warned of, as Open vSwitch does. */
	assert_int_equal(
		parse("vxlan", "remote_ip=10.0.0.2 nonsense=1 tos=3 exts=foo", &c, &error), 0);
	assert_int_equal(c.tos, 0);

	check_error("vxlan", "key=1", "t0: vxlan type requires valid 'remote_ip' argument");
	check_error(
		"vxlan", "remote_ip=224.0.0.1", "t0: multicast remote_ip=224.0.0.1 not allowed");
	check_error("vxlan", "remote_ip=foo.bar.",
		"t0: bad vxlan 'remote_ip'\nt0: vxlan type requires valid 'remote_ip' argument");
	check_error("vxlan", "remote_ip=10.0.0.9 local_ip=flow",
		"t0: vxlan type requires 'remote_ip=flow' with 'local_ip=flow'");
	check_error("vxlan", "remote_ip=10.0.0.9 local_ip=fd00::1",
		"t0: 'remote_ip' and 'local_ip' has to be of the same address family");
	check_error("gre", "remote_ip=10.0.0.9 packet_type=foo", "t0: unknown packet_type 'foo'");
}

static const struct tnl_port *lookup(
	enum tnl_type type, uint16_t port, const char *src, const char *dst, uint64_t key)
{
	struct flow_tnl tnl = {.tun_id = htobe64(key)};

	if (strchr(src, ':')) {
		tnl.ipv6_src = addr(src);
		tnl.ipv6_dst = addr(dst);
	} else {
		tnl.ip_src = inet_addr(src);
		tnl.ip_dst = inet_addr(dst);
	}
	return tnl_port_lookup(type, htobe16(port), &tnl);
}

static void test_lookup(void **state)
{
	const struct tnl_port *exact =
		add("exact", "vxlan", "remote_ip=10.0.0.2 local_ip=10.0.0.1 key=5", 1);
	const struct tnl_port *remote = add("remote", "vxlan", "remote_ip=10.0.0.2 key=5", 2);
	const struct tnl_port *key = add("key", "vxlan", "remote_ip=flow key=5", 3);
	const struct tnl_port *peer = add("peer", "vxlan", "remote_ip=10.0.0.2 key=flow", 4);
	const struct tnl_port *any =
		add("any", "vxlan", "remote_ip=flow local_ip=flow key=flow", 5);
	const struct tnl_port *other = add("other", "vxlan", "remote_ip=10.0.0.2 dst_port=8472", 6);
	const struct tnl_port *gre = add("gre", "gre", "remote_ip=10.0.0.2", 7);
	const struct tnl_port *six = add("six", "geneve", "remote_ip=fd00::2 key=flow", 8);
	enum tnl_type type;

	assert_ptr_equal(lookup(TNL_VXLAN, 4789, "10.0.0.2", "10.0.0.1", 5), exact);
	assert_ptr_equal(lookup(TNL_VXLAN, 4789, "10.0.0.2", "10.0.0.9", 5), remote);
	assert_ptr_equal(lookup(TNL_VXLAN, 4789, "10.0.0.3", "10.0.0.1", 5), key);
	assert_ptr_equal(lookup(TNL_VXLAN, 4789, "10.0.0.2", "10.0.0.1", 6), peer);
	assert_ptr_equal(lookup(TNL_VXLAN, 4789, "10.0.0.3", "10.0.0.1", 6), any);
	assert_ptr_equal(lookup(TNL_VXLAN, 8472, "10.0.0.2", "10.0.0.1", 0), other);
	/* No key option is key 0, not any. */
	assert_null(lookup(TNL_VXLAN, 8472, "10.0.0.2", "10.0.0.1", 5));
	assert_ptr_equal(lookup(TNL_GRE, 0, "10.0.0.2", "10.0.0.1", 0), gre);
	assert_null(lookup(TNL_GRE, 0, "10.0.0.2", "10.0.0.1", 1));
	assert_ptr_equal(lookup(TNL_GENEVE, 6081, "fd00::2", "fd00::1", 99), six);
	assert_null(lookup(TNL_GENEVE, 6081, "fd00::3", "fd00::1", 99));

	assert_true(tnl_port_listens(IP_P_UDP, htobe16(4789), &type));
	assert_int_equal(type, TNL_VXLAN);
	assert_true(tnl_port_listens(IP_P_GRE, 0, &type));
	assert_int_equal(type, TNL_GRE);
	assert_false(tnl_port_listens(IP_P_UDP, htobe16(4790), &type));
	assert_false(tnl_port_listens(IP_P_TCP, htobe16(4789), &type));

	assert_null(add("twin", "vxlan", "remote_ip=10.0.0.2 key=5 tos=0x28", 9));
	/* One UDP port is with group policy or without. */
	assert_null(add("gbp", "vxlan", "remote_ip=10.0.0.7 exts=gbp", 9));
	assert_int_equal(tnl_port_count(), 8);
	tnl_port_remove(exact);
	assert_ptr_equal(lookup(TNL_VXLAN, 4789, "10.0.0.2", "10.0.0.1", 5), remote);
	tnl_port_remove(remote);
	tnl_port_remove(key);
	tnl_port_remove(peer);
	tnl_port_remove(any);
	assert_false(tnl_port_listens(IP_P_UDP, htobe16(4789), &type));
	tnl_port_remove(other);
	tnl_port_remove(gre);
	tnl_port_remove(six);
	assert_int_equal(tnl_port_count(), 0);
	rcu_reclaim();
}

static void test_output(void **state)
{
	const struct tnl_port *port = add("t0", "vxlan", "remote_ip=10.0.0.2 key=5", 1);
	struct flow flow = {.dl_type = htobe16(ETH_T_IP), .nw_tos = 0xb8 | IP_ECN_CE, .nw_ttl = 3};
	struct flow wc = {.in_port = 0};
	struct flow_tnl out;

	assert_true(tnl_port_output(port, &flow, &wc, &out));
	assert_int_equal(out.ip_dst, inet_addr("10.0.0.2"));
	assert_int_equal(out.ip_src, 0);
	assert_int_equal(out.tun_id, htobe64(5));
	assert_int_equal(out.ip_ttl, 64);
	/* Not the DSCP; and congestion leaves as ECT(0). */
	assert_int_equal(out.ip_tos, IP_ECN_ECT_0);
	assert_int_equal(out.flags, FLOW_TNL_F_DONT_FRAGMENT | FLOW_TNL_F_KEY);
	assert_int_equal(out.tp_dst, htobe16(4789));
	assert_int_equal(wc.nw_tos, IP_ECN_MASK);
	assert_int_equal(wc.nw_ttl, 0);
	tnl_port_remove(port);

	port = add("t0", "gre",
		"remote_ip=flow local_ip=flow key=flow tos=inherit ttl=inherit df_default=false "
		"csum=true",
		1);
	assert_false(tnl_port_output(port, &flow, &wc, &out));
	flow.tunnel.ip_dst = inet_addr("10.0.0.3");
	flow.tunnel.ip_src = inet_addr("10.0.0.1");
	flow.tunnel.tun_id = htobe64(77);
	flow.tunnel.flags = FLOW_TNL_F_OAM | FLOW_TNL_F_DONT_FRAGMENT;
	flow.nw_tos = 0xb8 | IP_ECN_ECT_1;
	assert_true(tnl_port_output(port, &flow, &wc, &out));
	assert_int_equal(out.ip_dst, inet_addr("10.0.0.3"));
	assert_int_equal(out.ip_src, inet_addr("10.0.0.1"));
	assert_int_equal(out.tun_id, htobe64(77));
	assert_int_equal(out.ip_ttl, 3);
	assert_int_equal(out.ip_tos, 0xb8 | IP_ECN_ECT_1);
	assert_int_equal(out.flags, FLOW_TNL_F_OAM | FLOW_TNL_F_KEY | FLOW_TNL_F_CSUM);
	assert_int_equal(wc.nw_ttl, 0xff);
	assert_int_equal(wc.nw_tos, 0xff);
	/* Of a packet that is not IP nothing is inherited. */
	flow.dl_type = htobe16(ETH_T_ARP);
	assert_true(tnl_port_output(port, &flow, &wc, &out));
	assert_int_equal(out.ip_tos, 0);
	assert_int_equal(out.ip_ttl, 64);
	tnl_port_remove(port);
	rcu_reclaim();
}

static void test_texts(void **state)
{
	static const struct {
		const char *name, *type, *options;
	} ports[] = {
		{"vx5", "vxlan", "remote_ip=10.0.0.3 dst_port=8472 tos=0x28 ttl=9"},
		{"vx3", "vxlan",
			"remote_ip=10.0.0.3 in_key=flow out_key=flow df_default=false "
			"local_ip=10.0.0.1"},
		{"vx4", "vxlan",
			"remote_ip=10.0.0.3 in_key=flow out_key=123 csum=true tos=inherit "
			"ttl=inherit"},
		{"vx2", "vxlan", "remote_ip=flow key=flow"},
		{"vx6", "vxlan", "remote_ip=flow local_ip=flow key=flow"},
		{"n2", "geneve", "remote_ip=fd00::2 in_key=6"},
	};
	const struct tnl_port *added[6];
	struct sbuf s = SBUF_INITIALIZER;

	for (unsigned int i = 0; i < 6; i++)
		added[i] = add(ports[i].name, ports[i].type, ports[i].options, i + 1);
	tnl_port_format_list(&s);
	assert_string_equal(sbuf_cstr(&s),
		"port 1: vx5 (vxlan: ::->10.0.0.3, key=0, legacy_l2, dp port=1, ttl=9, tos=0x28)\n"
		"port 6: n2 (geneve: ::->fd00::2, key=0x6, legacy_l2, dp port=6, out_key=none, "
		"ttl=64)\n"
		"port 2: vx3 (vxlan: 10.0.0.1->10.0.0.3, key=flow, legacy_l2, dp port=2, ttl=64, "
		"df=false)\n"
		"port 2: vx4 (vxlan: ::->10.0.0.3, key=flow, legacy_l2, dp port=2, out_key=0x7b, "
		"ttl=inherit, "
		"tos=inherit, csum=true)\n"
		"port 2: vx2 (vxlan: ::->flow, key=flow, legacy_l2, dp port=2, ttl=64)\n"
		"port 2: vx6 (vxlan: flow->flow, key=flow, legacy_l2, dp port=2, ttl=64)\n");
	sbuf_clear(&s);
	tnl_port_format_all(&s, false);
	assert_string_equal(sbuf_cstr(&s), "Listening ports:\n"
					   "vxlan_sys_8472 (1) ref_cnt=1\n"
					   "vxlan_sys_4789 (2) ref_cnt=4\n"
					   "genev_sys_6081 (6) ref_cnt=1\n");
	sbuf_uninit(&s);
	for (unsigned int i = 0; i < 6; i++)
		tnl_port_remove(added[i]);
	rcu_reclaim();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
