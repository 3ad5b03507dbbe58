/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tables on the wire: table_mod, table statistics of each version, table features (1.3+: asked for and
 * told), table desc and table status (1.4+). Pure functions, any thread.
 */

#include "ofproto/wire/msg.h"
#include "ofproto/wire/oxm.h"

#define OFP_TABLE_NAME_LEN 32

enum table_miss {		/* OpenFlow 1.1/1.2's OFPTC_TABLE_MISS_*. */
	TABLE_MISS_DEFAULT,	/* Not said (1.3+). */
	TABLE_MISS_CONTROLLER,
	TABLE_MISS_CONTINUE,
	TABLE_MISS_DROP,
};

/* -1: not said; else a bool or set of OFPTC14_*. */
struct table_mod {
	uint8_t table_id;		/* OFP_TABLE_ALL: all. */
	uint8_t miss;			/* enum table_miss. */
	int eviction;			/* -1, 0, 1. */
	int vacancy;			/* -1, 0, 1. */
	uint32_t eviction_flags;	/* OFPTMPEF14_* (1.4); UINT32_MAX: not said. */
	uint8_t vacancy_down;		/* Per cent. */
	uint8_t vacancy_up;
};

enum ofp_error table_mod_decode(const struct msg *msg, struct table_mod *tm);
void table_mod_encode(const struct table_mod *tm, enum ofp_version version, be32 xid,
	struct sbuf *out);

/* What a table is and has, for statistics and features. */
struct table_features {
	uint8_t table_id;
	char name[OFP_TABLE_NAME_LEN];
	be64 metadata_match;
	be64 metadata_write;
	uint32_t max_entries;
	uint8_t miss;			/* enum table_miss: what it is configured to (1.1, 1.2). */
	int eviction;			/* -1: not supported; else whether it is on. */
	int vacancy;
	bool is_last;			/* No goto from here. */
	uint8_t n_tables;		/* goto reaches ids table_id + 1 to n_tables - 1. */
};

struct table_stats {
	uint32_t active_count;
	uint64_t lookup_count;
	uint64_t matched_count;
};

/* Begin with mp_begin(), one call a table, mp_end(). */
void table_stats_put(struct mp_reply *mp, const struct table_features *tf,
	const struct table_stats *ts);
/* All properties that OVS announces: instructions, actions, fields, for rules and for the miss. */
void table_features_put(struct mp_reply *mp, const struct table_features *tf);

/* A request that changes tables carries features: one entry of C, which is advanced. As far as a switch
 * may obey: name and number of entries. *MORE false at the end. */
struct table_features_request {
	uint8_t table_id;
	char name[OFP_TABLE_NAME_LEN];
	be64 metadata_match;
	be64 metadata_write;
	uint32_t config;
	uint32_t max_entries;
	uint8_t command;		/* 1.5: 0 replace, 1 modify, 2 enable, 3 disable. */
	bool has_properties;
};
enum ofp_error table_features_request_take(const struct msg *msg, struct cursor *c,
	struct table_features_request *tfr, bool *more);

/* 1.4+. */
struct table_desc {
	uint8_t table_id;
	int eviction;
	int vacancy;
	uint32_t eviction_flags;
	uint8_t vacancy_down;
	uint8_t vacancy_up;
	uint8_t vacancy_now;
};
void table_desc_put(struct mp_reply *mp, const struct table_desc *td);
void table_status_encode(const struct table_desc *td, enum ofp_table_reason reason,
	enum ofp_version version, struct sbuf *out);
