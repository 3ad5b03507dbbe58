/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/commands_dpif.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/unixctl.h"
#include "lib/util.h"
#include "tools/sluiced/capabilities.h"
#include "tools/sluiced/reconcile.h"
#include "tunnel/tnl_listener.h"
#include "tunnel/tnl_port.h"

#define DP_NAME "ovs-netdev"
#define SAMPLE_MS 1000

static uint64_t flows_max;
static double flows_average;
static int64_t next_sample_ms;

static void reply_sbuf(struct unixctl_conn *conn, struct sbuf *s)
{
	unixctl_reply(conn, sbuf_cstr(s));
	sbuf_uninit(s);
}

/* ------------------------------------------------------------------ interfaces */

static int compare_ifaces(const void *a_, const void *b_)
{
	return strcmp((*(struct rc_iface *const *)a_)->name, (*(struct rc_iface *const *)b_)->name);
}

/* Running interfaces of BRIDGE by name; free() the array. */
static struct rc_iface **bridge_ifaces(struct rc_bridge *bridge, size_t *n)
{
	VEC(struct rc_iface *) list = VEC_INITIALIZER;
	struct rc_iface **iface;
	struct rc_port *port;

	HMAP_FOR_EACH (port, node, &bridge->ports)
		VEC_FOR_EACH (iface, &port->ifaces)
			if ((*iface)->state == RC_RUNNING)
				vec_push(&list, *iface);
	if (list.n)
		qsort(list.items, list.n, sizeof *list.items, compare_ifaces);
	*n = list.n;
	return list.items;
}

static const char *type_name(const struct rc_iface *iface)
{
	return strcmp(iface->type, "internal") ? iface->type : "tap";
}

/* "(vxlan: key=5, remote_ip=10.0.0.2)", with the type names of the userspace datapath. */
static void format_type(const struct rc_iface *iface, struct sbuf *s)
{
	const struct smap_node **nodes = smap_sort(&iface->options);
	size_t n = smap_count(&iface->options);

	sbuf_putf(s, "(%s", type_name(iface));
	for (size_t i = 0; i < n; i++)
		sbuf_putf(s, "%s%s=%s", i ? ", " : ": ", nodes[i]->key, nodes[i]->value);
	sbuf_puts(s, ")");
	free(nodes);
}

/* The datapath's number: tunnels of a kind share the one of their listener. */
static dp_port_t shown_number(const struct rc_iface *iface)
{
	return iface->tunnel ? iface->tunnel->listener->dp_port : iface->dp_port;
}

/* ------------------------------------------------------------------ arguments */

static bool is_datapath(const char *name)
{
	return !strcmp(name, DP_NAME) || !strcmp(name, "netdev@" DP_NAME);
}

/* NAME is our datapath; replies with an error if not. */
static bool check_datapath(struct unixctl_conn *conn, const char *name)
{
	if (is_datapath(name))
		return true;
	unixctl_reply_error(conn, "ovs-vswitchd: datapath not found (Invalid argument)");
	return false;
}

/* ------------------------------------------------------------------ show */

static void put_bytes(struct sbuf *s, const char *name, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double size = (double)bytes;
	int unit = -1;

	sbuf_putf(s, "%s bytes:%" PRIu64, name, bytes);
	while (size >= 1024 && unit < 5) {
		size /= 1024;
		unit++;
	}
	if (unit >= 0)
		sbuf_putf(s, " (%.1f %ciB)", size, units[unit]);
}

static void put_statistics(struct sbuf *s, const struct dp_port_stats *st, bool is_device)
{
	if (!is_device) {
		/* Nothing but traffic is counted. */
		sbuf_putf(s, "    RX packets:%" PRIu64 " errors:? dropped:? overruns:? frame:?\n"
			"    TX packets:%" PRIu64 " errors:? dropped:? aborted:? carrier:?\n"
			"    collisions:?\n    ", st->rx_packets, st->tx_packets);
		put_bytes(s, "RX", st->rx_bytes);
		put_bytes(s, "  TX", st->tx_bytes);
		sbuf_putc(s, '\n');
		return;
	}
	sbuf_putf(s, "    RX packets:%" PRIu64 " errors:%" PRIu64 " dropped:%" PRIu64 " overruns:%" PRIu64
		" frame:%" PRIu64 "\n", st->rx_packets, st->rx_errors, st->rx_dropped, st->rx_over_errors,
		st->rx_frame_errors);
	sbuf_putf(s, "    TX packets:%" PRIu64 " errors:%" PRIu64 " dropped:%" PRIu64
		" aborted:0 carrier:0\n", st->tx_packets, st->tx_errors, st->tx_dropped);
	sbuf_putf(s, "    collisions:%" PRIu64 "\n    ", st->collisions);
	put_bytes(s, "RX", st->rx_bytes);
	put_bytes(s, "  TX", st->tx_bytes);
	sbuf_putc(s, '\n');
}

