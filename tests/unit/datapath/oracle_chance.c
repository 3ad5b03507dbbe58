/* SPDX-License-Identifier: Apache-2.0 */
/* Chance, and values of which there are few, so that rules and packets meet. */
#include "tests/unit/datapath/oracle.h"

static uint64_t rng_state;

void oracle_seed(uint64_t seed)
{
	rng_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 12345;
}

uint32_t oracle_rnd(uint32_t n)
{
	rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(rng_state >> 33) % n;
}

bool oracle_chance(uint32_t one_in)
{
	return !oracle_rnd(one_in);
}

struct eth_addr oracle_mac(void)
{
	static const struct eth_addr special[] = {
		{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{{0x01, 0x00, 0x5e, 0x00, 0x00, 0x09}},
		{{0x01, 0x80, 0xc2, 0x00, 0x00, 0x05}},
	};

	if (oracle_chance(8))
		return special[oracle_rnd(3)];
	return (struct eth_addr){{2, 0, 0, 0, 0, (uint8_t)(1 + oracle_rnd(6))}};
}

be32 oracle_ip(void)
{
	static const uint32_t ips[] = {0x0a000001, 0x0a000002, 0x0a000101, 0xc0a80001};

	return htobe32(ips[oracle_rnd(4)]);
}

struct ipv6_addr oracle_ipv6(void)
{
	return (struct ipv6_addr){.b = {0xfd, [7] = (uint8_t)oracle_rnd(2), [15] = (uint8_t)oracle_rnd(3)}};
}

uint16_t oracle_port(void)
{
	static const uint16_t ports[] = {53, 80, 81, 40000};

	return ports[oracle_rnd(4)];
}

uint16_t oracle_vid(void)
{
	return (uint16_t)(oracle_rnd(3) * 10);
}

const uint8_t oracle_tos[4] = {0, 0x28, 0xb8, 0x29};
