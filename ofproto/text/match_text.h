/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Matches and flows in the syntax of ovs-ofctl(8) and ovs-fields(7): "tcp,in_port=1,tp_dst=80".
 * Printed in the order and words of Open vSwitch, so that tools may compare. Pure functions.
 */

#include "lib/field.h"
#include "lib/flow.h"
#include "lib/sbuf.h"

#define MATCH_DEFAULT_PRIORITY 32768

/* "priority=5,ip,nw_src=10.0.0.1"; the priority is left out if it is MATCH_DEFAULT_PRIORITY (pass
 * that for none). */
void match_format(const struct match *match, int priority, const struct port_names *names,
	struct sbuf *s);
/* FLOW as a match on all its fields that are not zero (ofproto/trace's "Flow:" line). */
void flow_format(const struct flow *flow, const struct port_names *names, struct sbuf *s);

/* One "key" or "key=value" of a match: adds it to MATCH. 1: it was one; 0: KEY is no match field or
 * protocol name; -EINVAL with one line in *ERROR (caller frees). VALUE is NULL for a bare key. */
int match_parse_key(struct match *match, const char *key, const char *value,
	const struct port_names *names, char **error);
/* A whole flow as for ofproto/trace: "in_port=1,tcp,dl_src=...". 0 or -EINVAL with *ERROR. */
int flow_parse(struct flow *flow, const char *text, const struct port_names *names, char **error);

/* Cuts the next "key" or "key=value" (or "key(value)") off *TEXT: separators are commas and white
 * space outside parentheses. Writes NULs into the text. False at the end. *VALUE is NULL if there is
 * none. */
bool text_next_key_value(char **text, char **key, char **value);
