/* SPDX-License-Identifier: Apache-2.0 */

/* Spanning tree of a bridge: settings, ports, frames, status, and its commands. */

#include "datapath/l2/stp.h"
#include "datapath/pipeline/fdb.h"
#include "lib/clock.h"
#include "ofproto/ofproto_l2.h"
#include "ofproto/ofproto_tree_cmd.h"

/* ------------------------------------------------------------------ states to packets */

static struct of_port *port_from_number(const struct ofproto *ofproto, unsigned int number)
{
	struct of_port *port;

	HMAP_FOR_EACH (port, node, &ofproto->ports)
		if (port->stp_number == (int)number)
			return port;
	return NULL;
}

static void flush(struct ofproto *ofproto)
{
	fdb_flush(ofproto->bridge->fdb);
	ofproto_mcast_flush(ofproto);
}

static uint32_t openflow_state(enum stp_state state)
{
	switch (state) {
	case STP_LEARNING:
		return OFPPS_STP_LEARN;
	case STP_FORWARDING:
		return OFPPS_STP_FORWARD;
	case STP_BLOCKING:
		return OFPPS_STP_BLOCK;
	case STP_LISTENING:
	case STP_DISABLED:
		break;
	}
	return OFPPS_STP_LISTEN;
}

static void sync_port(struct ofproto *ofproto, struct of_port *port)
{
	enum stp_state state = stp_port_state(ofproto->stp, (unsigned int)port->stp_number);
	bool learn = stp_state_learns(state), learned = port->stp_allows & PL_PORT_LEARNS;

	if (port->stp_since_ms && port->stp_shown == (int)state)
		return;
	port->stp_shown = (int)state;
	port->stp_since_ms = clock_ms();
	if (learn != learned)
		flush(ofproto);
	ofproto_l2_allow(ofproto, port, learn, stp_state_forwards(state), openflow_state(state));
}

static void send_frames(struct ofproto *ofproto)
{
	struct bpdu_frame frame;

	while (stp_next_frame(ofproto->stp, &frame)) {
		const struct of_port *port = port_from_number(ofproto, frame.port);

		if (port)
			ofproto_l2_send(ofproto, port, frame.data, frame.len);
	}
}

static void sync(struct ofproto *ofproto)
{
	struct of_port *port;

	HMAP_FOR_EACH (port, node, &ofproto->ports)
		if (port->stp_number >= 0)
			sync_port(ofproto, port);
	if (stp_take_flush(ofproto->stp))
		flush(ofproto);
	send_frames(ofproto);
}

void ofproto_stp_run(struct ofproto *ofproto, int64_t now_ms)
{
	struct of_port *port;

	HMAP_FOR_EACH (port, node, &ofproto->ports) {
		if (port->stp_number < 0)
			continue;
		if (ofproto_l2_is_up(port))
			stp_port_enable(ofproto->stp, (unsigned int)port->stp_number);
		else
			stp_port_disable(ofproto->stp, (unsigned int)port->stp_number);
	}
	stp_run(ofproto->stp, now_ms);
	sync(ofproto);
}

void ofproto_stp_receive(struct ofproto *ofproto, const struct dp_l2_frame *frame)
{
	const struct of_port *port = ofproto_port_get(ofproto, frame->port->ofp_port);

	if (port && port->stp_number >= 0)
		stp_receive(ofproto->stp, (unsigned int)port->stp_number, frame->frame, frame->len);
}

/* ------------------------------------------------------------------ settings */

void ofproto_set_stp(struct ofproto *ofproto, const struct stp_settings *settings)
{
	struct of_port *port;

	if (settings && ofproto->stp) {
		stp_configure(ofproto->stp, settings);
	} else if (settings) {
		ofproto->stp = stp_create(settings, clock_ms());
		ofproto->conf_dirty = true;
	} else if (ofproto->stp) {
		HMAP_FOR_EACH (port, node, &ofproto->ports)
			ofproto_port_set_stp(ofproto, port->ofp_port, NULL);
		stp_destroy(ofproto->stp);
		ofproto->stp = NULL;
		ofproto->conf_dirty = true;
	}
}

