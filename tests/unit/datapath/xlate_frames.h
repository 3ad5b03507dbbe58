/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Frames between the hosts of the tests of translation, by value; addresses say who is who. */

#include <stddef.h>
#include <stdint.h>

struct fx_packet {
	uint8_t data[512];
	size_t len;
};

/* Ethernet from host S to host D (02:aa:00:00:00:0S), IPv4 10.1.0.S to 10.1.0.D, with right checksums. */
struct fx_packet fx_udp(int s, int d);
struct fx_packet fx_tcp(int s, int d, uint16_t flags);
struct fx_packet fx_arp(int s, uint16_t op);
struct fx_packet fx_udp6(int s, int d);
struct fx_packet fx_vlan(struct fx_packet p, uint16_t tpid, uint16_t tci);
struct fx_packet fx_mpls(struct fx_packet p, unsigned int n, const uint32_t *lse);
