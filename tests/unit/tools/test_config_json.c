/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bitmap.h"
#include "tools/sluiced/config_json.h"

static struct model *parse(const char *text)
{
	struct model *model = NULL;
	char *error = NULL;

	if (config_json_parse(text, &model, &error))
		fail_msg("%s", error);
	return model;
}

static void whole_document(void **state)
{
	struct model *m = parse("{\"other_config\": {\"pmd-cpu-mask\": \"2\", \"n\": 3, \"b\": true},"
		" \"bridges\": [{\"name\": \"br0\", \"fail_mode\": \"secure\","
		"   \"ports\": [{\"name\": \"p1\", \"tag\": 10, \"type\": \"system\", \"ofport_request\": 7},"
		"     {\"name\": \"t\", \"trunks\": [1, 4095], \"interfaces\": ["
		"       {\"name\": \"vx\", \"type\": \"vxlan\", \"options\": {\"remote_ip\": \"10.0.0.2\"}}]}],"
		"   \"controllers\": [{\"target\": \"tcp:127.0.0.1\", \"inactivity_probe\": 0}],"
		"   \"mirrors\": [{\"name\": \"m\", \"select_all\": true, \"output_port\": \"t\"}],"
		"   \"flows\": [\"actions=NORMAL\"]}]}");
	struct model_bridge *b = m->bridges.items[0];

	(void)state;
	assert_string_equal(smap_get(&m->other_config, "n"), "3");
	assert_string_equal(smap_get(&m->other_config, "b"), "true");
	assert_string_equal(b->fail_mode, "secure");
	assert_int_equal(b->ports.n, 3);	/* The local port came by itself. */
	assert_int_equal(b->ports.items[0]->tag, 10);
	assert_int_equal(b->ports.items[0]->interfaces.items[0]->ofport_request, 7);
	assert_true(bitmap_is_set(b->ports.items[1]->trunks, 4095));
	assert_string_equal(smap_get(&b->ports.items[1]->interfaces.items[0]->options, "remote_ip"),
		"10.0.0.2");
	assert_string_equal(b->ports.items[2]->name, "br0");
	assert_int_equal(b->controllers.items[0]->inactivity_probe, 0);
	assert_int_equal(b->controllers.items[0]->max_backoff, MODEL_UNSET);
	assert_true(b->mirrors.items[0]->select_all);
	assert_string_equal(b->flows.items[0], "actions=NORMAL");
	model_destroy(m);
}

/* Each mistake names the place and what was expected. */
static void mistakes(void **state)
{
	static const struct {
		const char *text, *where, *what;
	} cases[] = {
		{"[]", "(top)", "expected an object"},
		{"{\"bridge\": []}", "bridge", "unknown key"},
		{"{\"bridges\": {}}", "bridges", "expected an array"},
		{"{\"bridges\": [{}]}", "bridges[0]", "\"name\""},
		{"{\"bridges\": [{\"name\": \"a\", \"fail_mode\": \"maybe\"}]}", "bridges[0].fail_mode",
			"standalone secure"},
		{"{\"bridges\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}", "bridges[1]", "twice"},
		{"{\"bridges\": [{\"name\": \"a\", \"ports\": [{\"name\": \"p\", \"tag\": 4096}]}]}",
			"bridges[0].ports[0].tag", "from 0 to 4095"},
		{"{\"bridges\": [{\"name\": \"a\", \"ports\": [{\"name\": \"p\", \"trunks\": [1, \"x\"]}]}]}",
			"bridges[0].ports[0].trunks", "integer"},
		{"{\"bridges\": [{\"name\": \"a\", \"ports\": [{\"name\": \"p\", \"interfaces\": []}]}]}",
			"bridges[0].ports[0]", "at least one interface"},
		{"{\"bridges\": [{\"name\": \"a\", \"ports\": [{\"name\": \"p\", \"mac\": \"zz\"}]}]}",
			"bridges[0].ports[0].mac", "Ethernet address"},
		{"{\"bridges\": [{\"name\": \"a\", \"ports\": [{\"name\": \"p\"}, {\"name\": \"p\"}]}]}",
			"bridges[0].ports[1]", "twice"},
		{"{\"bridges\": ", "line 1", ""},
		{"{\"ssl\": 3}", "ssl", "expected an object"},
		{"{\"other_config\": {\"a\": [1]}}", "other_config", "\"a\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct model *model;
		char *error;

		assert_int_not_equal(config_json_parse(cases[i].text, &model, &error), 0);
		if (!strstr(error, cases[i].where) || !strstr(error, cases[i].what))
			fail_msg("%s: \"%s\" lacks \"%s\" or \"%s\"", cases[i].text, error,
				cases[i].where, cases[i].what);
		assert_null(strchr(error, '\n'));
		free(error);
	}
}

/* Cut anywhere, the document is refused and nothing leaks. */
static void truncated(void **state)
{
	static const char text[] = "{\"bridges\":[{\"name\":\"b\",\"ports\":[{\"name\":\"p\",\"tag\":1}]}]}";

	(void)state;
	for (size_t len = 0; len < sizeof text - 1; len++) {
		char *copy = strndup(text, len), *error;
		struct model *model;

		assert_int_not_equal(config_json_parse(copy, &model, &error), 0);
		free(error);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_document),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
