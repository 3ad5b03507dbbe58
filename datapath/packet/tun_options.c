/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/packet/tun_options.h"

#include <errno.h>
#include <string.h>

#include "lib/headers.h"
#include "tunnel/tnl_geneve_option.h"

static bool take_option(const struct field_tlv_map *map, const struct geneve_opt *opt,
	const uint8_t *data, size_t len, struct flow_tun_metadata *tun)
{
	if (!map)
		return false;
	for (unsigned int i = 0; i < FLOW_TUN_METADATA_OPTS; i++) {
		if (map->opts[i].len != len || !len || htobe16(map->opts[i].class) != opt->class ||
			map->opts[i].type != opt->type ||
			map->opts[i].ofs + len > sizeof tun->data)
			continue;
		tun->present |= UINT64_C(1) << i;
		memcpy(tun->data + map->opts[i].ofs, data, len);
		return true;
	}
	return false;
}

int tun_options_parse(const struct field_tlv_map *map, const uint8_t *opts, size_t len,
	struct flow_tun_metadata *tun)
{
	struct geneve_opt opt;
	const uint8_t *data;
	size_t data_len;
	struct cursor c;
	int retval = 0;

	cursor_init(&c, opts, len);
	while (tnl_geneve_next_option(&c, &opt, &data, &data_len))
		if (!take_option(map, &opt, data, data_len, tun) && opt.type & GENEVE_OPT_CRITICAL)
			retval = -EPROTONOSUPPORT;
	return retval;
}

bool tun_options_are_critical(const uint8_t *opts, size_t len)
{
	struct geneve_opt opt;
	const uint8_t *data;
	size_t data_len;
	struct cursor c;

	cursor_init(&c, opts, len);
	while (tnl_geneve_next_option(&c, &opt, &data, &data_len))
		if (opt.type & GENEVE_OPT_CRITICAL)
			return true;
	return false;
}
