/* SPDX-License-Identifier: Apache-2.0 */

/* Geneve, RFC 8926. */

#include <errno.h>

#include "lib/headers.h"
#include "tunnel/tnl_encap.h"
#include "tunnel/tnl_geneve_option.h"

/* False if an option goes beyond the LEN bytes. *CRITICAL: the receiver must understand one. */
static bool scan_options(const uint8_t *opts, size_t len, bool *critical)
{
	struct geneve_opt opt;
	const uint8_t *value;
	size_t value_len;
	struct cursor c;

	*critical = false;
	cursor_init(&c, opts, len);
	while (tnl_geneve_next_option(&c, &opt, &value, &value_len))
		*critical |= opt.type & GENEVE_OPT_CRITICAL;
	return cursor_ok(&c);
}

size_t tnl_geneve_build(const struct tnl_port *port, const struct flow_tnl *outer,
	const uint8_t *opts, size_t opts_len, uint8_t *p)
{
	struct geneve_header *geneve = (struct geneve_header *)p;
	bool critical;

	opts_len &= 0xfc;
	geneve->ver_optlen = (uint8_t)(opts_len / 4);
	geneve->flags = outer->flags & FLOW_TNL_F_OAM ? GENEVE_F_OAM : 0;
	if (scan_options(opts, opts_len, &critical) && critical)
		geneve->flags |= GENEVE_F_CRITICAL;
	geneve->proto = htobe16(ETH_T_TEB);
	geneve->vni = htobe32((uint32_t)be64toh(outer->tun_id) << 8);
	if (opts_len)
		memcpy(p + sizeof *geneve, opts, opts_len);
	return sizeof *geneve + opts_len;
}

int tnl_geneve_pop(struct cursor *c, struct flow_tnl *tnl, const uint8_t **opts, size_t *opts_len)
{
	uint8_t ver_optlen = cursor_u8(c), flags = cursor_u8(c);
	uint16_t proto = cursor_u16(c);
	uint32_t vni = cursor_u32(c);
	bool critical;

	*opts_len = (ver_optlen & 0x3fu) * 4;
	*opts = cursor_take(c, *opts_len);
	if (!cursor_ok(c) || !scan_options(*opts, *opts_len, &critical))
		return -EINVAL;
	if (ver_optlen >> 6 || proto != ETH_T_TEB)
		return -EPROTONOSUPPORT;
	tnl->flags |= FLOW_TNL_F_KEY | (flags & GENEVE_F_OAM ? FLOW_TNL_F_OAM : 0);
	tnl->tun_id = htobe64(vni >> 8);
	return 0;
}
