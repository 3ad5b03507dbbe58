/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/target.h"

#include "tools/sluice-bench/stage.h"

struct target_reading target_since(const struct target_reading *b, const struct target_reading *a)
{
	return (struct target_reading){
		.received = b->received - a->received,
		.missed = b->missed - a->missed,
		.victims_in = b->victims_in - a->victims_in,
		.attackers_in = b->attackers_in - a->attackers_in,
		.sent = b->sent - a->sent,
		.victims = b->victims - a->victims,
		.attackers = b->attackers - a->attackers,
		.cpu_ns = b->cpu_ns - a->cpu_ns,
		.wall_ns = b->wall_ns - a->wall_ns,
		.packets = b->packets - a->packets,
		.exact_hits = b->exact_hits - a->exact_hits,
		.mega_hits = b->mega_hits - a->mega_hits,
		.misses = b->misses - a->misses,
		.lost = b->lost - a->lost,
		.cache_bytes = b->cache_bytes,
	};
}

static unsigned int n_sources(const struct conf *conf)
{
	const struct conf_port *port;
	unsigned int n = 0;

	VEC_FOR_EACH (port, &conf->ports)
		n += port->role == CONF_SOURCE;
	return n;
}

void target_bench_orders(const struct conf *conf, const struct conf_port *port, uint64_t max_frames,
	const struct target_orders *orders, struct bench_orders *bench)
{
	const struct bench_traffic *traffic =
		orders->attack && port->attack ? port->attack : port->traffic;

	*bench = (struct bench_orders){
		.rewrite = port->attack || orders->first || orders->n_flows ||
			stage_must_rewrite(port->traffic, max_frames),
		.queue = orders->queue,
		.stamp = orders->stamp,
		.pps = orders->pps / n_sources(conf),
		.first = orders->first,
		.traffic = *traffic,
	};
	for (unsigned int s = 0; orders->n_flows && s < traffic->n_streams; s++)
		bench->traffic.streams[s].n_flows =
			orders->n_flows == UINT64_MAX ? 0 : orders->n_flows;
}

void target_count_source(const struct conf_port *port, uint64_t taken, uint64_t lost, uint64_t first,
	bool attack, struct target_reading *reading)
{
	uint64_t victims = attack && port->attack ? first : taken;

	reading->received += taken;
	reading->missed += lost;
	reading->victims_in += victims;
	reading->attackers_in += taken - victims;
}

void target_count_sent(const struct conf_port *port, uint64_t packets, struct target_reading *reading)
{
	reading->sent += packets;
	reading->victims += port->victims * (int64_t)packets;
	reading->attackers += port->attackers * (int64_t)packets;
}