/* A line of dpctl/show. */
struct shown {
	dp_port_t number;
	const struct rc_iface *iface;		/* NULL: `listener`. */
	const struct tnl_listener *listener;
};

static int compare_shown(const void *a_, const void *b_)
{
	const struct shown *a = a_, *b = b_;

	return (a->number > b->number) - (a->number < b->number);
}

/* The sum of its tunnels. */
static void listener_stats(const struct tnl_listener *listener, struct dp_port_stats *sum)
{
	const struct tnl_port *port;
	struct dp_port_stats st;

	CMAP_FOR_EACH (port, node, tnl_port_map()) {
		if (port->listener != listener || !dp_port_stats(port->dp_port, &st))
			continue;
		sum->rx_packets += st.rx_packets;
		sum->rx_bytes += st.rx_bytes;
		sum->tx_packets += st.tx_packets;
		sum->tx_bytes += st.tx_bytes;
	}
}

static void put_shown(struct sbuf *s, const struct shown *line, bool statistics)
{
	struct dp_port_stats st = {.rx_packets = 0};

	sbuf_putf(s, "  port %u: ", line->number);
	if (line->listener) {
		sbuf_putf(s, "%s (%s: packet_type=ptap)", line->listener->name,
			tnl_type_name(line->listener->type));
		listener_stats(line->listener, &st);
	} else {
		sbuf_puts(s, line->iface->name);
		if (strcmp(line->iface->type, "system")) {
			sbuf_putc(s, ' ');
			format_type(line->iface, s);
		}
		dp_port_stats(line->iface->dp_port, &st);
	}
	sbuf_putc(s, '\n');
	if (statistics)
		put_statistics(s, &st, line->iface != NULL);
}

static void put_ports(struct sbuf *s, bool statistics)
{
	VEC(struct shown) lines = VEC_INITIALIZER;
	const struct tnl_listener *listener;

	for (dp_port_t number = 1; number < PL_MAX_PORTS; number++) {
		const struct rc_iface *iface = reconcile_iface_by_dp_port(number);

		if (iface && iface->state == RC_RUNNING && iface->kind == PL_PORT_DEVICE)
			*vec_push_zero(&lines) = (struct shown) {.number = number, .iface = iface};
	}
	CMAP_FOR_EACH (listener, node, &tnl_listeners)
		*vec_push_zero(&lines) = (struct shown) {.number = listener->dp_port, .listener = listener};
	if (lines.n)
		qsort(lines.items, lines.n, sizeof *lines.items, compare_shown);
	for (size_t i = 0; i < lines.n; i++)
		put_shown(s, &lines.items[i], statistics);
	vec_uninit(&lines);
}

static void cmd_dpctl_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	static const struct dp_port_stats nothing;
	uint64_t hits, misses, lost, n_paths;
	struct sbuf s = SBUF_INITIALIZER;
	bool statistics = false;

	(void)aux;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-s") || !strcmp(argv[i], "--statistics"))
			statistics = true;
		else if (!is_datapath(argv[i])) {
			unixctl_replyf_error(conn, "ovs-vswitchd: opening datapath %s failed (%s)", argv[i],
				strncmp(argv[i], "netdev@", 7) ? "Address family not supported by protocol"
							       : "No such device");
			return;
		}
	}
	dp_cache_stats(&hits, &misses, &lost, &n_paths);
	sbuf_puts(&s, "netdev@" DP_NAME ":\n");
	sbuf_putf(&s, "  lookups: hit:%" PRIu64 " missed:%" PRIu64 " lost:%" PRIu64 "\n", hits, misses,
		lost);
	sbuf_putf(&s, "  flows: %" PRIu64 "\n", n_paths);
	sbuf_puts(&s, "  port 0: " DP_NAME " (tap)\n");
	if (statistics)
		put_statistics(&s, &nothing, true);
	put_ports(&s, statistics);
	reply_sbuf(conn, &s);
}

