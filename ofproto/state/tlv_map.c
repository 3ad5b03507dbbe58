/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/state/tlv_map.h"

#include "datapath/pipeline/dependency.h"
#include "lib/rcu.h"

#define UNIT 4			/* Options take multiples of it. */
#define MAX_LEN 124

/* The first place in MAP with room for LEN bytes, or -1. */
static int find_room(const struct field_tlv_map *map, unsigned int len)
{
	bool used[FLOW_TUN_METADATA_BYTES / UNIT] = { false };
	unsigned int free_units = 0;

	for (size_t i = 0; i < FLOW_TUN_METADATA_OPTS; i++)
		for (unsigned int b = 0; b < map->opts[i].len; b += UNIT)
			used[(map->opts[i].ofs + b) / UNIT] = true;
	for (unsigned int i = 0; i < FLOW_TUN_METADATA_BYTES / UNIT; i++) {
		free_units = used[i] ? 0 : free_units + 1;
		if (free_units * UNIT >= len)
			return (int)((i + 1) * UNIT - len);
	}
	return -1;
}

enum ofp_error of_tlv_add(struct field_tlv_map *map, uint16_t class, uint8_t type, uint8_t len,
	uint16_t index)
{
	int ofs;

	if (!len || len % UNIT || len > MAX_LEN)
		return NXTTMFC_BAD_OPT_LEN;
	if (index >= FLOW_TUN_METADATA_OPTS)
		return NXTTMFC_BAD_FIELD_IDX;
	if (map->opts[index].len)
		return NXTTMFC_ALREADY_MAPPED;
	for (size_t i = 0; i < FLOW_TUN_METADATA_OPTS; i++)
		if (map->opts[i].len && map->opts[i].class == class && map->opts[i].type == type)
			return NXTTMFC_DUP_ENTRY;
	ofs = find_room(map, len);
	if (ofs < 0)
		return NXTTMFC_TABLE_FULL;
	map->opts[index].class = class;
	map->opts[index].type = type;
	map->opts[index].len = len;
	map->opts[index].ofs = (uint16_t)ofs;
	return OFP_OK;
}

void of_tlv_set(struct pl_bridge *bridge, struct field_tlv_map *map)
{
	const struct field_tlv_map *old = atomic_load_explicit(&bridge->tun_table,
		memory_order_relaxed);

	atomic_store_explicit(&bridge->tun_table, map, memory_order_release);
	dep_bump(dep_bridge(bridge->id));
	if (old)
		rcu_defer_free((void *)(uintptr_t)old);
}
