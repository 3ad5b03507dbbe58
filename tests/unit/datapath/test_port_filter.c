/* SPDX-License-Identifier: Apache-2.0 */

/* The filter of implicit underlay ports, in the kernel: frames over a veth in a namespace of the test's own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include "datapath/port/port_filter.h"
#include "lib/headers.h"

/* Of the receiving device, and of another host. */
#define OURS 0x02, 0, 0, 0, 0, 0x0a
#define OTHERS 0x02, 0, 0, 0, 0, 0x0b

static int in, out;

static int open_socket(const char *dev)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htobe16(0x0003));
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htobe16(0x0003),
		.sll_ifindex = (int)if_nametoindex(dev),
	};

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	return fd;
}

struct frame {
	uint8_t bytes[128];
	size_t len;
};

static void add(struct frame *f, const void *data, size_t n)
{
	memcpy(f->bytes + f->len, data, n);
	f->len += n;
}

#define ADD(F, ...) add(F, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static struct frame ipv4(uint8_t proto, uint16_t frag, uint16_t dport)
{
	struct frame f = {.len = 0};

	ADD(&f, OURS, OTHERS, 8, 0);
	ADD(&f, 0x45, 0, 0, 60, 0, 0, (uint8_t)(frag >> 8), (uint8_t)frag, 64, proto, 0, 0);
	ADD(&f, 10, 0, 0, 2, 10, 0, 0, 1);
	ADD(&f, 0x9c, 0x40, (uint8_t)(dport >> 8), (uint8_t)dport, 0, 40, 0, 0);
	f.len += 32;
	return f;
}

/* A header with options: the ports are further behind. */
static struct frame ipv4_options(uint16_t dport)
{
	struct frame f = {.len = 0};

	ADD(&f, OURS, OTHERS, 8, 0);
	ADD(&f, 0x46, 0, 0, 60, 0, 0, 0, 0, 64, IP_P_UDP, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1, 1, 1, 1, 0);
	ADD(&f, 0x9c, 0x40, (uint8_t)(dport >> 8), (uint8_t)dport, 0, 40, 0, 0);
	f.len += 32;
	return f;
}

static struct frame ipv6(uint8_t proto, uint16_t dport)
{
	struct frame f = {.len = 0};

	ADD(&f, OURS, OTHERS, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 40, proto, 64);
	f.len += 32;
	ADD(&f, 0x9c, 0x40, (uint8_t)(dport >> 8), (uint8_t)dport, 0, 40, 0, 0);
	f.len += 32;
	return f;
}

static bool passes(struct frame f)
{
	uint8_t buf[256];

	/* What the device got before. */
	while (recv(in, buf, sizeof buf, 0) >= 0)
		continue;
	assert_int_equal(send(out, f.bytes, f.len, 0), f.len);
	for (int i = 0; i < 20; i++) {
		ssize_t n = recv(in, buf, sizeof buf, 0);

		if (n == (ssize_t)f.len && !memcmp(buf, f.bytes, f.len))
			return true;
		usleep(1000);
	}
	return false;
}

static void test_ipv4(void **state)
{
	assert_int_equal(port_filter_attach(in, "4789 6081 ", true), 0);
	assert_true(passes(ipv4(IP_P_UDP, 0, 4789)));
	assert_true(passes(ipv4(IP_P_UDP, 0x4000, 6081)));
	assert_true(passes(ipv4(IP_P_GRE, 0, 0)));
	assert_true(passes(ipv4_options(4789)));
	assert_false(passes(ipv4_options(53)));
	assert_false(passes(ipv4(IP_P_UDP, 0, 53)));
	assert_false(passes(ipv4(IP_P_UDP, 0, 4788)));
	assert_false(passes(ipv4(IP_P_TCP, 0, 4789)));
	/* Fragments: the first, which may be put together with what follows, and later ones. */
	assert_true(passes(ipv4(IP_P_UDP, 0x2000, 53)));
	assert_true(passes(ipv4(IP_P_UDP, 0x00b9, 53)));
	assert_false(passes(ipv4(IP_P_TCP, 0x2000, 4789)));
}

static void test_ipv6(void **state)
{
	assert_true(passes(ipv6(IP_P_UDP, 4789)));
	assert_true(passes(ipv6(IP_P_GRE, 0)));
	assert_true(passes(ipv6(IP_P_FRAGMENT, 0)));
	assert_false(passes(ipv6(IP_P_UDP, 53)));
	assert_false(passes(ipv6(IP_P_ICMPV6, 4789)));
}

static void test_what_is_not_for_us(void **state)
{
	struct frame f = ipv4(IP_P_UDP, 0, 4789), tagged = {.len = 0};

	f.bytes[5] = 0x0c;
	assert_false(passes(f));
	f.bytes[0] = 0xff;
	assert_false(passes(f));
	f = ipv4(IP_P_UDP, 0, 4789);
	f.bytes[12] = f.bytes[13] = 0x88;
	assert_false(passes(f));
	f = ipv4(IP_P_UDP, 0, 4789);
	add(&tagged, f.bytes, 12);
	ADD(&tagged, 0x81, 0, 0, 5);
	add(&tagged, f.bytes + 12, f.len - 12);
	assert_false(passes(tagged));
	/* Cut anywhere, also before what the filter looks at. */
	f = ipv4(IP_P_TCP, 0, 4789);
	for (f.len = 14; f.len < 40; f.len++)
		assert_false(passes(f));
}

static void test_other_tunnels(void **state)
{
	assert_int_equal(port_filter_attach(in, "4790", false), 0);
	assert_true(passes(ipv4(IP_P_UDP, 0, 4790)));
	assert_true(passes(ipv6(IP_P_UDP, 4790)));
	assert_false(passes(ipv4(IP_P_UDP, 0, 4789)));
	assert_false(passes(ipv4(IP_P_GRE, 0, 0)));
	assert_false(passes(ipv6(IP_P_GRE, 0)));
	assert_int_equal(port_filter_attach(in, "", true), 0);
	assert_true(passes(ipv4(IP_P_GRE, 0, 0)));
	assert_false(passes(ipv4(IP_P_UDP, 0, 4790)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_what_is_not_for_us),
		cmocka_unit_test(test_other_tunnels),
	};

	if (unshare(CLONE_NEWNET)) {
		perror("unshare");
		return 77;
	}
	if (system("ip link add d0 address 02:00:00:00:00:0a type veth peer name e0 address "
		   "02:00:00:00:00:0b; sysctl -qw net.ipv6.conf.all.disable_ipv6=1;"
		   "ip link set d0 up; ip link set e0 up"))
		return 1;
	in = open_socket("d0");
	out = open_socket("e0");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
