/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/wire/oxm.h"

#include "lib/bitmap.h"
#include "ofproto/wire/oxm_entry.h"
#include "ofproto/wire/put.h"

#define CLASS_EXPERIMENTER 0xffff
#define HAS_MASK 0x100u

/* ------------------------------------------------------------------ reading */

static enum ofp_error header_take(struct cursor *c, struct oxm_entry *e)
{
	uint32_t header;
	unsigned int len, exp_len = 0;

	if (cursor_left(c) < 4)
		return OFPBMC_BAD_LEN;
	header = cursor_u32(c);
	e->experimenter = 0;
	if (header >> 16 == CLASS_EXPERIMENTER) {
		if (cursor_left(c) < 4)
			return OFPBMC_BAD_LEN;
		e->experimenter = cursor_u32(c);
		exp_len = 4;
	}
	len = header & 0xff;
	if (len < exp_len)
		return OFPBMC_BAD_LEN;
	e->header = header & ~0x1ffu;
	e->has_mask = header & HAS_MASK;
	e->payload_len = len - exp_len;
	e->width = e->has_mask ? e->payload_len / 2 : e->payload_len;
	e->field = field_from_header(e->header, e->experimenter);
	e->bad_len = e->field && !e->field->variable &&
		e->payload_len != e->field->n_bytes * (e->has_mask ? 2u : 1u);
	return OFP_OK;
}

static void value_copy(const struct field *f, const uint8_t *bytes, unsigned int width,
	union field_value *value)
{
	unsigned int len = oxm_value_len(f), n;

	/* Fewer bytes of a variable field are its low ones; of too many the first count, as with Open vSwitch. */
	if (!len)
		len = f->n_bytes;
	n = MIN(width, len);
	memset(value, 0, sizeof *value);
	memcpy(value->b + f->n_bytes - n, bytes, n);
}

enum ofp_error oxm_entry_take(struct cursor *c, struct oxm_entry *e)
{
	enum ofp_error error = header_take(c, e);
	const uint8_t *payload;

	if (error)
		return error;
	payload = cursor_take(c, e->payload_len);
	if (!payload)
		return OFPBMC_BAD_LEN;
	e->payload = payload;
	if (e->has_mask)
		for (unsigned int i = 0; i < e->width; i++)
			if (payload[i] & ~payload[e->width + i])
				return OFPBMC_BAD_WILDCARDS;
	if (!e->field || e->bad_len)
		return OFP_OK;

	value_copy(e->field, payload, e->width, &e->value);
	if (e->has_mask)
		value_copy(e->field, payload + e->width, e->width, &e->mask);
	else
		memset(&e->mask, 0xff, sizeof e->mask);
	return OFP_OK;
}

static bool tlv_unmapped(const struct field *f)
{
	return f->variable && !oxm_value_len(f);
}

enum ofp_error oxm_take_header(struct cursor *c, const struct field **field, bool *has_mask,
	unsigned int *payload_len)
{
	struct oxm_entry e;
	enum ofp_error error = header_take(c, &e);

	if (error)
		return error;
	if (!e.field || e.bad_len)
		return OFPBMC_BAD_FIELD;
	if (tlv_unmapped(e.field))
		return NXFMFC_INVALID_TLV_FIELD;
	if (e.has_mask && !has_mask)
		return OFPBMC_BAD_MASK;
	if (has_mask)
		*has_mask = e.has_mask;
	if (payload_len)
		*payload_len = e.payload_len;
	*field = e.field;
	return OFP_OK;
}

enum ofp_error oxm_take_entry(struct cursor *c, const struct field **field, union field_value *value,
	union field_value *mask)
{
	struct oxm_entry e;
	struct cursor peek = *c;
	enum ofp_error error = header_take(&peek, &e);

	if (error)
		return error;
	/* As in Open vSwitch: a header without a value names no field, if its length is fixed. */
	if (!e.field || (!e.width && !e.field->variable))
		return OFPBAC_BAD_SET_TYPE;
	if (e.bad_len)
		return OFPBAC_BAD_SET_LEN;
	if (tlv_unmapped(e.field))
		return NXFMFC_INVALID_TLV_FIELD;
	error = oxm_entry_take(c, &e);
	if (error)
		return error;
	if (e.has_mask && !mask)
		return OFPBMC_BAD_MASK;
	*field = e.field;
	*value = e.value;
	if (mask)
		*mask = e.mask;
	return OFP_OK;
}

