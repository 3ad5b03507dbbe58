/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Words at any address, in the byte order of memory: what is read from or written to a packet is a
 * be16, be32 or be64 (lib/types.h). The bytes must be there: these look at no length. Any thread.
 */

#include <stdint.h>
#include <string.h>

static inline uint16_t load16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t load32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t load64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline void store16(void *p, uint16_t v)
{
	memcpy(p, &v, sizeof v);
}

static inline void store32(void *p, uint32_t v)
{
	memcpy(p, &v, sizeof v);
}
