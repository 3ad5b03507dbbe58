/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A case under way, in its own process: runs of traffic through the switch under test, and what they
 * came to. Every run begins and ends held, so that counts are exact.
 */

#include "tools/sluice-bench/measure.h"

struct run_case {
	const struct scenario *scenario;
	const struct scenario_params *params;
	const struct measure_config *config;
	const struct target *target;
	struct conf conf;
	struct measure_result *result;
};

struct run {
	struct target_reading all;	/* From hold to hold. */
	struct target_reading timed;	/* While packets ran at full rate. */
};

/* Says what is wrong with the packets, once. */
void run_fault(struct run_case *c, const char *format, ...) PRINTF_FORMAT(2, 3);
/* Says why there is no measurement, once. Takes ERROR. */
void run_error(struct run_case *c, char *error);
bool run_failed(const struct run_case *c);

/* Traffic flows between these; what the caller does meanwhile is timed. */
void run_begin(struct run_case *c, struct run *run);
void run_end(struct run_case *c, struct run *run);
/* Lets traffic flow for MS milliseconds. */
void run_for(struct run_case *c, unsigned int ms, struct run *run);
/* Runs FN(AUX) on a thread of its own, the switch meanwhile, until it ends. */
void run_beside(struct run_case *c, void *(*fn)(void *aux), void *aux);
/* Until every flow has come by a few times and hardly any is unknown; or for a while. */
void run_warm_up(struct run_case *c);
/* All that came in came out, as victims; else a fault. */
void run_check_all(struct run_case *c, const struct run *run);

/* Looks at packets as they leave: their contents are right. */
void run_look(struct run_case *c);

/* Of the trial under way. */
void run_set(struct run_case *c, enum figure what, double value);
/* The bare loop; sluice only. */
void run_io(struct run_case *c);
/* Rate and cycles of PACKETS during RUN's timed part. */
void run_set_rate(struct run_case *c, const struct run *run, uint64_t packets);
double run_cycles(const struct run *run, uint64_t packets);
/* Packets lost on the way, as a share. */
double run_loss(const struct run *run);

/* Throughput and latency, after the rate is known. */
void run_search(struct run_case *c);

/* The kinds of scenario: measure all trials. */
void run_rate(struct run_case *c);
void run_attack(struct run_case *c);
void run_cold(struct run_case *c);
void run_churn(struct run_case *c);
void run_ports(struct run_case *c);
void run_flow_mods(struct run_case *c);
void run_packet_in(struct run_case *c);
/* On target_peer, whoever it is. */
void run_restart(struct run_case *c);
