/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sluiced/restart.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datapath/pipeline/version.h"
#include "lib/clock.h"
#include "lib/dirs.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/util.h"

LOG_MODULE(restart);

#define LOOK_MS 1000
#define LEAST_MS 5000		/* From one snapshot to the next ... */
#define LEAST_FACTOR 20		/* ... but this many times what the last one cost ... */
#define MOST_MS 60000		/* ... even if no flow has changed: counts and addresses do. */

static struct event_timer *timer;
static struct event_work *work;
static char *path, *part_path, *loading_path;
static char boot[40];
static bool restored;		/* There was a snapshot. */
static bool is_complete;
static bool waiting = true;	/* flow-restore-wait, until it is off for the first time. */

/* The snapshot being written. */
static struct {
	int fd;			/* -1: none. */
	int error;
	version_t version;
	int64_t cost_us;
} saving = {.fd = -1};
static version_t saved_version;
static int64_t saved_ms, next_ms;

static void read_boot_id(void)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || fscanf(file, "%39s", boot) != 1)
		*boot = '\0';
	if (file)
		fclose(file);
}

/* ------------------------------------------------------------------ writing */

static void write_all(const struct sbuf *s)
{
	size_t done = 0;

	while (done < s->len && !saving.error) {
		ssize_t n = write(saving.fd, (const char *)s->data + done, s->len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno != EINTR)
			saving.error = -errno;
	}
}

static int save_begin(void)
{
	saving.fd = open(part_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (saving.fd < 0)
		return -errno;
	saving.error = 0;
	saving.version = version_get();
	saving.cost_us = 0;
	ofproto_save_begin(boot);
	return 0;
}

/* No fsync: this outlives the process, not the machine. */
static int save_finish(void)
{
	ofproto_save_end();
	if (close(saving.fd) && !saving.error)
		saving.error = -errno;
	saving.fd = -1;
	if (!saving.error && rename(part_path, path))
		saving.error = -errno;
	if (saving.error) {
		unlink(part_path);
		return saving.error;
	}
	saved_version = saving.version;
	return 0;
}

/* True if there is more to write. */
static bool save_step(void)
{
	struct sbuf s = SBUF_INITIALIZER;
	int64_t begin = clock_us();
	bool more = ofproto_save_step(&s);

	write_all(&s);
	sbuf_uninit(&s);
	saving.cost_us += clock_us() - begin;
	return more && !saving.error;
}

static void complain(int error)
{
	static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(1, 1);

	if (error)
		log_warn_rl(&rl, "%s can't be written (%s): a restart would lose the flows", path,
			strerror(-error));
}

static bool slice(void *aux)
{
	int64_t now = clock_ms();

	(void)aux;
	if (save_step())
		return true;
	complain(save_finish());
	saved_ms = now;
	next_ms = now + MAX((int64_t)LEAST_MS, saving.cost_us / 1000 * LEAST_FACTOR);
	return false;
}

static void look(void *aux)
{
	int64_t now = clock_ms();
	int error;

	(void)aux;
	if (saving.fd >= 0 || now < next_ms ||
		(version_get() == saved_version && now < saved_ms + MOST_MS))
		return;
	error = save_begin();
	if (error) {
		complain(error);
		next_ms = now + MOST_MS;
		return;
	}
	event_work_start(work);
}

int restart_save_now(void)
{
	int error;

	if (!is_complete)
		return -EAGAIN;
	if (saving.fd >= 0) {
		event_work_stop(work);
		save_finish();
	}
	error = save_begin();
	if (error)
		return error;
	while (save_step())
		continue;
	return save_finish();
}

/* ------------------------------------------------------------------ reading */

void restart_init(struct event_loop *loop)
{
	path = xasprintf("%s/sluice.state", dirs_run());
	part_path = xasprintf("%s.part", path);
	loading_path = xasprintf("%s.loading", path);
	timer = event_timer_create(loop, look, NULL);
	work = event_work_create(loop, slice, NULL);
	read_boot_id();
	/* A snapshot that kills its reader is read once. */
	if (*boot && !rename(path, loading_path))
		restored = ofproto_load_begin(loading_path, boot);
}

void restart_configure(const struct model *model)
{
	if (!waiting)
		return;
	waiting = smap_get_bool(&model->other_config, "flow-restore-wait", false);
	ofproto_hold_controllers(waiting);
	dp_hold(waiting && !restored);
	if (waiting)
		log_info("waiting for flow-restore-wait to be removed before %s",
			restored ? "controllers are connected" : "packets are forwarded");
}

void restart_bridge_made(struct ofproto *ofproto)
{
	ofproto_load_ports(ofproto);
}

void restart_bridge_load(struct ofproto *ofproto)
{
	int64_t begin = clock_us();
	long n = ofproto_load(ofproto);

	if (n >= 0)
		log_info("bridge %s: %ld flows restored in %lld ms", ofproto_name(ofproto), n,
			(long long)(clock_us() - begin) / 1000);
}

void restart_complete(void)
{
	if (is_complete || !timer)
		return;
	is_complete = true;
	ofproto_load_end();
	unlink(loading_path);
	next_ms = clock_ms() + LOOK_MS;
	event_timer_start(timer, LOOK_MS, LOOK_MS);
}

void restart_uninit(bool cleanup)
{
	if (!timer)
		return;
	event_timer_destroy(timer);
	if (is_complete && !cleanup) {
		complain(restart_save_now());
	} else if (is_complete) {
		unlink(path);
		unlink(part_path);
	} else {
		/* It was not ours to use yet. */
		renameat2(AT_FDCWD, loading_path, AT_FDCWD, path, RENAME_NOREPLACE);
	}
	event_work_destroy(work);
	ofproto_save_end();
	ofproto_load_end();
	free(path);
	free(part_path);
	free(loading_path);
	timer = NULL;
}