static void cmd_dpif_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	uint64_t hits, misses, lost, n_paths;
	struct sbuf s = SBUF_INITIALIZER;
	struct rc_bridge **bridges;
	size_t n_bridges;

	(void)argc, (void)argv, (void)aux;
	dp_cache_stats(&hits, &misses, &lost, &n_paths);
	sbuf_putf(&s, "netdev@" DP_NAME ": hit:%" PRIu64 " missed:%" PRIu64 "\n", hits, misses);
	bridges = reconcile_sorted_bridges(&n_bridges);
	for (size_t i = 0; i < n_bridges; i++) {
		size_t n;
		struct rc_iface **ifaces = bridge_ifaces(bridges[i], &n);

		sbuf_putf(&s, "  %s:\n", bridges[i]->name);
		for (size_t j = 0; j < n; j++) {
			sbuf_putf(&s, "    %s %u/", ifaces[j]->name,
				ifaces[j]->ofp_port == OFPP_LOCAL ? 65534 : ifaces[j]->ofp_port);
			if (ifaces[j]->kind == PL_PORT_PATCH)
				sbuf_puts(&s, "none: ");
			else
				sbuf_putf(&s, "%u: ", shown_number(ifaces[j]));
			format_type(ifaces[j], &s);
			sbuf_putc(&s, '\n');
		}
		free(ifaces);
	}
	free(bridges);
	reply_sbuf(conn, &s);
}

static void cmd_dpctl_dump_dps(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	(void)argc, (void)argv, (void)aux;
	unixctl_reply(conn, "netdev@" DP_NAME "\n");
}

static void cmd_dpif_dump_dps(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf s = SBUF_INITIALIZER;
	struct rc_bridge **bridges;
	size_t n;

	(void)argc, (void)argv, (void)aux;
	bridges = reconcile_sorted_bridges(&n);
	for (size_t i = 0; i < n; i++)
		sbuf_putf(&s, "%s@%s\n", *bridges[i]->cfg->datapath_type ? bridges[i]->cfg->datapath_type
			: "system", bridges[i]->name);
	free(bridges);
	reply_sbuf(conn, &s);
}

/* ------------------------------------------------------------------ flows */

/* False if ARG is no option of how flows are to be written. */
static bool take_format_option(const char *arg, struct dp_paths_format *format)
{
	if (!strcmp(arg, "-m") || !strcmp(arg, "--more"))
		format->more = format->names = true;
	else if (!strcmp(arg, "--names"))
		format->names = true;
	else if (!strcmp(arg, "--no-names"))
		format->names = false;
	else
		return false;
	return true;
}

static void cmd_dpif_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct dp_paths_format format = {.core = -1};
	struct sbuf s = SBUF_INITIALIZER;

	(void)aux;
	for (int i = 1; i < argc; i++) {
		if (!take_format_option(argv[i], &format))
			format.bridge = argv[i];
	}
	if (!format.bridge || !reconcile_bridge(format.bridge)) {
		unixctl_reply_error(conn, "no such bridge");
		return;
	}
	dp_sweep();
	dp_format_paths(&format, &s);
	reply_sbuf(conn, &s);
}

/* pmd=N, type=T of dpctl/dump-flows; false: replied with an error. */
static bool parse_filter(struct unixctl_conn *conn, const char *arg, struct dp_paths_format *format)
{
	int64_t core;

	if (!strncmp(arg, "pmd=", 4)) {
		if (!parse_i64(arg + 4, -1, INT_MAX, &core)) {
			format->core = (int)core;
			format->by_core = true;
			return true;
		}
	} else if (!strncmp(arg, "type=", 5)) {
		/* Nothing of ours is offloaded or in a kernel. */
		if (!strcmp(arg + 5, "all") || !strcmp(arg + 5, "ovs") || !strcmp(arg + 5, "non-offloaded"))
			return true;
		if (!strcmp(arg + 5, "tc") || !strcmp(arg + 5, "dpdk") || !strcmp(arg + 5, "offloaded") ||
			!strcmp(arg + 5, "partially-offloaded")) {
			format->none = true;
			return true;
		}
	}
	unixctl_replyf_error(conn, "ovs-vswitchd: %s: expected pmd=CORE, or type= with one of all, ovs, tc, "
		"dpdk, offloaded, non-offloaded, partially-offloaded", arg);
	return false;
}

static void cmd_dpctl_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct dp_paths_format format = {.core = -1, .titles = true};
	struct sbuf s = SBUF_INITIALIZER;

	(void)aux;
	for (int i = 1; i < argc; i++) {
		if (take_format_option(argv[i], &format))
			continue;
		if (strchr(argv[i], '=')) {
			if (!parse_filter(conn, argv[i], &format))
				return;
		} else if (!check_datapath(conn, argv[i])) {
			return;
		}
	}
	dp_sweep();
	if (!format.none)
		dp_format_paths(&format, &s);
	reply_sbuf(conn, &s);
}

static void cmd_del_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	(void)aux;
	if (argc > 1 && !check_datapath(conn, argv[1]))
		return;
	dp_purge();
	unixctl_reply(conn, NULL);
}

