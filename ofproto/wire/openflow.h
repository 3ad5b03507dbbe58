/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Numbers of the OpenFlow protocol that the agent speaks about: versions, reasons, flags, limits.
 * They are the wire's numbers unless a comment says that the codec translates. Layouts of messages
 * are the codecs' business and not here.
 *
 * Sources: OpenFlow 1.0.0, 1.3.5, 1.4.0, 1.5.1; Nicira extensions as ovs-ofctl(8) speaks them.
 */

#include "lib/types.h"

enum ofp_version {
	OFP10_VERSION = 1,
	OFP11_VERSION = 2,
	OFP12_VERSION = 3,
	OFP13_VERSION = 4,
	OFP14_VERSION = 5,
	OFP15_VERSION = 6,
};

/* Set of versions: bit N for wire version N. */
#define OFP_VERSION_BIT(V) (1u << (V))
#define OFP_VERSIONS_ALL 0x7eu

#define OFP_HEADER_LEN 8
#define OFP_MAX_MSG_LEN 65535
#define OFP_NO_BUFFER UINT32_MAX
#define OFP_NO_XID 0

#define OFP_TABLE_ALL 0xff
#define OFP_TABLE_MAX 0xfe
#define OFP_N_TABLES 255	/* Tables that actions may name: 0 to 254. */

#define OFP_GROUP_MAX 0xffffff00u
#define OFP_GROUP_ALL 0xfffffffcu
#define OFP_GROUP_ANY 0xffffffffu

#define OFP_BUCKET_MAX 0xffffff00u
#define OFP_BUCKET_FIRST 0xfffffffdu
#define OFP_BUCKET_LAST 0xfffffffeu
#define OFP_BUCKET_ALL 0xffffffffu

#define OFP_METER_MAX 0xffff0000u
#define OFP_METER_SLOWPATH 0xfffffffdu
#define OFP_METER_CONTROLLER 0xfffffffeu
#define OFP_METER_ALL 0xffffffffu

#define OFP_QUEUE_ALL 0xffffffffu

#define OFP_VENDOR_NICIRA 0x00002320u
#define OFP_VENDOR_ONF 0x4f4e4600u

#define OFP_DEFAULT_PRIORITY 0x8000
#define OFP_DEFAULT_MISS_SEND_LEN 128
#define OFP_CONTROLLER_MAX_LEN 0xffff	/* "No buffer": the whole packet. */

enum ofp_flow_mod_command {
	OFPFC_ADD,
	OFPFC_MODIFY,
	OFPFC_MODIFY_STRICT,
	OFPFC_DELETE,
	OFPFC_DELETE_STRICT,
};

/* flow_mod.flags and flow_stats.flags, in OpenFlow 1.3's numbers; the codec translates. */
#define OFPFF_SEND_FLOW_REM (1 << 0)
#define OFPFF_CHECK_OVERLAP (1 << 1)
#define OFPFF_RESET_COUNTS (1 << 2)
#define OFPFF_NO_PKT_COUNTS (1 << 3)
#define OFPFF_NO_BYT_COUNTS (1 << 4)
/* What a rule keeps of them. */
#define OFPFF_STATE (OFPFF_SEND_FLOW_REM | OFPFF_CHECK_OVERLAP | OFPFF_RESET_COUNTS | \
	OFPFF_NO_PKT_COUNTS | OFPFF_NO_BYT_COUNTS)

enum ofp_packet_in_reason {
	OFPR_NO_MATCH,
	OFPR_ACTION,
	OFPR_INVALID_TTL,
	OFPR_ACTION_SET,	/* 1.4+; older versions get OFPR_ACTION. */
	OFPR_GROUP,		/* Likewise. */
	OFPR_PACKET_OUT,	/* Likewise. */
	OFPR_EXPLICIT_MISS,	/* A table-miss rule: OFPR_NO_MATCH from 1.3 on, OFPR_ACTION before. */
	OFPR_IMPLICIT_MISS,	/* No rule at all: always OFPR_NO_MATCH. */
	OFPR_N_REASONS,
};

enum ofp_flow_removed_reason {
	OFPRR_IDLE_TIMEOUT,
	OFPRR_HARD_TIMEOUT,
	OFPRR_DELETE,
	OFPRR_GROUP_DELETE,	/* 1.3+; OFPRR_DELETE before. */
	OFPRR_METER_DELETE,	/* 1.4+; OFPRR_DELETE before. */
	OFPRR_EVICTION,		/* 1.4+, and as Nicira extension before. */
	OFPRR_N_REASONS,
};

enum ofp_port_reason {
	OFPPR_ADD,
	OFPPR_DELETE,
	OFPPR_MODIFY,
	OFPPR_N_REASONS,
};

enum ofp_table_reason {
	OFPTR_VACANCY_DOWN = 3,
	OFPTR_VACANCY_UP = 4,
	OFPTR_N_REASONS = 5,
};

