/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Actions and instructions in the syntax of ovs-actions(7): "mod_vlan_vid:5,resubmit(,2)". Printed as
 * Open vSwitch prints them. Pure functions.
 */

#include "datapath/pipeline/act.h"

/* "drop" for an empty list. */
void act_list_format(const struct act *acts, size_t len, const struct port_names *names,
	struct sbuf *s);

/* Parses TEXT (modified) and appends to B. 0, or -EINVAL with one line in *ERROR (caller frees)
 * naming the action and what was expected. */
int act_list_parse(char *text, const struct port_names *names, struct act_builder *b, char **error);
