/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/peer_setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "tools/sluice-bench/command.h"

#define START_S 30

static int add_bridges(const struct conf *conf, char **error)
{
	const struct conf_bridge *bridge;
	int err;

	VEC_FOR_EACH (bridge, &conf->bridges) {
		err = command_check(error,
			"ovs-vsctl --timeout=%d add-br %s -- set bridge %s datapath_type=netdev "
			"fail_mode=secure other_config:hwaddr=%s%s",
			START_S, bridge->name, bridge->name, bridge->mac, "");
		if (!err && bridge->mac_table_size)
			err = command_check(error, "ovs-vsctl set bridge %s other_config:mac-table-size=%u",
				bridge->name, bridge->mac_table_size);
		if (!err && bridge->address)
			err = command_check(error, "ip addr add %s dev %s && ip link set %s up",
				bridge->address, bridge->name, bridge->name);
		if (err)
			return err;
	}
	return 0;
}

static int add_flows(const struct conf *conf, const char *dir, char **error)
{
	const struct conf_bridge *bridge;
	const struct conf_flow *flow;
	int err = 0;

	VEC_FOR_EACH (bridge, &conf->bridges) {
		char *path = xasprintf("%s/%s.flows", dir, bridge->name);
		FILE *file = fopen(path, "we");

		VEC_FOR_EACH (flow, &conf->flows)
			if (file && !strcmp(flow->bridge, bridge->name))
				fprintf(file, "%s\n", flow->text);
		if (file)
			fclose(file);
		err = command_check(error, "ovs-ofctl --bundle -OOpenFlow14 add-flows %s %s", bridge->name,
			path);
		free(path);
		if (err)
			break;
	}
	return err;
}

/* A line may be too long for an argument of the shell. */
static int run_script(const char *line, const char *dir, char **error)
{
	char *path = xasprintf("%s/script", dir);
	FILE *file = fopen(path, "we");
	int err;

	if (file) {
		fprintf(file, "%s\n", line);
		fclose(file);
	}
	err = command_check(error, "sh %s", path);
	free(path);
	return err;
}

static void put_add_port(struct sbuf *s, const struct conf_port *port, const char *dir)
{
	sbuf_putf(s, " -- add-port %s %s", port->bridge, port->name);
	if (port->tag >= 0)
		sbuf_putf(s, " tag=%d", port->tag);
	sbuf_putf(s, " -- set interface %s type=%s ofport_request=%u", port->name, port->type,
		port->ofport);
	if (port->role != CONF_PLAIN) {
		char *pcap = xasprintf("%s/%s.pcap", dir, port->name);
		char *devargs = conf_devargs(port, pcap);

		sbuf_putf(s, " options:dpdk-devargs=%s", devargs);
		free(devargs);
		free(pcap);
	}
	for (const char *word = port->options; *word;) {
		size_t len = strcspn(word, " ");

		sbuf_putf(s, " options:%.*s", (int)len, word);
		word += len + strspn(word + len, " ");
	}
}

/* All ports of one kind, in one transaction. */
static int add_ports(const struct conf *conf, const char *dir, bool with_traffic, char **error)
{
	struct sbuf s = SBUF_INITIALIZER;
	const struct conf_port *port;
	int err;

	sbuf_putf(&s, "ovs-vsctl --timeout=%d -- show", 2 * START_S);
	VEC_FOR_EACH (port, &conf->ports)
		if ((port->role == CONF_SOURCE) == with_traffic && !port->passing)
			put_add_port(&s, port, dir);
	err = run_script(sbuf_cstr(&s), dir, error);
	sbuf_uninit(&s);
	return err;
}

static int check_ports(const struct conf *conf, char **error)
{
	const struct conf_port *port;

	VEC_FOR_EACH (port, &conf->ports) {
		char *output = NULL;

		if (port->passing)
			continue;
		command_run(&output, "ovs-vsctl get interface %s error", port->name);
		if (output && output[0] == '[') {
			free(output);
			continue;
		}
		*error = xasprintf("Open vSwitch: port %s: %s", port->name, output ? output : "?");
		(*error)[strcspn(*error, "\n")] = '\0';
		free(output);
		return -EIO;
	}
	return 0;
}

static int add_neighs(const struct conf *conf, char **error)
{
	const struct conf_neigh *neigh;
	int err = 0;

	VEC_FOR_EACH (neigh, &conf->neighs)
		if (!err)
			err = command_check(error, "ovs-appctl tnl/arp/set %s %s %s", neigh->bridge,
				neigh->address, neigh->mac);
	return err;
}

/* One by one there is no other way; in one shell. */
static int add_stations(const struct conf *conf, const char *dir, char **error)
{
	char *path = xasprintf("%s/stations", dir);
	const struct conf_station *station;
	FILE *file = fopen(path, "we");
	int err;

	VEC_FOR_EACH (station, &conf->stations)
		if (file)
			fprintf(file, "ovs-appctl fdb/add %s %s %u %s || exit 1\n", station->bridge,
				station->port, station->vlan, station->mac);
	if (file)
		fclose(file);
	err = command_check(error, "sh %s", path);
	free(path);
	return err;
}

int peer_setup_passing(const struct conf *conf, const char *dir, bool there, char **error)
{
	struct sbuf s = SBUF_INITIALIZER;
	const struct conf_port *port;
	int err;

	sbuf_putf(&s, "ovs-vsctl --timeout=%d", 2 * START_S);
	VEC_FOR_EACH (port, &conf->ports) {
		if (!port->passing)
			continue;
		if (there)
			put_add_port(&s, port, dir);
		else
			sbuf_putf(&s, " -- del-port %s %s", port->bridge, port->name);
	}
	err = run_script(sbuf_cstr(&s), dir, error);
	sbuf_uninit(&s);
	return err;
}

int peer_setup_switch(const struct conf *conf, const char *dir, char **error)
{
	int err = add_bridges(conf, error);

	if (!err)
		err = add_flows(conf, dir, error);
	if (!err)
		err = add_ports(conf, dir, false, error);
	return err ? err : add_neighs(conf, error);
}

int peer_setup_traffic(const struct conf *conf, const char *dir, char **error)
{
	int err = add_ports(conf, dir, true, error);

	if (!err)
		err = add_stations(conf, dir, error);
	return err ? err : check_ports(conf, error);
}
