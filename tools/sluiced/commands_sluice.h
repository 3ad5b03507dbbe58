/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Control-socket commands that Open vSwitch does not have: what sluicectl asks. Answers are JSON, so that
 * scripts need not parse tables.
 */

/* sluice/show, sluice/add-flow, sluice/drops. */
void commands_sluice_init(void);
