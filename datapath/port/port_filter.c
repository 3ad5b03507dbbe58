/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/port/port_filter.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <linux/filter.h>
#include <linux/if_packet.h>

#include "lib/headers.h"

#define MAX_UDP_PORTS 32
#define TAKE 0x40000

enum {
	ETH_TYPE_OFS = 12,
	V4_FRAG_OFS = ETH_HEADER_LEN + 6,
	V4_PROTO_OFS = ETH_HEADER_LEN + 9,
	V6_PROTO_OFS = ETH_HEADER_LEN + 6,
	V6_UDP_DST_OFS = ETH_HEADER_LEN + IPV6_HEADER_LEN + 2
};

/* A program under way. Each test leads on if it holds, and to a return else. */
struct code {
	struct sock_filter f[64 + 4 * MAX_UDP_PORTS];
	unsigned short n;
};

static void put(struct code *c, uint16_t op, uint8_t jt, uint8_t jf, uint32_t k)
{
	c->f[c->n++] = (struct sock_filter){.code = op, .jt = jt, .jf = jf, .k = k};
}

static void load(struct code *c, uint16_t size, uint32_t ofs)
{
	put(c, BPF_LD | BPF_ABS | size, 0, 0, ofs);
}

static void leave(struct code *c, bool take)
{
	put(c, BPF_RET | BPF_K, 0, 0, take ? TAKE : 0);
}

static void leave_unless(struct code *c, uint32_t k)
{
	put(c, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, k);
	leave(c, false);
}

static void take_if(struct code *c, uint32_t k)
{
	put(c, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, k);
	leave(c, true);
}

static void take_if_any(struct code *c, const uint16_t *ports, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		take_if(c, ports[i]);
	leave(c, false);
}

static void put_ipv4(struct code *c, const uint16_t *ports, unsigned int n, bool gre)
{
	load(c, BPF_B, V4_PROTO_OFS);
	if (gre)
		take_if(c, IP_P_GRE);
	leave_unless(c, IP_P_UDP);
	load(c, BPF_H, V4_FRAG_OFS);
	put(c, BPF_JMP | BPF_JSET | BPF_K, 0, 1, IPV4_MF | IPV4_FRAG_OFS_MASK);
	leave(c, true);
	put(c, BPF_LDX | BPF_B | BPF_MSH, 0, 0, ETH_HEADER_LEN);
	put(c, BPF_LD | BPF_H | BPF_IND, 0, 0, ETH_HEADER_LEN + 2);
	take_if_any(c, ports, n);
}

static void put_ipv6(struct code *c, const uint16_t *ports, unsigned int n, bool gre)
{
	load(c, BPF_B, V6_PROTO_OFS);
	if (gre)
		take_if(c, IP_P_GRE);
	take_if(c, IP_P_FRAGMENT);
	leave_unless(c, IP_P_UDP);
	load(c, BPF_H, V6_UDP_DST_OFS);
	take_if_any(c, ports, n);
}

int port_filter_attach(int fd, const char *udp_ports, bool gre)
{
	struct sock_fprog program;
	struct code c = {.n = 0};
	uint16_t ports[MAX_UDP_PORTS];
	unsigned int n = 0;
	unsigned short jump;
	char *end;

	while (n < MAX_UDP_PORTS) {
		unsigned long port = strtoul(udp_ports, &end, 10);

		if (end == udp_ports)
			break;
		ports[n++] = (uint16_t)port;
		udp_ports = end;
	}
	load(&c, BPF_W, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
	leave_unless(&c, PACKET_HOST);
	load(&c, BPF_W, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
	leave_unless(&c, 0);
	load(&c, BPF_H, ETH_TYPE_OFS);
	/* IPv6 is behind IPv4's part, as far as that is long. */
	put(&c, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ETH_T_IP);
	jump = c.n;
	put(&c, BPF_JMP | BPF_JA, 0, 0, 0);
	put_ipv4(&c, ports, n, gre);
	c.f[jump].k = c.n - jump - 1u;
	leave_unless(&c, ETH_T_IPV6);
	put_ipv6(&c, ports, n, gre);
	program = (struct sock_fprog){.len = c.n, .filter = c.f};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) ? -errno : 0;
}
