/* SPDX-License-Identifier: Apache-2.0 */

#include "datapath/pipeline/drop.h"

#include "lib/util.h"

struct text {
	const char *name, *sentence;
};

static const struct text texts[] = {
	[DROP_NONE] = {"none", "Not dropped."},
	[DROP_RX_PORT_DOWN] = {"rx_port_down", "The input port is administratively down or takes no packets."},
	[DROP_RX_NO_BRIDGE] = {"rx_no_bridge", "The input port belongs to no bridge."},
	[DROP_RX_MALFORMED] = {"rx_malformed", "The frame is too short or too long to be one."},
	[DROP_RX_FRAGMENT] = {"rx_fragment", "An IP fragment, and the bridge is set to drop them."},
	[DROP_RX_POLICED] = {"rx_policed", "More than the port's ingress_policing_rate or kpkts_rate."},
	[DROP_RX_STP] = {"rx_stp", "The spanning tree blocks the input port."},
	[DROP_TABLE_MISS] = {"table_miss", "No flow matched and the table has no table-miss flow."},
	[DROP_ACTION] = {"action", "The matching flow says drop: it has no action that outputs."},
	[DROP_NO_OUTPUT] = {"no_output", "No other port to forward or flood to."},
	[DROP_RESUBMIT_DEPTH] = {"resubmit_depth", "Resubmits nested too deeply."},
	[DROP_RESUBMIT_COUNT] = {"resubmit_count", "Too many table lookups for one packet."},
	[DROP_STACK_DEPTH] = {"stack_depth", "Too much pushed on the stack."},
	[DROP_INVALID_IN_PORT] = {"invalid_in_port", "The input port is not one of the bridge."},
	[DROP_OUTPUT_TO_IN_PORT] = {"output_to_in_port", "Output to the input port, which needs in_port to be said."},
	[DROP_NO_SUCH_PORT] = {"no_such_port", "Output to a port that does not exist."},
	[DROP_PORT_NO_FWD] = {"port_no_fwd", "The output port is set not to forward."},
	[DROP_TX_PORT_DOWN] = {"tx_port_down", "The output port is down or blocked by the spanning tree."},
	[DROP_TTL_EXPIRED] = {"ttl_expired", "The TTL or hop limit ran out."},
	[DROP_MPLS] = {"mpls", "Too many MPLS labels, or none where one was to be changed."},
	[DROP_GROUP_NO_BUCKET] = {"group_no_bucket", "The group does not exist or has no live bucket."},
	[DROP_GROUP_LOOP] = {"group_loop", "Groups refer to each other in a circle."},
	[DROP_METER] = {"meter", "A meter's drop band exceeded its rate."},
	[DROP_NORMAL_VLAN] = {"normal_vlan", "The input port does not take this VLAN."},
	[DROP_NORMAL_RESERVED_MAC] = {"normal_reserved_mac", "Destination reserved for bridges, and forward-bpdu is off."},
	[DROP_NORMAL_MIRROR_OUTPUT_PORT] = {"normal_mirror_output_port", "Received on a port reserved for mirroring."},
	[DROP_BOND_INACTIVE] = {"bond_inactive", "Received by a member of a bond that does not carry its traffic."},
	[DROP_TNL_NO_PORT] = {"tnl_no_port", "Tunnel packet for which no tunnel port is configured."},
	[DROP_TNL_NO_ROUTE] = {"tnl_no_route", "No route to the tunnel's remote address."},
	[DROP_TNL_NO_NEIGH] = {"tnl_no_neigh", "The next hop of the tunnel does not answer ARP or ND."},
	[DROP_TNL_HELD] = {"tnl_held", "Held until the tunnel's next hop is known."},
	[DROP_TNL_BAD_HEADER] = {"tnl_bad_header", "Malformed tunnel header."},
	[DROP_TNL_CRITICAL_OPTION] = {"tnl_critical_option",
		"A critical Geneve option that the bridge's TLV table does not have."},
	[DROP_TNL_BAD_CSUM] = {"tnl_bad_csum", "Wrong checksum in the outer header."},
	[DROP_TNL_TRUNCATED] = {"tnl_truncated", "The tunnel packet ends before its inner frame does."},
	[DROP_TNL_FRAGMENT] = {"tnl_fragment", "Fragment of an outer packet that was not complete in time, or can't be."},
	[DROP_TNL_LOOP] = {"tnl_loop", "Too many tunnels inside each other."},
	[DROP_TNL_TOO_BIG] = {"tnl_too_big", "With its tunnel header the packet exceeds the underlay's MTU."},
	[DROP_NO_HEADROOM] = {"no_headroom", "No room in the buffer for another header."},
	[DROP_NO_MEMORY] = {"no_memory", "Out of packet buffers."},
	[DROP_ACTION_MISMATCH] = {"action_mismatch", "The packet lacks the header that an action changes."},
	[DROP_TX_FULL] = {"tx_full", "The output device's queue is full."},
	[DROP_TX_TOO_BIG] = {"tx_too_big", "Longer than the output port's MTU."},
	[DROP_TX_ERROR] = {"tx_error", "The output device failed to send."},
	[DROP_MISS_BUDGET] = {"miss_budget", "Too many new flows at once from the input port."},
	[DROP_CONTROL_QUEUE_FULL] = {"control_queue_full", "Needed the control thread, whose queue is full."},
};

_Static_assert(ARRAY_SIZE(texts) == DROP_N_REASONS, "every reason has its text");

const char *drop_reason_name(enum drop_reason reason)
{
	return (size_t)reason < ARRAY_SIZE(texts) ? texts[reason].name : "unknown";
}

const char *drop_reason_describe(enum drop_reason reason)
{
	return (size_t)reason < ARRAY_SIZE(texts) ? texts[reason].sentence : "Unknown reason.";
}
