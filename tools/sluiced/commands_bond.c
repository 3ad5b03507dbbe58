/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/commands_bond.h"

#include <stdlib.h>
#include <string.h>

#include "lib/sbuf.h"
#include "lib/unixctl.h"
#include "lib/util.h"
#include "tools/sluiced/reconcile.h"

typedef void port_cb(const struct rc_port *port, struct sbuf *s);

static int compare_ports(const void *a, const void *b)
{
	return strcmp((*(const struct rc_port *const *)a)->name, (*(const struct rc_port *const *)b)->name);
}

/* All bonds by name, *N of them; free() the array. */
static const struct rc_port **sorted_bonds(size_t *n)
{
	VEC(const struct rc_port *) bonds = VEC_INITIALIZER;
	struct rc_bridge **bridges;
	struct rc_port *port;
	size_t n_bridges;

	bridges = reconcile_sorted_bridges(&n_bridges);
	for (size_t i = 0; i < n_bridges; i++)
		HMAP_FOR_EACH (port, node, &bridges[i]->ports)
			if (port->ifaces.n > 1)
				vec_push(&bonds, port);
	free(bridges);
	if (bonds.n)
		qsort(bonds.items, bonds.n, sizeof *bonds.items, compare_ports);
	*n = bonds.n;
	return bonds.items;
}

static bool is_usable(const struct rc_iface *iface)
{
	return iface->state == RC_RUNNING && iface->info.admin_up && iface->info.link_up;
}

static const struct rc_iface *active_member(const struct rc_port *bond)
{
	struct rc_iface **iface;

	VEC_FOR_EACH (iface, &bond->ifaces)
		if (is_usable(*iface))
			return *iface;
	return NULL;
}

static void list_bond(const struct rc_port *bond, struct sbuf *s)
{
	struct rc_iface **iface;
	const char *separator = "";

	sbuf_putf(s, "%s\tactive-backup\t0\t", bond->name);
	VEC_FOR_EACH (iface, &bond->ifaces) {
		sbuf_putf(s, "%s%s", separator, (*iface)->name);
		separator = ", ";
	}
	sbuf_putc(s, '\n');
}

static void show_bond(const struct rc_port *bond, struct sbuf *s)
{
	const struct rc_iface *active = active_member(bond);
	struct rc_iface **iface;

	sbuf_putf(s, "---- %s ----\nbond_mode: active-backup\n", bond->name);
	sbuf_puts(s, "bond may use recirculation: no, Recirc-ID : -1\nbond-hash-basis: 0\n"
		"lb_output action: disabled, bond-id: -1\nupdelay: 0 ms\ndowndelay: 0 ms\n"
		"lacp_status: off\nlacp_fallback_ab: false\nactive-backup primary: <none>\n");
	if (active)
		sbuf_putf(s, "active member mac: %02x:%02x:%02x:%02x:%02x:%02x(%s)\n\n", active->info.mac.b[0],
			active->info.mac.b[1], active->info.mac.b[2], active->info.mac.b[3],
			active->info.mac.b[4], active->info.mac.b[5], active->name);
	else
		sbuf_puts(s, "active member mac: 00:00:00:00:00:00(none)\n\n");
	VEC_FOR_EACH (iface, &bond->ifaces) {
		bool usable = is_usable(*iface);

		sbuf_putf(s, "member %s: %s\n%s  may_enable: %s\n\n", (*iface)->name,
			usable ? "enabled" : "disabled", *iface == active ? "  active member\n" : "",
			usable ? "true" : "false");
	}
}

static const struct rc_port *find_bond(struct unixctl_conn *conn, const char *name)
{
	const struct rc_port **bonds, *bond = NULL;
	size_t n;

	bonds = sorted_bonds(&n);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(bonds[i]->name, name))
			bond = bonds[i];
	free(bonds);
	if (!bond)
		unixctl_reply_error(conn, "no such bond");
	return bond;
}

static void reply(struct unixctl_conn *conn, struct sbuf *s)
{
	unixctl_reply(conn, sbuf_cstr(s));
	sbuf_uninit(s);
}

static void put_all(struct sbuf *s, port_cb *put)
{
	const struct rc_port **bonds;
	size_t n;

	bonds = sorted_bonds(&n);
	for (size_t i = 0; i < n; i++)
		put(bonds[i], s);
	free(bonds);
}

static void cmd_list(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf s = SBUF_INITIALIZER;

	sbuf_puts(&s, "bond\ttype\trecircID\tmembers\n");
	put_all(&s, list_bond);
	reply(conn, &s);
}

static void cmd_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct sbuf s = SBUF_INITIALIZER;
	const struct rc_port *bond;

	if (argc == 1) {
		put_all(&s, show_bond);
	} else {
		bond = find_bond(conn, argv[1]);
		if (!bond)
			return;
		show_bond(bond, &s);
	}
	reply(conn, &s);
}

static void cmd_change(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	if (find_bond(conn, argv[1]))
		unixctl_replyf_error(conn, "%s: the first usable member of a bond carries its traffic: nothing "
			"to choose", argv[0]);
}

static void cmd_hash(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	unixctl_reply_error(conn, "bond/hash: no bond hashes here: the first usable member carries its traffic");
}

void commands_bond_init(void)
{
	unixctl_command_register("bond/list", "", 0, 0, cmd_list, NULL);
	unixctl_command_register("bond/show", "[port]", 0, 1, cmd_show, NULL);
	unixctl_command_register("bond/migrate", "port hash member", 3, 3, cmd_change, NULL);
	unixctl_command_register("bond/set-active-member", "port member", 2, 2, cmd_change, NULL);
	unixctl_command_register("bond/enable-member", "port member", 2, 2, cmd_change, NULL);
	unixctl_command_register("bond/disable-member", "port member", 2, 2, cmd_change, NULL);
	unixctl_command_register("bond/hash", "mac [vlan] [basis]", 1, 3, cmd_hash, NULL);
}
