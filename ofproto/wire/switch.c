/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/switch.h"

#include "ofproto/wire/action.h"

#define OFPC11_GROUP_STATS (1 << 3)
#define OFPC10_INVALID_TTL_TO_CONTROLLER (1 << 2)

/* Those that every version understands; group statistics and STP share a bit and are done apart. */
static uint32_t capabilities_mask(enum ofp_version version)
{
	uint32_t mask = OFPC_FLOW_STATS | OFPC_TABLE_STATS | OFPC_PORT_STATS | OFPC_IP_REASM |
		OFPC_QUEUE_STATS;

	if (version <= OFP11_VERSION)
		mask |= OFPC_ARP_MATCH_IP;
	if (version >= OFP12_VERSION)
		mask |= OFPC_PORT_BLOCKED;
	if (version >= OFP14_VERSION)
		mask |= OFPC_BUNDLES | OFPC_FLOW_MONITORING;
	return mask;
}

size_t features_begin(const struct switch_features *sf, const struct msg *request, struct sbuf *out)
{
	enum ofp_version version = request->version;
	size_t start = msg_begin(out, version, OFPTYPE_FEATURES_REPLY, MSG_OFPT, request->xid);
	uint32_t capabilities = sf->capabilities & capabilities_mask(version);

	if (version == OFP10_VERSION)
		capabilities |= sf->capabilities & OFPC_STP;
	else if (sf->capabilities & OFPC_GROUP_STATS)
		capabilities |= OFPC11_GROUP_STATS;

	put_u64(out, sf->datapath_id);
	put_u32(out, sf->n_buffers);
	put_u8(out, sf->n_tables);
	put_u8(out, version >= OFP13_VERSION ? sf->auxiliary_id : 0);
	put_pad(out, 2);
	put_u32(out, capabilities);
	put_u32(out, version == OFP10_VERSION ? (uint32_t)acts_supported(version, false) : 0);
	return start;
}

void features_port(const struct msg *request, size_t handle, const struct port_desc *pd,
	struct sbuf *out)
{
	size_t before = out->len;

	if (request->version >= OFP13_VERSION)
		return;
	port_desc_put(out, request->version, pd);
	if (out->len - handle > OFP_MAX_MSG_LEN)
		sbuf_truncate(out, before);
}

enum ofp_error features_decode(const struct msg *msg, struct switch_features *sf,
	struct cursor *ports)
{
	struct cursor c = msg->body;
	struct switch_features f = {0};
	uint32_t capabilities;

	f.datapath_id = cursor_u64(&c);
	f.n_buffers = cursor_u32(&c);
	f.n_tables = cursor_u8(&c);
	f.auxiliary_id = cursor_u8(&c);
	cursor_skip(&c, 2);
	capabilities = cursor_u32(&c);
	f.actions = cursor_u32(&c);
	if (!cursor_ok(&c))
		return OFPBRC_BAD_LEN;
	f.capabilities = capabilities & capabilities_mask(msg->version);
	if (msg->version == OFP10_VERSION)
		f.capabilities |= capabilities & OFPC_STP;
	else if (capabilities & OFPC11_GROUP_STATS)
		f.capabilities |= OFPC_GROUP_STATS;
	*sf = f;
	*ports = c;
	return OFP_OK;
}

enum ofp_error config_decode(const struct msg *msg, struct switch_config *sc)
{
	struct cursor c = msg->body;
	uint16_t flags = cursor_u16(&c);
	uint16_t miss_send_len = cursor_u16(&c);
	uint16_t valid = OFPC_FRAG_MASK;
	int ttl = -1;

	if (!cursor_ok(&c))
		return OFPBRC_BAD_LEN;
	if (msg->version < OFP13_VERSION) {
		valid |= OFPC10_INVALID_TTL_TO_CONTROLLER;
		ttl = !!(flags & OFPC10_INVALID_TTL_TO_CONTROLLER);
	}
	if (flags & ~valid)
		return OFPSCFC_BAD_FLAGS;
	*sc = (struct switch_config){.frag = (enum ofp_frag)(flags & OFPC_FRAG_MASK),
		.invalid_ttl_to_controller = ttl, .miss_send_len = miss_send_len};
	return OFP_OK;
}

void config_encode(const struct switch_config *sc, const struct msg *request, struct sbuf *out)
{
	size_t start = msg_begin(out, request->version, OFPTYPE_GET_CONFIG_REPLY, MSG_OFPT,
		request->xid);
	uint16_t flags = (uint16_t)sc->frag;

	if (sc->invalid_ttl_to_controller > 0 && request->version < OFP13_VERSION)
		flags |= OFPC10_INVALID_TTL_TO_CONTROLLER;
	put_u16(out, flags);
	put_u16(out, sc->miss_send_len);
	msg_end(out, start);
}

void desc_encode(const struct switch_desc *sd, const struct msg *request, struct sbuf *out)
{
	size_t start = msg_begin(out, request->version, OFPTYPE_DESC_REPLY, MSG_OFPST, request->xid);

	put_string(out, sd->mfr, 256);
	put_string(out, sd->hw, 256);
	put_string(out, sd->sw, 256);
	put_string(out, sd->serial, 32);
	put_string(out, sd->dp, 256);
	msg_end(out, start);
}
