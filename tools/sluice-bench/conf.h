/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A scenario's switch and traffic as plain data: bridges, ports, flows, what each source sends and what
 * must come out. Built once by the scenario; any switch under test is set up from it (sluice through
 * its model and reconciler, Open vSwitch through its tools), so that all get the same.
 *
 * Strings are copied. Functions fatal() when memory runs out; there are no other errors.
 */

#include "datapath/bench/bench.h"
#include "lib/sbuf.h"
#include "lib/types.h"
#include "lib/vec.h"

enum conf_role {
	CONF_PLAIN,	/* patch, internal, vxlan: carries no frames of ours. */
	CONF_SOURCE,	/* Receives frames from the generator; what is sent to it is freed. */
	CONF_SINK,	/* Frees what is sent to it, receives nothing. */
};

struct conf_bridge {
	char *name;
	char mac[18];		/* Of its local port. */
	char *address;		/* "172.16.0.1/24" of its local port; NULL: none. */
	unsigned int mac_table_size;	/* 0: default. */
};

struct conf_port {
	char *bridge;
	char *name;
	char *type;		/* "dpdk" for sources and sinks. */
	char *options;		/* "key=value key=value" */
	int tag;		/* -1: trunk. */
	unsigned int ofport;
	enum conf_role role;
	bool passing;		/* Not there at first: it comes and goes (target.h). */
	struct bench_traffic *traffic;	/* CONF_SOURCE. */
	/* CONF_SOURCE: NULL, or what it sends under attack: stream 0 are the victims, whose flows are those
	 * of traffic, the others the attackers. All frames have one length and differ in edited words. */
	struct bench_traffic *attack;
	/* What a packet that leaves here proves: so many victims, so many attackers carried. */
	int victims, attackers;
};

struct conf_flow {
	char *bridge;
	char *text;
};

struct conf_neigh {
	char *bridge, *address, *mac;
};

/* A station whose place is known from the start. */
struct conf_station {
	char *bridge, *port, *mac;
	unsigned int vlan;
};

/* What the bare loop does in the switch's place. */
struct conf_loop {
	char *from, *to;
};

struct conf {
	VEC(struct conf_bridge) bridges;
	VEC(struct conf_port) ports;
	VEC(struct conf_flow) flows;
	VEC(struct conf_neigh) neighs;
	VEC(struct conf_station) stations;
	VEC(struct conf_loop) loops;
	bool may_lose;		/* What is lost is a figure, not a fault. */
	/* NULL, or what is wrong with FRAME[LEN] (of which BENCH_SAMPLE_MAX bytes are there) at a sink. */
	const char *(*check)(const uint8_t *frame, uint32_t len);
};

void conf_init(struct conf *conf);
void conf_uninit(struct conf *conf);

struct conf_bridge *conf_bridge(struct conf *conf, const char *name);
/* A trunk; the caller may set the tag. */
struct conf_port *conf_port(struct conf *conf, const char *bridge, const char *name, const char *type,
	unsigned int ofport, const char *options);
/* TRAFFIC is copied. */
struct conf_port *conf_source(struct conf *conf, const char *bridge, const char *name,
	unsigned int ofport, const struct bench_traffic *traffic);
/* What PORT, a source, sends under attack; copied. */
void conf_attack(struct conf_port *port, const struct bench_traffic *attack);
struct conf_port *conf_sink(struct conf *conf, const char *bridge, const char *name,
	unsigned int ofport);
void conf_patch(struct conf *conf, const char *bridge_a, const char *name_a, unsigned int ofport_a,
	const char *bridge_b, const char *name_b, unsigned int ofport_b);
void conf_flow(struct conf *conf, const char *bridge, const char *format, ...) PRINTF_FORMAT(3, 4);
void conf_neigh(struct conf *conf, const char *bridge, const char *address, const char *mac);
void conf_station(struct conf *conf, const char *bridge, const char *port, unsigned int vlan,
	uint64_t mac);
void conf_loop(struct conf *conf, const char *from, const char *to);

/* PORT carries frames of ours, from the start to the end. */
bool conf_port_carries(const struct conf_port *port);

/* The DPDK device behind a source or sink. Caller frees. */
char *conf_device(const struct conf_port *port);
/* Its options:dpdk-devargs; a source replays PCAP. Caller frees. */
char *conf_devargs(const struct conf_port *port, const char *pcap);
