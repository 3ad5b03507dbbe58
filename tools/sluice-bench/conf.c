/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/conf.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/fatal.h"

void conf_init(struct conf *conf)
{
	memset(conf, 0, sizeof *conf);
}

void conf_uninit(struct conf *conf)
{
	struct conf_station *station;
	struct conf_bridge *bridge;
	struct conf_neigh *neigh;
	struct conf_flow *flow;
	struct conf_port *port;
	struct conf_loop *loop;

	VEC_FOR_EACH (bridge, &conf->bridges) {
		free(bridge->name);
		free(bridge->address);
	}
	VEC_FOR_EACH (port, &conf->ports) {
		free(port->bridge);
		free(port->name);
		free(port->type);
		free(port->options);
		free(port->traffic);
		free(port->attack);
	}
	VEC_FOR_EACH (flow, &conf->flows) {
		free(flow->bridge);
		free(flow->text);
	}
	VEC_FOR_EACH (neigh, &conf->neighs) {
		free(neigh->bridge);
		free(neigh->address);
		free(neigh->mac);
	}
	VEC_FOR_EACH (station, &conf->stations) {
		free(station->bridge);
		free(station->port);
		free(station->mac);
	}
	VEC_FOR_EACH (loop, &conf->loops) {
		free(loop->from);
		free(loop->to);
	}
	vec_uninit(&conf->bridges);
	vec_uninit(&conf->ports);
	vec_uninit(&conf->flows);
	vec_uninit(&conf->neighs);
	vec_uninit(&conf->stations);
	vec_uninit(&conf->loops);
}

struct conf_bridge *conf_bridge(struct conf *conf, const char *name)
{
	struct conf_bridge *bridge = vec_push_zero(&conf->bridges);

	bridge->name = xstrdup(name);
	snprintf(bridge->mac, sizeof bridge->mac, "02:00:00:00:b0:%02x", (unsigned)conf->bridges.n & 255);
	return bridge;
}

struct conf_port *conf_port(struct conf *conf, const char *bridge, const char *name, const char *type,
	unsigned int ofport, const char *options)
{
	struct conf_port *port = vec_push_zero(&conf->ports);

	port->bridge = xstrdup(bridge);
	port->name = xstrdup(name);
	port->type = xstrdup(type);
	port->options = xstrdup(options ? options : "");
	port->tag = -1;
	port->victims = 1;
	port->ofport = ofport;
	return port;
}

struct conf_port *conf_source(struct conf *conf, const char *bridge, const char *name,
	unsigned int ofport, const struct bench_traffic *traffic)
{
	struct conf_port *port = conf_port(conf, bridge, name, "dpdk", ofport, NULL);

	port->role = CONF_SOURCE;
	port->traffic = xmemdup(traffic, sizeof *traffic);
	return port;
}

void conf_attack(struct conf_port *port, const struct bench_traffic *attack)
{
	port->attack = xmemdup(attack, sizeof *attack);
}

struct conf_port *conf_sink(struct conf *conf, const char *bridge, const char *name,
	unsigned int ofport)
{
	struct conf_port *port = conf_port(conf, bridge, name, "dpdk", ofport, NULL);

	port->role = CONF_SINK;
	return port;
}

void conf_patch(struct conf *conf, const char *bridge_a, const char *name_a, unsigned int ofport_a,
	const char *bridge_b, const char *name_b, unsigned int ofport_b)
{
	char options[64];

	snprintf(options, sizeof options, "peer=%s", name_b);
	conf_port(conf, bridge_a, name_a, "patch", ofport_a, options);
	snprintf(options, sizeof options, "peer=%s", name_a);
	conf_port(conf, bridge_b, name_b, "patch", ofport_b, options);
}

void conf_flow(struct conf *conf, const char *bridge, const char *format, ...)
{
	struct conf_flow flow = {.bridge = xstrdup(bridge)};
	va_list args;

	va_start(args, format);
	if (vasprintf(&flow.text, format, args) < 0)
		fatal("out of memory");
	va_end(args);
	vec_push(&conf->flows, flow);
}

void conf_neigh(struct conf *conf, const char *bridge, const char *address, const char *mac)
{
	vec_push(&conf->neighs,
		(struct conf_neigh){xstrdup(bridge), xstrdup(address), xstrdup(mac)});
}

void conf_station(struct conf *conf, const char *bridge, const char *port, unsigned int vlan,
	uint64_t mac)
{
	struct conf_station station = {xstrdup(bridge), xstrdup(port), NULL, vlan};

	station.mac = xasprintf("%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(mac >> 40) & 255,
		(unsigned)(mac >> 32) & 255, (unsigned)(mac >> 24) & 255, (unsigned)(mac >> 16) & 255,
		(unsigned)(mac >> 8) & 255, (unsigned)mac & 255);
	vec_push(&conf->stations, station);
}

void conf_loop(struct conf *conf, const char *from, const char *to)
{
	vec_push(&conf->loops, (struct conf_loop){xstrdup(from), xstrdup(to)});
}

bool conf_port_carries(const struct conf_port *port)
{
	return port->role != CONF_PLAIN && !port->passing;
}

char *conf_device(const struct conf_port *port)
{
	return xasprintf(port->role == CONF_SOURCE ? "net_pcap_%s" : "net_null_%s", port->name);
}

char *conf_devargs(const struct conf_port *port, const char *pcap)
{
	if (port->role == CONF_SOURCE)
		return xasprintf("net_pcap_%s,rx_pcap=%s,infinite_rx=1", port->name, pcap);
	return xasprintf("net_null_%s,no-rx=1", port->name);
}
