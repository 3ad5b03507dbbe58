/* SPDX-License-Identifier: Apache-2.0 */

/* GRE, RFC 2784 and 2890, with Ethernet inside (transparent Ethernet bridging). */

#include <errno.h>

#include "lib/headers.h"
#include "tunnel/tnl_encap.h"

size_t tnl_gre_build(const struct tnl_port *port, const struct flow_tnl *outer, uint8_t *p)
{
	struct gre_header *gre = (struct gre_header *)p;
	uint16_t flags = 0;
	size_t len = sizeof *gre;

	gre->proto = htobe16(ETH_T_TEB);
	if (outer->flags & FLOW_TNL_F_CSUM) {
		flags |= GRE_F_CSUM;
		len += 4;
	}
	if (port->config.out_key_present) {
		be32 key = htobe32((uint32_t)be64toh(outer->tun_id));

		flags |= GRE_F_KEY;
		memcpy(p + len, &key, sizeof key);
		len += sizeof key;
	}
	if (port->config.gre_seq) {
		flags |= GRE_F_SEQ;
		len += 4;
	}
	gre->flags = htobe16(flags);
	return len;
}

size_t tnl_gre_seq_ofs(const uint8_t *gre)
{
	return GRE_HEADER_LEN + (gre[0] & GRE_F_CSUM >> 8 ? 4 : 0) +
	       (gre[0] & GRE_F_KEY >> 8 ? 4 : 0);
}

int tnl_gre_pop(struct cursor *c, struct flow_tnl *tnl)
{
	uint16_t flags = cursor_u16(c), proto = cursor_u16(c);

	if (flags & ~(GRE_F_CSUM | GRE_F_KEY | GRE_F_SEQ))
		return -EPROTONOSUPPORT;
	if (flags & GRE_F_CSUM) {
		tnl->flags |= FLOW_TNL_F_CSUM;
		cursor_skip(c, 4);
	}
	if (flags & GRE_F_KEY) {
		tnl->tun_id = htobe64(cursor_u32(c));
		tnl->flags |= FLOW_TNL_F_KEY;
	}
	if (flags & GRE_F_SEQ)
		cursor_skip(c, 4);
	if (!cursor_ok(c))
		return -EINVAL;
	return proto == ETH_T_TEB ? 0 : -EPROTONOSUPPORT;
}
