/* SPDX-License-Identifier: Apache-2.0 */
#include "ofproto/ofproto_tree_cmd.h"

#include <stdlib.h>
#include <string.h>

#include "lib/unixctl.h"

void tree_format_id(struct sbuf *s, const char *priority_label, uint64_t id,
	unsigned int hello_time, unsigned int max_age, unsigned int forward_delay)
{
	sbuf_putf(s, "  %s%u\n", priority_label, (unsigned int)(id >> 48));
	sbuf_putf(s, "  stp-system-id   %02x:%02x:%02x:%02x:%02x:%02x\n",
		(unsigned int)(id >> 40 & 0xff), (unsigned int)(id >> 32 & 0xff),
		(unsigned int)(id >> 24 & 0xff), (unsigned int)(id >> 16 & 0xff),
		(unsigned int)(id >> 8 & 0xff), (unsigned int)(id & 0xff));
	sbuf_putf(s, "  stp-hello-time  %us\n", hello_time);
	sbuf_putf(s, "  stp-max-age     %us\n", max_age);
	sbuf_putf(s, "  stp-fwd-delay   %us\n", forward_delay);
}

/* The bridges that run PROTOCOL, or of them the one named by ARGV[1], sorted and ended by NULL; to
 * be freed. NULL after an error reply. */
static struct ofproto **select_bridges(struct unixctl_conn *conn, int argc, const char *argv[],
	const struct tree_protocol *protocol)
{
	const struct ofproto *named = argc > 1 ? ofproto_from_name(argv[1]) : NULL;
	struct ofproto **all;
	size_t n = 0;

	if (argc > 1 && (!named || !protocol->runs(named))) {
		unixctl_reply_error(conn, protocol->missing);
		return NULL;
	}
	all = ofproto_list();
	for (size_t i = 0; all[i]; i++)
		if (protocol->runs(all[i]) && (!named || all[i] == named))
			all[n++] = all[i];
	all[n] = NULL;
	return all;
}

static void cmd_show(struct unixctl_conn *conn, int argc, const char *argv[], void *protocol_)
{
	const struct tree_protocol *protocol = protocol_;
	struct ofproto **bridges = select_bridges(conn, argc, argv, protocol);
	struct sbuf s = SBUF_INITIALIZER;

	if (!bridges)
		return;
	for (size_t i = 0; bridges[i]; i++)
		protocol->format(&s, bridges[i]);
	free(bridges);
	unixctl_reply(conn, sbuf_cstr(&s));
	sbuf_uninit(&s);
}

static void cmd_tcn(struct unixctl_conn *conn, int argc, const char *argv[], void *protocol_)
{
	const struct tree_protocol *protocol = protocol_;
	struct ofproto **bridges = select_bridges(conn, argc, argv, protocol);

	if (!bridges)
		return;
	for (size_t i = 0; bridges[i]; i++)
		protocol->topology_change(bridges[i]);
	free(bridges);
	unixctl_reply(conn, "OK");
}

void tree_commands_register(
	const char *show, const char *tcn, const struct tree_protocol *protocol)
{
	unixctl_command_register(show, "[bridge]", 0, 1, cmd_show, (void *)protocol);
	unixctl_command_register(tcn, "[bridge]", 0, 1, cmd_tcn, (void *)protocol);
}
