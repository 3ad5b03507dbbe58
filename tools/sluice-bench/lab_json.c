/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/lab_json.h"

#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/sbuf.h"
#include "tools/sluice-bench/stage.h"

static void put_pair(struct sbuf *s, const char **comma, const char *key, const char *value)
{
	sbuf_puts(s, *comma);
	sbuf_put_json_string(s, key);
	sbuf_puts(s, ": ");
	sbuf_put_json_string(s, value);
	*comma = ", ";
}

static void put_options(struct sbuf *s, const struct conf_port *port)
{
	char *copy = xstrdup(port->options), *save = NULL;
	const char *comma = "";

	sbuf_puts(s, "\"options\": {");
	if (port->role != CONF_PLAIN) {
		char *pcap = stage_pcap(port), *devargs = conf_devargs(port, pcap);

		put_pair(s, &comma, "dpdk-devargs", devargs);
		free(devargs);
		free(pcap);
	}
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		put_pair(s, &comma, word, value);
	}
	sbuf_putc(s, '}');
	free(copy);
}

static void put_ports(struct sbuf *s, const struct conf *conf, const char *bridge, bool with_passing)
{
	const struct conf_port *port;
	const char *comma = "";

	sbuf_puts(s, ", \"ports\": [");
	VEC_FOR_EACH (port, &conf->ports) {
		if (strcmp(port->bridge, bridge) || (port->passing && !with_passing))
			continue;
		sbuf_puts(s, comma);
		sbuf_puts(s, "{\"name\": ");
		sbuf_put_json_string(s, port->name);
		if (port->tag >= 0)
			sbuf_putf(s, ", \"tag\": %d", port->tag);
		sbuf_puts(s, ", \"interfaces\": [{\"name\": ");
		sbuf_put_json_string(s, port->name);
		sbuf_puts(s, ", \"type\": ");
		sbuf_put_json_string(s, port->type);
		sbuf_putf(s, ", \"ofport_request\": %u, ", port->ofport);
		put_options(s, port);
		sbuf_puts(s, "}]}");
		comma = ",\n   ";
	}
	sbuf_putc(s, ']');
}

static void put_flows(struct sbuf *s, const struct conf *conf, const char *bridge)
{
	const struct conf_flow *flow;
	const char *comma = "";

	sbuf_puts(s, ", \"flows\": [");
	VEC_FOR_EACH (flow, &conf->flows) {
		if (strcmp(flow->bridge, bridge))
			continue;
		sbuf_puts(s, comma);
		sbuf_put_json_string(s, flow->text);
		comma = ",\n   ";
	}
	sbuf_putc(s, ']');
}

char *lab_json(const struct conf *conf, bool with_passing)
{
	struct sbuf s = SBUF_INITIALIZER;
	const struct conf_bridge *bridge;
	const char *comma = "";

	sbuf_puts(&s, "{\"bridges\": [");
	VEC_FOR_EACH (bridge, &conf->bridges) {
		sbuf_puts(&s, comma);
		sbuf_puts(&s, "{\"name\": ");
		sbuf_put_json_string(&s, bridge->name);
		sbuf_putf(&s, ", \"fail_mode\": \"secure\", \"other_config\": {\"hwaddr\": \"%s\"",
			bridge->mac);
		if (bridge->mac_table_size)
			sbuf_putf(&s, ", \"mac-table-size\": \"%u\"", bridge->mac_table_size);
		sbuf_putc(&s, '}');
		put_ports(&s, conf, bridge->name, with_passing);
		put_flows(&s, conf, bridge->name);
		sbuf_putc(&s, '}');
		comma = ",\n ";
	}
	sbuf_puts(&s, "]}\n");
	return sbuf_steal(&s);
}
