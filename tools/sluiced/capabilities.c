/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/capabilities.h"

#include <stddef.h>

/* In the order that they are shown. */
const struct capability capabilities[] = {
	{"masked_set_action", "Masked set action", "true"},
	{"tnl_push_pop", "Tunnel push pop", "true"},
	{"ufid", "Ufid", "true"},
	{"trunc", "Truncate action", "true"},
	{"clone", "Clone action", "true"},
	{"sample_nesting", "Sample nesting", "10"},
	{"ct_eventmask", "Conntrack eventmask", "false"},
	{"ct_clear", "Conntrack clear", "false"},
	{"max_hash_alg", "Max dp_hash algorithm", "1"},
	{"check_pkt_len", "Check pkt length action", "true"},
	{"ct_timeout", "Conntrack timeout policy", "false"},
	{"explicit_drop_action", "Explicit Drop action", "true"},
	{"lb_output_action", "Optimized Balance TCP mode", "false"},
	{"ct_zero_snat", "Conntrack all-zero IP SNAT", "false"},
	{"add_mpls", "MPLS Label add", "false"},
	{"ct_flush", NULL, "false"},
	{"max_vlan_headers", "Max VLAN headers", "2"},
	{"max_mpls_depth", "Max MPLS depth", "3"},
	{"recirc", "Recirc", "true"},
	{"ct_state", "CT state", "false"},
	{"ct_zone", "CT zone", "false"},
	{"ct_mark", "CT mark", "false"},
	{"ct_label", "CT label", "false"},
	{"ct_state_nat", "CT state NAT", "false"},
	{"ct_orig_tuple", "CT orig tuple", "false"},
	{"ct_orig_tuple6", "CT orig tuple for IPv6", "false"},
	{"nd_ext", "IPv6 ND Extension", "true"},
	{NULL, NULL, NULL},
};
