/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sluice-bench/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fatal.h"

static char dir_name[32];
static uint64_t n_frames;

const char *stage_dir(void)
{
	return dir_name;
}

uint64_t stage_frames(void)
{
	return n_frames;
}

char *stage_pcap(const struct conf_port *port)
{
	return xasprintf("%s/%s.pcap", dir_name, port->name);
}

bool stage_must_rewrite(const struct bench_traffic *traffic, uint64_t max_frames)
{
	uint64_t period = bench_traffic_period(traffic);

	return !period || period > max_frames;
}

static uint64_t frames_of(const struct bench_traffic *traffic, uint64_t max_frames)
{
	uint64_t turn = bench_traffic_turn(traffic);

	if (!stage_must_rewrite(traffic, max_frames))
		return bench_traffic_period(traffic);
	return MAX(ROUND_DOWN(max_frames, turn), turn);
}

/* The kernel would say hello on the bridges' own ports, and be counted. */
static void no_ipv6(void)
{
	static const char *const files[] = {
		"/proc/sys/net/ipv6/conf/all/disable_ipv6",
		"/proc/sys/net/ipv6/conf/default/disable_ipv6",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		FILE *file = fopen(files[i], "we");

		if (!file)
			continue;
		fputs("1\n", file);
		fclose(file);
	}
}

static int write_file(const struct conf_port *port, uint64_t max_frames, char **error)
{
	uint64_t n = frames_of(port->traffic, max_frames);
	char *path = stage_pcap(port);
	int err = bench_traffic_write(port->traffic, n, path);

	if (err)
		*error = xasprintf("can't write %s: %s", path, strerror(-err));
	free(path);
	n_frames += n;
	return err;
}

int stage_enter(const struct conf *conf, uint64_t max_frames, char **error)
{
	const struct conf_port *port;
	int err = 0;

	if (unshare(CLONE_NEWNET)) {
		*error = xasprintf("no network namespace of its own (%s): run it as root",
			strerror(errno));
		return -EPERM;
	}
	no_ipv6();
	strcpy(dir_name, "/tmp/sluice-bench.XXXXXX");
	if (!mkdtemp(dir_name)) {
		err = -errno;
		*error = xasprintf("can't make a directory in /tmp: %s", strerror(-err));
		dir_name[0] = '\0';
		return err;
	}
	VEC_FOR_EACH (port, &conf->ports)
		if (!err && port->role == CONF_SOURCE)
			err = write_file(port, max_frames, error);
	return err;
}

void stage_leave(void)
{
	DIR *dir = dir_name[0] ? opendir(dir_name) : NULL;
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(dir_name);
	dir_name[0] = '\0';
}
