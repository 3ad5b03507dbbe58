/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/action_table.h"

#include "lib/fatal.h"

#define OFPAT_EXPERIMENTER 0xffff

#define V10 OFP10_VERSION
#define V11 OFP11_VERSION
#define V12 OFP12_VERSION
#define V13 OFP13_VERSION
#define V14 OFP14_VERSION
#define V15 OFP15_VERSION

#define OF(LAYOUT, FIRST, LAST, NUMBER, LEN, DECODE) \
	{L_##LAYOUT, FIRST, LAST, 0, NUMBER, LEN, false, DECODE}
#define OF_EXT(LAYOUT, FIRST, LAST, NUMBER, LEN, DECODE) \
	{L_##LAYOUT, FIRST, LAST, 0, NUMBER, LEN, true, DECODE}
#define NX(LAYOUT, FIRST, LAST, NUMBER, LEN, DECODE) \
	{L_##LAYOUT, FIRST, LAST, OFP_VENDOR_NICIRA, NUMBER, LEN, false, DECODE}
#define NX_EXT(LAYOUT, FIRST, LAST, NUMBER, LEN, DECODE) \
	{L_##LAYOUT, FIRST, LAST, OFP_VENDOR_NICIRA, NUMBER, LEN, true, DECODE}
#define ONF_EXT(LAYOUT, FIRST, LAST, NUMBER, LEN, DECODE) \
	{L_##LAYOUT, FIRST, LAST, OFP_VENDOR_ONF, NUMBER, LEN, true, DECODE}

static const struct action_row rows[] = {
	OF(OUTPUT10, V10, V10, 0, 8, decode_output),
	OF(OUTPUT11, V11, V15, 0, 16, decode_output),
	OF(SET_VLAN_VID10, V10, V10, 1, 8, decode_set_vlan_vid),
	OF(SET_VLAN_PCP10, V10, V10, 2, 8, decode_set_vlan_pcp),
	OF(SET_VLAN_VID11, V11, V15, 1, 8, decode_set_vlan_vid),
	OF(SET_VLAN_PCP11, V11, V15, 2, 8, decode_set_vlan_pcp),
	OF(PUSH_VLAN, V11, V15, 17, 8, decode_push_vlan),
	OF(STRIP_VLAN10, V10, V10, 3, 8, decode_strip_vlan),
	OF(POP_VLAN11, V11, V15, 18, 8, decode_strip_vlan),
	OF(SET_DL_SRC, V10, V10, 4, 16, decode_set_mac),
	OF(SET_DL_SRC, V11, V15, 3, 16, decode_set_mac),
	OF(SET_DL_DST, V10, V10, 5, 16, decode_set_mac),
	OF(SET_DL_DST, V11, V15, 4, 16, decode_set_mac),
	OF(SET_NW_SRC, V10, V10, 6, 8, decode_set_ipv4),
	OF(SET_NW_SRC, V11, V15, 5, 8, decode_set_ipv4),
	OF(SET_NW_DST, V10, V10, 7, 8, decode_set_ipv4),
	OF(SET_NW_DST, V11, V15, 6, 8, decode_set_ipv4),
	OF(SET_NW_TOS, V10, V10, 8, 8, decode_set_nw_tos),
	OF(SET_NW_TOS, V11, V15, 7, 8, decode_set_nw_tos),
	OF(SET_NW_ECN, V11, V15, 8, 8, decode_set_nw_ecn),
	OF(SET_TP_SRC, V10, V15, 9, 8, decode_set_tp),
	OF(SET_TP_DST, V10, V15, 10, 8, decode_set_tp),
	OF(ENQUEUE10, V10, V10, 11, 16, decode_enqueue),
	OF(COPY_TTL_OUT, V11, V15, 11, 8, decode_copy_ttl),
	OF(COPY_TTL_IN, V11, V15, 12, 8, decode_copy_ttl),
	NX(SET_MPLS_LABEL, V10, V10, 30, 16, decode_mpls_label),
	OF(SET_MPLS_LABEL, V11, V15, 13, 8, decode_mpls_label),
	NX(SET_MPLS_TC, V10, V10, 31, 16, decode_mpls_u8),
	OF(SET_MPLS_TC, V11, V15, 14, 8, decode_mpls_u8),
	NX(SET_MPLS_TTL, V10, V10, 25, 16, decode_mpls_u8),
	OF(SET_MPLS_TTL, V11, V15, 15, 8, decode_mpls_u8),
	NX(DEC_MPLS_TTL, V10, V10, 26, 16, decode_dec_mpls_ttl),
	OF(DEC_MPLS_TTL, V11, V15, 16, 8, decode_dec_mpls_ttl),
	NX(PUSH_MPLS, V10, V10, 23, 16, decode_push_mpls),
	OF(PUSH_MPLS, V11, V15, 19, 8, decode_push_mpls),
	NX(POP_MPLS, V10, V10, 24, 16, decode_pop_mpls),
	OF(POP_MPLS, V11, V15, 20, 8, decode_pop_mpls),
	NX(SET_QUEUE, V10, V10, 4, 16, decode_queue),
	OF(SET_QUEUE, V11, V15, 21, 8, decode_queue),
	NX(GROUP, V10, V10, 40, 16, decode_group),
	OF(GROUP, V11, V15, 22, 8, decode_group),
	OF(SET_NW_TTL, V11, V15, 23, 8, decode_set_nw_ttl),
	NX(DEC_NW_TTL, V10, V10, 18, 16, decode_dec_ttl),
	OF(DEC_NW_TTL, V11, V15, 24, 8, decode_dec_ttl),
	NX_EXT(DEC_TTL_CNT_IDS, V10, V15, 21, 16, decode_cnt_ids),
	OF_EXT(SET_FIELD, V12, V15, 25, 8, decode_set_field),
	OF(PUSH_PBB, V13, V15, 26, 8, decode_pbb),
	OF(POP_PBB, V13, V15, 27, 8, decode_pbb),
	OF(METER15, V15, V15, 29, 8, decode_meter15),

	NX(REG_LOAD, V10, V14, 7, 24, decode_reg_load),
	NX_EXT(REG_LOAD2, V10, V14, 33, 16, decode_reg_load2),
	OF_EXT(COPY_FIELD15, V15, V15, 28, 16, decode_copy_field),
	ONF_EXT(COPY_FIELD13, V13, V14, 3200, 24, decode_copy_field),
	NX_EXT(REG_MOVE, V10, V14, 6, 16, decode_reg_move),

	NX(RESUBMIT, V10, V15, 1, 16, decode_resubmit),
	NX(RESUBMIT_TABLE, V10, V15, 14, 16, decode_resubmit_table),
	NX(RESUBMIT_TABLE_CT, V10, V15, 44, 16, decode_resubmit_table),
	NX(SET_TUNNEL, V10, V15, 2, 16, decode_set_tunnel),
	NX(SET_TUNNEL64, V10, V15, 9, 24, decode_set_tunnel),
	NX(POP_QUEUE, V10, V15, 5, 16, decode_pop_queue),
	NX_EXT(NOTE, V10, V15, 8, 16, decode_note),
	NX(MULTIPATH, V10, V15, 10, 32, decode_multipath),
	NX_EXT(BUNDLE, V10, V15, 12, 32, decode_bundle),
	NX_EXT(BUNDLE_LOAD, V10, V15, 13, 32, decode_bundle),
	NX(OUTPUT_REG, V10, V15, 15, 24, decode_output_reg),
	NX(OUTPUT_REG2, V10, V15, 32, 24, decode_output_reg2),
	NX_EXT(LEARN, V10, V15, 16, 32, decode_learn),
	NX_EXT(LEARN2, V10, V15, 45, 40, decode_learn),
	NX(EXIT, V10, V15, 17, 16, decode_exit),
	NX(FIN_TIMEOUT, V10, V15, 19, 16, decode_fin_timeout),
	NX(CONTROLLER, V10, V15, 20, 16, decode_controller),
	NX_EXT(CONTROLLER2, V10, V15, 37, 16, decode_controller2),
	NX(WRITE_METADATA, V10, V15, 22, 32, decode_write_metadata),
	NX(STACK_PUSH, V10, V15, 27, 24, decode_stack),
	NX(STACK_POP, V10, V15, 28, 24, decode_stack),
	NX(SAMPLE, V10, V15, 29, 24, decode_sample),
	NX(SAMPLE2, V10, V15, 38, 32, decode_sample2),
	NX(SAMPLE3, V10, V15, 41, 32, decode_sample2),
	NX(CONJUNCTION, V10, V15, 34, 16, decode_conjunction),
	NX_EXT(CT, V10, V15, 35, 24, decode_ct),
	NX_EXT(NAT, V10, V15, 36, 16, decode_refused),
	NX(OUTPUT_TRUNC, V10, V15, 39, 16, decode_output_trunc),
	NX_EXT(CLONE, V10, V15, 42, 16, decode_clone),
	NX(CT_CLEAR, V10, V15, 43, 16, decode_ct_clear),
	NX_EXT(ENCAP, V13, V15, 46, 16, decode_refused),
	NX_EXT(DECAP, V13, V15, 47, 16, decode_refused),
	NX(DEC_NSH_TTL, V13, V15, 48, 16, decode_refused),
	NX_EXT(CHECK_PKT_LARGER, V10, V15, 49, 24, decode_check_pkt_larger),
	NX(DELETE_FIELD, V10, V15, 50, 24, decode_delete_field),
};

#define N_ROWS (sizeof rows / sizeof rows[0])

static const struct action_row *row_from_number(uint32_t vendor, uint16_t number,
	enum ofp_version version)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct action_row *r = &rows[i];

		if (r->number == number && r->vendor == vendor && version >= r->first &&
			version <= r->last)
			return r;
	}
	return NULL;
}

enum ofp_error action_row_find(const struct cursor *at, enum ofp_version version,
	const struct action_row **row, size_t *header_len, size_t *lenp)
{
	struct cursor c = *at;
	uint16_t number = cursor_u16(&c);
	size_t len = cursor_u16(&c);
	uint32_t vendor = 0;

	if (cursor_left(at) < 8)
		return OFPBAC_BAD_LEN;
	if (number == OFPAT_EXPERIMENTER) {
		vendor = cursor_u32(&c);
		if (vendor != OFP_VENDOR_NICIRA && vendor != OFP_VENDOR_ONF)
			return OFPBAC_BAD_VENDOR;
		if (cursor_left(at) < 16)
			return OFPBAC_BAD_LEN;
		number = cursor_u16(&c);
	}
	*row = row_from_number(vendor, number, version);
	if (!*row)
		return vendor ? OFPBAC_BAD_VENDOR_TYPE : OFPBAC_BAD_TYPE;
	if (len > cursor_left(at) || len < (*row)->min_len || len % 8 ||
		(len > (*row)->min_len && !(*row)->extensible))
		return OFPBAC_BAD_LEN;
	*header_len = vendor ? 10 : 4;
	*lenp = len;
	return OFP_OK;
}

static const struct action_row *row_from_layout(enum layout layout, enum ofp_version version)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].layout == layout && version >= rows[i].first && version <= rows[i].last)
			return &rows[i];
	fatal("OpenFlow version %d lacks action layout %d", version, layout);
}

