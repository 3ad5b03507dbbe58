/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/dp.h"
#include "datapath/pipeline/fdb.h"
#include "lib/clock.h"
#include "lib/fatal.h"
#include "lib/unixctl.h"
#include "ofproto/ofproto_private.h"
#include "ofproto/ofproto_trace_args.h"
#include "ofproto/ofproto_unixctl.h"
#include "ofproto/state/refs.h"
#include "ofproto/text/act_text.h"
#include "ofproto/text/match_text.h"
#include "ofproto/wire/action.h"

/* ------------------------------------------------------------------ steps */

/* A step of the trace: children are what lies deeper behind it. */
struct trace_node {
	int depth;
	enum xlate_report_kind kind;
	char *text;
};

struct trace {
	struct xlate_sink sink;
	const struct port_names *names;	/* NULL: numbers. */
	VEC(struct trace_node) nodes;
};

static void put_rule(struct trace *trace, struct sbuf *s, const struct xlate_report *report)
{
	const struct pl_rule *rule = report->rule;
	be64 cookie;
	struct match match;

	sbuf_putf(s, "%2d. ", report->table_id);
	if (!rule) {
		sbuf_puts(s, report->text ? report->text : "No match.");
		return;
	}
	cls_rule_get_match(&rule->cr, &match);
	match_format(&match, MATCH_DEFAULT_PRIORITY, trace->names, s);
	if (!sbuf_ends_with(s, " "))
		sbuf_puts(s, ", ");
	sbuf_putf(s, "priority %d", rule->cr.priority);
	cookie = atomic_load_explicit(&rule->cookie, memory_order_relaxed);
	if (cookie)
		sbuf_putf(s, ", cookie 0x%llx", (unsigned long long)be64toh(cookie));
}

static void put_learned(struct sbuf *s, const struct xlate_learned *learned)
{
	const struct act_learn *learn = learned->learn;

	sbuf_putf(s, "table=%u ", learn->table_id);
	match_format(&learned->match, MATCH_DEFAULT_PRIORITY, NULL, s);
	sbuf_chomp(s, ' ');
	sbuf_putf(s, " priority=%u", learn->priority);
	if (learn->cookie)
		sbuf_putf(s, " cookie=0x%llx", (unsigned long long)be64toh(learn->cookie));
	if (learn->idle_timeout)
		sbuf_putf(s, " idle=%u", learn->idle_timeout);
	if (learn->hard_timeout)
		sbuf_putf(s, " hard=%u", learn->hard_timeout);
	if (learn->flags & ACT_LEARN_SEND_FLOW_REM)
		sbuf_puts(s, " send_flow_rem");
	sbuf_puts(s, " actions=");
	act_list_format(learned->acts, learned->acts_len, NULL, s);
}

static void put_step(struct trace *trace, struct sbuf *s, const struct xlate_report *report)
{
	switch (report->kind) {
	case XLATE_REPORT_TABLE:
		put_rule(trace, s, report);
		break;
	case XLATE_REPORT_ACTION_SET:
		sbuf_puts(s, "--. Executing action set:");
		break;
	case XLATE_REPORT_ACTION:
		act_list_format(report->act, report->acts_len, trace->names, s);
		break;
	case XLATE_REPORT_SET_IS:
		sbuf_putf(s, "action set %s ", report->text);
		if (report->acts_len) {
			sbuf_chomp(s, ' ');
			sbuf_puts(s, ": ");
			act_list_format(report->act, report->acts_len, NULL, s);
		} else {
			sbuf_puts(s, "empty");
		}
		break;
	case XLATE_REPORT_LEARNED:
		put_learned(s, report->learned);
		break;
	default:
		sbuf_puts(s, report->text ? report->text : "");
		break;
	}
}

static void trace_report(struct xlate_sink *sink, const struct xlate_report *report)
{
	struct trace *trace = container_of(sink, struct trace, sink);
	struct sbuf s = SBUF_INITIALIZER;
	struct trace_node *node = vec_push_zero(&trace->nodes);

	node->depth = report->depth;
	node->kind = report->kind;
	put_step(trace, &s, report);
	node->text = sbuf_steal(&s);
	/* The rule that a miss stands for drops. */
	if (report->kind == XLATE_REPORT_TABLE && !report->rule &&
		(!report->text || !strcmp(report->text, "No match."))) {
		node = vec_push_zero(&trace->nodes);
		node->depth = report->depth + 1;
		node->kind = XLATE_REPORT_ACTION;
		node->text = xstrdup("drop");
	}
}

