/* SPDX-License-Identifier: Apache-2.0 */

/* "internal" ports against the kernel's own stack, in a namespace of the test's own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datapath/port/port.h"
#include "lib/csum.h"
#include "lib/headers.h"
#include "tests/support/eal_fixture.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static const struct eth_addr port_mac = {{0x02, 0, 0, 0, 0, 1}};
static const struct eth_addr peer_mac = {{0x02, 0, 0, 0, 0, 2}};

static struct port *open_tap(const char *name, uint32_t mtu)
{
	struct dp_port_spec spec = {.name = name, .type = "internal", .mac = port_mac, .mtu = mtu};
	struct port *port = NULL;
	char error[256] = "";

	if (port_open(&spec, 7, 2, &port, error))
		fail_msg("%s", error);
	return port;
}

/* Waits for a frame that is IPv4 UDP to DST_PORT; others (the stack's own) are passed over. */
static struct rte_mbuf *receive_udp(struct port *port, uint16_t dst_port)
{
	for (int i = 0; i < 100; i++) {
		struct pollfd pfd = {.fd = port_rx_fd(port, 0), .events = POLLIN};
		struct rte_mbuf *mbufs[PORT_BURST], *found = NULL;
		uint16_t n;

		poll(&pfd, 1, 20);
		n = port_rx(port, 0, mbufs, PORT_BURST);
		for (uint16_t j = 0; j < n; j++) {
			const struct packet *p = mbuf_packet(mbufs[j]);

			if (!found && p->len >= 42 && p->data[12] == 8 && p->data[13] == 0 &&
				p->data[23] == IP_P_UDP &&
				(p->data[36] << 8 | p->data[37]) == dst_port)
				found = mbufs[j];
			else
				rte_pktmbuf_free(mbufs[j]);
		}
		if (found)
			return found;
	}
	return NULL;
}

static int udp_socket(uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	return fd;
}

static void setup_ip(const char *name)
{
	assert_int_equal(
		run("ip addr add 10.1.0.1/24 dev %s && ip link set %s up && ip neigh add 10.1.0.2 "
		    "lladdr 02:00:00:00:00:02 dev %s",
			name, name, name),
		0);
}

static void send_udp(int fd, const void *data, size_t len)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};

	inet_pton(AF_INET, "10.1.0.2", &to.sin_addr);
	assert_int_equal(sendto(fd, data, len, 0, (struct sockaddr *)&to, sizeof to), (ssize_t)len);
}

static void test_receive(void **state)
{
	struct port *port = open_tap("tap0", 1400);
	struct dp_port_info info;
	struct rte_mbuf *m;
	struct packet *p;
	uint16_t sum;
	int fd;

	setup_ip("tap0");
	assert_int_equal(port_info(port, &info), 0);
	assert_true(info.admin_up && info.link_up);
	assert_int_equal(info.mtu, 1400);
	assert_memory_equal(info.mac.b, port_mac.b, 6);
	assert_string_equal(info.driver, "tun");
	assert_true(info.ifindex > 0);

	fd = udp_socket(1000);
	send_udp(fd, "hello", 5);
	m = receive_udp(port, 9);
	assert_non_null(m);
	p = mbuf_packet(m);
	assert_int_equal(p->in_port, 7);
	assert_int_equal(p->len, 14 + 20 + 8 + 5);
	assert_true(p->headroom >= 256);
	assert_memory_equal(p->data + 42, "hello", 5);
	/* The stack leaves the sum to us. */
	assert_true(p->offload & PACKET_CSUM_PARTIAL);
	assert_int_equal(p->csum_start, 34);
	assert_int_equal(p->csum_offset, 6);
	p->l3_ofs = 14;
	p->l4_ofs = 34;
	assert_true(csum_finish_partial(p, NULL));
	memcpy(&sum, p->data + 40, 2);
	assert_true(csum_fill_l4(p, true, NULL));
	assert_memory_equal(&sum, p->data + 40, 2);
	rte_pktmbuf_free(m);
	close(fd);
	port_close(port);
}

