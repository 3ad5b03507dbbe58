/* SPDX-License-Identifier: Apache-2.0 */

#include "ofproto/text/act_words.h"

#include <string.h>

#include "datapath/pipeline/act.h"
#include "lib/util.h"

static const char *const reasons[] = {
	[ACT_REASON_NO_MATCH] = "no_match",
	[ACT_REASON_ACTION] = "action",
	[ACT_REASON_INVALID_TTL] = "invalid_ttl",
};

static const char *const hash_fields[] = {
	[ACT_HASH_ETH_SRC] = "eth_src",
	[ACT_HASH_SYMMETRIC_L4] = "symmetric_l4",
	[ACT_HASH_SYMMETRIC_L3L4] = "symmetric_l3l4",
	[ACT_HASH_SYMMETRIC_L3L4_UDP] = "symmetric_l3l4+udp",
	[ACT_HASH_NW_SRC] = "nw_src",
	[ACT_HASH_NW_DST] = "nw_dst",
	[ACT_HASH_SYMMETRIC_L3] = "symmetric_l3",
};

static int find(const char *const *words, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], name))
			return (int)i;
	return -1;
}

const char *act_reason_name(uint8_t reason)
{
	return reason < ARRAY_SIZE(reasons) ? reasons[reason] : "unknown";
}

int act_reason_from_name(const char *name)
{
	return find(reasons, ARRAY_SIZE(reasons), name);
}

const char *act_hash_fields_name(uint16_t fields)
{
	return fields < ARRAY_SIZE(hash_fields) ? hash_fields[fields] : "<unknown>";
}

int act_hash_fields_from_name(const char *name)
{
	return find(hash_fields, ARRAY_SIZE(hash_fields), name);
}
