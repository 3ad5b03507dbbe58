/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A packet that has the fields of a flow: for ofproto/trace -generate. Pure functions.
 */

#include "lib/flow.h"
#include "lib/sbuf.h"

/* Puts a frame with FLOW's fields into FRAME, with L7_LEN bytes of payload where the protocol has one: L7's,
 * or if that is NULL some pattern. Checksums are right. */
void flow_compose(const struct flow *flow, const void *l7, size_t l7_len, struct sbuf *frame);