/* Two segments of one large datagram: a GSO frame in a chain. */
static void test_receive_gso(void **state)
{
	struct port *port = open_tap("tap0", 0);
	static uint8_t data[40000];
	struct rte_mbuf *m;
	const struct packet *p;
	int fd, size = 1000;

	setup_ip("tap0");
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	fd = udp_socket(1000);
	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof size) || !port->tx_offload_uso)
		skip();
	send_udp(fd, data, sizeof data);
	m = receive_udp(port, 9);
	assert_non_null(m);
	p = mbuf_packet(m);
	assert_int_equal(p->len, 42 + sizeof data);
	assert_int_equal(p->gso_type, PACKET_GSO_UDP_L4);
	assert_int_equal(p->gso_size, 1000);
	assert_true(m->nb_segs > 1);
	assert_true(p->seg_len < p->len);
	for (uint32_t ofs = 42; ofs < p->len; ofs += 997) {
		uint8_t byte;

		assert_int_equal(
			*(const uint8_t *)rte_pktmbuf_read(m, ofs, 1, &byte), data[ofs - 42]);
	}
	rte_pktmbuf_free(m);
	close(fd);
	port_close(port);
}

/* An IPv4 UDP frame from the peer, its checksum partial. */
static struct rte_mbuf *udp_frame(uint32_t payload)
{
	struct rte_mbuf *m = mbuf_alloc(eal_mempool(-1), 42 + payload);
	struct packet *p = mbuf_packet(m);
	struct ipv4_header ip = {.ver_ihl = 0x45, .ttl = 64, .proto = IP_P_UDP};
	struct udp_header udp = {.src = htobe16(9), .dst = htobe16(1000)};
	uint32_t ofs = 0;

	ip.tot_len = htobe16((uint16_t)(28 + payload));
	inet_pton(AF_INET, "10.1.0.2", ip.src);
	inet_pton(AF_INET, "10.1.0.1", ip.dst);
	ip.csum = csum(&ip, sizeof ip);
	udp.len = htobe16((uint16_t)(8 + payload));
	udp.csum = csum_fold(csum_pseudo_v4(
		inet_addr("10.1.0.2"), inet_addr("10.1.0.1"), IP_P_UDP, 8 + payload));
	memcpy(p->data, port_mac.b, 6);
	memcpy(p->data + 6, peer_mac.b, 6);
	p->data[12] = 8;
	p->data[13] = 0;
	memcpy(p->data + 14, &ip, sizeof ip);
	memcpy(p->data + 34, &udp, sizeof udp);
	for (struct rte_mbuf *s = m; s; s = s->next)
		for (uint32_t i = 0; i < s->data_len; i++, ofs++)
			if (ofs >= 42)
				rte_pktmbuf_mtod(s, uint8_t *)[i] = (uint8_t)ofs;
	p->offload = PACKET_CSUM_PARTIAL;
	p->csum_start = p->l4_ofs = 34;
	p->csum_offset = 6;
	p->l3_ofs = 14;
	return m;
}

static void test_send(void **state)
{
	struct port *port = open_tap("tap0", 0);
	uint64_t drops[DROP_N_REASONS] = {0};
	static uint8_t got[65536];
	struct rte_mbuf *m[3];
	ssize_t n;
	int fd;

	setup_ip("tap0");
	fd = udp_socket(1000);
	m[0] = udp_frame(10);
	m[1] = udp_frame(1473); /* One byte more than the MTU takes. */
	m[2] = udp_frame(5000); /* To be cut into 1000 each. */
	mbuf_packet(m[2])->gso_type = PACKET_GSO_UDP_L4;
	mbuf_packet(m[2])->gso_size = 1000;
	assert_int_equal(port_tx(port, 1, m, 3, drops, NULL), 2);
	assert_int_equal(drops[DROP_TX_TOO_BIG], 1);
	assert_int_equal(recv(fd, got, sizeof got, 0), 10);
	for (int i = 0; i < 5; i++) {
		n = recv(fd, got, sizeof got, 0);
		assert_int_equal(n, 1000);
		assert_int_equal(got[0], (uint8_t)(42 + i * 1000));
	}
	/* Once more, cut by ourselves. */
	port->tx_offload_tso = port->tx_offload_csum = false;
	m[0] = udp_frame(2500);
	mbuf_packet(m[0])->gso_type = PACKET_GSO_UDP_L4;
	mbuf_packet(m[0])->gso_size = 1000;
	m[1] = udp_frame(20);
	assert_int_equal(port_tx(port, 0, m, 2, drops, NULL), 2);
	assert_int_equal(recv(fd, got, sizeof got, 0), 1000);
	assert_int_equal(recv(fd, got, sizeof got, 0), 1000);
	assert_int_equal(recv(fd, got, sizeof got, 0), 500);
	assert_int_equal(got[0], (uint8_t)(42 + 2000));
	assert_int_equal(recv(fd, got, sizeof got, 0), 20);
	close(fd);
	/* Down: a drop that says so. */
	assert_int_equal(port_set_admin(port, false), 0);
	m[0] = udp_frame(10);
	assert_int_equal(port_tx(port, 0, m, 1, drops, NULL), 0);
	assert_int_equal(drops[DROP_TX_PORT_DOWN], 1);
	/* Not asked again at once, but soon. */
	assert_int_equal(run("ip link set tap0 up"), 0);
	usleep(2000);
	m[0] = udp_frame(10);
	assert_int_equal(port_tx(port, 0, m, 1, drops, NULL), 1);
	port_close(port);
	assert_int_not_equal(run("ip link show tap0 2>/dev/null"), 0);
}

