/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/commands.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/pipeline/dependency.h"
#include "lib/fatal.h"
#include "lib/unixctl.h"
#include "lib/util.h"
#include "tools/sluiced/commands_absent.h"
#include "tools/sluiced/commands_bond.h"
#include "tools/sluiced/commands_conf.h"
#include "tools/sluiced/commands_dpif.h"
#include "tools/sluiced/commands_pmd.h"
#include "tools/sluiced/commands_sluice.h"
#include "tools/sluiced/reconcile.h"
#include "tunnel/neigh.h"
#include "tunnel/route.h"
#include "tunnel/route_command.h"
#include "tunnel/tnl_header.h"
#include "tunnel/tnl_port.h"

static void (*exit_cb)(bool cleanup);
static bool exit_cleanup;

void commands_note_exit(bool cleanup)
{
	exit_cleanup = cleanup;
}

bool commands_exit_cleans_up(void)
{
	return exit_cleanup;
}

static void reply_sbuf(struct unixctl_conn *conn, struct sbuf *s)
{
	unixctl_reply(conn, sbuf_cstr(s));
	sbuf_uninit(s);
}

static void cmd_exit(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	(void)aux;
	unixctl_reply(conn, NULL);
	exit_cb(argc > 1 && !strcmp(argv[1], "--cleanup"));
}

/* AUX is one of dp.h's functions that write a text. */
struct text_command {
	void (*format)(struct sbuf *s);
};

static void cmd_text(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	const struct text_command *command = aux;
	struct sbuf s = SBUF_INITIALIZER;

	(void)argc, (void)argv;
	command->format(&s);
	reply_sbuf(conn, &s);
}

/* ------------------------------------------------------------------ tunnels and routes */

static bool parse_ip(const char *text, struct ipv6_addr *addr)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		memset(addr, 0, 10);
		addr->b[10] = addr->b[11] = 0xff;
		memcpy(&addr->b[12], &v4, 4);
		return true;
	}
	return inet_pton(AF_INET6, text, addr->b) == 1;
}

static void cmd_neigh_set(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct ipv6_addr addr;
	struct eth_addr mac;

	(void)argc, (void)aux;
	if (!parse_ip(argv[2], &addr)) {
		unixctl_reply_error(conn, "bad IP address");
		return;
	}
	if (parse_mac(argv[3], mac.b)) {
		unixctl_reply_error(conn, "bad MAC address");
		return;
	}
	dp_neigh_set(argv[1], &addr, mac);
	unixctl_reply(conn, "OK");
}

static void cmd_neigh_flush(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	(void)aux;
	dp_neigh_flush(argc > 1 ? argv[1] : NULL);
	unixctl_reply(conn, "OK");
}

static void cmd_neigh_aging(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	int64_t seconds;
	char *text;

	(void)aux;
	if (argc > 1) {
		if (parse_i64(argv[1], 1, 3600, &seconds)) {
			unixctl_reply_error(conn, "bad aging value");
			return;
		}
		neigh_set_age(seconds);
		unixctl_reply(conn, "OK");
		return;
	}
	text = xasprintf("%u", neigh_age());
	unixctl_reply(conn, text);
	free(text);
}

static void cmd_route(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	int (*change)(int argc, const char *argv[], char **error) = aux;
	char *error;

	if (change(argc - 1, argv + 1, &error)) {
		unixctl_reply_error(conn, error);
		free(error);
		return;
	}
	dep_bump(dep_route());
	unixctl_reply(conn, "OK");
}

static void cmd_route_lookup(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf s = SBUF_INITIALIZER;
	char *error;

	(void)aux;
	if (route_lookup_manual(argc - 1, argv + 1, &s, &error)) {
		unixctl_reply_error(conn, error);
		free(error);
		return;
	}
	reply_sbuf(conn, &s);
}

static void cmd_tnl_ports(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf s = SBUF_INITIALIZER;

	(void)aux;
	tnl_port_format_all(&s, argc > 1 && !strcmp(argv[1], "-v"));
	dp_underlay_format(&s);
	reply_sbuf(conn, &s);
}

