/* SPDX-License-Identifier: Apache-2.0 */

/* Any bytes as a packet that arrives for a GRE tunnel: see fuzz_tnl.h. */

#include "tests/fuzz/fuzz_tnl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_tnl(TNL_GRE, data, size);
}
