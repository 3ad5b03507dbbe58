/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/machine.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/util.h"

void machine_cpu(char *model, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	str_copy(model, "unknown processor", size);
	while (file && fgets(line, sizeof line, file)) {
		char *colon = strchr(line, ':');

		if (!str_starts_with(line, "model name") || !colon)
			continue;
		line[strcspn(line, "\n")] = '\0';
		str_copy(model, colon + 2, size);
		break;
	}
	if (file)
		fclose(file);
}

double machine_tsc_mhz(void)
{
	struct timespec a, b, pause = {.tv_nsec = 20 * 1000 * 1000};
	static double mhz;
	uint64_t begin, end;

	if (mhz > 0)
		return mhz;
	clock_gettime(CLOCK_MONOTONIC, &a);
	begin = __builtin_ia32_rdtsc();
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	end = __builtin_ia32_rdtsc();
	mhz = (double)(end - begin) * 1e3 /
		((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec));
	return mhz;
}

bool machine_is_virtual(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[4096];
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file))
		found = str_starts_with(line, "flags") && strstr(line, " hypervisor");
	if (file)
		fclose(file);
	return found;
}

uint64_t machine_rss_anon(pid_t pid)
{
	unsigned long long kb = 0;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "RssAnon: %llu", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb * 1024;
}
