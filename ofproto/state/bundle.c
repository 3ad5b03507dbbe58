/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/bundle.h"

#include <stdlib.h>

#include "lib/fatal.h"
#include "lib/hash.h"

static int64_t idle_ms = OF_BUNDLE_IDLE_S * 1000;

void of_bundles_set_idle(uint32_t seconds)
{
	idle_ms = (int64_t)(seconds ? seconds : 1) * 1000;
}

void of_bundles_init(struct hmap *bundles)
{
	hmap_init(bundles);
}

void of_bundle_destroy(struct hmap *bundles, struct of_bundle *bundle)
{
	hmap_remove(bundles, &bundle->node);
	sbuf_uninit(&bundle->opener);
	sbuf_uninit(&bundle->bytes);
	vec_uninit(&bundle->messages);
	free(bundle);
}

void of_bundles_uninit(struct hmap *bundles)
{
	struct of_bundle *bundle;

	HMAP_FOR_EACH_SAFE (bundle, node, bundles)
		of_bundle_destroy(bundles, bundle);
	hmap_uninit(bundles);
}

int64_t of_bundles_expire(struct hmap *bundles, int64_t now_ms, struct sbuf *out)
{
	struct of_bundle *bundle;
	int64_t wait = -1;

	HMAP_FOR_EACH_SAFE (bundle, node, bundles) {
		int64_t left = bundle->used_ms + idle_ms - now_ms;

		if (left <= 0) {
			error_encode(OFPBFC_TIMEOUT, bundle->opener.data, bundle->opener.len, out);
			of_bundle_destroy(bundles, bundle);
		} else if (wait < 0 || left < wait) {
			wait = left;
		}
	}
	return wait;
}

struct of_bundle *of_bundle_find(const struct hmap *bundles, uint32_t id)
{
	struct of_bundle *bundle;

	HMAP_FOR_EACH_WITH_HASH (bundle, node, hash_u32(id, 0), bundles)
		if (bundle->id == id)
			return bundle;
	return NULL;
}

static struct of_bundle *bundle_create(struct hmap *bundles, uint32_t id, uint16_t flags,
	const struct msg *msg, int64_t now_ms)
{
	struct of_bundle *bundle;

	if (hmap_count(bundles) >= OF_MAX_BUNDLES)
		return NULL;
	bundle = xcalloc(1, sizeof *bundle);
	bundle->id = id;
	bundle->flags = flags;
	bundle->used_ms = now_ms;
	sbuf_put(&bundle->opener, msg->data, msg->len);
	hmap_insert(bundles, &bundle->node, hash_u32(id, 0));
	return bundle;
}

enum ofp_error of_bundle_open(
	struct hmap *bundles, uint32_t id, uint16_t flags, const struct msg *msg, int64_t now_ms)
{
	struct of_bundle *bundle = of_bundle_find(bundles, id);

	if (bundle) {
		of_bundle_destroy(bundles, bundle);
		return OFPBFC_BAD_ID;
	}
	return bundle_create(bundles, id, flags, msg, now_ms) ? OFP_OK : OFPBFC_OUT_OF_BUNDLES;
}

enum ofp_error of_bundle_close(struct hmap *bundles, uint32_t id, uint16_t flags, int64_t now_ms)
{
	struct of_bundle *bundle = of_bundle_find(bundles, id);
	enum ofp_error error;

	if (!bundle)
		return OFPBFC_BAD_ID;
	error = bundle->closed ? OFPBFC_BUNDLE_CLOSED :
		bundle->flags != flags ? OFPBFC_BAD_FLAGS : OFP_OK;
	if (error) {
		of_bundle_destroy(bundles, bundle);
		return error;
	}
	bundle->used_ms = now_ms;
	bundle->closed = true;
	return OFP_OK;
}

enum ofp_error of_bundle_discard(struct hmap *bundles, uint32_t id)
{
	struct of_bundle *bundle = of_bundle_find(bundles, id);

	if (!bundle)
		return OFPBFC_BAD_ID;
	of_bundle_destroy(bundles, bundle);
	return OFP_OK;
}

enum ofp_error of_bundle_add(
	struct hmap *bundles, const struct bundle_add *add, const struct msg *msg, int64_t now_ms)
{
	struct of_bundle *bundle = of_bundle_find(bundles, add->bundle_id);
	enum ofp_error error;

	if (!bundle) {
		bundle = bundle_create(bundles, add->bundle_id, add->flags, msg, now_ms);
		if (!bundle)
			return OFPBFC_OUT_OF_BUNDLES;
	}
	error = bundle->closed ? OFPBFC_BUNDLE_CLOSED :
		bundle->flags != add->flags ? OFPBFC_BAD_FLAGS :
		bundle->bytes.len + msg->len > OF_MAX_BUNDLE_BYTES ? OFPBFC_MSG_TOO_MANY : OFP_OK;
	if (error) {
		of_bundle_destroy(bundles, bundle);
		return error;
	}
	bundle->used_ms = now_ms;
	vec_push(&bundle->messages, bundle->bytes.len);
	sbuf_put(&bundle->bytes, msg->data, msg->len);
	return OFP_OK;
}
