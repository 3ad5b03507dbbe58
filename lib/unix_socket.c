/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/fatal.h"
#include "lib/util.h"

/* Fills in ADDR for PATH. One too long for it is reached through its directory, opened as
 * *DIR_FD (else -1), which must stay open while the address is used. */
static int make_address(const char *path, struct sockaddr_un *addr, int *dir_fd)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int n;

	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	*dir_fd = -1;
	if (!*path)
		return -EINVAL;
	if (strlen(path) < sizeof(addr->sun_path)) {
		str_copy(addr->sun_path, path, sizeof(addr->sun_path));
		return 0;
	}
	if (!slash)
		return -ENAMETOOLONG;
	dir = xstrdup(path);
	dir[slash - path + 1] = '\0';
	*dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (*dir_fd < 0)
		return -errno;
	n = snprintf(
		addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d/%s", *dir_fd, slash + 1);
	if (n >= (int)sizeof(addr->sun_path)) {
		close(*dir_fd);
		return -ENAMETOOLONG;
	}
	return 0;
}

static int call(int (*function)(int, const struct sockaddr *, socklen_t), int fd, const char *path)
{
	struct sockaddr_un addr;
	int dir_fd, err;

	err = make_address(path, &addr, &dir_fd);
	if (err)
		return err;
	err = function(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
	if (dir_fd >= 0)
		close(dir_fd);
	return err;
}

static int make_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int unix_socket_connect(const char *path, int *fdp)
{
	int fd = make_socket(), err;

	if (fd < 0)
		return -errno;
	err = call(connect, fd, path);
	if (err) {
		close(fd);
		return err;
	}
	*fdp = fd;
	return 0;
}

/* Is PATH a socket without a listener? */
static bool is_stale(const char *path)
{
	struct stat st;
	int fd, err;

	if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	err = unix_socket_connect(path, &fd);
	if (!err)
		close(fd);
	return err == -ECONNREFUSED;
}

int unix_socket_listen(const char *path, int backlog, int *fdp)
{
	int fd = make_socket(), err;

	if (fd < 0)
		return -errno;
	/* The socket's mode becomes that of the file. */
	if (fchmod(fd, 0700)) {
		err = -errno;
		goto fail;
	}
	err = call(bind, fd, path);
	if (err == -EADDRINUSE && is_stale(path)) {
		unlink(path);
		err = call(bind, fd, path);
	}
	if (err)
		goto fail;
	if (listen(fd, backlog)) {
		err = -errno;
		unlink(path);
		goto fail;
	}
	*fdp = fd;
	return 0;

fail:
	close(fd);
	return err;
}
