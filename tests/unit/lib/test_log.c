/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>

#include "lib/clock.h"
#include "lib/coverage.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/log_format.h"
#include "lib/unixctl.h"

LOG_MODULE(test_module);
COVERAGE_DEFINE(test_hits);
COVERAGE_DEFINE(test_never);

static char path[] = "/tmp/test_log.XXXXXX";

static char *read_file(void)
{
	static char text[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* Clears the file and forgets which messages were there. */
static void empty_file(void)
{
	assert_int_equal(truncate(path, 0), 0);
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	close(fd);
	clock_test_set(100000, 1795105891123);
	free(log_set_from_string("console:off"));
	free(log_set_from_string("syslog:off"));
	return log_set_file(path);
}

static int teardown(void **state)
{
	unlink(path);
	return 0;
}

static void default_pattern(void **state)
{
	assert_non_null(strstr(
		read_file(), "2026-11-19T16:31:31.123Z|00001|vlog|INFO|opened log file /tmp"));
	empty_file();
	log_info("hello %d\n\n", 5);
	log_dbg("not this");
	assert_string_equal(
		read_file(), "2026-11-19T16:31:31.123Z|00002|test_module|INFO|hello 5\n");
	log_set_thread_name("pmd3");
	empty_file();
	log_warn("x");
	assert_string_equal(
		read_file(), "2026-11-19T16:31:31.123Z|00003|test_module(pmd3)|WARN|x\n");
	log_set_thread_name(NULL);
}

static void refuses(const char *spec, const char *error)
{
	char *text = log_set_from_string(spec);

	assert_non_null(text);
	assert_string_equal(text, error);
	free(text);
}

static void specs(void **state)
{
	refuses("foo:bar", "no destination, level, or module \"foo\"");
	refuses("file:syslog", "cannot specify multiple destinations");
	refuses("dbg:info", "cannot specify multiple levels");
	refuses("vlog:test_module", "cannot specify multiple modules");
	refuses("PATTERN", "missing destination");
	refuses("PATTERN:foo:x", "unknown destination \"foo\"");
	refuses("FACILITY:foo", "invalid facility");
	assert_false(log_dbg_is_enabled());
	assert_null(log_set_from_string("DBG TEST_MODULE,FILE"));
	assert_true(log_dbg_is_enabled());
	empty_file();
	log_dbg("now");
	assert_non_null(strstr(read_file(), "|DBG|now"));
	assert_null(log_set_from_string("any:file:info"));
	assert_false(log_dbg_is_enabled());
	assert_null(log_set_from_string("FACILITY:local7"));
}

static void patterns(void **state)
{
	struct log_record record = {.module = "m",
		.level = LOG_LEVEL_ERR,
		.number = 7,
		.priority = 27,
		.wall_ms = 1795105891045,
		.uptime_ms = 99,
		.message = "msg"};
	static const char *const cases[][2] = {
		{"%%|%c|%m|%p|%N|%n", "%|m|msg|ERR|7|\n"},
		{"%5N|%-5N|%05N", "00007|70000|00007"},
		{"%t%T", "main"},
		{"<%B>%r", "<27>99"},
		{"%D", "2026-11-19 16:31:31.045"},
		{"%D{%H:%M:%S.#}x", "16:31:31.0x"},
		{"%D{unclosed", "unclosed"},
		{"%c{3}y", "my"},
		{"%", ""},
		{"%-0", ""},
		{"%99999999999999999999m", NULL},
	};
	struct sbuf sb = SBUF_INITIALIZER;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		sbuf_clear(&sb);
		log_format(&sb, cases[i][0], &record);
		if (cases[i][1])
			assert_string_equal(sbuf_cstr(&sb), cases[i][1]);
		else
			assert_in_range(sb.len, 3, 2048);
	}
	sbuf_uninit(&sb);

	assert_null(log_set_from_string("PATTERN:file:%p %m"));
	empty_file();
	log_err("two words");
	assert_string_equal(read_file(), "ERR two words\n");
}

static void rate_limit(void **state)
{
	struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(60, 3);

	empty_file();
	for (int i = 0; i < 10; i++)
		log_info_rl(&rl, "%d", i);
	assert_string_equal(read_file(), "INFO 0\nINFO 1\nINFO 2\n");
	clock_test_advance(2000);
	empty_file();
	log_info_rl(&rl, "again");
	log_info_rl(&rl, "again");
	log_info_rl(&rl, "again");
	assert_string_equal(read_file(),
		"INFO Dropped 7 log messages in last 2 seconds (most recently, 2 seconds ago) due "
		"to excessive rate\nINFO again\nINFO again\n");
	assert_null(log_set_rate_limits("test_module", false));
	empty_file();
	log_info_rl(&rl, "x");
	assert_string_equal(read_file(), "INFO x\n");
	assert_null(log_set_rate_limits("any", true));
	free(log_set_rate_limits("nobody", true));
	clock_test_advance(INT32_MAX);
	for (int i = 0; i < 10; i++)
		log_info_rl(&rl, "%d", i);
	assert_null(strstr(read_file(), "INFO 4"));
}

static char *run(const char *command, const char *arg, bool ok)
{
	const char *argv[] = {command, arg, NULL};
	char *reply, *error;

	assert_int_equal(unixctl_call(arg ? 2 : 1, argv, &reply, &error), 0);
	assert_true(ok ? !error : !reply);
	return ok ? reply : error;
}

static void expect(const char *command, const char *arg, bool ok, const char *text)
{
	char *reply = run(command, arg, ok);

	assert_string_equal(reply, text);
	free(reply);
}

static void commands(void **state)
{
	char *text;

	log_unixctl_init();
	expect("vlog/set", "nosuch:dbg", false, "no destination, level, or module \"nosuch\"\n");
	expect("vlog/set", "test_module:file:warn", true, "");
	expect("vlog/disable-rate-limit", "nosuch", false, "unknown module\n");
	expect("vlog/disable-rate-limit", "test_module", true, "");
	text = run("vlog/list", NULL, true);
	assert_non_null(strstr(text, "                 console    syslog    file\n"
				     "                 -------    ------    ------\n"));
	assert_non_null(strstr(text,
		"\ntest_module        OFF        OFF       WARN    (rate limiting disabled)\n"));
	free(text);
	expect("vlog/enable-rate-limit", NULL, true, "");
	expect("vlog/list-pattern", NULL, true,
		"         prefix                            format\n"
		"         ------                            ------\n"
		"SYSLOG   <%B> %D{%h %e %T} %E %A:          ovs|%05N|%c%T|%p|%m\n"
		"CONSOLE  none                              "
		"%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m\n"
		"FILE     none                              %p %m\n");
}

static void reopen(void **state)
{
	char moved[64];

	snprintf(moved, sizeof(moved), "%s.1", path);
	assert_int_equal(rename(path, moved), 0);
	expect("vlog/reopen", NULL, true, "");
	log_err("after rotation");
	assert_non_null(strstr(read_file(), "after rotation"));
	unlink(moved);
	expect("vlog/close", NULL, true, "");
	empty_file();
	log_err("nowhere");
	assert_string_equal(read_file(), "");
	assert_int_equal(log_set_file("/nonexistent/x"), -ENOENT);
}

static void *hit(void *aux)
{
	for (int i = 0; i < 1000; i++)
		COVERAGE_INC(test_hits);
	return NULL;
}

static void coverage(void **state)
{
	pthread_t threads[2];
	uint64_t value;
	char *text;

	coverage_unixctl_init();
	coverage_run();
	COVERAGE_ADD(test_hits, 7);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, hit, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(coverage_read("test_hits", &value), 0);
	assert_int_equal(value, 2007);
	assert_int_equal(coverage_read("nosuch", &value), -ENOENT);
	expect("coverage/read-counter", "test_hits", true, "2007\n");
	expect("coverage/read-counter", "nosuch", false, "No such counter\n");
	clock_test_advance(5000);
	coverage_run();
	text = run("coverage/show", NULL, true);
	assert_non_null(strstr(text, "Event coverage, avg rate over last: 5 seconds, last minute, "
				     "last hour,  hash="));
	assert_non_null(strstr(text, "\ntest_hits                401.4/sec    33.450/sec        "
				     "0.5575/sec   total: 2007\n"));
	assert_non_null(strstr(text, " events never hit\n"));
	assert_null(strstr(text, "test_never"));
	free(text);
	clock_test_advance(30000);
	coverage_run();
	text = coverage_show();
	assert_non_null(strstr(text, "\ntest_hits                  0.0/sec    33.450/sec        "
				     "0.5575/sec   total: 2007\n"));
	free(text);
	clock_test_advance(3600000);
	coverage_run();
	text = coverage_show();
	assert_non_null(strstr(text, "\ntest_hits                  0.0/sec     0.000/sec        "
				     "0.0000/sec   total: 2007\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_pattern),
		cmocka_unit_test(specs),
		cmocka_unit_test(patterns),
		cmocka_unit_test(rate_limit),
		cmocka_unit_test(commands),
		cmocka_unit_test(reopen),
		cmocka_unit_test(coverage),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
