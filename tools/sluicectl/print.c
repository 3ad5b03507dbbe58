/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluicectl/print.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool colour(void)
{
	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static double counter(const json_t *iface, const char *key)
{
	return (double)json_integer_value(json_object_get(json_object_get(iface, "statistics"), key));
}

static double total_drops(const json_t *drops)
{
	const char *reason;
	double sum = 0;
	json_t *n;

	json_object_foreach ((json_t *)drops, reason, n)
		sum += (double)json_integer_value(n);
	return sum;
}

/* By OpenFlow port number, those without one last. */
static int compare_interfaces(const void *a_, const void *b_)
{
	const json_t *a = *(json_t *const *)a_, *b = *(json_t *const *)b_;
	json_int_t x = json_integer_value(json_object_get(a, "ofport"));
	json_int_t y = json_integer_value(json_object_get(b, "ofport"));

	if (x != y)
		return !x ? 1 : !y ? -1 : x < y ? -1 : 1;
	return strcmp(text(a, "name"), text(b, "name"));
}

static int compare_bridges(const void *a, const void *b)
{
	return strcmp(text(*(json_t *const *)a, "name"), text(*(json_t *const *)b, "name"));
}

/* The array's items in order: *N of them, free() the result. */
static json_t **sorted(const json_t *array, size_t *n, int (*compare)(const void *, const void *))
{
	json_t **items;

	*n = json_array_size(array);
	items = calloc(*n + 1, sizeof *items);
	if (!items)
		abort();
	for (size_t i = 0; i < *n; i++)
		items[i] = json_array_get(array, i);
	qsort(items, *n, sizeof *items, compare);
	return items;
}

static void print_interface(const json_t *iface)
{
	const json_t *ofport = json_object_get(iface, "ofport"), *tag = json_object_get(iface, "tag");
	bool failed = !strcmp(text(iface, "state"), "failed");
	const char *state = failed ? "failed" : !ofport ? text(iface, "state")
		: json_is_true(json_object_get(iface, "link_up")) ? "up" : "down";
	char number[24] = "-", vlan[24] = "";

	if (ofport)
		snprintf(number, sizeof number, "%d", (int)json_integer_value(ofport));
	if (tag)
		snprintf(vlan, sizeof vlan, "%d", (int)json_integer_value(tag));
	printf("  %6s  %-15s %-9s %5s  %s%-8s%s %12.0f %12.0f %10.0f\n", number, text(iface, "name"),
		text(iface, "type"), vlan, colour() ? failed ? "\033[31m" : "\033[32m" : "", state,
		colour() ? "\033[0m" : "", counter(iface, "rx_packets"), counter(iface, "tx_packets"),
		total_drops(json_object_get(iface, "drops")));
	if (failed)
		printf("          %s\n", text(iface, "error"));
}

void print_show(const json_t *show)
{
	const json_t *cache = json_object_get(show, "cache");
	size_t n;
	json_t **bridges = sorted(json_object_get(show, "bridges"), &n, compare_bridges);

	printf("DPDK %s, %s; cache: %lld hits, %lld misses, %lld paths\n",
		json_is_true(json_object_get(show, "dpdk")) ? "runs" : "does not run",
		json_is_true(json_object_get(show, "hugepages")) ? "hugepages" : "no hugepages",
		(long long)json_integer_value(json_object_get(cache, "hits")),
		(long long)json_integer_value(json_object_get(cache, "misses")),
		(long long)json_integer_value(json_object_get(cache, "paths")));
	for (size_t i = 0; i < n; i++) {
		size_t n_ifaces;
		json_t **ifaces = sorted(json_object_get(bridges[i], "interfaces"), &n_ifaces,
			compare_interfaces);

		printf("\n%s  datapath_id %s, %s%s\n", text(bridges[i], "name"),
			text(bridges[i], "datapath_id"), text(bridges[i], "fail_mode"),
			json_is_true(json_object_get(bridges[i], "controller")) ? ", controller" : "");
		printf("  %6s  %-15s %-9s %5s  %-8s %12s %12s %10s\n", "ofport", "interface", "type",
			"tag", "link", "rx packets", "tx packets", "drops");
		for (size_t j = 0; j < n_ifaces; j++)
			print_interface(ifaces[j]);
		free(ifaces);
	}
	free(bridges);
}

json_t *print_find_interface(const json_t *show, const char *name)
{
	const json_t *bridges = json_object_get(show, "bridges");

	for (size_t i = 0; i < json_array_size(bridges); i++) {
		const json_t *ifaces = json_object_get(json_array_get(bridges, i), "interfaces");

		for (size_t j = 0; j < json_array_size(ifaces); j++)
			if (!strcmp(text(json_array_get(ifaces, j), "name"), name))
				return json_array_get(ifaces, j);
	}
	return NULL;
}

/* Adds the rates of one interface since BEFORE to RATES. */
static void add_rates(json_t *rates, const char *bridge, const json_t *before, const json_t *iface,
	double seconds)
{
	const json_t *old = print_find_interface(before, text(iface, "name"));
	double drops = total_drops(json_object_get(iface, "drops")) -
		total_drops(json_object_get(old, "drops"));

	if (!old || !json_object_get(iface, "statistics"))
		return;
	json_array_append_new(rates, json_pack("{sssssfsfsfsfsf}", "bridge", bridge, "interface",
		text(iface, "name"),
		"rx_pps", (counter(iface, "rx_packets") - counter(old, "rx_packets")) / seconds,
		"tx_pps", (counter(iface, "tx_packets") - counter(old, "tx_packets")) / seconds,
		"rx_bps", (counter(iface, "rx_bytes") - counter(old, "rx_bytes")) * 8 / seconds,
		"tx_bps", (counter(iface, "tx_bytes") - counter(old, "tx_bytes")) * 8 / seconds,
		"drops_ps", drops / seconds));
}

json_t *print_rates(const json_t *before, const json_t *now)
{
	double seconds = (double)(json_integer_value(json_object_get(now, "time_ms")) -
		json_integer_value(json_object_get(before, "time_ms"))) / 1000;
	json_t *rates = json_array();
	size_t n;
	json_t **bridges = sorted(json_object_get(now, "bridges"), &n, compare_bridges);

	for (size_t i = 0; i < n && seconds > 0; i++) {
		size_t n_ifaces;
		json_t **ifaces = sorted(json_object_get(bridges[i], "interfaces"), &n_ifaces,
			compare_interfaces);

		for (size_t j = 0; j < n_ifaces; j++)
			add_rates(rates, text(bridges[i], "name"), before, ifaces[j], seconds);
		free(ifaces);
	}
	free(bridges);
	return rates;
}

static double rate(const json_t *row, const char *key)
{
	return json_number_value(json_object_get(row, key));
}

void print_top(const json_t *before, const json_t *now)
{
	json_t *rates = print_rates(before, now), *row;
	size_t i;

	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	printf("%-15s %-15s %12s %12s %12s %12s %10s\n", "bridge", "interface", "rx packet/s",
		"tx packet/s", "rx Mbit/s", "tx Mbit/s", "drops/s");
	json_array_foreach (rates, i, row)
		printf("%-15s %-15s %12.0f %12.0f %12.2f %12.2f %10.0f\n", text(row, "bridge"),
			text(row, "interface"), rate(row, "rx_pps"), rate(row, "tx_pps"),
			rate(row, "rx_bps") / 1e6, rate(row, "tx_bps") / 1e6, rate(row, "drops_ps"));
	json_decref(rates);
}

json_t *print_lines_as_array(const char *lines)
{
	json_t *array = json_array();

	while (*lines) {
		size_t len = strcspn(lines, "\n"), skip = strspn(lines, " ");

		if (len > skip)
			json_array_append_new(array, json_stringn(lines + skip, len - skip));
		lines += len + (lines[len] == '\n');
	}
	return array;
}
