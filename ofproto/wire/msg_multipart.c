/* SPDX-License-Identifier: Apache-2.0 */

#include <stdlib.h>

#include "lib/fatal.h"
#include "ofproto/wire/msg_table.h"

/* ------------------------------------------------------------------ replies */

static size_t reply_header_len(const struct mp_reply *mp)
{
	return msg_row_header_len(msg_row_from_type(mp->version, mp->type, mp->family), mp->version);
}

void mp_begin(struct mp_reply *mp, struct sbuf *out, const struct msg *request)
{
	mp_begin_async(mp, out, request->version, ofp_type_reply(request->type), request->family,
		request->xid);
}

void mp_begin_async(struct mp_reply *mp, struct sbuf *out, enum ofp_version version,
	enum ofp_type reply, enum msg_family family, be32 xid)
{
	*mp = (struct mp_reply){.out = out, .version = version, .type = reply, .family = family,
		.xid = xid};
	mp->start = mp->entry = msg_begin(out, version, reply, family, xid);
}

void mp_entry_begin(struct mp_reply *mp)
{
	mp->entry = mp->out->len;
}

void mp_entry_end(struct mp_reply *mp)
{
	size_t header = reply_header_len(mp);
	size_t entry_len = mp->out->len - mp->entry;
	uint8_t flags_ofs = 10;

	if (mp->out->len - mp->start <= OFP_MAX_MSG_LEN)
		return;
	/* An entry that no message can hold is left out. */
	if (header + entry_len > OFP_MAX_MSG_LEN || mp->entry - mp->start <= header) {
		sbuf_truncate(mp->out, mp->entry);
		return;
	}
	put_u16_at(mp->out, mp->start + flags_ofs, MSG_MP_MORE);
	put_u16_at(mp->out, mp->start + 2, (uint16_t)(mp->entry - mp->start));

	/* The entry moves up behind a second header. */
	sbuf_put_zeros(mp->out, header);
	memmove(mp->out->data + mp->entry + header, mp->out->data + mp->entry, entry_len);
	memcpy(mp->out->data + mp->entry, mp->out->data + mp->start, header);
	put_u16_at(mp->out, mp->entry + flags_ofs, 0);
	mp->start = mp->entry;
}

void mp_end(struct mp_reply *mp)
{
	msg_end(mp->out, mp->start);
}

/* ------------------------------------------------------------------ requests */

#define PARTIAL_MAX_BYTES (4u << 20)	/* Table features of all tables may be over a megabyte. */
#define PARTIAL_MAX 32
#define PARTIAL_TIMEOUT_MS 1000

struct mp_partial {
	struct list node;
	be32 xid;
	enum ofp_type type;
	enum msg_family family;
	enum ofp_version version;
	int64_t deadline;
	size_t header_len;
	size_t first_len;	/* Of the first part, headers included. */
	bool several;		/* More than one part has a body. */
	struct sbuf bytes;	/* Headers of the first part, then all bodies. */
};

void mp_assembler_init(struct mp_assembler *a)
{
	list_init(&a->partials);
	a->n_partials = 0;
}

static void partial_destroy(struct mp_assembler *a, struct mp_partial *p)
{
	list_remove(&p->node);
	a->n_partials--;
	sbuf_uninit(&p->bytes);
	free(p);
}

void mp_assembler_uninit(struct mp_assembler *a)
{
	struct mp_partial *p;

	LIST_FOR_EACH_SAFE (p, node, &a->partials)
		partial_destroy(a, p);
}

static struct mp_partial *partial_find(struct mp_assembler *a, be32 xid)
{
	struct mp_partial *p;

	LIST_FOR_EACH (p, node, &a->partials)
		if (p->xid == xid)
			return p;
	return NULL;
}

static struct mp_partial *partial_create(struct mp_assembler *a, const struct msg *msg)
{
	struct mp_partial *p = xcalloc(1, sizeof *p);

