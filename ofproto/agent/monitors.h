/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A session's flow monitors; what is done with them is in monitor.h.
 *
 * Threads: control only.
 */

#include "lib/hmap.h"
#include "lib/sbuf.h"
#include "ofproto/wire/monitor.h"

struct of_monitor {
	struct hmap_node node;		/* In the session's monitors. */
	struct monitor_request request;
};

/* A session's monitors and what it has still to be told. */
struct of_monitors {
	struct hmap monitors;
	struct sbuf updates;
	struct mp_reply mp;
	bool open;			/* mp is under way. */
	bool sent_abbrev;
	uint64_t paused_at;		/* Sequence number; 0: not paused. */
};

void of_monitors_init(struct of_monitors *monitors);
void of_monitors_uninit(struct of_monitors *monitors);
