/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads a snapshot that saver.h wrote, in a thread of its own that parses ahead while the rest of
 * the daemon starts. The thread owns what it reads until control asks for it; control waits for
 * what is not parsed yet. Lines that are refused are logged and left out: the rest is worth having.
 *
 * Threads: control only, beside the loader's own.
 */

#include "ofproto/state/table.h"

struct of_loader;

/* Starts to read FILE. NULL if there is none, it is of another format or of another BOOT. */
struct of_loader *of_loader_create(const char *file, const char *boot);
/* Waits for the thread. NULL is fine. */
void of_loader_destroy(struct of_loader *loader);

/* Adds the ports of bridge ID to PORTS (name -> number), unless they have numbers there. False: the
 * snapshot has no such bridge. */
bool of_loader_get_ports(struct of_loader *loader, const char *id, struct shash *ports);
/* Puts all that bridge ID had into STATE, whose flows are to be flushed before. Returns the number
 * of flows. */
size_t of_loader_restore(struct of_loader *loader, const char *id, struct of_state *state);
/* Lines of what belongs to no bridge ("neigh ..."), NULL-terminated. */
char *const *of_loader_rest(struct of_loader *loader);
