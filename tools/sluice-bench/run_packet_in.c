/* SPDX-License-Identifier: Apache-2.0 */
/* Round trips over the controller: a packet-out that the tables send back as a packet-in. */
#include <math.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/fatal.h"
#include "ofproto/wire/openflow.h"
#include "tools/sluice-bench/figure.h"
#include "tools/sluice-bench/of_client.h"
#include "tools/sluice-bench/run.h"

#define VERSION OFP13_VERSION
#define FRAME_LEN 60
#define MAX_SAMPLES 200000

struct trips {
	char *socket;
	unsigned int outstanding;
	unsigned int ms;
	double *us;		/* Of each trip. */
	size_t n;
	int64_t took_us;
	char *error;
};

/* The frame carries its time of departure. */
static void put_packet_out(struct sbuf *out)
{
	size_t handle = msg_begin(out, VERSION, OFPTYPE_PACKET_OUT, MSG_OFPT, 0);
	int64_t now = clock_ns();

	put_u32(out, OFP_NO_BUFFER);
	put_u32(out, 1);		/* in_port */
	put_u16(out, 16);		/* Length of the actions. */
	put_pad(out, 6);
	put_u16(out, 0);		/* Output ... */
	put_u16(out, 16);
	put_u32(out, 0xfffffff9);	/* ... to the tables. */
	put_u16(out, 0);
	put_pad(out, 6);
	sbuf_put(out, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x88\xb5", 14);
	sbuf_put(out, &now, sizeof now);
	put_pad(out, FRAME_LEN - 14 - sizeof now);
	msg_end(out, handle);
}

static void take_packet_in(struct trips *trips, const struct msg *msg)
{
	int64_t departure;

	if (msg->type != OFPTYPE_PACKET_IN || msg->len < FRAME_LEN || trips->n >= MAX_SAMPLES)
		return;
	/* The frame ends the message. */
	memcpy(&departure, msg->data + msg->len - FRAME_LEN + 14, sizeof departure);
	trips->us[trips->n++] = (double)(clock_ns() - departure) / 1e3;
}

static int ask_for_packets(struct of_client *client, char **error)
{
	struct sbuf out = SBUF_INITIALIZER;
	size_t handle = msg_begin(&out, VERSION, OFPTYPE_SET_CONFIG, MSG_OFPT, 0);
	int err;

	put_u16(&out, 0);
	put_u16(&out, 0xffff);
	msg_end(&out, handle);
	err = of_client_send(client, out.data, out.len, error);
	sbuf_uninit(&out);
	return err ? err : of_client_barrier(client, error);
}

static int send_one(struct of_client *client, char **error)
{
	struct sbuf out = SBUF_INITIALIZER;
	int err;

	put_packet_out(&out);
	err = of_client_send(client, out.data, out.len, error);
	sbuf_uninit(&out);
	return err;
}

static void *trips_main(void *aux)
{
	struct trips *trips = aux;
	struct of_client *client = NULL;
	int64_t begin, end;
	struct msg msg;
	int err = of_client_open(trips->socket, VERSION, &client, &trips->error);

	if (!err)
		err = ask_for_packets(client, &trips->error);
	begin = clock_us();
	end = begin + trips->ms * INT64_C(1000);
	for (unsigned int i = 0; i < trips->outstanding && !err; i++)
		err = send_one(client, &trips->error);
	while (!err && clock_us() < end && trips->n < MAX_SAMPLES) {
		err = of_client_receive(client, &msg, &trips->error);
		if (err || msg.type != OFPTYPE_PACKET_IN)
			continue;
		take_packet_in(trips, &msg);
		err = send_one(client, &trips->error);
	}
	trips->took_us = clock_us() - begin;
	of_client_close(client);
	return NULL;
}

static void trips_trial(struct run_case *c, struct trips *trips)
{
	trips->n = 0;
	run_beside(c, trips_main, trips);
	if (trips->error)
		run_error(c, trips->error);
	trips->error = NULL;
	run_set(c, FIGURE_TRIPS, (double)trips->n * 1e6 / (double)trips->took_us);
	run_set(c, FIGURE_P50, percentile_of(trips->us, trips->n, 0.5));
	run_set(c, FIGURE_P99, percentile_of(trips->us, trips->n, 0.99));
}

void run_packet_in(struct run_case *c)
{
	struct trips trips = {
		.socket = xasprintf("%s/br0.mgmt", c->target->rundir()),
		.outstanding = (unsigned int)c->params->n_flows,
		.ms = MAX(c->config->ms, 500u),
		.us = xcalloc(MAX_SAMPLES, sizeof *trips.us),
	};

	while (!run_failed(c) && c->result->n_trials < c->config->trials) {
		trips_trial(c, &trips);
		c->result->n_trials++;
	}
	free(trips.us);
	free(trips.socket);
}
