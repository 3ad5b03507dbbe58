/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Why a packet ended without being forwarded or consumed. Every drop has one of these, counted per
 * PMD and per port; the list is the one place to add a reason (name and sentence in drop.c).
 */

enum drop_reason {
	DROP_NONE,
	/* Receive. */
	DROP_RX_PORT_DOWN,		/* Port config NO_RECV or PORT_DOWN. */
	DROP_RX_NO_BRIDGE,		/* The port belongs to no bridge any more. */
	DROP_RX_MALFORMED,		/* Shorter than an Ethernet header, or beyond what any port takes. */
	DROP_RX_FRAGMENT,		/* Fragment, and the switch is configured to drop them. */
	DROP_RX_POLICED,		/* Beyond the port's ingress_policing_*. */
	DROP_RX_STP,			/* STP or RSTP port state neither learns nor forwards. */
	/* Pipeline. */
	DROP_TABLE_MISS,		/* No rule, and no table-miss rule. */
	DROP_ACTION,			/* A rule with no actions, or that ended without output. */
	DROP_NO_OUTPUT,			/* NORMAL or flood found nobody to send to. */
	DROP_RESUBMIT_DEPTH,		/* Recursion limit. */
	DROP_RESUBMIT_COUNT,		/* Limit on table lookups of one packet. */
	DROP_STACK_DEPTH,
	DROP_INVALID_IN_PORT,
	DROP_OUTPUT_TO_IN_PORT,		/* output to the input port without IN_PORT. */
	DROP_NO_SUCH_PORT,		/* Output to a port that does not exist. */
	DROP_PORT_NO_FWD,
	DROP_TX_PORT_DOWN,		/* Output port's config or link is down. */
	DROP_TTL_EXPIRED,
	DROP_MPLS,			/* Too many labels, or an MPLS change that can't be made. */
	DROP_GROUP_NO_BUCKET,		/* No live bucket, or no such group. */
	DROP_GROUP_LOOP,
	DROP_METER,
	/* NORMAL. */
	DROP_NORMAL_VLAN,		/* VLAN not allowed on the input port. */
	DROP_NORMAL_RESERVED_MAC,	/* 01:80:c2:00:00:0x and forward-bpdu is off. */
	DROP_NORMAL_MIRROR_OUTPUT_PORT,	/* Received on a port reserved for mirroring. */
	DROP_BOND_INACTIVE,		/* Received by another member of a bond than its traffic's. */
	/* Tunnel. */
	DROP_TNL_NO_PORT,		/* Tunnel packet for which no tunnel port is configured. */
	DROP_TNL_NO_ROUTE,
	DROP_TNL_NO_NEIGH,		/* Waiting for the neighbour, hold queue full or timed out. */
	DROP_TNL_HELD,			/* Internal: consumed, held for a neighbour. Not a drop. */
	DROP_TNL_BAD_HEADER,
	DROP_TNL_CRITICAL_OPTION,	/* Geneve: one that must be understood, and is not. */
	DROP_TNL_BAD_CSUM,
	DROP_TNL_TRUNCATED,
	DROP_TNL_FRAGMENT,		/* Of an outer packet that was never whole. */
	DROP_TNL_LOOP,			/* Too many nested tunnels. */
	DROP_TNL_TOO_BIG,		/* Outer packet exceeds the underlay's MTU. */
	/* Execution and transmit. */
	DROP_NO_HEADROOM,
	DROP_NO_MEMORY,
	DROP_ACTION_MISMATCH,		/* The packet has not the header that the action writes. */
	DROP_TX_FULL,			/* Device queue or socket full. */
	DROP_TX_TOO_BIG,		/* Longer than the port's MTU and not to be segmented. */
	DROP_TX_ERROR,
	DROP_MISS_BUDGET,		/* Unknown flows beyond the port's share of cycles. */
	DROP_CONTROL_QUEUE_FULL,	/* Needed control, and its ring was full. */
	DROP_N_REASONS,
};

/* Short name with underscores ("table_miss"), and a sentence for the operator. */
const char *drop_reason_name(enum drop_reason reason);
const char *drop_reason_describe(enum drop_reason reason);
