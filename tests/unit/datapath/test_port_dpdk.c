/* SPDX-License-Identifier: Apache-2.0 */

/* "dpdk" ports on virtual devices: a ring that gives back what is sent, and a sink. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "datapath/eal_args.h"
#include "datapath/port/port.h"
#include "lib/smap.h"
#include "tests/support/eal_fixture.h"

static int open_dpdk(
	const char *name, const char *devargs, uint16_t n_txq, struct port **port, char *error)
{
	struct smap options = SMAP_INITIALIZER;
	struct dp_port_spec spec = {.name = name, .type = "dpdk", .options = &options};
	int err;

	if (devargs)
		smap_set(&options, "dpdk-devargs", devargs);
	err = port_open(&spec, 4, n_txq, port, error);
	smap_uninit(&options);
	return err;
}

static void test_loopback(void **state)
{
	uint64_t drops[DROP_N_REASONS] = {0};
	struct dp_port_info info;
	struct rte_mbuf *m[PORT_BURST];
	struct port *port;
	char error[256] = "";

	if (open_dpdk("dpdk0", "net_ring0", 1, &port, error))
		fail_msg("%s", error);
	assert_int_equal(port_rx_fd(port, 0), -1);
	assert_int_equal(port_info(port, &info), 0);
	assert_true(info.link_up);
	assert_string_equal(info.driver, "net_ring");
	for (int i = 0; i < 4; i++) {
		m[i] = mbuf_alloc(eal_mempool(-1), i == 3 ? 1600 : 100);
		memset(mbuf_packet(m[i])->data, i, 100);
		memset(mbuf_packet(m[i])->data + 12, 0, 2);
	}
	packet_push(mbuf_packet(m[1]), 50);
	assert_int_equal(port_tx(port, 0, m, 4, drops, NULL), 3);
	assert_int_equal(drops[DROP_TX_TOO_BIG], 1);
	assert_true(port->rx_bare);
	assert_int_equal(port_rx(port, 0, m, PORT_BURST), 3);
	assert_int_equal(m[1]->pkt_len, 150);
	assert_int_equal(rte_pktmbuf_mtod(m[2], uint8_t *)[5], 2);

	/* Bare as they came, but one is too long by now. */
	drops[DROP_TX_TOO_BIG] = 0;
	rte_pktmbuf_append(m[1], 1600);
	assert_int_equal(port_tx_bare(port, 0, m, 3, m[1]->pkt_len, false, drops, NULL), 2);
	assert_int_equal(drops[DROP_TX_TOO_BIG], 1);
	assert_int_equal(port_rx(port, 0, m, PORT_BURST), 2);
	assert_int_equal(port_tx_bare(port, 0, m, 2, m[0]->pkt_len, false, drops, NULL), 2);
	assert_int_equal(port_rx(port, 0, m, PORT_BURST), 2);
	assert_int_equal(rte_pktmbuf_mtod(m[1], uint8_t *)[5], 2);
	rte_pktmbuf_free_bulk(m, 2);

	/* Down: nothing moves, and says so. */
	assert_int_equal(port_set_admin(port, false), 0);
	m[0] = mbuf_alloc(eal_mempool(-1), 100);
	memset(mbuf_packet(m[0])->data, 0, 100);
	assert_int_equal(port_tx(port, 0, m, 1, drops, NULL), 0);
	assert_int_equal(drops[DROP_TX_PORT_DOWN], 1);
	assert_int_equal(port_set_admin(port, true), 0);
	port_close(port);
	/* The device is free again. */
	if (open_dpdk("dpdk0", "net_ring0", 1, &port, error))
		fail_msg("%s", error);
	port_close(port);
}

static void test_errors(void **state)
{
	struct port *port = NULL, *other = NULL;
	char error[256] = "";

	assert_int_not_equal(open_dpdk("dpdk0", NULL, 1, &port, error), 0);
	assert_non_null(strstr(error, "dpdk-devargs"));
	assert_int_not_equal(open_dpdk("dpdk0", "0000:ff:1f.7", 1, &port, error), 0);
	assert_non_null(strstr(error, "no PCI device"));
	assert_int_not_equal(open_dpdk("dpdk0", "net_nonsense0", 1, &port, error), 0);
	assert_non_null(strstr(error, "Error attaching device 'net_nonsense0' to DPDK"));
	assert_null(port);

	if (open_dpdk("dpdk0", "net_null0,no-rx=1", 1, &port, error))
		fail_msg("%s", error);
	assert_int_equal(open_dpdk("dpdk1", "net_null0,no-rx=1", 1, &other, error), -EADDRINUSE);
	assert_non_null(strstr(error, "already in use by 'dpdk0'"));
	port_close(port);
}

static int parse_words(const char *extra, char **error)
{
	struct eal_args words;
	int err;

	eal_args_init(&words);
	err = eal_args_parse(&words, extra, error);
	eal_args_uninit(&words);
	return err;
}

/* The words that would end the process. */
static void test_extra(void **state)
{
	static const char *const bad[] = {"-h", "--help", "-v", "--version", "--he",
		"--proc-type=secondary", "-c1 -vh", "--", "'open"};
	static const char *const good[] = {"", "-l 0", "-m 64 --no-huge", "--log-level=8",
		"--vdev=net_null0", "-a 0000:01:00.0 --huge-dir=/h", "-d 'lib x.so'", "-n 4"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char *error = NULL;

		assert_int_equal(parse_words(bad[i], &error), -EINVAL);
		assert_int_equal(strncmp(error, "dpdk-extra: ", 12), 0);
		free(error);
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char *error = NULL;

		assert_int_equal(parse_words(good[i], &error), 0);
		assert_null(error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_extra),
	};

	eal_fixture_start(4095);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
