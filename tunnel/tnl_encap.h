/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inside of tnl_header: what the three encapsulations differ in. A build function writes its header
 * at P (zeroed) and returns its length. A pop function reads its header from C, which stands at the
 * first byte behind UDP (GRE: at the GRE header) and may end before the inner frame does; it fills
 * TNL and returns 0, -EINVAL or -EPROTONOSUPPORT; C then stands at the inner frame. Any thread.
 */

#include "lib/cursor.h"
#include "lib/packet.h"
#include "tunnel/tnl_port.h"

size_t tnl_vxlan_build(const struct tnl_port *port, const struct flow_tnl *outer, uint8_t *p);
int tnl_vxlan_pop(struct cursor *c, struct flow_tnl *tnl);

size_t tnl_gre_build(const struct tnl_port *port, const struct flow_tnl *outer, uint8_t *p);
int tnl_gre_pop(struct cursor *c, struct flow_tnl *tnl);
/* Where the sequence number is in the header at GRE. */
size_t tnl_gre_seq_ofs(const uint8_t *gre);

/* OPTS[OPTS_LEN]: options as on the wire. */
size_t tnl_geneve_build(const struct tnl_port *port, const struct flow_tnl *outer,
	const uint8_t *opts, size_t opts_len, uint8_t *p);
/* *OPTS points into C's bytes. */
int tnl_geneve_pop(struct cursor *c, struct flow_tnl *tnl, const uint8_t **opts, size_t *opts_len);
