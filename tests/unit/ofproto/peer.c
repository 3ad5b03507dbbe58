/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/rcu.h"
#include "ofproto/wire/flow_mod.h"
#include "ofproto/wire/hello.h"

#define PATIENCE_MS 2000

struct event_loop *peer_loop;
struct ofproto *peer_bridge;
char peer_dir[64];
struct sbuf peer_out = SBUF_INITIALIZER;

static void turn(void *aux)
{
	ofproto_run_all();
	rcu_reclaim();
}

int bridge_setup(void **state)
{
	if (!getenv("SLUICE_TEST_LOG"))
		log_set_levels(NULL, -1, LOG_LEVEL_OFF);
	strcpy(peer_dir, "/tmp/sluice-peer-XXXXXX");
	assert_non_null(mkdtemp(peer_dir));
	peer_loop = event_loop_create();
	event_hook_add(peer_loop, turn, NULL);
	ofproto_init(peer_loop, peer_dir);
	assert_int_equal(ofproto_create("br0", &peer_bridge), 0);
	return 0;
}

int bridge_teardown(void **state)
{
	ofproto_uninit();
	rcu_synchronize();
	event_loop_destroy(peer_loop);
	rmdir(peer_dir);
	clock_test_reset();
	sbuf_uninit(&peer_out);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	/* Not clock_ms(): a test may have stopped that. */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

void bridge_run(int ms)
{
	int64_t end = now_ms() + ms;

	do
		event_run_once(peer_loop, 2);
	while (now_ms() < end);
}

void peer_connect(struct peer *peer, const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memset(peer, 0, sizeof *peer);
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s/%s", peer_dir, name);
	peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(peer->fd >= 0);
	assert_int_equal(connect(peer->fd, (struct sockaddr *)&addr, sizeof addr), 0);
}

void peer_open(struct peer *peer, const char *name, enum ofp_version version)
{
	struct sbuf out = SBUF_INITIALIZER;
	struct msg msg;

	peer_connect(peer, name);
	peer->version = version;
	hello_encode(OFP_VERSION_BIT(version), peer_xid(peer), &out);
	peer_send(peer, &out);
	peer_expect(peer, OFPTYPE_HELLO, &msg);
	sbuf_uninit(&out);
}

void peer_close(struct peer *peer)
{
	close(peer->fd);
	sbuf_uninit(&peer->rx);
	sbuf_uninit(&peer->bytes);
}

void peer_send(struct peer *peer, struct sbuf *out)
{
	size_t ofs = 0;

	while (ofs < out->len) {
		ssize_t n = send(peer->fd, out->data + ofs, out->len - ofs, MSG_NOSIGNAL);

		if (n > 0)
			ofs += (size_t)n;
		else if (errno == EAGAIN)
			event_run_once(peer_loop, 1);
		else
			break;
	}
	sbuf_clear(out);
}

/* More bytes, if there are any; false: the other side is gone. */
static bool peer_fill(struct peer *peer)
{
	char buf[65536];
	ssize_t n = recv(peer->fd, buf, sizeof buf, 0);

	if (n > 0)
		sbuf_put(&peer->rx, buf, (size_t)n);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static bool peer_has_message(const struct peer *peer)
{
	return peer->rx.len >= OFP_HEADER_LEN && peer->rx.len >= msg_header_len(peer->rx.data);
}

bool peer_recv(struct peer *peer, struct msg *msg)
{
	int64_t end = now_ms() + PATIENCE_MS;
	size_t len;

	while (!peer_has_message(peer) && now_ms() < end) {
		event_run_once(peer_loop, 1);
		if (!peer_fill(peer))
			break;
	}
	if (!peer_has_message(peer))
		return false;
	len = msg_header_len(peer->rx.data);
	sbuf_clear(&peer->bytes);
	sbuf_put(&peer->bytes, peer->rx.data, len);
	sbuf_pull(&peer->rx, len);
	assert_int_equal(msg_decode(peer->bytes.data, len, msg), OFP_OK);
	return true;
}

void peer_expect(struct peer *peer, enum ofp_type type, struct msg *msg)
{
	assert_true(peer_recv(peer, msg));
	if (msg->type != type)
		print_error("expected %s, got %s\n", ofp_type_name(type), ofp_type_name(msg->type));
	assert_int_equal(msg->type, type);
}

void peer_expect_error(struct peer *peer, enum ofp_error error)
{
	struct error_msg em;
	struct msg msg;

	peer_expect(peer, OFPTYPE_ERROR, &msg);
	assert_int_equal(error_decode(&msg, &em), OFP_OK);
	assert_string_equal(ofp_error_name(em.error), ofp_error_name(error));
}

void peer_expect_silence(struct peer *peer)
{
	bridge_run(50);
	assert_true(peer_fill(peer));
	assert_false(peer_has_message(peer));
}

void peer_expect_closed(struct peer *peer)
{
	int64_t end = now_ms() + PATIENCE_MS;
	bool open = true;

	while (open && now_ms() < end) {
		event_run_once(peer_loop, 1);
		open = peer_fill(peer);
	}
	assert_false(open);
}

be32 peer_xid(struct peer *peer)
{
	return htobe32(++peer->xid);
}

void peer_barrier(struct peer *peer)
{
	struct sbuf out = SBUF_INITIALIZER;
	be32 xid = peer_xid(peer);
	struct msg msg;

	msg_put_empty(&out, peer->version, OFPTYPE_BARRIER_REQUEST, xid);
	peer_send(peer, &out);
	peer_expect(peer, OFPTYPE_BARRIER_REPLY, &msg);
	assert_int_equal(msg.xid, xid);
	sbuf_uninit(&out);
}

void peer_put_flow_mod(struct peer *peer, struct sbuf *out, uint16_t command, uint16_t priority,
	uint16_t flags)
{
	struct flow_format format = { .version = peer->version, .nxm = true };
	struct flow_mod fm;

	flow_mod_init(&fm);
	fm.command = command;
	fm.priority = priority;
	fm.flags = flags;
	if (command == OFPFC_ADD) {
		fm.match.flow.metadata = htobe64(priority);
		fm.match.mask.metadata = BE64_MAX;
	}
	flow_mod_encode(&fm, &format, peer_xid(peer), out);
	flow_mod_uninit(&fm);
}
