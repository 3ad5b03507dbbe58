/* SPDX-License-Identifier: Apache-2.0 */

/* Actions that send a packet somewhere: output, enqueue, group, controller, output_reg, bundle. */

#include "ofproto/wire/action_table.h"
#include "ofproto/wire/msg.h"

#define PUT(IN, TYPE, STRUCT) ((struct STRUCT *)act_put((IN)->b, TYPE, sizeof(struct STRUCT)))
#define AS(STRUCT, ACT) ((const struct STRUCT *)(const void *)(ACT))

enum ofp_error act_check_output_port(ofp_port_t port)
{
	switch (port) {
	case OFPP_IN_PORT:
	case OFPP_TABLE:
	case OFPP_NORMAL:
	case OFPP_FLOOD:
	case OFPP_ALL:
	case OFPP_CONTROLLER:
	case OFPP_LOCAL:
		return OFP_OK;
	default:
		return port <= OFP_PORT_LAST ? OFP_OK : OFPBAC_BAD_OUT_PORT;
	}
}

enum ofp_error decode_output(struct action_in *in)
{
	ofp_port_t port;
	uint16_t max_len;
	struct act_output *a;

	if (in->layout == L_OUTPUT10)
		ofp_port_from_16(cursor_u16(&in->c), &port);
	else if (!ofp_port_from_32(cursor_u32(&in->c), &port))
		return OFPBAC_BAD_OUT_PORT;
	max_len = cursor_u16(&in->c);
	a = PUT(in, ACT_OUTPUT, act_output);
	a->port = port;
	a->max_len = max_len;
	return act_check_output_port(port);
}

enum ofp_error decode_output_trunc(struct action_in *in)
{
	uint16_t port = cursor_u16(&in->c);
	uint32_t max_len = cursor_u32(&in->c);
	struct act_output *a = PUT(in, ACT_OUTPUT, act_output);

	a->act.raw = ACT_RAW_NX_OUTPUT_TRUNC;
	ofp_port_from_16(port, &a->port);
	a->trunc = max_len;
	return max_len < 14 ? OFPBAC_BAD_ARGUMENT : OFP_OK;
}

static void put_output(ofp_port_t port, uint16_t max_len, enum ofp_version version, struct sbuf *out)
{
	enum layout layout = version == OFP10_VERSION ? L_OUTPUT10 : L_OUTPUT11;
	size_t start = action_begin(out, version, layout);

	if (layout == L_OUTPUT10)
		put_u16(out, ofp_port_to_16(port));
	else
		put_u32(out, port);
	put_u16(out, max_len);
	action_end(out, start, version, layout);
}

void encode_output(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_output *a = AS(act_output, act);
	size_t start;

	if (!a->trunc) {
		put_output(a->port, a->max_len, version, out);
		return;
	}
	start = action_begin(out, version, L_OUTPUT_TRUNC);
	put_u16(out, ofp_port_to_16(a->port));
	put_u32(out, a->trunc);
	action_end(out, start, version, L_OUTPUT_TRUNC);
}

enum ofp_error decode_enqueue(struct action_in *in)
{
	struct act_enqueue *a = PUT(in, ACT_ENQUEUE, act_enqueue);

	ofp_port_from_16(cursor_u16(&in->c), &a->port);
	cursor_skip(&in->c, 6);
	a->queue = cursor_u32(&in->c);
	if (a->port > OFP_PORT_LAST && a->port != OFPP_IN_PORT && a->port != OFPP_LOCAL)
		return OFPBAC_BAD_OUT_PORT;
	return OFP_OK;
}

void encode_enqueue(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_enqueue *a = AS(act_enqueue, act);
	size_t start;

	if (version != OFP10_VERSION) {
		action_put_arg(out, version, L_SET_QUEUE, 4, a->queue);
		put_output(a->port, UINT16_MAX, version, out);
		action_put_void(out, version, L_POP_QUEUE);
		return;
	}
	start = action_begin(out, version, L_ENQUEUE10);
	put_u16(out, ofp_port_to_16(a->port));
	put_pad(out, 6);
	put_u32(out, a->queue);
	action_end(out, start, version, L_ENQUEUE10);
}

enum ofp_error decode_group(struct action_in *in)
{
	uint32_t id = (uint32_t)action_take_arg(in, 4);

	PUT(in, ACT_GROUP, act_group)->group_id = id;
	return OFP_OK;
}

void encode_group(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	action_put_arg(out, version, L_GROUP, 4, AS(act_group, act)->group_id);
}

/* ------------------------------------------------------------------ controller */

