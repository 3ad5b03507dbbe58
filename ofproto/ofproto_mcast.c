/* SPDX-License-Identifier: Apache-2.0 */

/* Multicast snooping of a bridge: settings, frames, and its commands. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "datapath/l2/mcast_snoop.h"
#include "lib/clock.h"
#include "lib/unixctl.h"
#include "ofproto/ofproto_l2.h"

/* The port that stands for PORT's bundle. */
static ofp_port_t bundle_port(const struct pl_port *port)
{
	const struct pl_bridge_conf *conf = pl_bridge_conf(port->bridge);
	const struct pl_bundle *bundle;

	if (port->bundle >= conf->n_bundles)
		return port->ofp_port;
	bundle = &conf->bundles[port->bundle];
	return bundle->n_ports ? conf->ports[bundle->ports[0]].ofp_port : port->ofp_port;
}

void ofproto_mcast_receive(struct ofproto *ofproto, const struct dp_l2_frame *frame)
{
	if (ofproto->mcast)
		mcast_snooping_receive(ofproto->mcast, bundle_port(frame->port), frame->vlan,
			frame->frame, frame->len, clock_ms());
}

void ofproto_mcast_flush(struct ofproto *ofproto)
{
	if (ofproto->mcast)
		mcast_snooping_flush(ofproto->mcast);
}

/* ------------------------------------------------------------------ settings */

/* Published before a snapshot that says so, and taken back before it is freed: a reader that finds
 * the one without the other floods. */
void ofproto_set_mcast_snooping(struct ofproto *ofproto, const struct ofproto_mcast *settings)
{
	if (settings) {
		if (!ofproto->mcast) {
			ofproto->mcast = mcast_snooping_create(ofproto->bridge->id);
			rcu_set(&ofproto->bridge->mcast, ofproto->mcast);
			ofproto->conf_dirty = true;
		}
		mcast_snooping_configure(ofproto->mcast, settings->idle_s, settings->max_groups);
		ofproto->conf_dirty |=
			ofproto->mcast_flood_unregistered != settings->flood_unregistered;
		ofproto->mcast_flood_unregistered = settings->flood_unregistered;
	} else if (ofproto->mcast) {
		rcu_set(&ofproto->bridge->mcast, NULL);
		mcast_snooping_destroy(ofproto->mcast);
		ofproto->mcast = NULL;
		ofproto->conf_dirty = true;
	}
}

void ofproto_port_set_mcast(
	struct ofproto *ofproto, ofp_port_t port, bool flood, bool flood_reports)
{
	if (!ofproto->mcast)
		return;
	mcast_snooping_set_flood(ofproto->mcast, port, flood);
	mcast_snooping_set_flood_reports(ofproto->mcast, port, flood_reports);
}

/* ------------------------------------------------------------------ commands */

static void format_group(struct sbuf *s, const struct ipv6_addr *group)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];

	if (!memcmp(group->b, mapped, sizeof mapped))
		inet_ntop(AF_INET, group->b + sizeof mapped, text, sizeof text);
	else
		inet_ntop(AF_INET6, group->b, text, sizeof text);
	sbuf_puts(s, text);
}

static void show_entry(
	void *s, const struct ipv6_addr *group, uint16_t vlan, ofp_port_t port, int age_s)
{
	char text[16];

	if (port == OFPP_LOCAL)
		str_copy(text, "LOCAL", sizeof text);
	else
		snprintf(text, sizeof text, "%u", port);
	sbuf_putf(s, "%5s  %4u  ", text, vlan);
	if (group) {
		format_group(s, group);
		sbuf_putf(s, "         %3d\n", age_s);
	} else {
		sbuf_putf(s, "querier             %3d\n", age_s);
	}
}

static struct ofproto *require_snooping(struct unixctl_conn *conn, const char *name)
{
	struct ofproto *ofproto = ofproto_from_name(name);

	if (!ofproto)
		unixctl_reply_error(conn, "no such bridge");
	else if (!ofproto->mcast)
		unixctl_reply_error(conn, "multicast snooping is disabled");
	else
		return ofproto;
	return NULL;
}

static void cmd_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct ofproto *ofproto = require_snooping(conn, argv[1]);
	struct sbuf s = SBUF_INITIALIZER;

	if (!ofproto)
		return;
	sbuf_puts(&s, " port  VLAN  GROUP                Age\n");
	mcast_snooping_walk(ofproto->mcast, clock_ms(), show_entry, &s);
	unixctl_reply(conn, sbuf_cstr(&s));
	sbuf_uninit(&s);
}

static void cmd_flush(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct ofproto *ofproto;
	struct shash_node *node;

	if (argc > 1) {
		ofproto = require_snooping(conn, argv[1]);
		if (!ofproto)
			return;
		ofproto_mcast_flush(ofproto);
	} else {
		SHASH_FOR_EACH (node, &ofproto_globals.all)
			ofproto_mcast_flush(node->data);
	}
	unixctl_reply(conn, "table successfully flushed");
}

void ofproto_mcast_init(void)
{
	unixctl_command_register("mdb/flush", "[bridge]", 0, 1, cmd_flush, NULL);
	unixctl_command_register("mdb/show", "bridge", 1, 1, cmd_show, NULL);
}
