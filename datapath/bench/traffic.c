/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "datapath/bench/bench.h"
#include "datapath/bench/traffic.h"
#include "lib/util.h"

/* Little more of libpcap's file format than its magic number (microseconds, host order). */
struct pcap_file_header {
	uint32_t magic;
	uint16_t major, minor;
	int32_t zone;
	uint32_t accuracy, snaplen, link_type;
};

struct pcap_record_header {
	uint32_t sec, usec, caplen, len;
};

#define PCAP_MAGIC 0xa1b2c3d4
#define PCAP_ETHERNET 1

unsigned int bench_traffic_turn(const struct bench_traffic *traffic)
{
	unsigned int turn = 0;

	for (unsigned int i = 0; i < traffic->n_streams; i++)
		turn += traffic->streams[i].weight;
	return turn;
}

unsigned int traffic_pattern(const struct bench_traffic *traffic, uint8_t pattern[BENCH_MAX_PATTERN])
{
	unsigned int turn = bench_traffic_turn(traffic);
	int credit[BENCH_MAX_STREAMS] = {0};

	/* Each slot goes to the stream that lags most behind its share. */
	for (unsigned int slot = 0; slot < turn && slot < BENCH_MAX_PATTERN; slot++) {
		unsigned int best = 0;

		for (unsigned int s = 0; s < traffic->n_streams; s++) {
			credit[s] += traffic->streams[s].weight;
			if (credit[s] > credit[best])
				best = s;
		}
		credit[best] -= (int)turn;
		pattern[slot] = (uint8_t)best;
	}
	return MIN(turn, (unsigned int)BENCH_MAX_PATTERN);
}

uint64_t bench_traffic_period(const struct bench_traffic *traffic)
{
	unsigned int turn = bench_traffic_turn(traffic);
	uint64_t turns = 1;

	for (unsigned int s = 0; s < traffic->n_streams; s++) {
		const struct bench_stream *stream = &traffic->streams[s];

		if (!stream->n_flows)
			return 0;
		turns = MAX(turns, DIV_ROUND_UP(stream->n_flows, stream->weight));
	}
	/* A stream alone repeats exactly; of several, the shorter ones are cut somewhere. */
	return traffic->n_streams == 1 ? traffic->streams[0].n_flows : turns * turn;
}

uint32_t bench_traffic_frame(const struct bench_traffic *traffic, uint64_t i, uint8_t *frame)
{
	uint8_t pattern[BENCH_MAX_PATTERN];
	unsigned int turn = traffic_pattern(traffic, pattern);
	unsigned int s = pattern[i % turn], rank = 0;
	const struct bench_stream *stream = &traffic->streams[s];
	struct stream_edits edits;

	for (unsigned int slot = 0; slot < i % turn; slot++)
		rank += pattern[slot] == s;
	i = i / turn * stream->weight + rank;
	memcpy(frame, stream->frame, stream->len);
	stream_edits_init(&edits, stream);
	stream_edits_apply(&edits, stream->n_flows ? i % stream->n_flows : i, frame);
	return stream->len;
}

int bench_traffic_write(const struct bench_traffic *traffic, uint64_t n, const char *path)
{
	static const struct pcap_file_header header = {
		.magic = PCAP_MAGIC,
		.major = 2,
		.minor = 4,
		.snaplen = 65535,
		.link_type = PCAP_ETHERNET,
	};
	uint8_t frame[BENCH_FRAME_MAX];
	FILE *file = fopen(path, "we");
	bool bad;

	if (!file)
		return -errno;
	fwrite(&header, sizeof header, 1, file);
	for (uint64_t i = 0; i < n; i++) {
		struct pcap_record_header record = {0};

		record.len = record.caplen = bench_traffic_frame(traffic, i, frame);
		fwrite(&record, sizeof record, 1, file);
		fwrite(frame, record.len, 1, file);
	}
	bad = ferror(file);
	bad |= fclose(file) != 0;
	return bad ? -EIO : 0;
}
