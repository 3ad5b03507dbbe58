/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the reader of IGMP and MLD messages (mcast_parse.c) asks of the table (mcast_snoop.c). */

#include "datapath/l2/mcast_snoop.h"

/* Where and when a message came in. */
struct mcast_source {
	struct mcast_snooping *ms;
	ofp_port_t port;
	uint16_t vlan;
	int64_t now_ms;
};

/* Each returns true if something readers see has changed. */
bool mcast_join(const struct mcast_source *source, const struct ipv6_addr *group);
bool mcast_leave(const struct mcast_source *source, const struct ipv6_addr *group);
bool mcast_query(const struct mcast_source *source);

/* Reads FRAME[LEN] and calls the above; how many of them returned true. */
unsigned int mcast_parse(const struct mcast_source *source, const void *frame, size_t len);
