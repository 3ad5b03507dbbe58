/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/ofproto_trace_args.h"

#include <stdlib.h>
#include <string.h>

#include "lib/fatal.h"
#include "lib/flow_compose.h"
#include "lib/flow_parse.h"
#include "lib/headers.h"
#include "ofproto/text/match_text.h"

#define MAX_L7_LEN 64000

static char *parse_hex(const char *text, struct sbuf *bytes)
{
	size_t len = strlen(text);

	if (len % 2)
		return xstrdup("Trailing garbage in packet data");
	if (parse_hex_bytes(text, sbuf_put_uninit(bytes, len / 2), len / 2)) {
		sbuf_clear(bytes);
		return xstrdup("Trailing garbage in packet data");
	}
	return NULL;
}

/* An option with its argument at ARGV[*I]. */
static char *parse_option(struct trace_args *args, const char *const argv[], int argc, int *i)
{
	const char *option = argv[*i];
	uint64_t len;

	if (!strcmp(option, "-generate") || !strcmp(option, "--generate")) {
		args->generate = true;
	} else if (!strcmp(option, "-names") || !strcmp(option, "--names")) {
		args->names = true;
	} else if (!strcmp(option, "-consistent") || !strcmp(option, "--consistent")) {
		args->consistent = true;
	} else if (!strcmp(option, "--l7") || !strcmp(option, "--l7-len")) {
		if (++*i >= argc)
			return xasprintf("Missing argument for option %s", option);
		sbuf_clear(&args->l7);
		if (!strcmp(option, "--l7"))
			return parse_hex(argv[*i], &args->l7);
		if (parse_u64(argv[*i], 0, MAX_L7_LEN, &len))
			return xasprintf("%s: too much L7 data", argv[*i]);
		args->l7_len = len;
	} else if (!strcmp(option, "-ct-next") || !strcmp(option, "--ct-next")) {
		/* What the connection tracker says next: no action asks it. */
		if (++*i >= argc)
			return xasprintf("Missing argument for option %s", option);
	} else {
		return xasprintf("%s: unknown option", option);
	}
	return NULL;
}

static char *parse_args(struct trace_args *args, int argc, const char *const argv[])
{
	char *error;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			error = parse_option(args, argv, argc, &i);
			if (error)
				return error;
		} else if (args->n_words >= 3) {
			return xstrdup("too many arguments");
		} else {
			args->words[args->n_words++] = argv[i];
		}
	}
	return NULL;
}

static char *parse_frame(const char *text, struct sbuf *frame)
{
	char *error;

	sbuf_clear(frame);
	error = parse_hex(text, frame);
	if (!error && frame->len < ETH_HEADER_LEN) {
		sbuf_clear(frame);
		error = xstrdup("Packet data too short for Ethernet");
	}
	return error;
}

/* Takes a packet off the end of the words, if there is one. */
static char *parse_packet(struct trace_args *args, struct trace_request *request)
{
	char *error;

	if (args->generate || args->n_words < 2)
		return NULL;
	error = parse_frame(args->words[args->n_words - 1], &request->frame);
	if (!error) {
		args->n_words--;
		return NULL;
	}
	if (args->n_words > 2)
		return error;
	free(error);
	return NULL;
}

/* The fields of the frame take the place of those of the flow. */
static void flow_from_frame(struct trace_request *request)
{
	struct flow given = request->flow;
	struct flow_limits limits = { .max_vlans = ofproto_globals.vlan_limit };
	struct packet packet;

	packet_init(&packet, (uint8_t *)request->frame.data, (uint32_t)request->frame.len, 0);
	packet.tunnel = given.tunnel;
	packet.pkt_mark = given.pkt_mark;
	flow_extract_limits(&packet, &limits, &request->flow);
	request->flow.in_port = given.in_port;
	request->flow.metadata = given.metadata;
	request->flow.tun_metadata = given.tun_metadata;
	memcpy(request->flow.regs, given.regs, sizeof given.regs);
}

/* A packet with the fields of the flow. */
static void generate(const struct trace_args *args, struct trace_request *request)
{
	struct packet *packet = flow_compose(&request->flow, args->l7.data,
		args->l7.len ? args->l7.len : args->l7_len);

	sbuf_put(&request->frame, packet->data, packet->len);
	packet_heap_ops.free(NULL, packet);
}

char *trace_parse(int argc, const char *argv[], struct trace_args *args,
	struct trace_request *request)
{
	struct port_names names;
	char *error, *why;

	error = parse_args(args, argc, argv);
	if (!error)
		error = parse_packet(args, request);
	if (error)
		return error;
	if (args->n_words != 2)
		return args->n_words == 1
			       ? xasprintf("syntax error at %s (or the bridge name was omitted)",
					 args->words[0])
			       : xstrdup("Syntax error");
	request->ofproto = ofproto_from_name(args->words[0]);
	if (!request->ofproto)
		return xasprintf("%s: unknown bridge", args->words[0]);
	if (!args->words[1][strspn(args->words[1], ", \t")])
		return xstrdup("Bad openflow flow syntax: the flow is empty");
	request->names = args->names;
	ofproto_use_tlv_map(request->ofproto);
	ofproto_port_names(request->ofproto, &names);
	if (flow_parse(&request->flow, args->words[1], &names, &why)) {
		error = xasprintf("Bad openflow flow syntax: %s", why);
		free(why);
		return error;
	}
	if (!request->flow.in_port)
		request->flow.in_port = OFPP_NONE;
	if (args->generate)
		generate(args, request);
	else if (request->frame.len)
		flow_from_frame(request);
	return NULL;
}