enum ofp_error oxm_decode_field_array(struct cursor *c, struct flow *mask, unsigned long *fields)
{
	while (cursor_left(c)) {
		struct oxm_entry e;
		enum ofp_error error = oxm_entry_take(c, &e);

		if (error)
			return error;
		if (e.has_mask)
			return OFPBMC_BAD_MASK;
		if (!e.field || e.bad_len)
			return OFPBMC_BAD_FIELD;
		if (bitmap_is_set(fields, e.field->id))
			return OFPBMC_DUP_FIELD;
		if (!oxm_mask_valid(e.field, &e.value))
			return OFPBMC_BAD_MASK;
		bitmap_set(fields, e.field->id);
		field_unwildcard_masked(e.field, &e.value, mask);
	}
	return OFP_OK;
}

bool oxm_mask_valid(const struct field *f, const union field_value *mask)
{
	unsigned int zeros = 0, ones = 0;

	if (f->maskable)
		return true;
	for (unsigned int i = 0; i < f->n_bytes; i++) {
		zeros += mask->b[i] == 0;
		ones += mask->b[i] == 0xff;
	}
	return zeros == f->n_bytes || ones == f->n_bytes;
}

/* ------------------------------------------------------------------ writing */

/* FIELD's header in VERSION (0: NXM): its own number if it has one there, else Nicira's. */
static uint32_t header_for(const struct field *f, enum ofp_version version, uint32_t *experimenter)
{
	bool own = f->oxm_name && (!f->nxm_name || (version && f->oxm_version &&
							   version >= f->oxm_version));

	*experimenter = 0;
	if (!own)
		return f->nxm_header;
	if (version >= OFP15_VERSION && f->oxm15_name)
		return f->oxm15_header;
	*experimenter = f->oxm_experimenter;
	return f->oxm_header;
}

bool oxm_field_in_version(const struct field *f, enum ofp_version version)
{
	return f->nxm_name || (f->oxm_name && f->oxm_version && version >= f->oxm_version);
}

unsigned int oxm_value_len(const struct field *f)
{
	const struct field_tlv_map *map;

	if (!f->variable)
		return f->n_bytes;
	map = field_tlv_current();
	return map ? map->opts[f->id - FIELD_TUN_METADATA0].len : 0;
}

size_t oxm_header_len(const struct field *f, enum ofp_version version)
{
	uint32_t experimenter;

	header_for(f, version, &experimenter);
	return experimenter ? 8 : 4;
}

void oxm_put_header(struct sbuf *out, const struct field *f, enum ofp_version version, bool has_mask)
{
	uint32_t experimenter;
	uint32_t header = header_for(f, version, &experimenter);
	uint32_t len = oxm_value_len(f) * (has_mask ? 2 : 1) + (experimenter ? 4 : 0);

	put_u32(out, header | (has_mask ? HAS_MASK : 0) | len);
	if (experimenter)
		put_u32(out, experimenter);
}

void oxm_put_entry(struct sbuf *out, const struct field *f, enum ofp_version version,
	const union field_value *value, const union field_value *mask)
{
	unsigned int len = oxm_value_len(f);
	unsigned int skip = f->n_bytes - len;
	bool masked = false;

	for (unsigned int i = skip; mask && i < f->n_bytes; i++)
		masked |= mask->b[i] != 0xff;
	oxm_put_header(out, f, version, masked);
	sbuf_put(out, value->b + skip, len);
	if (masked)
		sbuf_put(out, mask->b + skip, len);
}

void oxm_put_field_array(struct sbuf *out, enum ofp_version version, const struct flow *mask,
	const unsigned long *fields)
{
	for (enum field_id id = FIELD_NONE + 1; id < FIELD_N_IDS; id++) {
		const struct field *f = field_from_id(id);
		union field_value value;

		if (!bitmap_is_set(fields, id))
			continue;
		field_get(f, mask, &value);
		if (field_is_all_exact(f, mask))
			memset(&value, 0xff, f->n_bytes);
		oxm_put_entry(out, f, version, &value, NULL);
	}
}
