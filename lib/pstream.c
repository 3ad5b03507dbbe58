/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/coverage.h"
#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/stream.h"
#include "lib/stream_provider.h"

#define ACCEPT_PER_TURN 32
#define RESUME_MS 100

LOG_MODULE(stream);
COVERAGE_DEFINE(pstream_open);

static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(10, 10);

static const struct pstream_class *const classes[] = {
	&pstream_unix_class,
	&pstream_tcp_class,
	&pstream_ssl_class,
};

static const struct pstream_class *find_class(const char *name, const char **suffix)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		size_t n = strlen(classes[i]->scheme);

		if (!strncmp(name, classes[i]->scheme, n) && (name[n] == ':' || !name[n])) {
			*suffix = name[n] ? name + n + 1 : "";
			return classes[i];
		}
	}
	return NULL;
}

bool pstream_name_is_valid(const char *name)
{
	const char *suffix;
	const struct pstream_class *class = find_class(name, &suffix);

	return class && class->is_valid(suffix, 1);
}

static void update_watch(struct pstream *pstream)
{
	event_fd_modify(pstream->efd, event_timer_is_active(pstream->resume) ? 0 : EVENT_READ);
}

static void on_resume(void *aux)
{
	update_watch(aux);
}

static void destroy(struct pstream *pstream)
{
	event_fd_remove(pstream->efd);
	event_timer_destroy(pstream->resume);
	if (pstream->fd >= 0)
		close(pstream->fd);
	if (pstream->path)
		unlink(pstream->path);
	free(pstream->path);
	free(pstream->name);
	free(pstream);
}

void pstream_close(struct pstream *pstream)
{
	if (!pstream)
		return;
	pstream->closed = true;
	if (!pstream->running)
		destroy(pstream);
}

static void hand_over(struct pstream *pstream, int fd)
{
	struct stream *stream = stream_provider_create(
		pstream->loop, pstream->class->stream_class, pstream->name, fd, pstream->dscp);
	int err = pstream->class->accepted(pstream, stream);

	if (err) {
		log_warn_rl(
			&rl, "%s: accepted connection fails: %s", pstream->name, strerror(-err));
		stream_close(stream);
		return;
	}
	pstream->cb(pstream, stream, pstream->aux);
}

/* Accepts one connection; false if there is none. */
static bool accept_one(struct pstream *pstream)
{
	int fd = accept4(pstream->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		hand_over(pstream, fd);
		return true;
	}
	if (errno == EINTR || errno == ECONNABORTED)
		return true;
	if (errno != EAGAIN) {
		/* Out of descriptors, most likely: the connection stays pending, so watching on
		 * would only burn the processor. */
		log_warn_rl(&rl, "%s: accept: %s", pstream->name, strerror(errno));
		event_timer_start(pstream->resume, RESUME_MS, 0);
	}
	return false;
}

static void on_event(int fd, unsigned int events, void *aux)
{
	struct pstream *pstream = aux;

	pstream->running = true;
	for (int i = 0; i < ACCEPT_PER_TURN && !pstream->closed; i++)
		if (!accept_one(pstream))
			break;
	pstream->running = false;
	if (pstream->closed)
		destroy(pstream);
	else
		update_watch(pstream);
}

int pstream_open(struct event_loop *loop, const char *name, uint16_t default_port, int dscp,
	pstream_accept_cb *cb, void *aux, struct pstream **pstreamp)
{
	const char *suffix;
	const struct pstream_class *class = find_class(name, &suffix);
	struct pstream *pstream;
	int err;

	if (!class)
		return -EAFNOSUPPORT;
	COVERAGE_INC(pstream_open);
	pstream = xcalloc(1, sizeof(*pstream));
	pstream->class = class;
	pstream->loop = loop;
	pstream->name = xstrdup(name);
	pstream->fd = -1;
	pstream->dscp = dscp;
	pstream->cb = cb;
	pstream->aux = aux;
	pstream->resume = event_timer_create(loop, on_resume, pstream);
	err = class->listen(pstream, suffix, default_port);
	if (!err)
		err = event_fd_add(loop, pstream->fd, EVENT_READ, on_event, pstream, &pstream->efd);
	if (err) {
		destroy(pstream);
		return err;
	}
	*pstreamp = pstream;
	return 0;
}

uint16_t pstream_port(const struct pstream *pstream)
{
	return pstream->port;
}
