/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/cache/memory.h"

#include <stdint.h>
#include <sys/mman.h>

#include "lib/fatal.h"
#include "lib/util.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23		/* Linux 5.14. */
#endif

#define PAGE 4096u
#define STEP ((size_t)2 << 20)

void *memory_reserve(size_t size, bool large)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		fatal("can't reserve %zu bytes of memory", size);
	madvise(p, size, large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return p;
}

void memory_release(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

void memory_populate(void *p, size_t size)
{
	uintptr_t pos = ROUND_DOWN((uintptr_t)p, (uintptr_t)PAGE);
	uintptr_t end = ROUND_UP((uintptr_t)p + size, (uintptr_t)PAGE);

	while (pos < end) {
		uintptr_t next = MIN(ROUND_DOWN(pos, (uintptr_t)STEP) + STEP, end);

		if (madvise((void *)pos, next - pos, MADV_POPULATE_WRITE))
			return;
		pos = next;
	}
}
