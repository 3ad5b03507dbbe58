/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The agent under stock ovs-ofctl: sessions of every version, flow_mods and their errors,
 * statistics.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/fatal.h"
#include "ofctl_fixture.h"

static const char *const versions[] = { "10", "11", "12", "13", "14", "15" };

#define FOR_EACH_VERSION(V) for (size_t V = 0; V < sizeof versions / sizeof *versions; V++)

static int setup(void **state)
{
	return ofctl_start(NULL) ? 0 : -1;
}

static int teardown(void **state)
{
	ofctl_stop();
	return 0;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		print_error("\"%s\" not in:\n%s", part, text);
	assert_non_null(strstr(text, part));
}

static void assert_has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		print_error("\"%s\" in:\n%s", part, text);
	assert_null(strstr(text, part));
}

/* The flows, without what changes from run to run. */
static const char *dump(const char *version)
{
	return ofctl_ok("-OOpenFlow%s dump-flows BR --no-stats", version);
}

static void assert_refused(const char *version, const char *flow, const char *error)
{
	const char *text;
	int status;

	text = ofctl(&status, "-OOpenFlow%s add-flow BR '%s'", version, flow);
	assert_int_equal(status, 1);
	assert_has(text, error);
}

static void test_hello(void **state)
{
	FOR_EACH_VERSION(v) {
		ofctl_ok("-OOpenFlow%s probe BR", versions[v]);
		assert_has(ofctl_ok("-OOpenFlow%s show BR", versions[v]), "n_tables:254");
	}
}

static void test_description(void **state)
{
	const char *text = ofctl_ok("dump-desc BR");

	assert_has(text, "Manufacturer: Nicira, Inc.");
	assert_has(text, "Hardware: Open vSwitch");
}

static void test_standalone_flow(void **state)
{
	assert_has(dump("10"), "priority=0 actions=NORMAL");
}

static void test_add_and_dump(void **state)
{
	FOR_EACH_VERSION(v) {
		ofctl_ok("-OOpenFlow%s del-flows BR", versions[v]);
		ofctl_ok("-OOpenFlow%s add-flow BR "
			 "cookie=0x5,priority=7,tcp,tp_dst=80,actions=output:3",
			versions[v]);
		assert_has(
			dump(versions[v]), "cookie=0x5, priority=7,tcp,tp_dst=80 actions=output:3");
		assert_has(ofctl_ok("-OOpenFlow%s dump-aggregate BR", versions[v]), "flow_count=1");
	}
	ofctl_ok("del-flows BR");
	assert_has_not(dump("13"), "actions");
}

static void test_modify(void **state)
{
	ofctl_ok("del-flows BR");
	ofctl_ok("-OOpenFlow13 add-flow BR cookie=1,priority=5,ip,actions=1");
	ofctl_ok("-OOpenFlow13 add-flow BR cookie=2,priority=6,tcp,actions=1");
	ofctl_ok("-OOpenFlow13 mod-flows BR ip,actions=9");
	assert_has(dump("13"), "cookie=0x1, priority=5,ip actions=output:9");
	assert_has(dump("13"), "cookie=0x2, priority=6,tcp actions=output:9");
	ofctl_ok("-OOpenFlow13 mod-flows --strict BR priority=5,ip,actions=8");
	assert_has(dump("13"), "priority=5,ip actions=output:8");
	assert_has(dump("13"), "priority=6,tcp actions=output:9");
	/* Only OpenFlow 1.0 makes an add of a modify that finds nothing. */
	ofctl_ok("-OOpenFlow13 mod-flows BR arp,actions=7");
	assert_has_not(dump("13"), "arp");
	ofctl_ok("-OOpenFlow10 mod-flows BR arp,actions=7");
	assert_has(dump("13"), "arp actions=output:7");
}

static void test_delete(void **state)
{
	ofctl_ok("del-flows BR");
	ofctl_ok("add-flow BR cookie=0x11,priority=5,ip,actions=1");
	ofctl_ok("add-flow BR cookie=0x12,priority=6,tcp,actions=2");
	ofctl_ok("add-flow BR cookie=0x21,table=3,priority=6,arp,actions=3");
	ofctl_ok("-OOpenFlow13 del-flows --strict BR priority=7,ip");
	assert_has(dump("13"), "priority=5,ip");
	ofctl_ok("-OOpenFlow13 del-flows BR out_port=2");
	assert_has_not(dump("13"), "tcp");
	ofctl_ok("-OOpenFlow13 del-flows BR cookie=0x20/0xf0");
	assert_has_not(dump("13"), "arp");
	ofctl_ok("-OOpenFlow13 del-flows BR cookie=0x11/-1");
	assert_has_not(dump("13"), "actions");
}

