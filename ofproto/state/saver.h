/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes a snapshot of several bridges in slices, each bridge as it was when it was added: a flow
 * that goes before its turn has come is written down on its way out. The file's format, by lines:
 *
 *     sluice-snapshot 2
 *     boot ID                      of the machine, so that no snapshot outlives a reboot
 *     bridge ID NAME               everything of a bridge but its flows: lines of snapshot.h, and
 *     port NUMBER NAME             OpenFlow numbers that ports have or had
 *     neigh BRIDGE ADDRESS MAC static|AGE
 *     flows ID                     the flows of a bridge: lines of snapshot.h
 *
 * All `flows` sections come last.
 *
 * Threads: control only. One saver at a time.
 */

#include "ofproto/state/table.h"

struct of_saver;

struct of_saver *of_saver_create(const char *boot);
void of_saver_destroy(struct of_saver *saver);
/* Adds the bridge of STATE. PORTS: name -> number (uintptr_t). */
void of_saver_add(struct of_saver *saver, const char *id, const struct of_state *state,
	const struct shash *ports);
/* Appends a line of what belongs to no bridge. After all bridges were added. */
struct sbuf *of_saver_rest(struct of_saver *saver);
/* Appends about a millisecond's worth to OUT; false when that was all. */
bool of_saver_step(struct of_saver *saver, struct sbuf *out);

/* For tables: RULE, whose saved_slot is set, leaves for good. */
void of_saver_rule_goes(struct of_rule *rule);
