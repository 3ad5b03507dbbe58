/* SPDX-License-Identifier: Apache-2.0 */

/*
 * "system" ports on veth pairs. The peers are kernel stacks in namespaces of their own, with their
 * offloads on as they are by default; the test itself is the cable between two ports.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datapath/port/link_monitor.h"
#include "datapath/port/port.h"
#include "lib/clock.h"
#include "lib/headers.h"
#include "tests/support/eal_fixture.h"

static struct port *open_port(const char *name)
{
	struct dp_port_spec spec = {.name = name, .type = "system"};
	struct port *port = NULL;
	char error[256] = "";

	if (port_open(&spec, 3, 1, &port, error))
		fail_msg("%s", error);
	return port;
}

/* ------------------------------------------------------------------ raw frames */

static int raw_socket(const char *name)
{
	struct sockaddr_ll sll = {.sll_family = AF_PACKET,
		.sll_protocol = htons(0x88b5),
		.sll_ifindex = (int)if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(0x88b5));

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sll, sizeof sll), 0);
	return fd;
}

/* The next frame whose source is 02:..:aa. */
static struct rte_mbuf *receive_ours(struct port *port)
{
	for (int i = 0; i < 100; i++) {
		struct pollfd pfd = {.fd = port_rx_fd(port, 0), .events = POLLIN};
		struct rte_mbuf *mbufs[PORT_BURST], *found = NULL;
		uint16_t n;

		poll(&pfd, 1, 20);
		n = port_rx(port, 0, mbufs, PORT_BURST);
		for (uint16_t j = 0; j < n; j++) {
			if (!found && mbuf_packet(mbufs[j])->data[11] == 0xaa)
				found = mbufs[j];
			else
				rte_pktmbuf_free(mbufs[j]);
		}
		if (found)
			return found;
	}
	return NULL;
}

static void test_tags(void **state)
{
	static const uint8_t frames[][64] = {
		{2, 0, 0, 0, 0, 0xbb, 2, 0, 0, 0, 0, 0xaa, 0x88, 0xb5, 1, 2, 3},
		{2, 0, 0, 0, 0, 0xbb, 2, 0, 0, 0, 0, 0xaa, 0x81, 0x00, 0xa0, 5, 0x88, 0xb5, 1, 2,
			3},
		{2, 0, 0, 0, 0, 0xbb, 2, 0, 0, 0, 0, 0xaa, 0x81, 0x00, 0, 0, 0x88, 0xb5, 1, 2, 3},
		{2, 0, 0, 0, 0, 0xbb, 2, 0, 0, 0, 0, 0xaa, 0x88, 0xa8, 0, 9, 0x81, 0, 0, 5, 0x88,
			0xb5},
	};
	struct port *port;
	int fd;

	assert_int_equal(run("ip link add v0 type veth peer name v1 && ip link set v0 up && "
			     "ip link set v1 up"),
		0);
	port = open_port("v0");
	assert_int_equal(run("ip -d link show v0 | grep -q 'promiscuity 1'"), 0);
	fd = raw_socket("v1");
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		uint64_t drops[DROP_N_REASONS] = {0};
		struct rte_mbuf *m;

		assert_int_equal(send(fd, frames[i], sizeof frames[i], 0), sizeof frames[i]);
		m = receive_ours(port);
		assert_non_null(m);
		assert_int_equal(mbuf_packet(m)->len, sizeof frames[i]);
		assert_memory_equal(mbuf_packet(m)->data, frames[i], sizeof frames[i]);
		assert_int_equal(m->pkt_len, sizeof frames[i]);
		/* What we send is not what we receive. */
		assert_int_equal(port_tx(port, 0, &m, 1, drops, NULL), 1);
		usleep(1000);
		assert_int_equal(port_rx(port, 0, &m, 1), 0);
	}
	close(fd);
	port_close(port);
	assert_int_equal(run("ip -d link show v0 | grep -q 'promiscuity 0'"), 0);
	run("ip link del v0");
}

static void test_too_long(void **state)
{
	struct rte_mbuf *m[3];
	struct port *port;
	uint64_t drops[DROP_N_REASONS] = {0};

	assert_int_equal(run("ip link add v0 type veth peer name v1 && ip link set v0 up && "
			     "ip link set v1 up"),
		0);
	port = open_port("v0");
	m[0] = mbuf_alloc(eal_mempool(-1), 1514);
	m[1] = mbuf_alloc(eal_mempool(-1), 1515);
	m[2] = mbuf_alloc(eal_mempool(-1), 1518);
	for (int i = 0; i < 3; i++)
		memset(mbuf_packet(m[i])->data, 2, 1514);
	mbuf_packet(m[2])->data[12] = 0x81;
	mbuf_packet(m[2])->data[13] = 0;
	assert_int_equal(port_tx(port, 0, m, 3, drops, NULL), 2);
	assert_int_equal(drops[DROP_TX_TOO_BIG], 1);
	port_close(port);
	run("ip link del v0");
}

