/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/scenario.h"

#include <string.h>

static const struct scenario *const all[] = {
	&scenario_p2p,
	&scenario_l2,
	&scenario_acl,
	&scenario_l2_wide,
	&scenario_l4_wide,
	&scenario_neutron_encap,
	&scenario_neutron_decap,
	&scenario_dvr,
	&scenario_tunnels,
	&scenario_cold,
	&scenario_tse,
	&scenario_attack,
	&scenario_mac_storm,
	&scenario_churn,
	&scenario_ports,
	&scenario_flow_mods,
	&scenario_packet_in,
	&scenario_restart,
};

const size_t n_scenarios = ARRAY_SIZE(all);

const struct scenario *scenario_get(size_t i)
{
	return i < n_scenarios ? all[i] : NULL;
}

const struct scenario *scenario_find(const char *name)
{
	for (size_t i = 0; i < n_scenarios; i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}

const struct scenario_variant *scenario_variant(const struct scenario *scenario, size_t i)
{
	static const struct scenario_variant none = {.name = ""};

	if (!i && !scenario->variants[0].name)
		return &none;
	return i < SCENARIO_MAX_VARIANTS && scenario->variants[i].name ? &scenario->variants[i] : NULL;
}

const struct scenario_variant *scenario_find_variant(const struct scenario *scenario, const char *name)
{
	const struct scenario_variant *variant;

	for (size_t i = 0; (variant = scenario_variant(scenario, i)); i++)
		if (!strcmp(variant->name, name))
			return variant;
	return NULL;
}

bool scenario_can(const struct scenario *scenario, const struct scenario_params *params)
{
	return params->frame_size || scenario->kind != SCENARIO_ATTACK;
}

void scenario_traffic(struct bench_traffic *traffic, const struct scenario_params *params,
	void (*build)(struct bench_stream *stream, uint16_t len, const struct scenario_params *params))
{
	static const struct {
		uint16_t len, weight;
	} imix[] = {{60, 7}, {590, 4}, {1514, 1}};

	memset(traffic, 0, sizeof *traffic);
	if (params->frame_size) {
		traffic->n_streams = 1;
		build(&traffic->streams[0], params->frame_size - 4, params);
		return;
	}
	traffic->n_streams = ARRAY_SIZE(imix);
	for (size_t i = 0; i < ARRAY_SIZE(imix); i++) {
		build(&traffic->streams[i], imix[i].len, params);
		traffic->streams[i].weight = imix[i].weight;
	}
}
