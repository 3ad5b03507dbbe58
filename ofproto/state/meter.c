/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/meter.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/hash.h"
#include "ofproto/state/txn.h"

struct of_meter *of_meter_find(const struct of_state *state, uint32_t id)
{
	struct of_meter *meter;

	HMAP_FOR_EACH_WITH_HASH (meter, node, hash_u32(id, 0), &state->meters)
		if (meter->id == id)
			return meter;
	return NULL;
}

static void meter_publish(struct of_state *state, const struct of_meter *meter)
{
	struct pl_meter *pl = xcalloc(1, sizeof *pl);
	const struct meter_config *config = &meter->config;

	pl->id = meter->id;
	pl->flags = config->flags;
	pl->created_ms = meter->created_ms;
	pl->n_bands = (uint16_t)config->bands.n;
	for (size_t i = 0; i < config->bands.n; i++) {
		pl->bands[i].type = config->bands.items[i].type;
		pl->bands[i].prec_level = config->bands.items[i].prec_level;
		pl->bands[i].rate = config->bands.items[i].rate;
		/* OpenFlow 1.3.5, 7.3.4.4: without the flag it does not say anything. */
		if (config->flags & METER_BURST)
			pl->bands[i].burst = config->bands.items[i].burst;
	}
	pl_meter_set(state->bridge, pl);
}

static void meter_destroy(struct of_state *state, struct of_meter *meter)
{
	hmap_remove(&state->meters, &meter->node);
	meter_config_uninit(&meter->config);
	free(meter);
}

/* What comes before the question whether there is such a meter, and what after it: as Open vSwitch asks. */
static enum ofp_error meter_check_id(uint32_t id)
{
	if (!id || (id > OFP_METER_MAX && id != OFP_METER_SLOWPATH && id != OFP_METER_CONTROLLER))
		return OFPMMFC_INVALID_METER;
	return OFP_OK;
}

static enum ofp_error meter_check_config(const struct meter_config *config)
{
	const struct meter_band *band;

	if (!config->bands.n || config->bands.n > OF_MAX_METER_BANDS)
		return OFPMMFC_OUT_OF_BANDS;
	VEC_FOR_EACH (band, &config->bands)
		if (!band->rate)
			return OFPMMFC_BAD_RATE;
	if (config->flags & ~OF_METER_FLAGS)
		return OFPMMFC_BAD_FLAGS;
	return OFP_OK;
}

static enum ofp_error meter_add(struct of_state *state, const struct meter_config *config)
{
	struct of_meter *meter;
	enum ofp_error error;

	if (of_meter_find(state, config->meter_id))
		return OFPMMFC_METER_EXISTS;
	error = meter_check_config(config);
	if (error)
		return error;
	if (hmap_count(&state->meters) >= OF_MAX_METERS)
		return OFPMMFC_OUT_OF_METERS;
	meter = xcalloc(1, sizeof *meter);
	meter->id = config->meter_id;
	meter->created_ms = clock_ms();
	meter_config_clone(&meter->config, config);
	hmap_insert(&state->meters, &meter->node, hash_u32(meter->id, 0));
	meter_publish(state, meter);
	return OFP_OK;
}

static enum ofp_error meter_modify(struct of_state *state, const struct meter_config *config)
{
	struct of_meter *meter = of_meter_find(state, config->meter_id);
	enum ofp_error error;

	if (!meter)
		return OFPMMFC_UNKNOWN_METER;
	error = meter_check_config(config);
	if (error)
		return error;
	meter_config_uninit(&meter->config);
	meter_config_clone(&meter->config, config);
	meter_publish(state, meter);
	return OFP_OK;
}

/* The flows that use METER go first. */
static void meter_delete(struct of_state *state, struct of_meter *meter)
{
	struct of_refs *refs = of_refs_find(&state->meter_refs, meter->id);
	struct of_txn txn;

	if (refs && !list_is_empty(&refs->rules)) {
		of_txn_begin(&txn, state, NULL);
		while (!list_is_empty(&refs->rules)) {
			struct of_ref *ref = LIST_TO(list_front(&refs->rules), struct of_ref, node);

			of_txn_remove_rule(&txn, ref->rule, OFPRR_METER_DELETE);
		}
		of_txn_commit(&txn);
	}
	pl_meter_remove(state->bridge, meter->id);
	meter_destroy(state, meter);
}

void of_meters_flush(struct of_state *state)
{
	struct of_meter *meter;

	HMAP_FOR_EACH_SAFE (meter, node, &state->meters)
		meter_delete(state, meter);
}

enum ofp_error of_meter_mod(struct of_state *state, const struct meter_mod *mm)
{
	const struct meter_config *config = &mm->meter;
	struct of_meter *meter;
	enum ofp_error error;

	if (mm->command == OFPMC_DELETE) {
		if (config->meter_id == OFP_METER_ALL)
			of_meters_flush(state);
		else if ((meter = of_meter_find(state, config->meter_id)))
			meter_delete(state, meter);
		return OFP_OK;
	}
	if (mm->command > OFPMC_DELETE)
		return OFPMMFC_BAD_COMMAND;
	error = meter_check_id(config->meter_id);
	if (error)
		return error;
	return mm->command == OFPMC_ADD ? meter_add(state, config) : meter_modify(state, config);
}

static int meter_compare(const void *a_, const void *b_)
{
	const struct of_meter *a = *(struct of_meter *const *)a_;
	const struct of_meter *b = *(struct of_meter *const *)b_;

	return a->id < b->id ? -1 : a->id > b->id;
}

struct of_meter **of_meters_sorted(const struct of_state *state, size_t *n)
{
	*n = hmap_count(&state->meters);
	return hmap_sorted(&state->meters, offsetof(struct of_meter, node), meter_compare);
}

uint32_t of_meter_n_refs(const struct of_state *state, const struct of_meter *meter)
{
	struct of_refs *refs = of_refs_find(&state->meter_refs, meter->id);

	return refs ? refs->n : 0;
}
