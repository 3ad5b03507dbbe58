/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Hello and version negotiation (OpenFlow 1.3.5, 6.3.1 and 7.5.1). Pure functions, any thread.
 */

#include "ofproto/wire/msg.h"

/* Hello that offers VERSIONS (a set of OFP_VERSION_BITs, not empty): the highest one in the header, and
 * a bitmap element if there are others that the header does not imply. */
void hello_encode(uint32_t versions, be32 xid, struct sbuf *out);
/* The set of versions MSG (of type OFPTYPE_HELLO) offers. Bad elements are skipped (*WARN is then set);
 * never empty. */
void hello_decode(const struct msg *msg, uint32_t *versions, bool *warn);
/* Highest common version; 0 if none. */
enum ofp_version hello_negotiate(uint32_t ours, uint32_t theirs);
