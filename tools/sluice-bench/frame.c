/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/frame.h"

#include <string.h>

#include "lib/fatal.h"
#include "lib/headers.h"
#include "lib/util.h"

#define VXLAN_UDP_PORT 4789
#define VXLAN_OVERHEAD 50

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

static void put48(uint8_t *p, uint64_t v)
{
	put16(p, (uint16_t)(v >> 32));
	put32(p + 2, (uint32_t)v);
}

uint16_t frame_get16(const uint8_t *frame, uint32_t ofs)
{
	return (uint16_t)(frame[ofs] << 8 | frame[ofs + 1]);
}

uint32_t frame_get32(const uint8_t *frame, uint32_t ofs)
{
	return (uint32_t)frame_get16(frame, ofs) << 16 | frame_get16(frame, ofs + 2);
}

static uint32_t ip_sum(const uint8_t *ip)
{
	uint32_t sum = 0;

	for (int i = 0; i < IPV4_HEADER_LEN; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	return (sum >> 16) + (sum & 0xffff);
}

bool frame_ip_csum_ok(const uint8_t *frame, uint32_t ofs)
{
	return ip_sum(frame + ofs) == 0xffff;
}

const char *frame_check_ip(const uint8_t *frame, uint32_t len)
{
	if (len < 60)
		return "a frame is too short";
	if (frame_get16(frame, 12) != ETH_T_IP || frame[14] != 0x45)
		return "a frame is not what was sent";
	if (!frame_ip_csum_ok(frame, ETH_HEADER_LEN))
		return "a frame's IP checksum is wrong";
	return NULL;
}

static uint8_t *put_ip(uint8_t *ip, const struct frame_spec *spec, uint16_t total)
{
	memset(ip, 0, IPV4_HEADER_LEN);
	ip[0] = 0x45;
	put16(ip + 2, total);
	ip[8] = 64;
	ip[9] = spec->proto ? spec->proto : IP_P_UDP;
	put32(ip + 12, spec->nw_src);
	put32(ip + 16, spec->nw_dst);
	put16(ip + 10, (uint16_t)~ip_sum(ip));
	return ip + IPV4_HEADER_LEN;
}

static void put_l4(uint8_t *l4, const struct frame_spec *spec, uint16_t len)
{
	put16(l4, spec->tp_src);
	put16(l4 + 2, spec->tp_dst);
	if (spec->proto == IP_P_TCP) {
		l4[12] = 5 << 4;
		l4[13] = 0x10;	/* ACK. */
	} else {
		put16(l4 + 4, len);	/* UDP without a checksum. */
	}
}

static uint16_t put_frame(uint8_t *frame, uint16_t at, const struct frame_spec *spec,
	struct frame_ofs *ofs)
{
	uint16_t l4_len = spec->proto == IP_P_TCP ? TCP_HEADER_LEN : UDP_HEADER_LEN;
	uint16_t headers = ETH_HEADER_LEN + (spec->vlan >= 0 ? VLAN_HEADER_LEN : 0);
	uint16_t len = MAX(spec->len, (uint16_t)(headers + IPV4_HEADER_LEN + l4_len));
	uint8_t *p = frame + at;

	if (at + len > BENCH_FRAME_MAX)
		fatal("a frame of %u bytes is too long", at + len);
	memset(p, 0, len);
	put48(p, spec->dl_dst);
	put48(p + 6, spec->dl_src);
	if (spec->vlan >= 0) {
		put16(p + 12, ETH_T_VLAN_8021Q);
		put16(p + 14, (uint16_t)spec->vlan);
	}
	put16(p + headers - 2, ETH_T_IP);
	put_l4(put_ip(p + headers, spec, (uint16_t)(len - headers)), spec,
		(uint16_t)(len - headers - IPV4_HEADER_LEN));
	ofs->dl_dst = at + 2;
	ofs->dl_src = at + 8;
	ofs->ip = at + headers;
	ofs->nw_src = ofs->ip + 12;
	ofs->nw_dst = ofs->ip + 16;
	ofs->ports = ofs->ip + IPV4_HEADER_LEN;
	return at + len;
}

struct frame_spec frame_pair(uint16_t len, bool back)
{
	return (struct frame_spec){
		.dl_dst = back ? FRAME_MAC_A : FRAME_MAC_B,
		.dl_src = back ? FRAME_MAC_B : FRAME_MAC_A,
		.vlan = -1,
		.nw_src = back ? FRAME_IP_B : FRAME_IP_A,
		.nw_dst = back ? FRAME_IP_A : FRAME_IP_B,
		.tp_src = 1024,
		.tp_dst = 2048,
		.len = len,
	};
}

void frame_build(struct bench_stream *stream, const struct frame_spec *spec, struct frame_ofs *ofs)
{
	memset(stream, 0, sizeof *stream);
	stream->weight = 1;
	stream->n_flows = 1;
	stream->len = put_frame(stream->frame, 0, spec, ofs);
	stream->ip_ofs = ofs->ip;
}

void frame_build_vxlan(struct bench_stream *stream, const struct frame_spec *outer, uint32_t vni,
	const struct frame_spec *inner, struct frame_ofs *outer_ofs, struct frame_ofs *inner_ofs)
{
	struct frame_spec o = *outer;
	uint8_t *vxlan;

	o.tp_dst = VXLAN_UDP_PORT;
	o.proto = 0;
	o.vlan = -1;
	memset(stream, 0, sizeof *stream);
	stream->weight = 1;
	stream->n_flows = 1;
	stream->len = put_frame(stream->frame, VXLAN_OVERHEAD, inner, inner_ofs);
	o.len = VXLAN_OVERHEAD;
	put_frame(stream->frame, 0, &o, outer_ofs);
	/* Lengths of the whole. */
	o.len = stream->len;
	put_l4(put_ip(stream->frame + outer_ofs->ip, &o, (uint16_t)(o.len - ETH_HEADER_LEN)), &o,
		(uint16_t)(o.len - ETH_HEADER_LEN - IPV4_HEADER_LEN));
	vxlan = stream->frame + outer_ofs->ports + UDP_HEADER_LEN;
	memset(vxlan, 0, 8);
	vxlan[0] = 0x08;	/* A VNI follows. */
	put32(vxlan + 4, vni << 8);
	stream->ip_ofs = outer_ofs->ip;
}

void frame_edit(struct bench_stream *stream, uint16_t ofs, enum bench_edit_op op, uint8_t shift,
	uint32_t mask, uint8_t lshift)
{
	if (stream->n_edits >= BENCH_MAX_EDITS)
		fatal("a stream with too many edits");
	stream->edits[stream->n_edits++] = (struct bench_edit){
		.ofs = ofs,
		.op = (uint8_t)op,
		.shift = shift,
		.lshift = lshift,
		.mask = mask,
		.base = frame_get32(stream->frame, ofs),
		.in_ip = ofs >= stream->ip_ofs && ofs < stream->ip_ofs + IPV4_HEADER_LEN,
	};
}
