/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * bond/list, bond/show and what would change bonds. Every bond runs as active-backup: the first of its
 * interfaces that is usable carries the traffic, whatever bond_mode says.
 *
 * Control thread only.
 */

void commands_bond_init(void);
