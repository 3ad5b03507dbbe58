/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Matches and flows of a small world by chance: masks out of few, so that subtables fill up; values out
 * of few, so that packets match. The same seed gives the same world. For tests of the classifier.
 */

#include "lib/flow.h"

extern uint64_t cls_rng_state;	/* The seed. */

/* 0 to N - 1. */
uint32_t cls_rnd(uint32_t n);
void cls_random_flow(struct flow *flow);
void cls_random_match(struct match *match);
