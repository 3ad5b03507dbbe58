/* SPDX-License-Identifier: Apache-2.0 */

/* Rapid spanning tree of a bridge: settings, ports, frames, status, and its commands. */

#include "datapath/l2/rstp.h"
#include "datapath/pipeline/fdb.h"
#include "lib/clock.h"
#include "ofproto/ofproto_l2.h"
#include "ofproto/ofproto_tree_cmd.h"

/* ------------------------------------------------------------------ states to packets */

static uint32_t openflow_state(enum rstp_state state)
{
	return state == RSTP_LEARNING ? OFPPS_STP_LEARN
		: state == RSTP_FORWARDING ? OFPPS_STP_FORWARD : OFPPS_STP_LISTEN;
}

static void sync_port(struct ofproto *ofproto, struct of_port *port)
{
	enum rstp_state state = rstp_port_state(ofproto->rstp, port->ofp_port);
	bool learn = rstp_state_learns(state), learned = port->stp_allows & PL_PORT_LEARNS;

	if (learn != learned)
		fdb_flush_port(ofproto->bridge->fdb, port->ofp_port);
	ofproto_l2_allow(ofproto, port, learn, rstp_state_forwards(state), openflow_state(state));
}

static void flush_ports(struct ofproto *ofproto)
{
	bool any = false;
	uint32_t key;

	while (rstp_next_flush(ofproto->rstp, &key)) {
		fdb_flush_port(ofproto->bridge->fdb, key);
		any = true;
	}
	if (any)
		ofproto_mcast_flush(ofproto);
}

static void send_frames(struct ofproto *ofproto)
{
	struct bpdu_frame frame;
	uint32_t key;

	while (rstp_next_frame(ofproto->rstp, &key, &frame)) {
		const struct of_port *port = ofproto_port_get(ofproto, key);

		if (port)
			ofproto_l2_send(ofproto, port, frame.data, frame.len);
	}
}

/* States first: an agreement must not leave before what it promises. */
static void sync(struct ofproto *ofproto)
{
	struct of_port *port;

	HMAP_FOR_EACH (port, node, &ofproto->ports)
		if (port->in_rstp)
			sync_port(ofproto, port);
	ofproto_commit(ofproto);
	flush_ports(ofproto);
	send_frames(ofproto);
}

void ofproto_rstp_run(struct ofproto *ofproto, int64_t now_ms)
{
	struct of_port *port;

	HMAP_FOR_EACH (port, node, &ofproto->ports)
		if (port->in_rstp)
			rstp_port_set_operational(ofproto->rstp, port->ofp_port,
				ofproto_l2_is_up(port));
	rstp_run(ofproto->rstp, now_ms);
	sync(ofproto);
}

void ofproto_rstp_receive(struct ofproto *ofproto, const struct dp_l2_frame *frame)
{
	rstp_receive(ofproto->rstp, frame->port->ofp_port, frame->frame, frame->len);
}

/* ------------------------------------------------------------------ settings */

void ofproto_set_rstp(struct ofproto *ofproto, const struct rstp_settings *settings)
{
	struct of_port *port;

	if (settings && ofproto->rstp) {
		rstp_configure(ofproto->rstp, settings);
	} else if (settings) {
		ofproto->rstp = rstp_create(settings, clock_ms());
		ofproto->conf_dirty = true;
	} else if (ofproto->rstp) {
		HMAP_FOR_EACH (port, node, &ofproto->ports)
			ofproto_port_set_rstp(ofproto, port->ofp_port, NULL);
		rstp_destroy(ofproto->rstp);
		ofproto->rstp = NULL;
		ofproto->conf_dirty = true;
	}
}

void ofproto_port_set_rstp(struct ofproto *ofproto, ofp_port_t number,
	const struct rstp_port_settings *settings)
{
	struct of_port *port = ofproto_port_get(ofproto, number);

	if (!port || !ofproto->rstp)
		return;
	if (settings && !rstp_port_set(ofproto->rstp, number, settings)) {
		port->in_rstp = true;
		rstp_port_set_operational(ofproto->rstp, number, ofproto_l2_is_up(port));
		sync_port(ofproto, port);
	} else if (port->in_rstp) {
		rstp_port_remove(ofproto->rstp, number);
		port->in_rstp = false;
		ofproto_l2_allow(ofproto, port, true, true, 0);
	}
}

/* ------------------------------------------------------------------ status */

bool ofproto_rstp_status(const struct ofproto *ofproto, struct rstp_status *status)
{
	if (!ofproto->rstp)
		return false;
	rstp_status(ofproto->rstp, status);
	return true;
}

bool ofproto_port_rstp_status(const struct ofproto *ofproto, ofp_port_t number,
	struct rstp_port_status *status)
{
	return ofproto->rstp && rstp_port_status(ofproto->rstp, number, status);
}

/* ------------------------------------------------------------------ commands */

static void format_id(struct sbuf *s, uint64_t id, const struct rstp_times *times)
{
	tree_format_id(s, "stp-priority    ", id, times->hello_time, times->max_age,
		times->forward_delay);
}

static void format_ports(struct sbuf *s, const struct ofproto *ofproto)
{
	struct rstp_port_status p = {.number = 0};
	uint32_t key;

	sbuf_putf(s, "  %-11.10s%-11.10s%-11.10s%-9.8s%-8.7s\n", "Interface", "Role", "State",
		"Cost", "Pri.Nbr");
	sbuf_puts(s, "  ---------- ---------- ---------- -------- -------\n");
	while (rstp_port_next(ofproto->rstp, p.number, &key)) {
		const char *name = ofproto_port_name(ofproto, key);

		rstp_port_status(ofproto->rstp, key, &p);
		sbuf_putf(s, "  %-11.10s%-11.10s%-11.10s%-9u%u.%u\n", name ? name : "null",
			rstp_role_name(p.role), rstp_state_name(p.state), p.path_cost, p.priority,
			p.number);
	}
}

static void format_rstp(struct sbuf *s, const struct ofproto *ofproto)
{
	struct rstp_status status;
	const char *name;

	rstp_status(ofproto->rstp, &status);
	sbuf_putf(s, "---- %s ----\n", ofproto->name);
	sbuf_puts(s, "Root ID:\n");
	format_id(s, status.root_id, &status.root_times);
	if (status.is_root) {
		sbuf_puts(s, "  This bridge is the root\n");
	} else {
		name = ofproto_port_name(ofproto, status.root_port);
		sbuf_putf(s, "  root-port       %s\n", name ? name : "null");
		sbuf_putf(s, "  root-path-cost  %u\n", status.root_path_cost);
	}
	sbuf_puts(s, "\nBridge ID:\n");
	format_id(s, status.bridge_id, &status.own_times);
	sbuf_putc(s, '\n');
	format_ports(s, ofproto);
	sbuf_putc(s, '\n');
}

static bool runs(const struct ofproto *ofproto)
{
	return ofproto->rstp;
}

static void topology_change(struct ofproto *ofproto)
{
	rstp_topology_change(ofproto->rstp);
	sync(ofproto);
}

void ofproto_rstp_init(void)
{
	static const struct tree_protocol protocol = {
		.missing = "No such RSTP object",
		.runs = runs,
		.format = format_rstp,
		.topology_change = topology_change,
	};

	tree_commands_register("rstp/show", "rstp/tcn", &protocol);
}
