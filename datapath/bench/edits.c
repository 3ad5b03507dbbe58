/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/bench/traffic.h"

#include "lib/headers.h"

static bool is_edited(const struct bench_stream *stream, uint16_t ofs)
{
	for (unsigned int e = 0; e < stream->n_edits; e++)
		if (stream->edits[e].in_ip && ofs >= stream->edits[e].ofs &&
			ofs < stream->edits[e].ofs + 4)
			return true;
	return false;
}

void stream_edits_init(struct stream_edits *edits, const struct bench_stream *stream)
{
	*edits = (struct stream_edits){.n = stream->n_edits, .simple = true};
	memcpy(edits->edits, stream->edits, sizeof edits->edits);
	for (unsigned int e = 0; e < edits->n; e++) {
		if (edits->edits[e].op != BENCH_COUNT)
			edits->simple = false;
		if (edits->edits[e].in_ip)
			edits->csum_ofs = (uint16_t)(stream->ip_ofs + offsetof(struct ipv4_header, csum));
	}
	for (uint16_t ofs = stream->ip_ofs; edits->csum_ofs && ofs < stream->ip_ofs + IPV4_HEADER_LEN;
		ofs += 2)
		if (ofs != edits->csum_ofs && !is_edited(stream, ofs))
			edits->sum += (uint32_t)stream->frame[ofs] << 8 | stream->frame[ofs + 1];
}