enum controller2_prop {
	NXAC2PT_MAX_LEN,
	NXAC2PT_CONTROLLER_ID,
	NXAC2PT_REASON,
	NXAC2PT_USERDATA,
	NXAC2PT_PAUSE,
	NXAC2PT_METER_ID,
};

enum ofp_error decode_controller(struct action_in *in)
{
	struct act_controller *a = PUT(in, ACT_CONTROLLER, act_controller);

	a->act.raw = ACT_RAW_NX_CONTROLLER;
	a->max_len = cursor_u16(&in->c);
	a->controller_id = cursor_u16(&in->c);
	a->reason = cursor_u8(&in->c);
	return OFP_OK;
}

static enum ofp_error controller2_prop(struct prop *p, struct act_controller *a,
	const uint8_t **userdata)
{
	switch (p->type) {
	case NXAC2PT_MAX_LEN:
		return prop_take_u16(p, &a->max_len);
	case NXAC2PT_CONTROLLER_ID:
		return prop_take_u16(p, &a->controller_id);
	case NXAC2PT_REASON:
		return prop_take_u8(p, &a->reason);
	case NXAC2PT_USERDATA:
		a->userdata_len = (uint16_t)cursor_left(&p->body);
		*userdata = cursor_take(&p->body, a->userdata_len);
		return OFP_OK;
	case NXAC2PT_PAUSE:
		a->pause = true;
		return OFP_OK;
	case NXAC2PT_METER_ID:
		return prop_take_u32(p, &a->meter_id);
	default:
		return prop_unknown(p->type);
	}
}

enum ofp_error decode_controller2(struct action_in *in)
{
	struct act_controller a = {.max_len = UINT16_MAX, .reason = 1}, *put;
	const uint8_t *userdata = NULL;
	bool more;

	if (!cursor_zeros(&in->c, 6))
		return NXBRC_MUST_BE_ZERO;
	for (;;) {
		struct prop p;
		enum ofp_error error = prop_next(&in->c, &p, &more);

		if (!error && more)
			error = controller2_prop(&p, &a, &userdata);
		if (error)
			return error;
		if (!more)
			break;
	}

	put = act_put(in->b, ACT_CONTROLLER, sizeof *put + a.userdata_len);
	a.act = put->act;
	a.act.raw = ACT_RAW_NX_CONTROLLER2;
	memcpy(put, &a, sizeof a);
	if (a.userdata_len)
		memcpy(put->userdata, userdata, a.userdata_len);
	return OFP_OK;
}

static void put_controller2(const struct act_controller *a, enum ofp_version version,
	struct sbuf *out)
{
	size_t start = action_begin(out, version, L_CONTROLLER2);

	put_pad(out, 6);
	if (a->max_len != UINT16_MAX)
		prop_put_u16(out, NXAC2PT_MAX_LEN, a->max_len);
	if (a->controller_id)
		prop_put_u16(out, NXAC2PT_CONTROLLER_ID, a->controller_id);
	if (a->reason != 1)
		prop_put_u8(out, NXAC2PT_REASON, a->reason);
	if (a->userdata_len)
		prop_put_bytes(out, NXAC2PT_USERDATA, a->userdata, a->userdata_len);
	if (a->pause)
		prop_end(out, prop_begin(out, NXAC2PT_PAUSE));
	if (a->meter_id)
		prop_put_u32(out, NXAC2PT_METER_ID, a->meter_id);
	action_end(out, start, version, L_CONTROLLER2);
}

void encode_controller(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_controller *a = AS(act_controller, act);
	size_t start;

	if (a->userdata_len || a->pause || a->meter_id || act->raw == ACT_RAW_NX_CONTROLLER2) {
		put_controller2(a, version, out);
		return;
	}
	start = action_begin(out, version, L_CONTROLLER);
	put_u16(out, a->max_len);
	put_u16(out, a->controller_id);
	put_u8(out, a->reason);
	action_end(out, start, version, L_CONTROLLER);
}

/* ------------------------------------------------------------------ output_reg */

enum ofp_error decode_output_reg(struct action_in *in)
{
	struct act_output_reg *a = PUT(in, ACT_OUTPUT_REG, act_output_reg);
	enum ofp_error error;

	a->act.raw = ACT_RAW_NX_OUTPUT_REG;
	subfield_from_ofs_nbits(&a->src, cursor_u16(&in->c));
	error = field32_take(&in->c, &a->src.field);
	a->max_len = cursor_u16(&in->c);
	if (!cursor_zeros(&in->c, 6))
		return OFPBAC_BAD_ARGUMENT;
	return error ? error : subfield_check_src(&a->src, NULL);
}