/* A process that sits in a namespace of its own. */
static pid_t other_namespace(void)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWNET) || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void test_namespace(void **state)
{
	struct port *port = open_tap("tap0", 0);
	const struct eth_addr mac = {{0x02, 0, 0, 0, 0, 9}};
	struct dp_port_info info;
	struct rte_mbuf *m;
	pid_t pid = other_namespace();
	struct pollfd pfd;
	int fd, fd_before = port_rx_fd(port, 0);

	assert_int_equal(
		run("ip link set tap0 netns %d && nsenter -t %d -n ip link set tap0 name vm0",
			(int)pid, (int)pid),
		0);
	/* Settings follow it, even under another name. */
	assert_int_equal(port_set_mtu(port, 1300), 0);
	assert_int_equal(port_set_mac(port, mac), 0);
	assert_int_equal(port_set_admin(port, true), 0);
	assert_int_equal(port_info(port, &info), 0);
	assert_int_equal(info.mtu, 1300);
	assert_true(info.link_up);
	assert_memory_equal(info.mac.b, mac.b, 6);
	assert_int_equal(
		run("nsenter -t %d -n ip -o link show vm0 | grep -q 'mtu 1300.*02:00:00:00:00:09'",
			(int)pid),
		0);

	/* The namespace goes, and the device with it. */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 1500; i++) {
		struct rte_mbuf *mbufs[PORT_BURST];
		uint16_t n = port_rx(port, 0, mbufs, PORT_BURST);

		rte_pktmbuf_free_bulk(mbufs, n);
		assert_int_equal(port_info(port, &info), 0);
		if (info.ifindex && !run("ip link show tap0 >/dev/null 2>&1"))
			break;
		usleep(10000);
	}
	assert_int_equal(run("ip -o link show tap0 | grep -q 'mtu 1300.*02:00:00:00:00:09'"), 0);
	/* No busy loop, and the same descriptor works again. */
	assert_int_equal(port_rx_fd(port, 0), fd_before);
	pfd = (struct pollfd){.fd = fd_before, .events = POLLIN};
	assert_int_equal(poll(&pfd, 1, 0), 0);
	setup_ip("tap0");
	fd = udp_socket(1000);
	send_udp(fd, "again", 5);
	m = receive_udp(port, 9);
	assert_non_null(m);
	rte_pktmbuf_free(m);
	close(fd);
	port_close(port);
}

static void test_errors(void **state)
{
	struct dp_port_spec spec = {.name = "lo", .type = "internal"};
	struct port *port = NULL;
	char error[256] = "";

	assert_int_not_equal(port_open(&spec, 1, 1, &port, error), 0);
	assert_non_null(strstr(error, "exists already"));
	spec.type = "dpdkvhostuserclient";
	assert_int_equal(port_open(&spec, 1, 1, &port, error), -EAFNOSUPPORT);
	spec.type = "internal";
	spec.name = "a-name-of-16-cha";
	assert_int_equal(port_open(&spec, 1, 1, &port, error), -EINVAL);
	assert_null(port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receive),
		cmocka_unit_test(test_receive_gso),
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_namespace),
		cmocka_unit_test(test_errors),
	};

	eal_fixture_start(2047);
	netns_fixture_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
