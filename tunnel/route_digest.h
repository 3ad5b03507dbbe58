/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether another table decides otherwise. A device that comes up brings a link-local address and routes of
 * its link, which say nothing about destinations anywhere else: hosts have such news with each virtual
 * machine, and tunnels need not hear of it. Pure.
 */

#include <stdint.h>

struct route_table;

/* Control. The same number as before: whatever is not of link scope is decided as before (but for one chance in
 * 2^64). TABLE is finished. */
uint64_t route_digest(const struct route_table *table);