enum ofp_error decode_output_reg2(struct action_in *in)
{
	struct act_output_reg *a = PUT(in, ACT_OUTPUT_REG, act_output_reg);
	enum ofp_error error;

	a->act.raw = ACT_RAW_NX_OUTPUT_REG2;
	subfield_from_ofs_nbits(&a->src, cursor_u16(&in->c));
	a->max_len = cursor_u16(&in->c);
	error = oxm_take_header(&in->c, &a->src.field, NULL, NULL);
	if (error)
		return error;
	if (!cursor_zeros(&in->c, cursor_left(&in->c)))
		return NXBRC_MUST_BE_ZERO;
	return subfield_check_src(&a->src, NULL);
}

void encode_output_reg(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_output_reg *a = AS(act_output_reg, act);
	bool wide = act->raw == ACT_RAW_NX_OUTPUT_REG2 ||
		oxm_header_len(a->src.field, (enum ofp_version)0) != 4;
	enum layout layout = wide ? L_OUTPUT_REG2 : L_OUTPUT_REG;
	size_t start = action_begin(out, version, layout);

	put_u16(out, subfield_to_ofs_nbits(&a->src));
	if (wide) {
		put_u16(out, a->max_len);
		oxm_put_header(out, a->src.field, (enum ofp_version)0, false);
	} else {
		field32_put(out, a->src.field);
		put_u16(out, a->max_len);
	}
	action_end(out, start, version, layout);
}

/* ------------------------------------------------------------------ bundle */

#define BUNDLE_MAX_MEMBERS 2048

static enum ofp_error bundle_dst(struct subfield *dst, uint16_t ofs_nbits, struct cursor *c)
{
	enum ofp_error error;

	subfield_from_ofs_nbits(dst, ofs_nbits);
	error = field32_take(c, &dst->field);
	if (error)
		return error;
	return dst->n_bits < 16 ? OFPBAC_BAD_ARGUMENT : subfield_check_dst(dst, NULL);
}

enum ofp_error decode_bundle(struct action_in *in)
{
	struct act_bundle a = {0}, *put;
	uint32_t member_type;
	uint16_t ofs_nbits;
	enum ofp_error error = OFP_OK;

	a.algorithm = cursor_u16(&in->c);
	a.fields = cursor_u16(&in->c);
	a.basis = cursor_u16(&in->c);
	member_type = cursor_u32(&in->c);
	a.n_members = cursor_u16(&in->c);
	ofs_nbits = cursor_u16(&in->c);
	if (in->layout == L_BUNDLE_LOAD)
		error = bundle_dst(&a.dst, ofs_nbits, &in->c);
	else if (ofs_nbits || cursor_u32(&in->c))
		error = OFPBAC_BAD_ARGUMENT;
	if (error)
		return error;
	if (a.fields > ACT_HASH_SYMMETRIC_L3 || a.n_members > BUNDLE_MAX_MEMBERS || a.algorithm > 1 ||
		member_type != 0x00000002 || !cursor_zeros(&in->c, 4))
		return OFPBAC_BAD_ARGUMENT;
	if (cursor_left(&in->c) < a.n_members * 2u)
		return OFPBAC_BAD_LEN;

	put = act_put(in->b, ACT_BUNDLE, sizeof *put + a.n_members * sizeof put->members[0]);
	a.act = put->act;
	memcpy(put, &a, sizeof a);
	for (unsigned int i = 0; i < a.n_members; i++) {
		ofp_port_from_16(cursor_u16(&in->c), &put->members[i]);
		if (put->members[i] == OFPP_CONTROLLER ||
			(put->members[i] != OFPP_NONE && act_check_output_port(put->members[i])))
			return OFPBAC_BAD_OUT_PORT;
	}
	return OFP_OK;
}

void encode_bundle(const struct act *act, enum ofp_version version, struct sbuf *out)
{
	const struct act_bundle *a = AS(act_bundle, act);
	enum layout layout = a->dst.field ? L_BUNDLE_LOAD : L_BUNDLE;
	size_t start = action_begin(out, version, layout);

	put_u16(out, a->algorithm);
	put_u16(out, a->fields);
	put_u16(out, a->basis);
	put_u32(out, 0x00000002);	/* NXM_OF_IN_PORT. */
	put_u16(out, a->n_members);
	if (a->dst.field) {
		put_u16(out, subfield_to_ofs_nbits(&a->dst));
		field32_put(out, a->dst.field);
	} else {
		put_pad(out, 6);
	}
	put_pad(out, 4);
	for (unsigned int i = 0; i < a->n_members; i++)
		put_u16(out, ofp_port_to_16(a->members[i]));
	action_end(out, start, version, layout);
}