static void cmd_purge(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	(void)argc, (void)argv, (void)aux;
	dp_purge();
	unixctl_reply(conn, NULL);
}

/* Nothing to wait for: what was forwarded is counted already. */
static void cmd_wait(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	(void)argc, (void)argv, (void)aux;
	dp_sweep();
	unixctl_reply(conn, NULL);
}

static void cmd_cache_size(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	(void)aux;
	if (argc < 2 || check_datapath(conn, argv[1]))
		unixctl_reply(conn, "netdev@" DP_NAME ":\n");
}

static void cmd_dp_features(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf s = SBUF_INITIALIZER;

	(void)argc, (void)aux;
	if (!reconcile_bridge(argv[1])) {
		unixctl_reply_error(conn, "no such bridge");
		return;
	}
	for (const struct capability *c = capabilities; c->key; c++)
		if (c->title)
			sbuf_putf(&s, "%s: %s\n", c->title, !strcmp(c->value, "true") ? "Yes"
				: !strcmp(c->value, "false") ? "No" : c->value);
	reply_sbuf(conn, &s);
}

static void cmd_list_commands(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf s = SBUF_INITIALIZER;

	(void)argc, (void)argv, (void)aux;
	unixctl_format_commands("dpctl/", &s);
	reply_sbuf(conn, &s);
}

/* ------------------------------------------------------------------ upcall/show */

void commands_dpif_run(void)
{
	uint64_t hits, misses, lost, n;

	if (clock_ms() < next_sample_ms)
		return;
	next_sample_ms = clock_ms() + SAMPLE_MS;
	dp_cache_stats(&hits, &misses, &lost, &n);
	flows_max = MAX(flows_max, n);
	flows_average = (flows_average + (double)n) / 2;
}

/* There are no upcalls: the thread that misses translates. What stands for flows are its paths. */
static void cmd_upcall_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct dp_path_count counts[64];
	struct sbuf s = SBUF_INITIALIZER;
	uint64_t current = 0, limit = 0;
	int64_t began = clock_us();
	size_t n;

	(void)argc, (void)argv, (void)aux;
	dp_sweep();
	n = dp_count_paths(counts, ARRAY_SIZE(counts));
	for (size_t i = 0; i < n; i++) {
		current += counts[i].n;
		limit += counts[i].limit;
	}
	flows_max = MAX(flows_max, current);
	sbuf_puts(&s, "netdev@" DP_NAME ":\n");
	sbuf_putf(&s, "  flows         : (current %" PRIu64 ") (avg %.0f) (max %" PRIu64 ") (limit %" PRIu64
		")\n", current, flows_average, flows_max, limit);
	sbuf_putf(&s, "  dump duration : %" PRId64 "ms\n", (clock_us() - began + 999) / 1000);
	sbuf_puts(&s, "  ufid enabled : false\n\n");
	for (size_t i = 0; i < n; i++)
		sbuf_putf(&s, "  %d: (keys %u)\n", counts[i].core, counts[i].n);
	reply_sbuf(conn, &s);
}

void commands_dpif_init(void)
{
	unixctl_command_register("dpif/show", "", 0, 0, cmd_dpif_show, NULL);
	unixctl_command_register("dpif/dump-dps", "", 0, 0, cmd_dpif_dump_dps, NULL);
	unixctl_command_register("dpif/dump-flows", "[-m] [--names | --no-names] bridge", 1, INT_MAX,
		cmd_dpif_dump_flows, NULL);
	unixctl_command_register("dpif/show-dp-features", "bridge", 1, 1, cmd_dp_features, NULL);
	unixctl_command_register("dpctl/list-commands", "", 0, 0, cmd_list_commands, NULL);
	unixctl_command_register("dpctl/show", "[-s] [dp...]", 0, INT_MAX, cmd_dpctl_show, NULL);
	unixctl_command_register("dpctl/dump-dps", "", 0, 0, cmd_dpctl_dump_dps, NULL);
	unixctl_command_register("dpctl/dump-flows", "[-m] [--names] [dp] [type=..] [pmd=..]", 0, 6,
		cmd_dpctl_dump_flows, NULL);
	unixctl_command_register("dpctl/del-flows", "[dp]", 0, 1, cmd_del_flows, NULL);
	unixctl_command_register("dpctl/cache-get-size", "[dp]", 0, 1, cmd_cache_size, NULL);
	unixctl_command_register("revalidator/purge", "", 0, 0, cmd_purge, NULL);
	unixctl_command_register("revalidator/wait", "", 0, 0, cmd_wait, NULL);
	unixctl_command_register("upcall/show", "", 0, 0, cmd_upcall_show, NULL);
}
