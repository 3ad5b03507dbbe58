/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/commands_absent.h"

#include <limits.h>
#include <string.h>

#include "lib/sbuf.h"
#include "lib/unixctl.h"
#include "lib/util.h"
#include "tools/sluiced/reconcile.h"

/* ------------------------------------------------------------------ nothing of the kind is there */

/* Shows all objects, of which there are none, or one, that can't be found. */
struct objects {
	const char *name, *usage;
	int max_args;
	const char *none;		/* What is said of all; NULL: nothing. */
	const char *not_found;		/* Of one that is named; NULL: as of all. */
};

static const struct objects objects[] = {
	{"autoattach/show-isid", "[bridge]", 1, NULL, NULL},
	{"autoattach/statistics", "[bridge]", 1, NULL, NULL},
	{"autoattach/status", "[bridge]", 1, NULL, NULL},
	{"bfd/show", "[interface]", 1, NULL, "no such bfd object"},
	{"cfm/show", "[interface]", 1, NULL, "no such CFM object"},
	{"dpctl/ct-get-nconns", "[dp]", 1, "0", NULL},
	{"dpctl/ct-stats-show", "[dp] [zone=N]", 2, "Connections Stats:\n    Total: 0\n", NULL},
	{"dpctl/dump-conntrack", "[-m] [-s] [dp] [zone=N]", 4, NULL, NULL},
	{"dpctl/flush-conntrack", "[dp] [zone=N] [ct-orig-tuple] [ct-reply-tuple]", 4, NULL, NULL},
	{"dpif-netdev/bond-show", "[dp]", 1, NULL, NULL},
	{"lacp/show", "[port]", 1, NULL, "no such lacp object"},
	{"lacp/show-stats", "[port]", 1, NULL, "no such lacp object"},
};

static void cmd_objects(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	const struct objects *o = aux;

	if (argc > 1 && o->not_found)
		unixctl_reply_error(conn, o->not_found);
	else
		unixctl_reply(conn, o->none);
}

/* Of the objects of one kind, or all. */
static void cmd_set_fault(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	const char *value = argv[argc - 1];

	if (strcmp(value, "true") && strcmp(value, "false") && strcmp(value, "normal"))
		unixctl_reply_error(conn, "unknown fault string");
	else if (argc > 2)
		unixctl_reply_error(conn, aux);
	else
		unixctl_reply(conn, "OK");
}

/* ------------------------------------------------------------------ what can't be done */

struct refusal {
	const char *name, *usage;
	int min_args, max_args;
	const char *why;
};

#define NO_CT "connection tracking is not built"
#define NO_REASSEMBLY "fragments are put together for tunnels alone: there is nothing to set"
#define NO_HAND_MADE "the datapath's flows follow from the bridges' tables: none is added, changed or deleted by hand"
#define ONE_DATAPATH "there is one datapath, ovs-netdev; its ports are those of the bridges"
#define NO_CHOICE "there is one implementation for each processor: nothing to choose from"
#define NO_UPCALLS "there are no upcalls: the thread that misses translates"