size_t action_begin(struct sbuf *out, enum ofp_version version, enum layout layout)
{
	const struct action_row *row = row_from_layout(layout, version);
	size_t start = out->len;

	put_u16(out, row->vendor ? OFPAT_EXPERIMENTER : row->number);
	put_u16(out, 0);
	if (row->vendor) {
		put_u32(out, row->vendor);
		put_u16(out, row->number);
	}
	return start;
}

void action_end(struct sbuf *out, size_t handle, enum ofp_version version, enum layout layout)
{
	size_t min_len = row_from_layout(layout, version)->min_len;

	if (out->len - handle < min_len)
		put_pad(out, min_len - (out->len - handle));
	put_align8(out, handle);
	put_u16_at(out, handle + 2, (uint16_t)(out->len - handle));
}

void action_put_void(struct sbuf *out, enum ofp_version version, enum layout layout)
{
	action_end(out, action_begin(out, version, layout), version, layout);
}

void action_put_arg(struct sbuf *out, enum ofp_version version, enum layout layout, size_t size,
	uint64_t arg)
{
	size_t start = action_begin(out, version, layout);
	be64 wire = htobe64(arg);

	put_pad(out, -(out->len - start) & (size - 1));
	sbuf_put(out, (const uint8_t *)&wire + 8 - size, size);
	action_end(out, start, version, layout);
}

uint64_t action_take_arg(struct action_in *in, size_t size)
{
	uint64_t arg = 0;

	cursor_align(&in->c, size);
	while (size-- > 0)
		arg = arg << 8 | cursor_u8(&in->c);
	return arg;
}
