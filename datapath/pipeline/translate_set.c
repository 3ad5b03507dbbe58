/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The action set. Order of execution as in OpenFlow 1.3.5 5.10, with Open vSwitch's liberties: setters
 * run in the order in which they were written (a later one overwrites an earlier one anyway), and
 * nothing runs without an output, resubmit or group to end in.
 */

#include <string.h>

#include "datapath/pipeline/translate_internal.h"

/* Slots of which the last written one counts, in order of execution. */
enum set_slot {
	SLOT_COPY_TTL_IN,
	SLOT_POP_VLAN,
	SLOT_POP_MPLS,
	SLOT_POP_PBB,
	SLOT_PUSH_MPLS,
	SLOT_PUSH_PBB,
	SLOT_PUSH_VLAN,
	SLOT_COPY_TTL_OUT,
	SLOT_DEC_TTL,
	SLOT_DEC_MPLS_TTL,
	N_SLOTS,
	/* Of these one is executed: the highest, and of that the last. */
	FINAL_CT = N_SLOTS,
	FINAL_RESUBMIT,
	FINAL_OUTPUT,
	FINAL_GROUP,
	SETTER,
	NOT_IN_SET,
};

static enum set_slot set_classify(const struct act *act)
{
	switch (act->type) {
	case ACT_COPY_TTL_IN:
		return SLOT_COPY_TTL_IN;
	case ACT_STRIP_VLAN:
		return SLOT_POP_VLAN;
	case ACT_POP_MPLS:
		return SLOT_POP_MPLS;
	case ACT_POP_PBB:
		return SLOT_POP_PBB;
	case ACT_PUSH_MPLS:
		return SLOT_PUSH_MPLS;
	case ACT_PUSH_PBB:
		return SLOT_PUSH_PBB;
	case ACT_PUSH_VLAN:
		return SLOT_PUSH_VLAN;
	case ACT_COPY_TTL_OUT:
		return SLOT_COPY_TTL_OUT;
	case ACT_DEC_TTL:
		return SLOT_DEC_TTL;
	case ACT_DEC_MPLS_TTL:
		return SLOT_DEC_MPLS_TTL;
	case ACT_CT:
	case ACT_CT_CLEAR:
		return FINAL_CT;
	case ACT_RESUBMIT:
		return FINAL_RESUBMIT;
	case ACT_OUTPUT:
		/* As in Open vSwitch no set holds an output that cuts the packet. */
		return ((const struct act_output *)(const void *)act)->trunc ? NOT_IN_SET
									     : FINAL_OUTPUT;
	case ACT_GROUP:
		return FINAL_GROUP;
	case ACT_SET_FIELD:
	case ACT_REG_MOVE:
	case ACT_SET_ETH_SRC:
	case ACT_SET_ETH_DST:
	case ACT_SET_IPV4_SRC:
	case ACT_SET_IPV4_DST:
	case ACT_SET_IP_DSCP:
	case ACT_SET_IP_ECN:
	case ACT_SET_IP_TTL:
	case ACT_SET_L4_SRC_PORT:
	case ACT_SET_L4_DST_PORT:
	case ACT_SET_MPLS_LABEL:
	case ACT_SET_MPLS_TC:
	case ACT_SET_MPLS_TTL:
	case ACT_SET_QUEUE:
	case ACT_SET_TUNNEL:
	case ACT_SET_VLAN_VID:
	case ACT_SET_VLAN_PCP:
		return SETTER;
	default:
		return NOT_IN_SET;
	}
}

const struct act *xlate_order_set(struct xlate_ctx *ctx, const struct act *set, uint32_t len,
	uint32_t *ordered_len)
{
	const struct act *slots[N_SLOTS] = {NULL};
	const struct act *act, *final = NULL;
	struct xlate_buf list = {0};
	enum set_slot final_slot = 0;

	ACT_FOR_EACH (act, set, len) {
		enum set_slot slot = set_classify(act);

		if (slot < N_SLOTS) {
			slots[slot] = act;
		} else if (slot < SETTER && slot >= final_slot) {
			final = act;
			final_slot = slot;
		} else if (slot == NOT_IN_SET) {
			/* Of write_actions refused when it came; a group's bucket may have one. */
			xlate_report(ctx, XLATE_REPORT_WARN, "%s has no place in an action set, ignored",
				act_type_name(act->type));
		}
	}
	*ordered_len = 0;
	if (!final)
		return NULL;

	for (int i = 0; i < N_SLOTS; i++)
		if (slots[i])
			xlate_buf_put(ctx, &list, slots[i], slots[i]->len);
	ACT_FOR_EACH (act, set, len)
		if (set_classify(act) == SETTER)
			xlate_buf_put(ctx, &list, act, act->len);
	xlate_buf_put(ctx, &list, final, final->len);
	*ordered_len = list.len;
	return (const struct act *)list.data;
}

static void xlate_report_set(struct xlate_ctx *ctx, const char *verb)
{
	struct xlate_mark mark = xlate_mark(ctx);
	const struct act *acts;
	uint32_t len;

	if (!xlate_tracing(ctx))
		return;
	acts = xlate_order_set(ctx, (const struct act *)ctx->action_set.data, ctx->action_set.len,
		&len);
	xlate_report_acts(ctx, XLATE_REPORT_SET_IS, acts, len, verb);
	xlate_release(ctx, mark);
}

void xlate_write_actions(struct xlate_ctx *ctx, const struct act *acts, uint32_t len)
{
	const struct act *act;

	/* actset_output is the output port as long as there is one and no group. */
	ACT_FOR_EACH (act, acts, len) {
		if (ctx->action_set_has_group)
			break;
		if (act->type == ACT_OUTPUT) {
			ctx->flow.actset_output = ((const struct act_output *)act)->port;
		} else if (act->type == ACT_GROUP) {
			ctx->flow.actset_output = OFPP_UNSET;
			ctx->action_set_has_group = true;
		}
	}
	xlate_buf_put(ctx, &ctx->action_set, acts, len);
	xlate_report_set(ctx, "is");
}

void xlate_clear_actions(struct xlate_ctx *ctx)
{
	xlate_report_set(ctx, "was");
	ctx->action_set.len = 0;
	ctx->action_set_has_group = false;
	ctx->flow.actset_output = OFPP_UNSET;
}

void xlate_action_set(struct xlate_ctx *ctx)
{
	const struct act *acts;
	uint32_t len;

	if (!ctx->action_set.len)
		return;
	acts = xlate_order_set(ctx, (const struct act *)ctx->action_set.data, ctx->action_set.len,
		&len);
	ctx->action_set.len = 0;
	if (!len)
		return;
	ctx->in_action_set = true;
	xlate_report(ctx, XLATE_REPORT_ACTION_SET, "--. Executing action set:");
	ctx->trace_depth++;
	xlate_acts(ctx, acts, len, true, false);
	ctx->trace_depth--;
	ctx->in_action_set = false;
}