static const struct refusal refusals[] = {
	{"dpctl/add-dp", "dp [iface...]", 1, INT_MAX, ONE_DATAPATH},
	{"dpctl/add-flow", "[dp] flow actions", 2, 3, NO_HAND_MADE},
	{"dpctl/add-flows", "[dp] file", 1, 2, NO_HAND_MADE},
	{"dpctl/add-if", "dp iface...", 2, INT_MAX, ONE_DATAPATH},
	{"dpctl/cache-set-size", "dp cache <size>", 3, 3, "the caches size themselves"},
	{"dpctl/ct-bkts", "[dp] [gt=N]", 0, 2, NO_CT},
	{"dpctl/ct-del-limits", "[dp] zone=N1[,N2]...", 1, 2, NO_CT},
	{"dpctl/ct-disable-tcp-seq-chk", "[dp]", 0, 1, NO_CT},
	{"dpctl/ct-enable-tcp-seq-chk", "[dp]", 0, 1, NO_CT},
	{"dpctl/ct-get-limits", "[dp] [zone=N1[,N2]...]", 0, 2, NO_CT},
	{"dpctl/ct-get-maxconns", "[dp]", 0, 1, NO_CT},
	{"dpctl/ct-get-tcp-seq-chk", "[dp]", 0, 1, NO_CT},
	{"dpctl/ct-set-limits", "[dp] [default=L] [zone=N,limit=L]...", 1, INT_MAX, NO_CT},
	{"dpctl/ct-set-maxconns", "[dp] maxconns", 1, 2, NO_CT},
	{"dpctl/del-dp", "dp", 1, 1, ONE_DATAPATH},
	{"dpctl/del-flow", "[dp] flow", 1, 2, NO_HAND_MADE},
	{"dpctl/del-if", "dp iface...", 2, INT_MAX, ONE_DATAPATH},
	{"dpctl/get-flow", "[dp] ufid", 1, 2, "flows of the datapath have no ufid here; see dpctl/dump-flows"},
	{"dpctl/ipf-get-status", "[dp]", 0, 1, NO_REASSEMBLY},
	{"dpctl/ipf-set-disabled", "[dp] v4|v6", 1, 2, NO_REASSEMBLY},
	{"dpctl/ipf-set-enabled", "[dp] v4|v6", 1, 2, NO_REASSEMBLY},
	{"dpctl/ipf-set-max-nfrags", "[dp] maxfrags", 1, 2, NO_REASSEMBLY},
	{"dpctl/ipf-set-min-frag", "[dp] v4|v6 minfragment", 2, 3, NO_REASSEMBLY},
	{"dpctl/mod-flow", "[dp] flow actions", 2, 3, NO_HAND_MADE},
	{"dpctl/mod-flows", "[dp] file", 1, 2, NO_HAND_MADE},
	{"dpctl/normalize-actions", "actions", 2, INT_MAX, NO_HAND_MADE},
	{"dpctl/offload-stats-show", "[dp]", 0, 1, "nothing is offloaded to hardware"},
	{"dpctl/parse-actions", "actions", 1, INT_MAX, NO_HAND_MADE},
	{"dpctl/set-if", "dp iface...", 2, INT_MAX, ONE_DATAPATH},
	{"dpif-netdev/dpif-impl-get", "", 0, 0, NO_CHOICE},
	{"dpif-netdev/dpif-impl-set", "dpif_implementation_name", 1, 1, NO_CHOICE},
	{"dpif-netdev/miniflow-parser-get", "", 0, 0, NO_CHOICE},
	{"dpif-netdev/miniflow-parser-set", "[-pmd core] miniflow_implementation_name [study_pkt_cnt]", 1, 5,
		NO_CHOICE},
	{"dpif-netdev/pmd-perf-log-set", "on|off [-b before] [-a after] [-e|-ne] [-us usec] [-q qlen]", 0, 10,
		"iterations are not logged one by one; see dpif-netdev/pmd-perf-show"},
	{"dpif-netdev/subtable-lookup-info-get", "", 0, 0, NO_CHOICE},
	{"dpif-netdev/subtable-lookup-prio-set", "[lookup_func] [prio]", 2, 2, NO_CHOICE},
	{"dpif-netlink/dispatch-mode", "", 0, 0, "there is no datapath in the kernel"},
	{"dpif/set-dp-features", "bridge", 1, 3, "what the datapath can do does not change; see dpif/show-dp-features"},
	{"odp-execute/action-impl-set", "name", 1, 1, NO_CHOICE},
	{"odp-execute/action-impl-show", "", 0, 0, NO_CHOICE},
	{"upcall/disable-megaflows", "", 0, 0, NO_UPCALLS},
	{"upcall/disable-ufid", "", 0, 0, NO_UPCALLS},
	{"upcall/enable-megaflows", "", 0, 0, NO_UPCALLS},
	{"upcall/enable-ufid", "", 0, 0, NO_UPCALLS},
	{"upcall/set-flow-limit", "flow-limit-number", 1, 1, NO_UPCALLS},
};

static void cmd_refused(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	const struct refusal *r = aux;

	unixctl_replyf_error(conn, "%s: %s", r->name, r->why);
}

/* ------------------------------------------------------------------ QoS */

static void cmd_qos_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	const struct rc_iface *iface = reconcile_iface(argv[1]);
	struct sbuf s = SBUF_INITIALIZER;

	if (!iface) {
		unixctl_reply_error(conn, "no such interface");
		return;
	}
	if (iface->port->cfg->has_qos)
		sbuf_putf(&s, "QoS of %s is accepted, but not in effect: this version does not do it\n",
			argv[1]);
	else
		sbuf_putf(&s, "QoS not configured on %s\n", argv[1]);
	unixctl_reply(conn, sbuf_cstr(&s));
	sbuf_uninit(&s);
}

/* The one that leaves the device's queues to others. */
static void cmd_qos_types(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	if (reconcile_iface(argv[1]))
		unixctl_reply(conn, "QoS type: linux-noop\n");
	else
		unixctl_reply_error(conn, "no such interface");
}

void commands_absent_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		unixctl_command_register(objects[i].name, objects[i].usage, 0, objects[i].max_args,
			cmd_objects, (void *)&objects[i]);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		unixctl_command_register(refusals[i].name, refusals[i].usage, refusals[i].min_args,
			refusals[i].max_args, cmd_refused, (void *)&refusals[i]);
	unixctl_command_register("cfm/set-fault", "[interface] normal|false|true", 1, 2, cmd_set_fault,
		"no such CFM object");
	unixctl_command_register("bfd/set-forwarding", "[interface] normal|false|true", 1, 2, cmd_set_fault,
		"no such BFD object");
	unixctl_command_register("qos/show", "interface", 1, 1, cmd_qos_show, NULL);
	unixctl_command_register("qos/show-types", "interface", 1, 1, cmd_qos_types, NULL);
}
