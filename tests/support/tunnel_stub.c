/* SPDX-License-Identifier: Apache-2.0 */

/* Stands in for the tunnel room in tests of the pipeline that have no tunnels. */

#include <errno.h>

#include "tunnel/tnl_header.h"

int tnl_header_push(struct packet *packet, const uint8_t *header, uint16_t len, uint8_t l3_ofs,
	uint8_t l4_ofs, uint8_t proto, bool csum, bool gre_seq, bool is_ipv6, uint32_t hash, uint32_t seq)
{
	return -ENOBUFS;
}

int tnl_header_pop(struct packet *packet, enum tnl_type type)
{
	return -EINVAL;
}

const struct tnl_port *tnl_port_lookup(enum tnl_type type, be16 dst_port, const struct flow_tnl *tnl)
{
	return NULL;
}
