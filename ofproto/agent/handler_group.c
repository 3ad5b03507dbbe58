/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "datapath/dp.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "ofproto/agent/async.h"
#include "ofproto/agent/handler.h"
#include "ofproto/state/group.h"
#include "ofproto/state/meter.h"
#include "ofproto/wire/action.h"

static void duration(int64_t since_ms, uint32_t *sec, uint32_t *nsec)
{
	int64_t age_ms = clock_ms() - since_ms;

	*sec = (uint32_t)(age_ms / 1000);
	*nsec = (uint32_t)(age_ms % 1000) * 1000000;
}

/* ------------------------------------------------------------------ groups */

enum ofp_error handler_decode_group_mod(const struct of_session *session, const struct msg *msg,
	struct group_mod *gm)
{
	enum ofp_error error = group_mod_decode(msg, gm);

	if (!error && !session->is_mgmt) {
		error = group_mod_check_weights(gm);
		if (error)
			group_mod_uninit(gm);
	}
	return error;
}

enum ofp_error handle_group_mod(struct of_session *session, const struct msg *msg)
{
	struct of_requester requester = { session, msg->xid };
	enum ofp_error error;
	struct group_mod gm;

	error = handler_require_primary(session);
	if (error)
		return error;
	error = handler_decode_group_mod(session, msg, &gm);
	if (error)
		return error;
	error = of_group_mod(&session->ofproto->state, &gm, &requester);
	group_mod_uninit(&gm);
	if (!error)
		async_requestforward(session->ofproto->mgr, session, msg);
	return error;
}

static void put_group_stats(struct mp_reply *mp, const struct of_state *state,
	const struct of_group *group)
{
	struct group_counts *counts = xcalloc(group->buckets.n + 1, sizeof *counts);
	struct counter_value total = counter_get(group->pl->counter);
	struct group_stats stats = {
		.group_id = group->id,
		.ref_count = of_group_n_refs(state, group),
		.packets = total.packets,
		.bytes = total.bytes,
		.n_buckets = group->buckets.n,
		.buckets = counts,
	};

	for (size_t i = 0; i < group->buckets.n; i++) {
		struct counter_value value = counter_get(group->pl->buckets[i].counter);

		counts[i].packets = value.packets;
		counts[i].bytes = value.bytes;
	}
	duration(group->created_ms, &stats.duration_sec, &stats.duration_nsec);
	group_stats_put(mp, &stats);
	free(counts);
}

static void put_group_desc(struct mp_reply *mp, const struct of_state *state,
	const struct of_group *group)
{
	struct group_desc desc = {
		.group_id = group->id,
		.type = group->type,
		.n_buckets = group->buckets.n,
		.buckets = group->buckets.items,
		.props = &group->props,
	};

	group_desc_put(mp, &desc);
}

/* One group or all; a group that is not there makes an empty reply. */
static enum ofp_error reply_groups(struct of_session *session, const struct msg *msg,
	void (*put)(struct mp_reply *, const struct of_state *, const struct of_group *))
{
	const struct of_state *state = &session->ofproto->state;
	struct sbuf out = SBUF_INITIALIZER;
	struct of_group **groups;
	struct mp_reply mp;
	enum ofp_error error;
	uint32_t id;
	size_t n, i;

	error = group_request_decode(msg, &id);
	if (error)
		return error;
	mp_begin(&mp, &out, msg);
	groups = of_groups_sorted(state, &n);
	for (i = 0; i < n; i++)
		if (id == OFP_GROUP_ALL || id == groups[i]->id)
			put(&mp, state, groups[i]);
	free(groups);
	mp_end(&mp);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}

enum ofp_error handle_group_stats_request(struct of_session *session, const struct msg *msg)
{
	dp_sweep();
	return reply_groups(session, msg, put_group_stats);
}

enum ofp_error handle_group_desc_request(struct of_session *session, const struct msg *msg)
{
	return reply_groups(session, msg, put_group_desc);
}

