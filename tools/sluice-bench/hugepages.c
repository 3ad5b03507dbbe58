/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/hugepages.h"

#include <stdio.h>

#define MBUF_BYTES 3200		/* With its private area, headers and room for tunnels; rounded up. */
#define BESIDES_MB 48

uint64_t hugepages_free_mb(void)
{
	unsigned long long n = 0, size_kb = 0;
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];

	if (!file)
		return 0;
	while (fgets(line, sizeof line, file)) {
		sscanf(line, "HugePages_Free: %llu", &n);
		sscanf(line, "Hugepagesize: %llu kB", &size_kb);
	}
	fclose(file);
	return n * size_kb / 1024;
}

uint64_t hugepages_needed_mb(uint64_t n_mbufs)
{
	return n_mbufs * MBUF_BYTES / (1024 * 1024) + BESIDES_MB;
}
