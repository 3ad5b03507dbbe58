/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/of_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/fatal.h"
#include "ofproto/text/flow_text.h"
#include "ofproto/wire/hello.h"
#include "ofproto/wire/openflow.h"

#define PATIENCE_MS 30000
#define BARRIER_XID 0x62617272

struct of_client {
	int fd;
	enum ofp_version version;
	struct sbuf in;
	size_t done;		/* Bytes of `in` that were looked at. */
};

static int wait_for(struct of_client *client, short events, char **error)
{
	struct pollfd pfd = {.fd = client->fd, .events = events};

	if (poll(&pfd, 1, PATIENCE_MS) > 0)
		return 0;
	*error = xasprintf("no answer over OpenFlow for %d s", PATIENCE_MS / 1000);
	return -ETIMEDOUT;
}

/* Reads what is there into `in`. */
static int fill(struct of_client *client, char **error)
{
	ssize_t n;

	sbuf_reserve(&client->in, 65536);
	n = recv(client->fd, client->in.data + client->in.len, 65536, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		*error = xasprintf("OpenFlow connection: %s", n ? strerror(errno) : "closed by the switch");
		return n ? -errno : -ECONNRESET;
	}
	client->in.len += (size_t)n;
	return 0;
}

int of_client_send(struct of_client *client, const void *messages, size_t len, char **error)
{
	const uint8_t *p = messages;
	int err;

	while (len) {
		ssize_t n = send(client->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR) {
			*error = xasprintf("OpenFlow connection: %s", strerror(errno));
			return -errno;
		}
		/* It may have to say something before it hears more. */
		err = wait_for(client, POLLOUT | POLLIN, error);
		if (!err)
			err = fill(client, error);
		if (err)
			return err;
	}
	return 0;
}

static bool take(struct of_client *client, struct msg *msg)
{
	const char *data = client->in.data + client->done;
	size_t have = client->in.len - client->done, len;

	if (have < OFP_HEADER_LEN)
		return false;
	len = msg_header_len(data);
	if (len < OFP_HEADER_LEN || have < len)
		return false;
	client->done += len;
	memset(msg, 0, sizeof *msg);
	if (msg_decode(data, len, msg)) {
		msg->type = OFP_N_TYPES;
		msg->data = (const uint8_t *)data;
		msg->len = len;
	}
	return true;
}

int of_client_receive(struct of_client *client, struct msg *msg, char **error)
{
	int err = 0;

	while (!err) {
		if (take(client, msg)) {
			struct sbuf reply = SBUF_INITIALIZER;

			if (msg->type != OFPTYPE_ECHO_REQUEST)
				return 0;
			msg_put_echo_reply(&reply, msg);
			err = of_client_send(client, reply.data, reply.len, error);
			sbuf_uninit(&reply);
			continue;
		}
		sbuf_pull(&client->in, client->done);
		client->done = 0;
		err = wait_for(client, POLLIN, error);
		if (!err)
			err = fill(client, error);
	}
	return err;
}

int of_client_barrier(struct of_client *client, char **error)
{
	struct sbuf out = SBUF_INITIALIZER;
	unsigned int n_errors = 0;
	struct msg msg;
	int err;

	msg_put_empty(&out, client->version, OFPTYPE_BARRIER_REQUEST, htobe32(BARRIER_XID));
	err = of_client_send(client, out.data, out.len, error);
	sbuf_uninit(&out);
	while (!err) {
		err = of_client_receive(client, &msg, error);
		if (err)
			return err;
		n_errors += msg.type == OFPTYPE_ERROR;
		if (msg.type == OFPTYPE_BARRIER_REPLY && msg.xid == htobe32(BARRIER_XID))
			break;
	}
	if (!err && n_errors) {
		*error = xasprintf("the switch refused %u messages", n_errors);
		err = -EPROTO;
	}
	return err;
}

static int say_hello(struct of_client *client, char **error)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct msg msg;
	int err;

	hello_encode(OFP_VERSION_BIT(client->version), 0, &out);
	err = of_client_send(client, out.data, out.len, error);
	sbuf_uninit(&out);
	if (!err)
		err = of_client_receive(client, &msg, error);
	if (!err && msg.type != OFPTYPE_HELLO) {
		*error = xstrdup("the switch did not say hello");
		err = -EPROTO;
	}
	return err;
}

int of_client_open(const char *path, enum ofp_version version, struct of_client **clientp, char **error)
{
	struct of_client *client = xcalloc(1, sizeof *client);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int err = 0;

	client->version = version;
	strncpy(addr.sun_path, path, sizeof addr.sun_path - 1);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&addr, sizeof addr)) {
		err = -errno;
		*error = xasprintf("%s: %s", path, strerror(-err));
	}
	if (!err)
		err = say_hello(client, error);
	if (err)
		of_client_close(client);
	else
		*clientp = client;
	return err;
}

void of_client_close(struct of_client *client)
{
	if (!client)
		return;
	if (client->fd >= 0)
		close(client->fd);
	sbuf_uninit(&client->in);
	free(client);
}

void of_client_put_flow(struct sbuf *out, enum ofp_version version, const char *flow, bool delete)
{
	struct flow_format format = {.version = version, .nxm = true};
	struct flow_mod fm;
	char *error = NULL;

	if (flow_text_parse(flow, NULL, &fm, &error))
		fatal("%s: %s", flow, error);
	if (delete)
		fm.command = OFPFC_DELETE_STRICT;
	flow_mod_encode(&fm, &format, 0, out);
	flow_mod_uninit(&fm);
}
