/* SPDX-License-Identifier: Apache-2.0 */
/* Traffic made to hurt: tuple space explosion, floods of new flows and of new stations. */
#include "tools/sluice-bench/frame.h"
#include "tools/sluice-bench/scenario.h"

#include "lib/headers.h"

/* ------------------------------------------------------------------ tuple space explosion */

#define ADMIN_IP 0x0a00000a	/* 10.0.0.10 may go anywhere, */
#define PUBLIC_IP 0x0a80000a	/* everybody to 10.128.0.10, */
#define PUBLIC_PORT 80		/* and to this port. */
#define CLIENT_IP 0x0b000000
#define SERVER_IP 0x0a900001
#define EXPLOSION 8192		/* 32 bits of either address, 8 of the port. */

static void tse_frame(struct bench_stream *stream, uint32_t nw_src, uint32_t nw_dst, uint16_t len,
	struct frame_ofs *ofs)
{
	struct frame_spec spec = frame_pair(len, false);

	spec.nw_src = nw_src;
	spec.nw_dst = nw_dst;
	spec.tp_dst = PUBLIC_PORT;
	spec.proto = IP_P_TCP;
	frame_build(stream, &spec, ofs);
}

static void tse_victims(struct bench_stream *stream, uint16_t len, const struct scenario_params *params)
{
	struct frame_ofs ofs;

	tse_frame(stream, CLIENT_IP, SERVER_IP, len, &ofs);
	frame_edit(stream, ofs.nw_src, BENCH_COUNT, 0, UINT32_MAX, 0);
	frame_edit(stream, ofs.nw_dst, BENCH_COUNT, 0, 0, 0);
	frame_edit(stream, ofs.ports, BENCH_COUNT, 0, 0, 0);
	stream->n_flows = params->n_flows;
}

/*
 * A packet like none that is allowed, but for one bit each in three fields: it takes a look at all bits
 * down to those to know. With the bits below by chance and a source port that counts, each is new.
 */
static void tse_attackers(struct bench_stream *stream, uint16_t len, bool fresh)
{
	enum bench_edit_op op = fresh ? BENCH_FLIP_RANDOM : BENCH_FLIP;
	struct frame_ofs ofs;

	tse_frame(stream, ADMIN_IP, PUBLIC_IP, len, &ofs);
	frame_edit(stream, ofs.nw_src, op, 0, 31, 0);
	frame_edit(stream, ofs.nw_dst, op, 5, 31, 0);
	frame_edit(stream, ofs.ports, BENCH_COUNT, 13, fresh ? 0xffff : 0, 16);
	frame_edit(stream, ofs.ports + 2, op, 10, 7, 16);
	stream->n_flows = fresh ? 0 : EXPLOSION;
}

/* The allowed leave by port 2, the others by 3: both can be counted. */
static void tse_switch(struct conf *conf)
{
	struct conf_port *others;

	conf_sink(conf, "br0", "p2", 2);
	others = conf_sink(conf, "br0", "p3", 3);
	others->victims = 0;
	others->attackers = 1;
	conf_flow(conf, "br0", "priority=40,tcp,nw_src=10.0.0.10,actions=output:2");
	conf_flow(conf, "br0", "priority=30,tcp,nw_dst=10.128.0.10,actions=output:2");
	conf_flow(conf, "br0", "priority=20,tcp,tp_dst=%d,actions=output:2", PUBLIC_PORT);
	conf_flow(conf, "br0", "priority=1,actions=output:3");
	conf_loop(conf, "p1", "p2");
	conf->check = frame_check_ip;
}

static void set_shares(struct bench_traffic *traffic, unsigned int percent)
{
	unsigned int divisor = 100 % percent ? 1 : percent;

	traffic->streams[0].weight = (uint16_t)((100 - percent) / divisor);
	traffic->streams[1].weight = (uint16_t)(percent / divisor);
}

static void tse_build(struct conf *conf, const struct scenario_params *params)
{
	struct bench_traffic quiet, attack;

	scenario_traffic(&quiet, params, tse_victims);
	attack = quiet;
	attack.n_streams = 2;
	tse_attackers(&attack.streams[1], quiet.streams[0].len, params->variant->fresh);
	set_shares(&attack, params->variant->percent);
	conf_bridge(conf, "br0");
	conf_attack(conf_source(conf, "br0", "p1", 1, &quiet), &attack);
	tse_switch(conf);
}