static void leave(struct ofproto *ofproto, struct of_port *port)
{
	if (port->stp_number < 0)
		return;
	stp_port_disable(ofproto->stp, (unsigned int)port->stp_number);
	port->stp_number = -1;
	port->stp_since_ms = 0;
}

void ofproto_port_set_stp(struct ofproto *ofproto, ofp_port_t number,
	const struct ofproto_stp_port *settings)
{
	struct of_port *port = ofproto_port_get(ofproto, number);

	if (!port || !ofproto->stp)
		return;
	if (!settings) {
		if (port->stp_number < 0)
			return;
		leave(ofproto, port);
		ofproto_l2_allow(ofproto, port, true, true, 0);
		return;
	}
	if (port->stp_number != (int)settings->number) {
		struct of_port *old = port_from_number(ofproto, settings->number);

		leave(ofproto, port);
		if (old)
			leave(ofproto, old);
		port->stp_number = (int)settings->number;
	}
	stp_port_configure(ofproto->stp, settings->number, settings->priority, settings->path_cost);
	if (ofproto_l2_is_up(port))
		stp_port_enable(ofproto->stp, settings->number);
	sync_port(ofproto, port);
}

/* ------------------------------------------------------------------ status */

bool ofproto_stp_status(const struct ofproto *ofproto, struct stp_status *status)
{
	if (!ofproto->stp)
		return false;
	stp_status(ofproto->stp, status);
	return true;
}

bool ofproto_port_stp_status(const struct ofproto *ofproto, ofp_port_t number,
	struct stp_port_status *status, unsigned int *sec_in_state)
{
	const struct of_port *port = ofproto_port_get(ofproto, number);

	if (!ofproto->stp || !port || port->stp_number < 0)
		return false;
	stp_port_status(ofproto->stp, (unsigned int)port->stp_number, status);
	*sec_in_state = (unsigned int)((clock_ms() - port->stp_since_ms) / 1000);
	return true;
}

/* ------------------------------------------------------------------ commands */

static void format_id(struct sbuf *s, uint64_t id, const struct stp_times *times)
{
	tree_format_id(s, "stp-priority  ", id, times->hello / 1000, times->max_age / 1000,
		times->forward_delay / 1000);
}

static void format_ports(struct sbuf *s, const struct ofproto *ofproto)
{
	sbuf_putf(s, "  %-11.10s%-11.10s%-11.10s%-6.5s%-8.7s\n", "Interface", "Role", "State",
		"Cost", "Pri.Nbr");
	sbuf_puts(s, "  ---------- ---------- ---------- ----- -------\n");
	for (unsigned int i = 0; i < STP_MAX_PORTS; i++) {
		const struct of_port *port = port_from_number(ofproto, i);
		struct stp_port_status p;

		stp_port_status(ofproto->stp, i, &p);
		if (!port || p.state == STP_DISABLED)
			continue;
		sbuf_putf(s, "  %-11.10s%-11.10s%-11.10s%-6u%u.%u\n", port->name,
			stp_role_name(p.role), stp_state_name(p.state), p.path_cost, p.id >> 8,
			p.id & 0xff);
	}
}

static void format_stp(struct sbuf *s, const struct ofproto *ofproto)
{
	const struct of_port *root_port;
	struct stp_status status;

	stp_status(ofproto->stp, &status);
	sbuf_putf(s, "---- %s ----\n", ofproto->name);
	sbuf_puts(s, "Root ID:\n");
	format_id(s, status.root_id, &status.times);
	if (status.root_port < 0) {
		sbuf_puts(s, "  This bridge is the root\n");
	} else {
		root_port = port_from_number(ofproto, (unsigned int)status.root_port);
		sbuf_putf(s, "  root-port       %s\n", root_port ? root_port->name : "");
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
	return ofproto->stp;
}

static void topology_change(struct ofproto *ofproto)
{
	stp_topology_change(ofproto->stp);
	sync(ofproto);
}

void ofproto_stp_init(void)
{
	static const struct tree_protocol protocol = {
		.missing = "no such stp object",
		.runs = runs,
		.format = format_stp,
		.topology_change = topology_change,
	};

	tree_commands_register("stp/show", "stp/tcn", &protocol);
}
