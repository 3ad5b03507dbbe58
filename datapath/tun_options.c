/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/tun_options.h"

#include <string.h>

#include "lib/headers.h"

static void take_option(const struct field_tlv_map *map, const struct geneve_opt *opt,
	const uint8_t *data, size_t len, struct flow_tun_metadata *tun)
{
	for (unsigned int i = 0; i < FLOW_TUN_METADATA_OPTS; i++) {
		if (map->opts[i].len != len || !len || htobe16(map->opts[i].class) != opt->class ||
			map->opts[i].type != opt->type ||
			map->opts[i].ofs + len > sizeof tun->data)
			continue;
		tun->present |= UINT64_C(1) << i;
		memcpy(tun->data + map->opts[i].ofs, data, len);
		return;
	}
}

void tun_options_parse(const struct field_tlv_map *map, const uint8_t *opts, size_t len,
	struct flow_tun_metadata *tun)
{
	if (!map)
		return;
	while (len >= sizeof(struct geneve_opt)) {
		struct geneve_opt opt;
		size_t data_len;

		memcpy(&opt, opts, sizeof opt);
		opts += sizeof opt;
		len -= sizeof opt;
		data_len = (opt.len & 0x1f) * 4u;
		if (data_len > len)
			return;
		take_option(map, &opt, opts, data_len, tun);
		opts += data_len;
		len -= data_len;
	}
}
