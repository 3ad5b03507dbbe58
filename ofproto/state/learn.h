/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Learned flows: what a learn action wants becomes a flow; and the flows of a learn action with
 * delete_learned go when the last flow with that action does.
 *
 * Threads: control only.
 */

#include "datapath/pipeline/translate.h"
#include "ofproto/state/table.h"

/* Does what LEARNED says. *WRITTEN: the flow is there now (else: its limit was reached, or
 * refused). */
void of_learn(struct of_state *state, const struct xlate_learned *learned, bool *written);

/* Cookies and tables whose flows nobody stands for any more. */
struct of_learned_dead {
	VEC(struct of_learned_id) v;
};

struct of_learned_id {
	be64 cookie;
	uint8_t table_id;
};

void of_learned_dead_init(struct of_learned_dead *dead);
/* A flow with ACTIONS has come, or gone. */
void of_learned_ref(struct of_state *state, const struct pl_actions *actions);
void of_learned_unref(struct of_state *state, const struct pl_actions *actions,
	struct of_learned_dead *dead);
/* Deletes the flows of DEAD, and ends it. */
void of_learned_flush(struct of_state *state, struct of_learned_dead *dead);
void of_learned_uninit(struct of_state *state);
