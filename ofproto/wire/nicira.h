/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Small Nicira messages: session settings, TLV (Geneve option) table, connection tracking flush. Pure
 * functions, any thread.
 */

#include "lib/flow.h"
#include "lib/vec.h"
#include "ofproto/wire/msg.h"
#include "ofproto/wire/packet_in.h"

/* NXT_SET_FLOW_FORMAT (1.0): OFPBRC_EPERM for unknown ones. */
enum ofp_error flow_format_decode(const struct msg *msg, bool *nxm);
/* NXT_FLOW_MOD_TABLE_ID. */
enum ofp_error flow_mod_table_id_decode(const struct msg *msg, bool *on);
/* NXT_SET_PACKET_IN_FORMAT. */
enum ofp_error packet_in_format_decode(const struct msg *msg, enum packet_in_format *format);
/* NXT_SET_CONTROLLER_ID. */
enum ofp_error controller_id_decode(const struct msg *msg, uint16_t *id);

enum tlv_table_command {
	TLV_TABLE_ADD,
	TLV_TABLE_DELETE,
	TLV_TABLE_CLEAR,
};

struct tlv_mapping {
	uint16_t class;		/* Geneve option class. */
	uint8_t type;
	uint8_t len;		/* Bytes of data: 4 to 124. */
	uint16_t index;		/* tun_metadata field number. */
};

struct tlv_table_mod {
	uint16_t command;	/* enum tlv_table_command. */
	VEC(struct tlv_mapping) mappings;	/* Owned. */
};
/* NXTTMFC_BAD_OPT_LEN, _BAD_FIELD_IDX, ... */
enum ofp_error tlv_table_mod_decode(const struct msg *msg, struct tlv_table_mod *tm);
void tlv_table_mod_uninit(struct tlv_table_mod *tm);
/* Reply to OFPTYPE_TLV_TABLE_REQUEST. */
void tlv_table_encode(const struct msg *request, uint32_t max_option_space, uint16_t max_fields,
	const struct tlv_mapping *mappings, size_t n, struct sbuf *out);

/* NXT_CT_FLUSH and NXT_CT_FLUSH_ZONE: the zone, -1 all. */
enum ofp_error ct_flush_decode(const struct msg *msg, int *zone);