/* The kernel tells of a link some time after it came up. */
static void wait_for_link(struct port *port, struct dp_port_info *info)
{
	for (int i = 0; i < 500; i++) {
		assert_int_equal(port_info(port, info), 0);
		if (info->admin_up && info->link_up)
			return;
		usleep(10000);
	}
	fail_msg("no link");
}

static void test_comes_and_goes(void **state)
{
	struct link_monitor *monitor;
	struct link_event event;
	struct dp_port_info info;
	bool lost = false, seen = false, gone = false;
	uint8_t frame[60] = {2, 0, 0, 0, 0, 0xbb, 2, 0, 0, 0, 0, 0xaa, 0x88, 0xb5};
	uint64_t drops[DROP_N_REASONS] = {0};
	struct rte_mbuf *m;
	struct port *port;
	int fd;

	assert_int_equal(link_monitor_open(&monitor), 0);
	assert_int_equal(run("ip link add v0 type veth peer name v1"), 0);
	/* The kernel at the other end says nothing by itself. */
	run("sysctl -qw net.ipv6.conf.v1.disable_ipv6=1");
	port = open_port("v0");
	assert_int_equal(port_info(port, &info), 0);
	assert_false(info.admin_up);
	assert_string_equal(info.driver, "veth");
	assert_int_equal(info.link_speed_mbps, 10000);
	assert_int_equal(port_set_admin(port, true), 0);
	assert_int_equal(port_set_mtu(port, 1450), 0);
	run("ip link set v1 up");
	wait_for_link(port, &info);
	assert_int_equal(info.mtu, 1450);
	assert_int_equal(info.link_resets, 1);

	run("ip link del v0");
	assert_int_equal(port_info(port, &info), -ENODEV);
	m = mbuf_from_bytes(eal_mempool(-1), frame, sizeof frame);
	assert_int_equal(port_tx(port, 0, &m, 1, drops, NULL), 0);
	assert_int_equal(drops[DROP_TX_PORT_DOWN], 1);
	/* What the kernel's own stack had sent before may still lie there. */
	for (int i = 0; i < 64 && port_rx(port, 0, &m, 1); i++)
		rte_pktmbuf_free(m);
	assert_int_equal(port_rx(port, 0, &m, 1), 0);

	run("ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up");
	assert_int_equal(port_info(port, &info), 0);
	fd = raw_socket("v1");
	assert_int_equal(send(fd, frame, sizeof frame, 0), sizeof frame);
	m = receive_ours(port);
	assert_non_null(m);
	rte_pktmbuf_free(m);
	close(fd);

	while (link_monitor_next(monitor, &event, &lost)) {
		seen |= !strcmp(event.name, "v0") && !event.gone;
		gone |= !strcmp(event.name, "v0") && event.gone;
	}
	assert_true(seen && gone && !lost);
	link_monitor_close(monitor);
	port_close(port);
	run("ip link del v0");
}

static void test_errors(void **state)
{
	struct dp_port_spec spec = {.name = "nothere", .type = ""};
	struct port *port = NULL;
	char error[256] = "";

	assert_int_equal(port_open(&spec, 1, 1, &port, error), -ENODEV);
	assert_string_equal(error, "could not open network device nothere (No such device)");
	assert_null(port);
}

/* ------------------------------------------------------------------ TCP through two ports */

#define TRANSFER (3 << 20)

/* Behind eth0 of its namespace, 10.9.0.N/24; says it is ready through READY, and then waits for GO.
 */
static void peer_prepare(int n, int ready, int go, const char *setup)
{
	char c;

	if (unshare(CLONE_NEWNET) || write(ready, "x", 1) != 1 || read(go, &c, 1) != 1)
		_exit(10);
	if (run("ip link set lo up; ip addr add 10.9.0.%d/24 dev eth0; ip link set eth0 address "
		"02:00:00:00:00:0%d; ip link set eth0 up; ip neigh replace 10.9.0.%d lladdr "
		"02:00:00:00:00:0%d "
		"dev eth0",
		    n, n, 3 - n, 3 - n))
		_exit(11);
	if (setup && run(setup, n, 3 - n, n, n))
		_exit(12);
	if (write(ready, "y", 1) != 1)
		_exit(13);
}

static void serve(const char *address)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(5000)};
	int s = socket(AF_INET, SOCK_STREAM, 0), c;
	static uint8_t buf[65536];
	size_t total = 0;
	ssize_t n;

	inet_pton(AF_INET, address, &sin.sin_addr);
	if (bind(s, (struct sockaddr *)&sin, sizeof sin) || listen(s, 1) ||
		(c = accept(s, NULL, NULL)) < 0)
		_exit(20);
	while ((n = read(c, buf, sizeof buf)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (buf[i] != (uint8_t)((total + (size_t)i) * 31 >> 3))
				_exit(21);
		total += (size_t)n;
	}
	_exit(total == TRANSFER ? 0 : 22);
}

