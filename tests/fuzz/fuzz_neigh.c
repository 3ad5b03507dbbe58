/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a frame that tells of an underlay neighbour (ARP, ND, a tunnel's packet): what is
 * learned is an address that one host has, at a MAC that one device has; and it can be asked for.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/headers.h"
#include "tests/fuzz/fuzz.h"
#include "tunnel/neigh_frame.h"
#include "tunnel/tnl_addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipv6_addr addr, again;
	struct eth_addr mac, mac_again;
	uint8_t *question, *frame;
	size_t n;

	if (size > 65000)
		return 0;
	frame = malloc(size ? size : 1);
	question = malloc(NEIGH_SOLICIT_MAX);
	if (!frame || !question)
		abort();
	memcpy(frame, data, size);
	if (neigh_parse(frame, size, &addr, &mac)) {
		if (mac.b[0] & 1 || tnl_addr_is_multicast(&addr) || ipv6_addr_is_zero(&addr))
			abort();
		n = neigh_build_solicit(&addr, &addr, mac, question);
		if (n > NEIGH_SOLICIT_MAX)
			abort();
		/* The question tells of the one who asks. */
		if (!neigh_parse(question, n, &again, &mac_again) ||
			!ipv6_addr_equal(&addr, &again) || memcmp(&mac, &mac_again, sizeof mac))
			abort();
	}
	free(question);
	free(frame);
	return 0;
}
