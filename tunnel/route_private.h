/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Between route.c and route_command.c. Control. */

#include <stdbool.h>

struct route_entry;
struct route_table;

/* By this a manual route and one of the kernel's compare: the higher is taken. */
int route_priority(const struct route_entry *e);

/* What is published now; NULL: nothing. */
const struct route_table *route_current(void);
/* Publishes the kernel's state with the manual routes of now. True if anything is new. */
bool route_publish(void);
/* The manual routes join TABLE, which is not finished yet. */
void route_manual_join(struct route_table *table);
void route_manual_clear(void);