static void test_refusals(void **state)
{
	static const struct {
		const char *flow, *error;
	} cases[] = {
		{"actions=group:4", "OFPBAC_BAD_OUT_GROUP"},
		{"actions=meter:4,2", "OFPMMFC_INVALID_METER"},
		{"table=254,actions=2", "OFPBRC_EPERM"},
		{"recirc_id=5,actions=2", "OFPBRC_EPERM"},
		{"dp_hash=5/7,actions=2", "OFPBRC_EPERM"},
		{"actions=load:1->NXM_OF_ETH_TYPE[]", "OFPBAC_BAD_SET_ARGUMENT"},
		{"ip,actions=move:NXM_NX_REG0[0..7]->NXM_OF_IP_PROTO[]", "OFPBAC_BAD_SET_ARGUMENT"},
		{"actions=write_actions(output(port=2,max_len=20))", "OFPBAC_BAD_TYPE"},
	};

	ofctl_ok("del-flows BR");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_refused("13", cases[i].flow, cases[i].error);
	ofctl_ok("-OOpenFlow13 add-flow BR 'icmp6,icmp_type=135,nd_target=::1,actions=2'");
	ofctl_ok("-OOpenFlow13 del-flows BR recirc_id=5");
	ofctl_ok("add-flow BR priority=5,ip,actions=1");
	assert_refused("10", "check_overlap,priority=5,ip,nw_src=1.2.3.4,actions=1", "OVERLAP");
	ofctl_ok("add-flow BR check_overlap,priority=6,ip,nw_src=1.2.3.4,actions=1");
}

static void test_groups(void **state)
{
	int status;

	ofctl_ok("-OOpenFlow13 add-group BR group_id=1,type=all,bucket=output:1,bucket=output:2");
	assert_has(ofctl(&status, "-OOpenFlow13 add-group BR group_id=1,type=all"),
		"OFPGMFC_GROUP_EXISTS");
	assert_has(ofctl(&status, "-OOpenFlow13 mod-group BR group_id=2,type=all"),
		"OFPGMFC_UNKNOWN_GROUP");
	ofctl_ok("-OOpenFlow13 add-group BR group_id=2,type=indirect,bucket=group:1");
	assert_has(ofctl(&status, "-OOpenFlow13 mod-group BR group_id=1,type=all,bucket=group:2"),
		"OFPGMFC_LOOP");
	ofctl_ok("-OOpenFlow13 add-flow BR priority=9,udp,actions=group:1");
	assert_has(ofctl_ok("-OOpenFlow13 dump-group-stats BR"), "group_id=1");
	assert_has(ofctl_ok("-OOpenFlow15 dump-groups BR"),
		"group_id=1,type=all,bucket=bucket_id:0,actions=output:1");
	ofctl_ok("-OOpenFlow15 insert-buckets BR group_id=1,command_bucket_id=first,"
		"bucket=bucket_id:7,actions=output:7");
	assert_has(ofctl_ok("-OOpenFlow15 dump-groups BR"),
		"group_id=1,type=all,bucket=bucket_id:7,actions=output:7,bucket=bucket_id:0");
	ofctl_ok("-OOpenFlow15 remove-buckets BR group_id=1,command_bucket_id=0");
	assert_has_not(ofctl_ok("-OOpenFlow15 dump-groups BR"), "bucket_id:0,actions=output:1");
	ofctl_ok("-OOpenFlow13 del-groups BR group_id=1");
	assert_has_not(dump("13"), "udp");
	ofctl_ok("-OOpenFlow13 del-groups BR");
}

static void test_meters(void **state)
{
	int status;

	ofctl_ok("-OOpenFlow13 add-meter BR meter=1,kbps,band=type=drop,rate=1000");
	assert_has(ofctl(&status, "-OOpenFlow13 add-meter BR meter=1,kbps,band=type=drop,rate=1"),
		"OFPMMFC_METER_EXISTS");
	ofctl_ok("-OOpenFlow13 add-flow BR priority=3,udp,actions=meter:1,2");
	assert_has(ofctl_ok("-OOpenFlow13 dump-meters BR"), "meter=1 kbps bands=");
	assert_has(ofctl_ok("-OOpenFlow13 meter-stats BR"), "flow_count:1");
	ofctl_ok("-OOpenFlow13 del-meter BR meter=1");
	assert_has_not(dump("13"), "udp");
}

static void test_bundle(void **state)
{
	const char *text;
	int status;

	ofctl_ok("del-flows BR");
	ofctl_ok("--bundle add-flow BR priority=1,actions=1");
	assert_has(dump("13"), "priority=1 actions=output:1");
	/* All or nothing: the second flow is refused. */
	text = ofctl(&status, "-OOpenFlow14 bundle BR - <<'END'\n"
		"flow add priority=2,actions=2\nflow add priority=3,actions=group:77\nEND");
	assert_int_equal(status, 1);
	assert_has(text, "OFPBAC_BAD_OUT_GROUP");
	assert_has_not(dump("13"), "priority=2");
	ofctl_ok("-OOpenFlow14 bundle BR - <<'END'\n"
		"group group_id=5,type=all,bucket=output:1\nflow add priority=3,actions=group:5\n"
		"flow delete_strict priority=1\nflow add priority=4,actions=4\nEND");
	assert_has(dump("13"), "priority=4 actions=output:4");
	assert_has(dump("13"), "priority=3 actions=group:5");
	assert_has_not(dump("13"), "priority=1 ");
	ofctl_ok("-OOpenFlow13 del-groups BR");
}

