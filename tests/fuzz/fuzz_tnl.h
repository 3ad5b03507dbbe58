/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the targets for decapsulation share. Input: a byte of options, a byte that says how many bytes
 * at the end are chained, the outer frame.
 */

#include "tests/fuzz/fuzz.h"
#include "tunnel/tnl_port.h"

/* Takes the tunnel header of TYPE off DATA[SIZE] as the switch would, and aborts if the packet is
 * something else than it should be afterwards. */
int fuzz_tnl(enum tnl_type type, const uint8_t *data, size_t size);