	p->xid = msg->xid;
	p->type = msg->type;
	p->family = msg->family;
	p->version = msg->version;
	p->header_len = (size_t)(msg->body.pos - msg->data);
	p->first_len = msg->len;
	sbuf_put(&p->bytes, msg->data, msg->len);
	list_push_back(&a->partials, &p->node);
	a->n_partials++;
	return p;
}

/* A part without body only says that it is the last. */
static void partial_add(struct mp_partial *p, const struct msg *msg)
{
	if (cursor_left(&msg->body))
		p->several = true;
	sbuf_put(&p->bytes, msg->body.pos, cursor_left(&msg->body));
}

/* Of the parts but the last one, which LAST is. */
static enum ofp_error partial_finish(struct mp_assembler *a, struct mp_partial *p,
	const struct msg *last, struct msg_whole *whole)
{
	bool refused = p->several && p->type != OFPTYPE_TABLE_FEATURES_REQUEST;

	*whole = (struct msg_whole){.msg = *last, .bytes = p->bytes};
	if (refused)
		sbuf_truncate(&whole->bytes, p->first_len);
	p->bytes = (struct sbuf)SBUF_INITIALIZER;
	whole->msg.mp_flags = 0;
	whole->msg.data = (const uint8_t *)whole->bytes.data;
	whole->msg.len = whole->bytes.len;
	cursor_init(&whole->msg.body, whole->bytes.data + p->header_len,
		whole->bytes.len - p->header_len);
	partial_destroy(a, p);
	return refused ? OFPBRC_BAD_STAT : OFP_OK;
}

enum ofp_error mp_assembler_put(struct mp_assembler *a, const struct msg *msg, int64_t now_ms,
	struct msg_whole *whole, bool *done)
{
	bool more = msg->version >= OFP13_VERSION && msg->mp_flags & MSG_MP_MORE;
	struct mp_partial *p = partial_find(a, msg->xid);
	enum ofp_error error = OFP_OK;

	*done = false;
	*whole = (struct msg_whole){.msg = *msg, .bytes = SBUF_INITIALIZER};
	if (p && (p->type != msg->type || p->family != msg->family ||
		p->version != msg->version)) {
		partial_destroy(a, p);
		return OFPBRC_BAD_STAT;
	}
	if (p && p->bytes.len + cursor_left(&msg->body) > PARTIAL_MAX_BYTES) {
		partial_destroy(a, p);
		return OFPBRC_MULTIPART_BUFFER_OVERFLOW;
	}
	/* Parts are whole entries, or nothing. */
	if (cursor_left(&msg->body) && !msg_body_len_ok(msg))
		return OFPBRC_BAD_LEN;
	if (p) {
		partial_add(p, msg);
	} else if (more) {
		if (a->n_partials >= PARTIAL_MAX)
			return OFPBRC_MULTIPART_BUFFER_OVERFLOW;
		p = partial_create(a, msg);
	}
	if (more) {
		p->deadline = now_ms + PARTIAL_TIMEOUT_MS;
		return OFP_OK;
	}

	if (p)
		error = partial_finish(a, p, msg, whole);
	if (!error && !msg_body_len_ok(&whole->msg))
		error = OFPBRC_BAD_LEN;
	*done = !error;
	return error;
}

void msg_whole_uninit(struct msg_whole *whole)
{
	sbuf_uninit(&whole->bytes);
}

int64_t mp_assembler_run(struct mp_assembler *a, int64_t now_ms, struct sbuf *out)
{
	int64_t next = INT64_MAX;
	struct mp_partial *p;

	LIST_FOR_EACH_SAFE (p, node, &a->partials) {
		if (now_ms < p->deadline) {
			next = p->deadline < next ? p->deadline : next;
			continue;
		}
		error_encode(OFPBRC_MULTIPART_REQUEST_TIMEOUT, p->bytes.data, p->header_len, out);
		partial_destroy(a, p);
	}
	return next;
}