enum ofp_role {			/* OpenFlow 1.2+ numbers; the codec translates Nicira's. */
	OFPCR_ROLE_NOCHANGE,
	OFPCR_ROLE_EQUAL,
	OFPCR_ROLE_PRIMARY,
	OFPCR_ROLE_SECONDARY,
};

enum ofp_role_reason {
	OFPCRR_PRIMARY_REQUEST,
	OFPCRR_CONFIG,
	OFPCRR_EXPERIMENTER,
	OFPCRR_N_REASONS,
};

/* switch_config.frag. */
enum ofp_frag {
	OFPC_FRAG_NORMAL,
	OFPC_FRAG_DROP,
	OFPC_FRAG_REASM,
	OFPC_FRAG_NX_MATCH,
	OFPC_FRAG_MASK = 3,
};

/* switch_features.capabilities; the codec drops what a version has not. */
#define OFPC_FLOW_STATS (1 << 0)
#define OFPC_TABLE_STATS (1 << 1)
#define OFPC_PORT_STATS (1 << 2)
#define OFPC_STP (1 << 3)		/* 1.0 only. */
#define OFPC_GROUP_STATS (1u << 30)	/* 1.1+; wire bit 3. */
#define OFPC_IP_REASM (1 << 5)
#define OFPC_QUEUE_STATS (1 << 6)
#define OFPC_ARP_MATCH_IP (1 << 7)
#define OFPC_PORT_BLOCKED (1 << 8)	/* 1.2+. */
#define OFPC_BUNDLES (1 << 9)		/* 1.4+. */
#define OFPC_FLOW_MONITORING (1 << 10)	/* 1.4+. */

/* Port configuration, state and features. Config bits are the same in all versions (those a version
 * has not are dropped). State is OpenFlow 1.1+'s; 1.0's STP states are translated. */
#define OFPPC_PORT_DOWN (1 << 0)
#define OFPPC_NO_STP (1 << 1)		/* 1.0 only. */
#define OFPPC_NO_RECV (1 << 2)
#define OFPPC_NO_RECV_STP (1 << 3)	/* 1.0 only. */
#define OFPPC_NO_FLOOD (1 << 4)		/* 1.0 only. */
#define OFPPC_NO_FWD (1 << 5)
#define OFPPC_NO_PACKET_IN (1 << 6)

#define OFPPS_LINK_DOWN (1 << 0)
#define OFPPS_BLOCKED (1 << 1)
#define OFPPS_LIVE (1 << 2)
#define OFPPS_STP_LISTEN (0 << 8)	/* 1.0's states, beside them. */
#define OFPPS_STP_LEARN (1 << 8)
#define OFPPS_STP_FORWARD (2 << 8)
#define OFPPS_STP_BLOCK (3 << 8)
#define OFPPS_STP_MASK (3 << 8)

#define OFPPF_10MB_HD (1 << 0)
#define OFPPF_10MB_FD (1 << 1)
#define OFPPF_100MB_HD (1 << 2)
#define OFPPF_100MB_FD (1 << 3)
#define OFPPF_1GB_HD (1 << 4)
#define OFPPF_1GB_FD (1 << 5)
#define OFPPF_10GB_FD (1 << 6)
#define OFPPF_40GB_FD (1 << 7)
#define OFPPF_100GB_FD (1 << 8)
#define OFPPF_1TB_FD (1 << 9)
#define OFPPF_OTHER (1 << 10)
#define OFPPF_COPPER (1 << 11)
#define OFPPF_FIBER (1 << 12)
#define OFPPF_AUTONEG (1 << 13)
#define OFPPF_PAUSE (1 << 14)
#define OFPPF_PAUSE_ASYM (1 << 15)

enum ofp_group_type {
	OFPGT_ALL,
	OFPGT_SELECT,
	OFPGT_INDIRECT,
	OFPGT_FF,
};

enum ofp_group_command {
	OFPGC_ADD,
	OFPGC_MODIFY,
	OFPGC_DELETE,
	OFPGC_INSERT_BUCKET,		/* 1.5, and OVS in any version. */
	OFPGC_REMOVE_BUCKET = 5,
	OFPGC_ADD_OR_MOD = 0x8000,	/* Nicira. */
};

#define OFPGFC_SELECT_WEIGHT (1 << 0)
#define OFPGFC_SELECT_LIVENESS (1 << 1)
#define OFPGFC_CHAINING (1 << 2)
#define OFPGFC_CHAINING_CHECKS (1 << 3)

enum ofp_meter_command {
	OFPMC_ADD,
	OFPMC_MODIFY,
	OFPMC_DELETE,
};

#define OFPMF_KBPS (1 << 0)
#define OFPMF_PKTPS (1 << 1)
#define OFPMF_BURST (1 << 2)
#define OFPMF_STATS (1 << 3)

enum ofp_meter_band_type {
	OFPMBT_DROP = 1,
	OFPMBT_DSCP_REMARK = 2,
};

/* Counters that a switch does not keep. */
#define OFP_COUNTER_UNKNOWN UINT64_MAX