const struct scenario scenario_tse = {
	.name = "tse",
	.summary = "tuple space explosion: what victims keep while crafted packets come with them",
	.unit = "victims",
	.kind = SCENARIO_ATTACK,
	.points = {1000},
	.variants = {
		{.name = "5%", .percent = 5},
		{.name = "10%", .percent = 10},
		{.name = "5%-fresh", .percent = 5, .fresh = true},
		{.name = "10%-fresh", .percent = 10, .fresh = true},
	},
	.build = tse_build,
};

/* ------------------------------------------------------------------ nothing but attack */

static void attack_stream(struct bench_stream *stream, uint16_t len,
	const struct scenario_params *params)
{
	tse_attackers(stream, len, true);
}

static void attack_build(struct conf *conf, const struct scenario_params *params)
{
	struct bench_traffic traffic;

	scenario_traffic(&traffic, params, attack_stream);
	conf_bridge(conf, "br0");
	conf_source(conf, "br0", "p1", 1, &traffic);
	tse_switch(conf);
	conf->may_lose = true;
}

const struct scenario scenario_attack = {
	.name = "attack",
	.summary = "crafted packets only, each one new; all are to be forwarded",
	.points = {1},
	.build = attack_build,
};

/* ------------------------------------------------------------------ MAC storm */

static void station_stream(struct bench_stream *stream, uint16_t len,
	const struct scenario_params *params, bool back, bool unknown)
{
	struct frame_spec spec = frame_pair(len, back);
	enum bench_edit_op op = unknown ? BENCH_RANDOM : BENCH_COUNT;
	struct frame_ofs ofs;

	frame_build(stream, &spec, &ofs);
	frame_edit(stream, ofs.dl_dst, op, 0, UINT32_MAX, 0);
	frame_edit(stream, ofs.dl_src, op, unknown ? 32 : 0, UINT32_MAX, 0);
	frame_edit(stream, ofs.nw_src, BENCH_COUNT, 0, UINT32_MAX, 0);
	frame_edit(stream, ofs.nw_dst, BENCH_COUNT, 0, UINT32_MAX, 0);
	stream->n_flows = unknown ? 0 : params->n_flows;
}

static void known_there(struct bench_stream *stream, uint16_t len, const struct scenario_params *params)
{
	station_stream(stream, len, params, false, false);
}

static void known_back(struct bench_stream *stream, uint16_t len, const struct scenario_params *params)
{
	station_stream(stream, len, params, true, false);
}

/* Pairs of stations talk both ways; on one side frames from and to stations never heard of come, too,
 * which flooding brings to p2 as well as to p3. */
static void mac_storm_build(struct conf *conf, const struct scenario_params *params)
{
	struct bench_traffic quiet, attack;
	struct conf_port *others;

	conf_bridge(conf, "br0");
	scenario_traffic(&quiet, params, known_there);
	attack = quiet;
	attack.n_streams = 2;
	station_stream(&attack.streams[1], quiet.streams[0].len, params, false, true);
	set_shares(&attack, params->variant->percent);
	conf_attack(conf_source(conf, "br0", "p1", 1, &quiet), &attack);
	scenario_traffic(&quiet, params, known_back);
	conf_source(conf, "br0", "p2", 2, &quiet);
	others = conf_sink(conf, "br0", "p3", 3);
	others->victims = -1;
	others->attackers = 1;
	conf_flow(conf, "br0", "actions=NORMAL");
	conf_loop(conf, "p1", "p2");
	conf_loop(conf, "p2", "p1");
	conf->check = frame_check_ip;
}

const struct scenario scenario_mac_storm = {
	.name = "mac-storm",
	.summary = "learning switch: what known stations keep while frames of unknown ones come",
	.unit = "MAC pairs",
	.kind = SCENARIO_ATTACK,
	.points = {1000},
	.variants = {{.name = "10%-fresh", .percent = 10, .fresh = true}},
	.build = mac_storm_build,
};
