/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Matches on the wire: NXM (Nicira extended match, OpenFlow 1.0), OXM (1.2+), OpenFlow 1.0's and 1.1's
 * fixed structs; and single fields as actions carry them. Fields come from lib/field.h.
 *
 * Decoders refuse with the errors Open vSwitch gives: unknown fields (OFPBMC_BAD_FIELD, unless
 * `loose`), values and masks out of range, duplicates, missing prerequisites. Encoders write fields in
 * the order in which Open vSwitch 3.1 writes them, for tools show the bytes.
 *
 * tun_metadata fields go through the thread's TLV map (field_tlv_use()).
 *
 * Pure functions, any thread.
 */

#include "lib/cursor.h"
#include "lib/field.h"
#include "ofproto/wire/error.h"

/*
 * NXM: TLVs that fill C. COOKIE and COOKIE_MASK get the pseudo field NXM_NX_COOKIE (zeros if absent);
 * NULL where it isn't allowed. LOOSE: unknown fields are skipped and prerequisites not asked for
 * (packet metadata).
 */
enum ofp_error nxm_decode_match(struct cursor *c, bool loose, struct match *match, be64 *cookie,
	be64 *cookie_mask);
/* NXM TLVs of MATCH with cookie (mask 0: none), unpadded; returns their length. */
size_t nxm_put_match(struct sbuf *out, const struct match *match, be64 cookie, be64 cookie_mask);

/* OpenFlow 1.1+ ofp_match with header, padded to 8: OXM or (version 1.1, and as OVS in all) the standard
 * struct. LOOSE as above. */
enum ofp_error oxm_decode_match(struct cursor *c, enum ofp_version version, bool loose,
	struct match *match);
void oxm_put_match(struct sbuf *out, const struct match *match, enum ofp_version version);
/* Only the TLVs, unpadded, without the header; returns their length. */
size_t oxm_put_tlvs(struct sbuf *out, const struct match *match, enum ofp_version version);
/* TLVs alone that fill C. */
enum ofp_error oxm_decode_tlvs(struct cursor *c, bool loose, struct match *match);

/* OpenFlow 1.0's 40-byte ofp_match, normalised: fields without their prerequisites are dropped. */
#define OFP10_MATCH_LEN 40
enum ofp_error ofp10_decode_match(struct cursor *c, struct match *match);
void ofp10_put_match(struct sbuf *out, const struct match *match);
/* OpenFlow 1.0's struct says all of MATCH; else a flow needs NXM. */
bool ofp10_match_fits(const struct match *match);

/* OpenFlow 1.1's 88-byte ofp_match (with its type and length). */
#define OFP11_MATCH_LEN 88
enum ofp_error ofp11_decode_match(struct cursor *c, struct match *match);
void ofp11_put_match(struct sbuf *out, const struct match *match);
bool ofp11_match_fits(const struct match *match);

/* One field's header (class, field, has-mask, length; 4 or 8 bytes). HAS_MASK may be NULL: then a mask
 * bit is refused (OFPBMC_BAD_MASK). PAYLOAD_LEN (may be NULL) gets the length behind the header. */
enum ofp_error oxm_take_header(struct cursor *c, const struct field **field, bool *has_mask,
	unsigned int *payload_len);
/* As VERSION writes it (0: NXM). */
void oxm_put_header(struct sbuf *out, const struct field *field, enum ofp_version version,
	bool has_mask);
/* Header with its value and mask (all ones if it has none; MASK NULL: one is refused with
 * OFPBMC_BAD_MASK), for set_field and its like: unknown fields, and no value, are OFPBAC_BAD_SET_TYPE,
 * wrong lengths OFPBAC_BAD_SET_LEN. */
enum ofp_error oxm_take_entry(struct cursor *c, const struct field **field, union field_value *value,
	union field_value *mask);
/* MASK NULL or all ones: without mask. */
void oxm_put_entry(struct sbuf *out, const struct field *field, enum ofp_version version,
	const union field_value *value, const union field_value *mask);
/* Bytes oxm_put_header() puts. */
size_t oxm_header_len(const struct field *field, enum ofp_version version);
/* FIELD's bytes on the wire: n_bytes, or what its TLV mapping says. */
unsigned int oxm_value_len(const struct field *field);

/* A set of fields with values as masks (group selection fields): TLVs that fill C. */
enum ofp_error oxm_decode_field_array(struct cursor *c, struct flow *mask, unsigned long *fields);
void oxm_put_field_array(struct sbuf *out, enum ofp_version version, const struct flow *mask,
	const unsigned long *fields);
#define OXM_FIELDS_LONGS ((FIELD_N_IDS + 63) / 64)

/* FIELD has a number in VERSION's own vocabulary or as an extension there. */
bool oxm_field_in_version(const struct field *field, enum ofp_version version);