static void call(const char *address)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(5000)};
	int s = socket(AF_INET, SOCK_STREAM, 0);
	static uint8_t buf[65536];
	size_t total = 0;
	ssize_t n;

	inet_pton(AF_INET, address, &sin.sin_addr);
	for (int i = 0; connect(s, (struct sockaddr *)&sin, sizeof sin); i++) {
		if (i == 20)
			_exit(30);
		usleep(50000);
	}
	while (total < TRANSFER) {
		size_t want = sizeof buf < TRANSFER - total ? sizeof buf : TRANSFER - total;

		for (size_t i = 0; i < want; i++)
			buf[i] = (uint8_t)((total + i) * 31 >> 3);
		n = write(s, buf, want);
		if (n <= 0)
			_exit(31);
		total += (size_t)n;
	}
	_exit(0);
}

/* What the cable saw. */
struct seen {
	unsigned int frames, gso, encapsulated_gso, longest;
	uint64_t drops[DROP_N_REASONS];
};

static void cable(struct port *from, struct port *to, struct seen *seen)
{
	struct rte_mbuf *mbufs[PORT_BURST];
	uint16_t n = port_rx(from, 0, mbufs, PORT_BURST);

	for (uint16_t i = 0; i < n; i++) {
		struct packet *p = mbuf_packet(mbufs[i]);
		uint8_t proto = p->data[14 + 9];

		/* What flow extraction would find. */
		p->l3_ofs = 14;
		if (p->data[12] == 8 && p->data[13] == 0)
			p->l4_ofs = 34;
		seen->frames++;
		seen->gso += p->gso_type != 0;
		seen->encapsulated_gso += p->gso_type && proto == IP_P_UDP;
		seen->longest = p->len > seen->longest ? p->len : seen->longest;
	}
	port_tx(to, 0, mbufs, n, seen->drops, NULL);
}

/* Transfers over TCP from namespace 1 to 2. TSO: frames are sent on as they are. */
static struct seen transfer(bool offload, const char *setup, const char *address)
{
	int ready[2], go[2], status, left = 2;
	struct port *ports[2];
	struct seen seen = {0};
	pid_t pids[2];
	int64_t end;

	assert_int_equal(pipe(ready) | pipe(go), 0);
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			alarm(30);
			peer_prepare(i + 1, ready[1], go[0], setup);
			if (i)
				serve(address);
			call(address);
		}
	}
	char c[2];
	for (int i = 0; i < 2; i++)
		assert_int_equal(read(ready[0], c, 1), 1);
	for (int i = 0; i < 2; i++) {
		char name[16];

		assert_int_equal(run("ip link add p%d type veth peer name eth0 netns %d && ip link "
				     "set p%d up",
					 i, (int)pids[i], i),
			0);
		snprintf(name, sizeof name, "p%d", i);
		ports[i] = open_port(name);
		ports[i]->tx_offload_tso &= offload;
		ports[i]->tx_offload_csum &= offload;
	}
	assert_int_equal(write(go[1], "gg", 2), 2);
	for (end = clock_ms() + 20000; left && clock_ms() < end;) {
		struct pollfd pfds[2] = {{.fd = port_rx_fd(ports[0], 0), .events = POLLIN},
			{.fd = port_rx_fd(ports[1], 0), .events = POLLIN}};
		pid_t pid;

		poll(pfds, 2, 20);
		cable(ports[0], ports[1], &seen);
		cable(ports[1], ports[0], &seen);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			assert_int_equal(status, 0);
			left--;
		}
	}
	for (int i = 0; i < 2; i++) {
		if (left)
			kill(pids[i], SIGKILL);
		port_close(ports[i]);
		run("ip link del p%d 2>/dev/null", i);
		close(ready[i]);
		close(go[i]);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	assert_int_equal(left, 0);
	return seen;
}

static const char vxlan_setup[] =
	"ip link add vx0 type vxlan id 42 dstport 4789 local 10.9.0.%d remote "
	"10.9.0.%d && ip addr add 10.8.0.%d/24 dev vx0 && ip link set vx0 address "
	"02:00:00:00:01:0%d up";

static void test_tcp_offloaded(void **state)
{
	struct seen seen = transfer(true, NULL, "10.9.0.2");

	assert_true(seen.gso > 0);
	assert_true(seen.longest > 10000);
	assert_int_equal(seen.drops[DROP_TX_ERROR] + seen.drops[DROP_TX_TOO_BIG], 0);
}

static void test_tcp_segmented(void **state)
{
	struct seen seen = transfer(false, NULL, "10.9.0.2");

	assert_true(seen.gso > 0);
	assert_int_equal(seen.drops[DROP_TX_ERROR] + seen.drops[DROP_TX_TOO_BIG], 0);
}

/* A kernel VXLAN peer: the segments to cut are inside. */
static void test_tcp_in_vxlan(void **state)
{
	struct seen seen = transfer(true, vxlan_setup, "10.8.0.2");

	assert_true(seen.encapsulated_gso > 0);
	assert_int_equal(seen.drops[DROP_TX_ERROR] + seen.drops[DROP_TX_TOO_BIG], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_comes_and_goes),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_tcp_offloaded),
		cmocka_unit_test(test_tcp_segmented),
		cmocka_unit_test(test_tcp_in_vxlan),
	};

	eal_fixture_start(8191);
	netns_fixture_enter();
	/* The kernel asks for IPv6 routers when it likes. */
	run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