/* With a real packet the trace does what the packet would have done to the tables. */
static bool trace_fdb_learn(struct xlate_sink *sink, struct pl_bridge *bridge, struct eth_addr mac,
	uint16_t vlan, ofp_port_t port)
{
	fdb_learn(bridge->fdb, mac, vlan, port, clock_ms());
	return true;
}

static enum xlate_learn_result trace_learn(
	struct xlate_sink *sink, const struct xlate_learned *learned, bool *written)
{
	struct xlate_sink *real = ofproto_sink();

	return real->learn(real, learned, written);
}

/* ------------------------------------------------------------------ printing */

static bool is_terminal(enum xlate_report_kind kind)
{
	return kind != XLATE_REPORT_BRIDGE && kind != XLATE_REPORT_TABLE &&
		kind != XLATE_REPORT_THAW && kind != XLATE_REPORT_ACTION_SET;
}

/* The next node of the same parent behind I, up to END; END if I is the last. */
static size_t next_sibling(const struct trace *trace, size_t i, size_t end)
{
	size_t j = i + 1;

	while (j < end && trace->nodes.items[j].depth > trace->nodes.items[i].depth)
		j++;
	return j;
}

static void print_node(struct sbuf *s, const struct trace_node *node, int indent)
{
	sbuf_putc_n(s, ' ', (size_t)indent);
	switch (node->kind) {
	case XLATE_REPORT_LEARNED:
	case XLATE_REPORT_SET_IS:
	case XLATE_REPORT_FIELD:
	case XLATE_REPORT_DETAIL:
		sbuf_putf(s, " -> %s\n", node->text);
		break;
	case XLATE_REPORT_WARN:
		sbuf_putf(s, " >> %s\n", node->text);
		break;
	case XLATE_REPORT_ERROR:
		sbuf_putf(s, " >>>> %s <<<<\n", node->text);
		break;
	case XLATE_REPORT_BRIDGE:
		sbuf_putf(s, "%s\n", node->text);
		sbuf_putc_n(s, ' ', (size_t)indent);
		sbuf_putc_n(s, '-', strlen(node->text));
		sbuf_putc(s, '\n');
		break;
	default:
		sbuf_putf(s, "%s\n", node->text);
		break;
	}
}

/* A list of steps is indented only where something comes after what it belongs to, so that a chain
 * of tables does not run off the page. */
static void print_nodes(
	const struct trace *trace, struct sbuf *s, size_t start, size_t end, int level)
{
	for (size_t i = start, next; i < end; i = next) {
		const struct trace_node *node = &trace->nodes.items[i];
		int more;

		next = next_sibling(trace, i, end);
		more = next < end || is_terminal(node->kind);
		if (node->kind == XLATE_REPORT_BRIDGE)
			sbuf_putc(s, '\n');
		print_node(s, node, (level + more) * 4);
		print_nodes(trace, s, i + 1, next, level + more + more);
	}
}

/* ------------------------------------------------------------------ a trace */

static void trace_init(struct trace *trace, bool with_packet, const struct port_names *names)
{
	*trace = (struct trace) { .names = names };
	vec_init(&trace->nodes);
	trace->sink.report = trace_report;
	if (with_packet) {
		trace->sink.fdb_learn = trace_fdb_learn;
		trace->sink.learn = trace_learn;
	}
}

static void trace_uninit(struct trace *trace)
{
	struct trace_node *node;

	VEC_FOR_EACH (node, &trace->nodes)
		free(node->text);
	vec_uninit(&trace->nodes);
}

static void put_flow(const struct flow *flow, const struct port_names *names, struct sbuf *s)
{
	struct flow shown = *flow;

	if (shown.actset_output == OFPP_UNSET)
		shown.actset_output = 0;
	flow_format(&shown, names, s);
}

static void print_result(const struct trace_request *request, const struct xlate_out *out,
	const struct flow *initial, const struct flow *final, const struct port_names *names,
	struct sbuf *s)
{
	struct match megaflow = { .flow = request->flow, .mask = out->wc };