enum ofp_error handle_group_features_request(struct of_session *session, const struct msg *msg)
{
	struct group_features features = {
		.types = 0xf,
		.capabilities = OFPGFC_CHAINING | OFPGFC_SELECT_LIVENESS | OFPGFC_SELECT_WEIGHT,
	};
	struct sbuf out = SBUF_INITIALIZER;

	for (int i = 0; i < 4; i++) {
		features.max_groups[i] = OF_MAX_GROUPS;
		features.actions[i] = acts_supported(msg->version, true);
	}
	group_features_encode(&features, msg, &out);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}

/* ------------------------------------------------------------------ meters */

enum ofp_error handle_meter_mod(struct of_session *session, const struct msg *msg)
{
	enum ofp_error error;
	struct meter_mod mm;

	error = handler_require_primary(session);
	if (error)
		return error;
	error = meter_mod_decode(msg, &mm);
	if (error)
		return error;
	error = of_meter_mod(&session->ofproto->state, &mm);
	meter_mod_uninit(&mm);
	if (!error)
		async_requestforward(session->ofproto->mgr, session, msg);
	return error;
}

static void put_meter_stats(struct mp_reply *mp, const struct of_state *state,
	const struct of_meter *meter)
{
	struct pl_meter *pl = pl_meter_lookup(state->bridge, meter->id);
	struct meter_band_counts bands[METER_MAX_BANDS];
	struct meter_counts counts = {
		.meter_id = meter->id,
		.flow_count = of_meter_n_refs(state, meter),
		.packets_in = atomic_load_explicit(&pl->packets, memory_order_relaxed),
		.bytes_in = atomic_load_explicit(&pl->bytes, memory_order_relaxed),
		.n_bands = pl->n_bands,
		.bands = bands,
	};

	for (size_t i = 0; i < pl->n_bands; i++) {
		bands[i].packets =
			atomic_load_explicit(&pl->bands[i].packets, memory_order_relaxed);
		bands[i].bytes = atomic_load_explicit(&pl->bands[i].bytes, memory_order_relaxed);
	}
	duration(meter->created_ms, &counts.duration_sec, &counts.duration_nsec);
	meter_stats_put(mp, &counts);
}

static void put_meter_config(struct mp_reply *mp, const struct of_state *state,
	const struct of_meter *meter)
{
	meter_config_put(mp, &meter->config);
}

static enum ofp_error reply_meters(struct of_session *session, const struct msg *msg,
	void (*put)(struct mp_reply *, const struct of_state *, const struct of_meter *))
{
	const struct of_state *state = &session->ofproto->state;
	struct sbuf out = SBUF_INITIALIZER;
	struct of_meter **meters;
	struct mp_reply mp;
	enum ofp_error error;
	uint32_t id;
	size_t n, i;

	error = meter_request_decode(msg, &id);
	if (error)
		return error;
	if (id != OFP_METER_ALL && !of_meter_find(state, id))
		return OFPMMFC_UNKNOWN_METER;
	mp_begin(&mp, &out, msg);
	meters = of_meters_sorted(state, &n);
	for (i = 0; i < n; i++)
		if (id == OFP_METER_ALL || id == meters[i]->id)
			put(&mp, state, meters[i]);
	free(meters);
	mp_end(&mp);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}

enum ofp_error handle_meter_stats_request(struct of_session *session, const struct msg *msg)
{
	return reply_meters(session, msg, put_meter_stats);
}

enum ofp_error handle_meter_config_request(struct of_session *session, const struct msg *msg)
{
	return reply_meters(session, msg, put_meter_config);
}

enum ofp_error handle_meter_features_request(struct of_session *session, const struct msg *msg)
{
	struct meter_features features = {
		.max_meters = OF_MAX_METERS,
		.band_types = 1u << OFPMBT_DROP | 1u << OFPMBT_DSCP_REMARK,
		.capabilities = OF_METER_FLAGS,
		.max_bands = OF_MAX_METER_BANDS,
	};
	struct sbuf out = SBUF_INITIALIZER;

	meter_features_encode(&features, msg, &out);
	of_session_send(session, &out);
	sbuf_uninit(&out);
	return OFP_OK;
}
