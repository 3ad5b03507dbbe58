/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A bridge's tables as lines of text, so that a restart can put them back with their counts and
 * ages. One line an object, the word first:
 *
 *     tlv CLASS TYPE LEN INDEX            a Geneve option
 *     meter HEX                           an OpenFlow 1.5 meter_mod
 *     group CREATED HEX                   an OpenFlow 1.5 group_mod
 *     flow PACKETS BYTES CREATED MODIFIED USED TEXT    TEXT in ovs-ofctl's syntax
 *     mac PORT VLAN MAC static|AGE        an entry of the forwarding database
 *
 * CREATED, MODIFIED, USED and AGE are how long ago, in milliseconds.
 *
 * Threads: control only.
 */

#include "lib/sbuf.h"
#include "ofproto/state/table.h"

/* Everything but the flows, which take long; one flow. */
void of_snapshot_put_rest(const struct of_state *state, struct sbuf *s, int64_t now_ms);
void of_snapshot_put_rule(const struct of_rule *rule, struct sbuf *s, int64_t now_ms);
/* Does what LINE (modified) says. 0, or -EINVAL with a line in *ERROR (caller frees). */
int of_snapshot_take(struct of_state *state, char *line, char **error);
