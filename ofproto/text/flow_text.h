/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whole flows in ovs-ofctl's syntax: "table=1,priority=5,ip,actions=resubmit(,2)". Pure functions.
 */

#include "lib/field.h"
#include "ofproto/wire/flow_mod.h"

/* Parses TEXT as `ovs-ofctl add-flow` does, into an add. FM need not be initialised; after success it
 * is to be uninitialised. 0, or -EINVAL with one line in *ERROR (caller frees). */
int flow_text_parse(const char *text, const struct port_names *names, struct flow_mod *fm,
	char **error);
