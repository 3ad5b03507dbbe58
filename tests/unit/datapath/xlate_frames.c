/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/datapath/xlate_frames.h"

#include <string.h>

#include "lib/headers.h"

static void put(struct fx_packet *p, const void *bytes, size_t n)
{
	memcpy(p->data + p->len, bytes, n);
	p->len += n;
}

static void put16(struct fx_packet *p, uint16_t v)
{
	be16 be = htobe16(v);

	put(p, &be, 2);
}

static void put32(struct fx_packet *p, uint32_t v)
{
	be32 be = htobe32(v);

	put(p, &be, 4);
}

static void put_eth(struct fx_packet *p, int s, int d, uint16_t type)
{
	uint8_t mac[6] = {2, 0xaa, 0, 0, 0, (uint8_t)d};

	if (d < 0)
		memset(mac, 0xff, 6);
	put(p, mac, 6);
	memcpy(mac, (uint8_t[]){2, 0xaa, 0, 0, 0, (uint8_t)s}, 6);
	put(p, mac, 6);
	put16(p, type);
}

static uint32_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (n & 1)
		sum += (uint32_t)p[n - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void set16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put_ipv4(struct fx_packet *p, int s, int d, uint8_t proto, size_t payload)
{
	uint8_t *h = p->data + p->len;

	put16(p, 0x4500);
	put16(p, (uint16_t)(20 + payload));
	put32(p, 0x00010000);
	put16(p, (uint16_t)(64 << 8 | proto));
	put16(p, 0);
	put32(p, 0x0a010000 | (uint32_t)s);
	put32(p, 0x0a010000 | (uint32_t)d);
	set16(h + 10, fold(sum16(h, 20, 0)));
}

/* The transport checksum at OFS of the last N bytes. */
static void finish_l4(struct fx_packet *p, size_t addrs, size_t addrs_len, uint8_t proto, size_t n,
	size_t ofs)
{
	uint8_t *l4 = p->data + p->len - n;
	uint32_t sum = sum16(p->data + addrs, addrs_len, proto + (uint32_t)n);

	set16(l4 + ofs, fold(sum16(l4, n, sum)));
}

static void put_payload(struct fx_packet *p)
{
	for (uint8_t i = 0; i < 24; i++)
		put(p, &i, 1);
}

struct fx_packet fx_udp(int s, int d)
{
	struct fx_packet p = {.len = 0};

	put_eth(&p, s, d, ETH_T_IP);
	put_ipv4(&p, s, d, IP_P_UDP, 32);
	put16(&p, 2222);
	put16(&p, 53);
	put16(&p, 32);
	put16(&p, 0);
	put_payload(&p);
	finish_l4(&p, 26, 8, IP_P_UDP, 32, 6);
	return p;
}

struct fx_packet fx_tcp(int s, int d, uint16_t flags)
{
	struct fx_packet p = {.len = 0};

	put_eth(&p, s, d, ETH_T_IP);
	put_ipv4(&p, s, d, IP_P_TCP, 44);
	put16(&p, 1111);
	put16(&p, 80);
	put32(&p, 1);
	put32(&p, 0);
	put16(&p, (uint16_t)(0x5000 | flags));
	put16(&p, 8192);
	put32(&p, 0);
	put_payload(&p);
	finish_l4(&p, 26, 8, IP_P_TCP, 44, 16);
	return p;
}

struct fx_packet fx_udp6(int s, int d)
{
	struct fx_packet p = {.len = 0};

	put_eth(&p, s, d, ETH_T_IPV6);
	put32(&p, 0x60000000);
	put16(&p, 32);
	put16(&p, IP_P_UDP << 8 | 64);
	put32(&p, 0x20010db8);
	put32(&p, 0);
	put32(&p, 0);
	put32(&p, (uint32_t)s);
	put32(&p, 0x20010db8);
	put32(&p, 0);
	put32(&p, 0);
	put32(&p, (uint32_t)d);
	put16(&p, 2222);
	put16(&p, 53);
	put16(&p, 32);
	put16(&p, 0);
	put_payload(&p);
	finish_l4(&p, 22, 32, IP_P_UDP, 32, 6);
	return p;
}

struct fx_packet fx_arp(int s, uint16_t op)
{
	struct fx_packet p = {.len = 0};
	uint8_t mac[6] = {2, 0xaa, 0, 0, 0, (uint8_t)s};

	put_eth(&p, s, -1, ETH_T_ARP);
	put16(&p, 1);
	put16(&p, ETH_T_IP);
	put16(&p, 0x0604);
	put16(&p, op);
	put(&p, mac, 6);
	put32(&p, 0x0a010000 | (uint32_t)s);
	memset(mac, 0, 6);
	put(&p, mac, 6);
	put32(&p, 0x0a010002);
	return p;
}

struct fx_packet fx_vlan(struct fx_packet p, uint16_t tpid, uint16_t tci)
{
	memmove(p.data + 16, p.data + 12, p.len - 12);
	set16(p.data + 12, tpid);
	set16(p.data + 14, tci);
	p.len += 4;
	return p;
}

struct fx_packet fx_mpls(struct fx_packet p, unsigned int n, const uint32_t *lse)
{
	memmove(p.data + 14 + 4 * n, p.data + 14, p.len - 14);
	p.len += 4 * n;
	set16(p.data + 12, ETH_T_MPLS);
	for (unsigned int i = 0; i < n; i++) {
		set16(p.data + 14 + 4 * i, (uint16_t)(lse[i] >> 16));
		set16(p.data + 16 + 4 * i, (uint16_t)lse[i]);
	}
	return p;
}
