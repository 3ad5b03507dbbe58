/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A flow between a snapshot's text and the tables: parsed, but small (only the words of the match
 * that say something), so that another thread can parse a hundred thousand of them before control
 * puts them in (loader.h). A record is 8-byte aligned and `len` bytes long.
 *
 * saved_flow_parse() is pure, any thread; saved_flow_stage() is control's.
 */

#include "lib/sbuf.h"
#include "ofproto/state/txn.h"

struct saved_flow {
	uint32_t len;
	uint32_t acts_len;
	uint64_t packets, bytes;
	int64_t created_ms, modified_ms, used_ms;	/* How long ago. */
	be64 cookie;
	uint64_t words[2];	/* Which words of flow and mask follow. */
	uint16_t priority;
	uint16_t idle_timeout, hard_timeout, importance;
	uint16_t flags;
	uint8_t table_id;
	uint64_t data[];	/* Words of the flow, of the mask; actions. */
};

/* Appends the flow of TEXT ("PACKETS BYTES CREATED MODIFIED USED FLOW") to OUT. 0, or -EINVAL with
 * a line in *ERROR (caller frees). */
int saved_flow_parse(const char *text, struct sbuf *out, char **error);
/* Stages FLOW as it was, with its counts and ages as of NOW_MS. */
enum ofp_error saved_flow_stage(struct of_txn *txn, const struct saved_flow *flow, int64_t now_ms);
