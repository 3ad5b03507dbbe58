/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * For tests of execute(): a program made by hand, the environment that it runs in, and frames of every
 * kind. There is one `bench`, fresh for each TEST(); it counts what its hooks were called for and the
 * packets that are alive: a test must end with none.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "datapath/pipeline/execute.h"
#include "lib/flow.h"

#define MAX_OUT 32

struct out {
	dp_port_t port;
	struct packet *packet;
};

struct bench {
	struct exec_env env;
	struct program_builder program;
	struct out out[MAX_OUT];
	unsigned int n_out, n_punt, n_control, n_resume, n_recirculated, n_dropped, n_lost, n_sampled;
	enum drop_reason reason;
	int n_live;		/* Packets not given back. */
	int fail_clone;		/* The N-th clone from now fails; 0: none. */
	uint32_t random;
};

extern struct bench bench;

/* Around each test. */
int bench_setup(void **state);
int bench_teardown(void **state);
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, bench_setup, bench_teardown)
/* Takes PACKET over: runs the program on it. */
void bench_run(struct packet *packet);
/* Frees what came out; the program and what was counted are empty again. */
void bench_forget(void);

/* The program's next op. */
void *put_op(enum op_type type, size_t size);
void put_u32(enum op_type type, uint32_t value);
void put_output(dp_port_t port);
void put_vlan(enum op_type type, uint16_t tpid, uint16_t tci);

enum kind { K_TCP4, K_UDP4, K_ICMP4, K_SCTP4, K_TCP6, K_UDP6, K_ICMP6, K_ND6, K_ARP, K_RAW4, N_KINDS };

bool is_v6(enum kind kind);
uint8_t proto_of(enum kind kind);
/* A frame with N_TAGS VLAN tags and PAYLOAD bytes behind the transport header, its checksums right. Parsed; the
 * caller's. */
struct packet *make_frame(enum kind kind, unsigned int n_tags, unsigned int payload);
/* Parses PACKET anew, its offsets too. */
struct flow parse_frame(struct packet *packet);
/* All checksums of PACKET are what they are when computed anew. */
void check_csums(const struct packet *packet);

/* Puts what changes most headers of KIND there are to change. */
void put_changes(enum kind kind);