static void cmd_egress_port_range(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	int64_t low, high;
	uint16_t min, max;
	char *text;

	(void)aux;
	if (argc < 3) {
		tnl_egress_port_range_get(&min, &max);
		text = xasprintf("Tunnel UDP source port range: %u-%u\n", min, max);
		unixctl_reply(conn, text);
		free(text);
		return;
	}
	/* No errors, to Open vSwitch. */
	if (parse_i64(argv[1], 1, 65535, &low))
		unixctl_reply(conn, "Invalid min.");
	else if (parse_i64(argv[2], 1, 65535, &high))
		unixctl_reply(conn, "Invalid max.");
	else {
		tnl_egress_port_range_set(low, high);
		unixctl_reply(conn, "OK");
	}
}

/* ------------------------------------------------------------------ memory */

static void cmd_memory_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct shash usage = SHASH_INITIALIZER;
	struct sbuf s = SBUF_INITIALIZER;
	struct shash_node **nodes;
	size_t n;

	(void)argc, (void)argv, (void)aux;
	dp_memory_usage(&usage);
	ofproto_memory_usage(&usage);
	nodes = shash_sort(&usage);
	n = shash_count(&usage);
	for (size_t i = 0; i < n; i++)
		if (*(uint64_t *)nodes[i]->data)
			sbuf_putf(&s, "%s%s:%" PRIu64, s.len ? " " : "", nodes[i]->name,
				*(uint64_t *)nodes[i]->data);
	sbuf_putc(&s, '\n');
	free(nodes);
	shash_uninit_free_data(&usage);
	reply_sbuf(conn, &s);
}

static void register_tunnels(void)
{
	static const char *const families[] = {"tnl/arp", "tnl/neigh"};
	static struct text_command neighbours = {neigh_format}, routes = {route_format};
	static struct text_command tunnels = {tnl_port_format_list};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		static const struct {
			const char *verb, *usage;
			int min, max;
			unixctl_cb *cb;
			void *aux;
		} verbs[] = {
			{"show", "", 0, 0, cmd_text, &neighbours},
			{"set", "BRIDGE IP MAC", 3, 3, cmd_neigh_set, NULL},
			{"flush", "[BRIDGE]", 0, 1, cmd_neigh_flush, NULL},
			{"aging", "[SECS]", 0, 1, cmd_neigh_aging, NULL},
		};

		for (size_t j = 0; j < ARRAY_SIZE(verbs); j++) {
			char *name = xasprintf("%s/%s", families[i], verbs[j].verb);

			unixctl_command_register(name, verbs[j].usage, verbs[j].min, verbs[j].max,
				verbs[j].cb, verbs[j].aux);
			free(name);
		}
	}
	unixctl_command_register("ofproto/list-tunnels", "", 0, 0, cmd_text, &tunnels);
	unixctl_command_register("tnl/ports/show", "-v", 0, 1, cmd_tnl_ports, NULL);
	unixctl_command_register("tnl/egress_port_range", "min max", 0, 2, cmd_egress_port_range, NULL);
	unixctl_command_register("ovs/route/show", "", 0, 0, cmd_text, &routes);
	unixctl_command_register("ovs/route/add", "ip/plen output_bridge [gw] [pkt_mark=mark] [src=src_ip]",
		2, 5, cmd_route, route_add_manual);
	unixctl_command_register("ovs/route/del", "ip/plen [pkt_mark=mark]", 1, 2, cmd_route,
		route_del_manual);
	unixctl_command_register("ovs/route/lookup", "ip_addr [pkt_mark=mark]", 1, 2, cmd_route_lookup,
		NULL);
}

void commands_init(void (*on_exit)(bool cleanup))
{
	exit_cb = on_exit;
	unixctl_command_register("exit", "[--cleanup]", 0, 1, cmd_exit, NULL);
	unixctl_command_register("memory/show", "", 0, 0, cmd_memory_show, NULL);
	commands_absent_init();
	commands_bond_init();
	commands_conf_init();
	commands_dpif_init();
	commands_sluice_init();
	commands_pmd_init();
	register_tunnels();
}
