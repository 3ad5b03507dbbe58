/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/ovsdb/ovsdb_status_system.h"

#include <dirent.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/daemon.h"
#include "lib/dirs.h"
#include "lib/fatal.h"
#include "lib/sbuf.h"
#include "lib/sset.h"
#include "lib/util.h"

static void put_load(struct smap *stats)
{
	double load[3];

	if (getloadavg(load, 3) == 3)
		smap_setf(stats, "load_average", "%.2f,%.2f,%.2f", load[0], load[1], load[2]);
}

/* Kilobytes: total, used, of those buffers and cache; swap total and used. */
static void put_memory(struct smap *stats)
{
	static const char *const names[] = {"MemTotal", "MemFree", "Buffers", "Cached", "SwapTotal",
		"SwapFree"};
	unsigned long values[ARRAY_SIZE(names)] = {0}, value;
	FILE *file = fopen("/proc/meminfo", "re");
	char name[32], line[128];

	if (!file)
		return;
	while (fgets(line, sizeof line, file)) {
		if (sscanf(line, "%31[^:]: %lu", name, &value) != 2)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (!strcmp(name, names[i]))
				values[i] = value;
	}
	fclose(file);
	smap_setf(stats, "memory", "%lu,%lu,%lu,%lu,%lu", values[0], values[0] - values[1],
		values[2] + values[3], values[4], values[4] - values[5]);
}

struct process {
	unsigned long vsz_kb, rss_kb;
	unsigned long cpu_ms;
	long long age_ms;
	int core;
};

/* proc(5), /proc/PID/stat: what follows the name in parentheses. */
static bool read_process(pid_t pid, struct process *p)
{
	unsigned long utime, stime, vsize;
	unsigned long long start;
	long rss, hz = sysconf(_SC_CLK_TCK);
	char path[40], text[1024], *rest;
	double uptime = 0;
	FILE *file;
	size_t n;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[n] = '\0';
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d "
		"%*d %*d %*d %llu %lu %ld %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %d",
		&utime, &stime, &start, &vsize, &rss, &p->core) != 6)
		return false;
	file = fopen("/proc/uptime", "re");
	if (file) {
		if (fscanf(file, "%lf", &uptime) != 1)
			uptime = 0;
		fclose(file);
	}
	p->vsz_kb = vsize / 1024;
	p->rss_kb = (unsigned long)rss * (unsigned long)(sysconf(_SC_PAGESIZE) / 1024);
	p->cpu_ms = (utime + stime) * 1000 / (unsigned long)hz;
	p->age_ms = (long long)(uptime * 1000) - (long long)(start * 1000 / (unsigned long long)hz);
	return true;
}

/* The daemons are those with a pidfile in the run directory. */
static void put_processes(struct smap *stats)
{
	DIR *dir = opendir(dirs_run());
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		char *dot = strrchr(entry->d_name, '.'), *path, *key;
		struct process p;
		pid_t pid;

		if (!dot || strcmp(dot, ".pid"))
			continue;
		path = xasprintf("%s/%s", dirs_run(), entry->d_name);
		pid = daemon_read_pidfile(path);
		free(path);
		if (pid <= 0 || !read_process(pid, &p))
			continue;
		key = xasprintf("process_%.*s", (int)(dot - entry->d_name), entry->d_name);
		smap_setf(stats, key, "%lu,%lu,%lu,0,%lld,%lld,%d", p.vsz_kb, p.rss_kb, p.cpu_ms, p.age_ms,
			p.age_ms, p.core);
		free(key);
	}
	closedir(dir);
}

static void put_file_systems(struct smap *stats)
{
	struct sset devices = SSET_INITIALIZER;
	FILE *mounts = setmntent("/proc/mounts", "r");
	struct sbuf s = SBUF_INITIALIZER;
	struct mntent *mount;

	while (mounts && (mount = getmntent(mounts))) {
		struct statvfs vfs;

		/* Of local devices, each once. */
		if (mount->mnt_fsname[0] != '/' || !sset_add(&devices, mount->mnt_fsname) ||
			statvfs(mount->mnt_dir, &vfs))
			continue;
		sbuf_putf(&s, "%s%s,%llu,%llu", s.len ? " " : "", mount->mnt_dir,
			(unsigned long long)vfs.f_frsize * vfs.f_blocks / 1024,
			(unsigned long long)vfs.f_frsize * (vfs.f_blocks - vfs.f_bfree) / 1024);
	}
	if (mounts)
		endmntent(mounts);
	if (s.len)
		smap_set(stats, "file_systems", sbuf_cstr(&s));
	sbuf_uninit(&s);
	sset_uninit(&devices);
}

void ovsdb_status_system(struct smap *stats)
{
	smap_setf(stats, "cpu", "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	put_load(stats);
	put_memory(stats);
	put_processes(stats);
	put_file_systems(stats);
}
