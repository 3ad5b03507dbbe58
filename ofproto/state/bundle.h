/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bundles under way (OpenFlow 1.4, 6.9): messages kept as they came, each checked when it was
 * added, to be done all at once. They belong to a session and go with it, when they are committed,
 * or when nothing was added for a while.
 *
 * Threads: control only.
 */

#include "lib/hmap.h"
#include "lib/sbuf.h"
#include "lib/vec.h"
#include "ofproto/wire/bundle.h"

#define OF_BUNDLE_IDLE_S 10u			/* If nothing else is said. */
#define OF_MAX_BUNDLES 64			/* A session. */
#define OF_MAX_BUNDLE_BYTES (512u * 1024 * 1024)	/* A bundle: a few million messages. */

struct of_bundle {
	struct hmap_node node;
	uint32_t id;
	uint16_t flags;		/* OFPBF_*. */
	bool closed;
	int64_t used_ms;
	struct sbuf opener;	/* The message it began with. */
	struct sbuf bytes;	/* The bundle-add messages, one after the other. */
	VEC(size_t) messages;	/* Where each begins. */
};

void of_bundles_init(struct hmap *bundles);
void of_bundles_uninit(struct hmap *bundles);
/* How long they are kept when nobody goes on with them: at least 1 s. The same for all sessions. */
void of_bundles_set_idle(uint32_t seconds);
/* Ends those that nobody touched for that long: their errors go to OUT. Returns ms until the next one,
 * -1 none. */
int64_t of_bundles_expire(struct hmap *bundles, int64_t now_ms, struct sbuf *out);

struct of_bundle *of_bundle_find(const struct hmap *bundles, uint32_t id);
/* OFPBFC_BAD_ID (and the one there is goes), OFPBFC_OUT_OF_BUNDLES. */
enum ofp_error of_bundle_open(
	struct hmap *bundles, uint32_t id, uint16_t flags, const struct msg *msg, int64_t now_ms);
/* The errors that end the bundle: OFPBFC_BUNDLE_CLOSED, _BAD_FLAGS. */
enum ofp_error of_bundle_close(struct hmap *bundles, uint32_t id, uint16_t flags, int64_t now_ms);
enum ofp_error of_bundle_discard(struct hmap *bundles, uint32_t id);
/* Adds MSG, opening the bundle if need be. */
enum ofp_error of_bundle_add(
	struct hmap *bundles, const struct bundle_add *add, const struct msg *msg, int64_t now_ms);
void of_bundle_destroy(struct hmap *bundles, struct of_bundle *bundle);
