/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The learn action's text, ovs-actions(7). Pure.
 */

#include "datapath/pipeline/act.h"

/* ARG: what stands inside "learn(...)" (modified). Appends to B. 0, or -EINVAL with *ERROR. */
int learn_parse(char *arg, const struct port_names *names, struct act_builder *b, char **error);
