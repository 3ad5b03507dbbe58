/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <stdlib.h>

#include "lib/dirs.h"
#include "lib/fatal.h"
#include "lib/stream_provider.h"
#include "lib/unix_socket.h"

static bool unix_is_valid(const char *suffix, uint16_t default_port)
{
	return *suffix != '\0';
}

static int unix_open(struct stream *stream, const char *suffix, uint16_t default_port)
{
	char *path = dirs_abs(dirs_run(), suffix);
	int err = unix_socket_connect(path, &stream->fd);

	free(path);
	return err;
}

static int unix_connect(struct stream *stream)
{
	return 0; /* connect(2) on a unix socket succeeds or fails at once */
}

const struct stream_class stream_unix_class = {
	.scheme = "unix",
	.is_valid = unix_is_valid,
	.open = unix_open,
	.connect = unix_connect,
	.recv = stream_socket_recv,
	.short_read_is_all = true,
	.send = stream_socket_send,
};

static int punix_listen(struct pstream *pstream, const char *suffix, uint16_t default_port)
{
	char *path;
	int err;

	if (!*suffix)
		return -EINVAL;
	path = dirs_abs(dirs_run(), suffix);
	err = unix_socket_listen(path, 1024, &pstream->fd);
	if (err)
		free(path);
	else
		pstream->path = path;
	return err;
}

static int punix_accepted(struct pstream *pstream, struct stream *stream)
{
	static unsigned int n;

	free(stream->name);
	stream->name = xasprintf("unix#%u", n++);
	return 0;
}

const struct pstream_class pstream_unix_class = {
	.scheme = "punix",
	.is_valid = unix_is_valid,
	.listen = punix_listen,
	.accepted = punix_accepted,
	.stream_class = &stream_unix_class,
};
