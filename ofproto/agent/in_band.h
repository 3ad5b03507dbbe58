/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * In-band control: a controller that is reached through the bridge it controls must stay within reach
 * whatever flows it writes. Hidden flows above all that OpenFlow can say let pass, by NORMAL: DHCP and
 * ARP of the bridge's own port, ARP of the controllers and of the next hops to them, and the TCP
 * connections to them.
 *
 * Part of connmgr. Threads: control only.
 */

#include "lib/vec.h"
#include "ofproto/ofproto_private.h"

struct in_band_remote {
	be32 addr;
	be16 port;
};

struct in_band_rule {
	struct match match;
	int priority;
	bool wanted;
};

struct in_band {
	VEC(struct in_band_rule) rules;	/* In the table. */
	int64_t refresh_ms;		/* MACs and routes are looked at again then; 0: now. */
};

void in_band_init(struct in_band *ib);
void in_band_uninit(struct in_band *ib);
/* The flows for REMOTES[N] (none: no flows) are there. Returns ms until the next call, -1 none. */
int64_t in_band_run(struct in_band *ib, struct ofproto *ofproto, const struct in_band_remote *remotes,
	size_t n, int64_t now_ms);
/* All flows have just been flushed. */
void in_band_flushed(struct in_band *ib);
/* "tcp:1.2.3.4:6653" or "ssl:...": false for names, IPv6 and other schemes. */
bool in_band_parse_target(const char *target, uint16_t default_port, struct in_band_remote *remote);
