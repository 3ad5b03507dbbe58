/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/async.h"

#define BIT(R) (1u << (R))
#define BITS(N) ((1u << (N)) - 1)

/* Reasons that a type may be asked for; up to 1.3 and from 1.4 on. Properties come in pairs: secondary at
 * 2 * type, primary behind it. */
static const struct {
	uint32_t allowed10, allowed14;
} types[ASYNC_N_TYPES] = {
	[ASYNC_PACKET_IN] = {BITS(3), BITS(6)},
	[ASYNC_PORT_STATUS] = {BITS(OFPPR_N_REASONS), BITS(OFPPR_N_REASONS)},
	[ASYNC_FLOW_REMOVED] = {BITS(OFPRR_N_REASONS), BITS(OFPRR_N_REASONS)},
	[ASYNC_ROLE_STATUS] = {BITS(OFPCRR_N_REASONS), BITS(OFPCRR_N_REASONS)},
	[ASYNC_TABLE_STATUS] = {BIT(OFPTR_VACANCY_DOWN) | BIT(OFPTR_VACANCY_UP),
		BIT(OFPTR_VACANCY_DOWN) | BIT(OFPTR_VACANCY_UP)},
	[ASYNC_REQUESTFORWARD] = {BITS(2), BITS(2)},
};

static uint32_t allowed(enum async_type type, enum ofp_version version)
{
	return version >= OFP14_VERSION ? types[type].allowed14 : types[type].allowed10;
}

void async_config_default(enum ofp_version version, struct async_config *ac)
{
	/* 1.4's reasons refine OFPR_ACTION, so they are on in all versions. */
	uint32_t packet_in = BITS(6) & ~BIT(OFPR_INVALID_TTL);
	uint32_t removed = BIT(OFPRR_IDLE_TIMEOUT) | BIT(OFPRR_HARD_TIMEOUT) | BIT(OFPRR_DELETE);

	packet_in |= BIT(OFPR_EXPLICIT_MISS);
	if (version <= OFP12_VERSION)
		packet_in |= BIT(OFPR_IMPLICIT_MISS);
	if (version >= OFP13_VERSION)
		removed |= BIT(OFPRR_GROUP_DELETE);
	if (version >= OFP14_VERSION)
		removed |= BIT(OFPRR_METER_DELETE) | BIT(OFPRR_EVICTION);

	*ac = (struct async_config){0};
	ac->primary[ASYNC_PACKET_IN] = packet_in;
	ac->primary[ASYNC_FLOW_REMOVED] = removed;
	ac->primary[ASYNC_PORT_STATUS] = BITS(OFPPR_N_REASONS);
	ac->secondary[ASYNC_PORT_STATUS] = BITS(OFPPR_N_REASONS);
}

static uint32_t mask_decode(uint32_t mask, enum async_type type, enum ofp_version version)
{
	mask &= allowed(type, version);
	/* The finer reasons for a miss that are told apart in here only. */
	if (type == ASYNC_PACKET_IN && mask & BIT(OFPR_NO_MATCH)) {
		mask |= BIT(OFPR_EXPLICIT_MISS);
		if (version < OFP13_VERSION)
			mask |= BIT(OFPR_IMPLICIT_MISS);
	}
	return mask;
}

/* OpenFlow 1.3 and NXT_SET_ASYNC_CONFIG: pairs of masks for three types. */
static void fixed_decode(struct cursor *c, enum ofp_version version, struct async_config *ac)
{
	static const enum async_type order[] = {ASYNC_PACKET_IN, ASYNC_PORT_STATUS,
		ASYNC_FLOW_REMOVED};

	*ac = (struct async_config){0};
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		ac->primary[order[i]] = mask_decode(cursor_u32(c), order[i], version);
		ac->secondary[order[i]] = mask_decode(cursor_u32(c), order[i], version);
	}
}

static enum ofp_error prop_decode(struct prop *p, enum ofp_version version, struct async_config *ac)
{
	enum async_type type = (enum async_type)(p->type / 2);
	uint32_t mask = 0, *array = p->type % 2 ? ac->primary : ac->secondary;
	enum ofp_error error;

	if (p->type >= 2 * ASYNC_N_TYPES) {
		error = prop_unknown(p->type);
		return error == OFPBPC_BAD_TYPE ? OFPACFC_UNSUPPORTED : error;
	}
	error = prop_take_u32(p, &mask);
	if (error)
		return error;
	if (mask & ~allowed(type, version))
		return OFPACFC_INVALID;
	array[type] = mask_decode(mask, type, version);
	return OFP_OK;
}

static enum ofp_error props_decode(struct cursor *c, enum ofp_version version,
	struct async_config *ac)
{
	for (;;) {
		struct prop p;
		bool more;
		enum ofp_error error = prop_next(c, &p, &more);

		if (!error && more)
			error = prop_decode(&p, version, ac);
		if (error || !more)
			return error;
	}
}

#define NXT_SET_ASYNC_CONFIG 19

enum ofp_error async_config_decode(const struct msg *msg, struct async_config *ac)
{
	bool fixed = msg->family == MSG_NXT ? msg->number == NXT_SET_ASYNC_CONFIG
					    : msg->version < OFP14_VERSION;
	struct cursor c = msg->body;
	struct async_config new = *ac;
	enum ofp_error error = OFP_OK;

	if (fixed)
		fixed_decode(&c, msg->version, &new);
	else
		error = props_decode(&c, msg->version, &new);
	if (!error)
		*ac = new;
	return error;
}

static void fixed_encode(const struct async_config *ac, enum ofp_version version, struct sbuf *out)
{
	static const enum async_type order[] = {ASYNC_PACKET_IN, ASYNC_PORT_STATUS,
		ASYNC_FLOW_REMOVED};

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		put_u32(out, ac->primary[order[i]] & allowed(order[i], version));
		put_u32(out, ac->secondary[order[i]] & allowed(order[i], version));
	}
}

void async_config_encode(const struct async_config *ac, const struct msg *request, struct sbuf *out)
{
	enum ofp_version version = request->version;
	size_t start = msg_begin(out, version, OFPTYPE_GET_ASYNC_REPLY, MSG_OFPT, request->xid);

	if (version < OFP14_VERSION)
		fixed_encode(ac, version, out);
	else
		for (unsigned int i = 0; i < 2 * ASYNC_N_TYPES; i++) {
			const uint32_t *array = i % 2 ? ac->primary : ac->secondary;

			prop_put_u32(out, i,
				array[i / 2] & allowed((enum async_type)(i / 2), version));
		}
	msg_end(out, start);
}
