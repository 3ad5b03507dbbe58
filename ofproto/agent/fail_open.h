/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a bridge with fail_mode standalone does when its controllers are gone for three times the
 * longest probe interval: it forwards as a plain Ethernet switch (one hidden flow), and as soon as
 * a controller is back sends it packets to see whether it answers, before it gives control back.
 *
 * Part of connmgr. Threads: control only.
 */

#include <stdbool.h>
#include <stdint.h>

struct connmgr;

struct fail_open {
	int failed_s;			/* 0: not active; else how long at the last report. */
	bool has_flow;
	int64_t next_bogus_ms;		/* 0: none planned. */
};

void fail_open_init(struct fail_open *fo);
/* Returns ms until the next call. */
int64_t fail_open_run(struct fail_open *fo, struct connmgr *mgr, int64_t now_ms);
void fail_open_maybe_recover(struct fail_open *fo, struct connmgr *mgr);
void fail_open_stop(struct fail_open *fo, struct connmgr *mgr);
void fail_open_flushed(struct fail_open *fo, struct connmgr *mgr);
