/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The arguments of ofproto/trace: bridge, flow, packet and options, as Open vSwitch takes them.
 *
 * Threads: control only.
 */

#include "ofproto/ofproto_private.h"

/* What is to be traced. */
struct trace_request {
	struct ofproto *ofproto;
	struct flow flow;
	struct sbuf frame;	/* Empty: none. */
	bool names;
	const struct act *acts;	/* NULL: through the tables. */
	size_t acts_len;
};

#define TRACE_REQUEST_INITIALIZER { .frame = SBUF_INITIALIZER }

/* The words and options, as found. */
struct trace_args {
	const char *words[3];
	int n_words;
	bool generate;
	bool names;
	bool consistent;
	struct sbuf l7;
	size_t l7_len;
};

#define TRACE_ARGS_INITIALIZER { .l7_len = 64 }

/* Reads ARGV[1] to ARGV[ARGC - 1]. NULL, or why not (caller frees). The bridge's TLV map is in use
 * afterwards. The caller frees REQUEST's frame and ARGS' l7 in either case. */
char *trace_parse(int argc, const char *argv[], struct trace_args *args,
	struct trace_request *request);