static void test_replace_flows(void **state)
{
	ofctl_ok("replace-flows BR - <<'END'\ntcp,actions=1\nudp,actions=2\nEND");
	ofctl_ok("--bundle replace-flows BR - <<'END'\nudp,actions=3\narp,actions=4\nEND");
	assert_has_not(dump("13"), "tcp");
	assert_has(dump("13"), "udp actions=output:3");
	assert_has(dump("13"), "arp actions=output:4");
}

static void test_many(void **state)
{
	const char *text;

	ofctl_ok("del-flows BR");
	ofctl_ok("add-flows BR - <<END\n$(for i in $(seq 1 5000); do "
		"echo ip,nw_dst=10.$((i / 250)).$((i %% 250)).1,actions=2; done)\nEND");
	text = ofctl_ok("dump-flows BR | grep -c nw_dst");
	assert_int_equal(atoi(text), 5000);
	assert_has(ofctl_ok("dump-aggregate BR"), "flow_count=5000");
	ofctl_ok("del-flows BR");
	assert_has(ofctl_ok("dump-aggregate BR"), "flow_count=0");
}

static void test_timeouts(void **state)
{
	ofctl_ok("del-flows BR");
	ofctl_ok("add-flow BR hard_timeout=1,tcp,actions=1");
	ofctl_ok("add-flow BR idle_timeout=1,udp,actions=1");
	ofctl_ok("add-flow BR idle_timeout=60,arp,actions=1");
	assert_has(dump("13"), "tcp");
	assert_has(ofctl_ok("probe BR; sleep 1.6"), "");
	assert_has_not(dump("13"), "tcp");
	assert_has_not(dump("13"), "udp");
	assert_has(dump("13"), "arp");
}

static void test_tables(void **state)
{
	const char *text;

	assert_has(ofctl_ok("-OOpenFlow13 dump-table-features BR"), "table 0");
	text = ofctl_ok("-OOpenFlow13 dump-tables BR");
	assert_has(text, "table 0");
	assert_has(ofctl_ok("-OOpenFlow14 dump-table-desc BR"), "eviction=off");
	ofctl_ok("-OOpenFlow11 mod-table BR 3 controller");
	assert_has(ofctl_ok("-OOpenFlow11 dump-tables BR"), "config=controller");
	ofctl_ok("-OOpenFlow15 mod-table BR 4 name:four");
	assert_has(ofctl_ok("-OOpenFlow15 dump-table-features BR"), "four");
}

static void test_tlv_map(void **state)
{
	int status;

	ofctl_ok("add-tlv-map BR '{class=0x102,type=0x80,len=4}->tun_metadata0'");
	assert_has(ofctl(&status, "add-tlv-map BR '{class=0x103,type=0x80,len=4}->tun_metadata0'"),
		"ALREADY_MAPPED");
	assert_has(ofctl_ok("dump-tlv-map BR"), "tun_metadata0");
	ofctl_ok("add-flow BR priority=77,tun_metadata0=5,actions=1");
	assert_has(dump("13"), "tun_metadata0=0x5");
	/* Its bits are as many as its mapping says; of a value that is too long the first bytes count. */
	assert_has(ofctl(&status, "add-flow BR 'actions=push:NXM_NX_TUN_METADATA0[]'"), "BAD_SET_LEN");
	assert_has(ofctl(&status, "add-flow BR 'actions=move:NXM_NX_TUN_METADATA0[1..32]->NXM_NX_REG0[]'"),
		"BAD_SET_LEN");
	ofctl_ok("add-flow BR 'actions=push:NXM_NX_TUN_METADATA0[0..31],set_field:0->tun_metadata0,1'");
	assert_has(dump("13"), "set_field:0->tun_metadata0");
	ofctl_ok("add-flow BR 'priority=78,tun_metadata0=0x1122334455,actions=1'");
	assert_has(dump("13"), "tun_metadata0=0x11223344 ");
	assert_has(ofctl(&status, "add-flow BR 'actions=set_field:0->tun_metadata1'"),
		"INVALID_TLV_FIELD");
	assert_has(ofctl(&status, "del-tlv-map BR"), "INVALID_TLV_DEL");
	ofctl_ok("del-flows BR");
	ofctl_ok("del-tlv-map BR");
	assert_has_not(ofctl_ok("dump-tlv-map BR"), "tun_metadata0");
}

static void test_ports(void **state)
{
	FOR_EACH_VERSION(v) {
		ofctl_ok("-OOpenFlow%s dump-ports BR", versions[v]);
		ofctl_ok("-OOpenFlow%s dump-ports-desc BR", versions[v]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_standalone_flow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hello, setup, teardown),
		cmocka_unit_test_setup_teardown(test_description, setup, teardown),
		cmocka_unit_test_setup_teardown(test_add_and_dump, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_meters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bundle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replace_flows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timeouts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tlv_map, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
	};

	if (system("command -v ovs-ofctl >/dev/null"))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