	sbuf_puts(s, "\nFinal flow: ");
	if (flow_equal(initial, final))
		sbuf_puts(s, "unchanged");
	else
		put_flow(final, names, s);
	/* Always looked at in Open vSwitch's words; here every packet is Ethernet, and none
	 * recirculates. */
	megaflow.mask.recirc_id = UINT32_MAX;
	flow_mask_apply(&megaflow.flow, &megaflow.mask);
	sbuf_puts(s, "\nMegaflow: ");
	match_format(&megaflow, MATCH_DEFAULT_PRIORITY, names, s);
	sbuf_puts(s, "\nDatapath actions: ");
	program_format((const struct op *)(const void *)out->program.buf.data, out->program.buf.len,
		request->names ? dp_port_name : NULL, s);
}

static void trace_run(const struct trace_request *request, struct sbuf *s)
{
	const struct pl_bridge_conf *conf = pl_bridge_conf(request->ofproto->bridge);
	struct flow initial = request->flow, final;
	struct port_names names;
	struct trace trace;
	struct xlate_out out;
	struct xlate_in in = {
		.version = version_get(),
		.flow = &initial,
		.bridge = request->ofproto->bridge,
		.in_port = pl_port_from_ofp(conf, request->flow.in_port),
		.packet_len = (uint32_t)request->frame.len,
		.acts = request->acts,
		.acts_len = (uint32_t)request->acts_len,
		.sink = &trace.sink,
		.final_flow = &final,
	};

	ofproto_port_names(request->ofproto, &names);
	initial.actset_output = OFPP_UNSET;
	final = initial;
	trace_init(&trace, request->frame.len > 0, request->names ? &names : NULL);
	xlate_out_init(&out);
	sbuf_puts(s, "Flow: ");
	put_flow(&initial, trace.names, s);
	sbuf_putc(s, '\n');
	translate(&in, &out);
	print_nodes(&trace, s, 0, trace.nodes.n, 0);
	/* The action set is done with. */
	final.actset_output = initial.actset_output;
	print_result(request, &out, &initial, &final, trace.names, s);
	xlate_out_uninit(&out);
	trace_uninit(&trace);
}

/* ------------------------------------------------------------------ commands */

static char *check_trace_acts(
	struct trace_request *request, struct act_builder *acts, bool consistent)
{
	struct match match = { .flow = request->flow };
	struct act_check check = {
		.match = &match,
		.n_tables = OFP_N_TABLES,
		.consistent = consistent,
	};
	struct act *list = (struct act *)(void *)acts->buf.data;
	enum ofp_error error;

	memset(&match.mask, 0xff, sizeof match.mask);
	error = act_check(list, acts->buf.len, &check);
	if (!error)
		error = of_acts_check(&request->ofproto->state, list, acts->buf.len);
	request->acts = act_builder_acts(acts);
	request->acts_len = acts->buf.len;
	return error ? xasprintf("Bad actions: %s", ofp_error_name(error)) : NULL;
}

static void finish(struct unixctl_conn *conn, char *error, struct trace_request *request,
	struct trace_args *args)
{
	struct sbuf s = SBUF_INITIALIZER;

	if (error) {
		unixctl_reply_error(conn, error);
		free(error);
	} else {
		trace_run(request, &s);
		unixctl_reply(conn, sbuf_cstr(&s));
	}
	ofproto_use_tlv_map(NULL);
	sbuf_uninit(&s);
	sbuf_uninit(&request->frame);
	sbuf_uninit(&args->l7);
}

static void cmd_trace(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct trace_args args = TRACE_ARGS_INITIALIZER;
	struct trace_request request = TRACE_REQUEST_INITIALIZER;

	finish(conn, trace_parse(argc, argv, &args, &request), &request, &args);
}

static void cmd_trace_packet_out(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
	struct trace_args args = TRACE_ARGS_INITIALIZER;
	struct trace_request request = TRACE_REQUEST_INITIALIZER;
	char *text = xstrdup(argv[argc - 1]), *error = NULL;
	struct act_builder acts;

	act_builder_init(&acts);
	act_list_parse(text, NULL, &acts, &error);
	if (!error)
		error = trace_parse(argc - 1, argv, &args, &request);
	if (!error)
		error = check_trace_acts(&request, &acts, args.consistent);
	finish(conn, error, &request, &args);
	act_builder_uninit(&acts);
	free(text);
}

void ofproto_trace_init(void)
{
	unixctl_command_register("ofproto/trace",
		"{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] "
		"[-generate|packet]",
		1, INT_MAX, cmd_trace, NULL);
	unixctl_command_register("ofproto/trace-packet-out", "[-consistent] {[dp_name] odp_flow | "
		"bridge br_flow} [OPTIONS...] [-generate|packet] actions", 2, INT_MAX,
		cmd_trace_packet_out, NULL);
}
