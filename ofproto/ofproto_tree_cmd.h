/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The commands NAME/show and NAME/tcn, which STP and RSTP share, and the frame that their texts
 * have in common. Texts follow ovs-vswitchd(8), "Spanning Tree Protocol Commands". Threads:
 * control only.
 */

#include "ofproto/ofproto_private.h"

struct tree_protocol {
	const char *missing; /* The answer when the bridge named does not run it. */
	bool (*runs)(const struct ofproto *ofproto);
	void (*format)(struct sbuf *s, const struct ofproto *ofproto); /* What show says of a bridge. */
	void (*topology_change)(struct ofproto *ofproto); /* What tcn does to a bridge. */
};

/* Registers SHOW and TCN for PROTOCOL, which is kept. */
void tree_commands_register(
	const char *show, const char *tcn, const struct tree_protocol *protocol);

/* The lines about a root or bridge identifier: priority (with PRIORITY_LABEL before it), address,
 * times in seconds. */
void tree_format_id(struct sbuf *s, const char *priority_label, uint64_t id,
	unsigned int hello_time, unsigned int max_age, unsigned int forward_delay);
