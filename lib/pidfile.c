/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fatal.h"
#include "lib/util.h"

/* The file of this process. It must never be opened and closed again here: closing any
 * descriptor of a file gives up all of the process's locks on it. */
static struct {
	char *path;
	pid_t pid; /* a child made by fork() holds nothing */
	dev_t dev;
	ino_t ino;
} own;

static void remove_own(void)
{
	if (own.path && own.pid == getpid())
		unlink(own.path);
}

static int write_and_lock(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat st;

	if (dprintf(fd, "%ld\n", (long)getpid()) < 0 || fcntl(fd, F_SETLK, &lock) || fstat(fd, &st))
		return -errno;
	own.dev = st.st_dev;
	own.ino = st.st_ino;
	return 0;
}

int pidfile_create(const char *path, bool overwrite)
{
	static bool registered;
	char *tmp;
	int fd, err;

	if (!overwrite && pidfile_read(path) > 0)
		return -EEXIST;
	tmp = xasprintf("%s.tmp%ld", path, (long)getpid());
	fd = open(tmp, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0) {
		err = -errno;
		goto out;
	}
	err = write_and_lock(fd);
	if (!err && rename(tmp, path))
		err = -errno;
	if (err) {
		unlink(tmp);
		close(fd);
		goto out;
	}
	/* FD stays open: it carries the lock. */
	free(own.path);
	own.path = xstrdup(path);
	own.pid = getpid();
	if (!registered) {
		atexit(remove_own);
		registered = true;
	}
out:
	free(tmp);
	return err;
}

static pid_t read_pid(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char line[32];
	int pid;
	ssize_t n;

	if (fcntl(fd, F_GETLK, &lock))
		return -errno;
	if (lock.l_type == F_UNLCK)
		return -ESRCH;
	n = read(fd, line, sizeof(line) - 1);
	if (n < 0)
		return -errno;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (parse_int(line, 1, INT32_MAX, &pid))
		return -EINVAL;
	return pid;
}

pid_t pidfile_read(const char *path)
{
	struct stat st;
	pid_t pid;
	int fd;

	if (stat(path, &st))
		return -errno;
	if (own.path && own.pid == getpid() && st.st_dev == own.dev && st.st_ino == own.ino)
		return own.pid;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	pid = read_pid(fd);
	close(fd);
	return pid;
}
