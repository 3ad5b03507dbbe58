/* SPDX-License-Identifier: Apache-2.0 */

/* VXLAN, RFC 7348; its group policy (draft-smith-vxlan-group-policy) and generic protocol
 * (draft-ietf-nvo3-vxlan-gpe) extensions. */

#include <errno.h>

#include "lib/headers.h"
#include "tunnel/tnl_encap.h"

#define GPE_F_NEXT_PROTO 0x04000000
#define GPE_F_OAM 0x01000000
#define GPE_USED 0x350000ff /* Version, next protocol, OAM and their values. */
#define GPE_ETHERNET 3
#define GBP_F_PRESENT 0x80000000
#define GBP_F_DONT_LEARN 0x00400000
#define GBP_F_APPLIED 0x00080000
#define GBP_USED 0x8048ffff

/* The flags that rules and struct flow_tnl know. */
#define TNL_GBP_DONT_LEARN (GBP_F_DONT_LEARN >> 16)
#define TNL_GBP_APPLIED (GBP_F_APPLIED >> 16)

size_t tnl_vxlan_build(const struct tnl_port *port, const struct flow_tnl *outer, uint8_t *p)
{
	struct vxlan_header *vxlan = (struct vxlan_header *)p;
	uint32_t flags = VXLAN_F_VNI;

	if (port->config.gpe) {
		flags |= GPE_F_NEXT_PROTO | GPE_ETHERNET;
	} else if (port->config.gbp && (outer->gbp_id || outer->gbp_flags)) {
		flags |= GBP_F_PRESENT | be16toh(outer->gbp_id);
		flags |= (uint32_t)(outer->gbp_flags & (TNL_GBP_DONT_LEARN | TNL_GBP_APPLIED))
			 << 16;
	}
	vxlan->flags = htobe32(flags);
	vxlan->vni = htobe32((uint32_t)be64toh(outer->tun_id) << 8);
	return sizeof *vxlan;
}

int tnl_vxlan_pop(struct cursor *c, struct flow_tnl *tnl)
{
	uint32_t flags = cursor_u32(c), vni = cursor_u32(c);

	if (!cursor_ok(c))
		return -EINVAL;
	if (flags & GPE_F_NEXT_PROTO) {
		if (flags & GPE_F_OAM || (flags & 0xff) != GPE_ETHERNET)
			return -EPROTONOSUPPORT;
		flags &= ~(uint32_t)GPE_USED;
	} else if (flags & GBP_F_PRESENT && tnl_port_has_gbp(tnl->tp_dst)) {
		tnl->gbp_id = htobe16((uint16_t)flags);
		tnl->gbp_flags = (uint8_t)(flags >> 16) & (TNL_GBP_DONT_LEARN | TNL_GBP_APPLIED);
		flags &= ~(uint32_t)GBP_USED;
	}
	if (flags != VXLAN_F_VNI || vni & 0xff)
		return -EPROTONOSUPPORT;
	tnl->tun_id = htobe64(vni >> 8);
	tnl->flags |= FLOW_TNL_F_KEY;
	return 0;
}
