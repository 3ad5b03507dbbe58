/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "lib/fatal.h"
#include "lib/inet.h"
#include "lib/stream_provider.h"

#define MAX_ADDRS 16

/* A look-up of a host name; it outlives its stream if that is closed meanwhile. */
struct lookup {
	uv_getaddrinfo_t req;
	struct stream *stream; /* NULL: closed */
	struct stream_tcp *tcp;
};

struct stream_tcp {
	union inet_addr addrs[MAX_ADDRS]; /* to try, one after the other */
	size_t n_addrs, next;
	uint16_t port;
	int last_error;
	struct lookup *lookup; /* while it runs */
};

static void set_options(int fd, int family, int dscp)
{
	int yes = 1, tos = dscp * 4;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (dscp < 0)
		return;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	else
		setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
}

static void on_looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
	struct lookup *lookup = container_of(req, struct lookup, req);
	struct stream *stream = lookup->stream;
	struct stream_tcp *tcp = lookup->tcp;

	free(lookup);
	if (stream) {
		tcp->lookup = NULL;
		for (struct addrinfo *ai = list; ai && tcp->n_addrs < MAX_ADDRS; ai = ai->ai_next) {
			union inet_addr *addr = &tcp->addrs[tcp->n_addrs];

			if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
				continue;
			memcpy(addr, ai->ai_addr, ai->ai_addrlen);
			addr->in.sin_port = htons(tcp->port); /* at the same place for IPv6 */
			tcp->n_addrs++;
		}
		stream_provider_progress(stream, status || !tcp->n_addrs ? -EHOSTUNREACH : 0);
	}
	uv_freeaddrinfo(list);
}

static int start_lookup(struct stream *stream, struct stream_tcp *tcp, const char *host)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct lookup *lookup = xcalloc(1, sizeof(*lookup));
	int err;

	lookup->stream = stream;
	lookup->tcp = tcp;
	err = uv_getaddrinfo(
		event_loop_uv(stream->loop), &lookup->req, on_looked_up, host, NULL, &hints);
	if (err) {
		free(lookup);
		return -EHOSTUNREACH;
	}
	tcp->lookup = lookup;
	return 0;
}

/* Starts to connect to the next address; those that fail at once are skipped. */
static int next_socket(struct stream *stream, struct stream_tcp *tcp)
{
	while (tcp->next < tcp->n_addrs) {
		const union inet_addr *addr = &tcp->addrs[tcp->next++];
		int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (fd < 0) {
			tcp->last_error = -errno;
			continue;
		}
		set_options(fd, addr->sa.sa_family, stream->dscp);
		if (!connect(fd, &addr->sa, inet_addr_len(addr)) || errno == EINPROGRESS) {
			stream->fd = fd;
			return 0;
		}
		tcp->last_error = -errno;
		close(fd);
	}
	return tcp->last_error;
}

struct stream_tcp *stream_tcp_open(
	struct stream *stream, const char *suffix, uint16_t default_port, int *err)
{
	struct stream_tcp *tcp = xcalloc(1, sizeof(*tcp));
	char host[INET_HOST_MAX];

	tcp->last_error = -EHOSTUNREACH;
	*err = inet_parse_active(suffix, default_port, host, &tcp->port);
	if (*err)
		return tcp;
	if (!inet_from_host(host, tcp->port, &tcp->addrs[0])) {
		tcp->n_addrs = 1;
		*err = next_socket(stream, tcp);
	} else {
		*err = start_lookup(stream, tcp, host);
	}
	return tcp;
}

int stream_tcp_connect(struct stream *stream, struct stream_tcp *tcp)
{
	union inet_addr peer;
	socklen_t len = sizeof(peer);
	int error = 0, err;

	if (tcp->lookup)
		return -EAGAIN;
	if (stream->fd < 0) {
		err = next_socket(stream, tcp);
		return err ? err : -EAGAIN;
	}
	if (!getpeername(stream->fd, &peer.sa, &len))
		return 0;
	len = sizeof(error);
	getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (!error)
		return -EAGAIN;
	tcp->last_error = -error;
	stream_provider_forget_socket(stream);
	err = next_socket(stream, tcp);
	return err ? err : -EAGAIN;
}

void stream_tcp_destroy(struct stream_tcp *tcp)
{
	if (!tcp)
		return;
	if (tcp->lookup) {
		tcp->lookup->stream = NULL;
		uv_cancel((uv_req_t *)&tcp->lookup->req);
	}
	free(tcp);
}

bool stream_tcp_is_valid(const char *suffix, uint16_t default_port)
{
	char host[INET_HOST_MAX];
	uint16_t port;

	return !inet_parse_active(suffix, default_port, host, &port);
}

static int tcp_open(struct stream *stream, const char *suffix, uint16_t default_port)
{
	int err;

	stream->class_data = stream_tcp_open(stream, suffix, default_port, &err);
	return err;
}

static int tcp_connect(struct stream *stream)
{
	/* Accepted ones come connected. */
	return stream->class_data ? stream_tcp_connect(stream, stream->class_data) : 0;
}

static void tcp_destroy(struct stream *stream)
{
	stream_tcp_destroy(stream->class_data);
}

const struct stream_class stream_tcp_class = {
	.scheme = "tcp",
	.is_valid = stream_tcp_is_valid,
	.open = tcp_open,
	.connect = tcp_connect,
	.recv = stream_socket_recv,
	.short_read_is_all = true,
	.send = stream_socket_send,
	.destroy = tcp_destroy,
};

bool stream_tcp_passive_is_valid(const char *suffix, uint16_t default_port)
{
	union inet_addr addr;

	return !inet_parse_passive(suffix, default_port, &addr);
}

int stream_tcp_listen(struct pstream *pstream, const char *suffix, uint16_t default_port)
{
	union inet_addr addr;
	socklen_t len = sizeof(addr);
	int err = inet_parse_passive(suffix, default_port, &addr), yes = 1;

	if (err)
		return err;
	pstream->fd = socket(addr.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (pstream->fd < 0)
		return -errno;
	setsockopt(pstream->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(pstream->fd, &addr.sa, inet_addr_len(&addr)) || listen(pstream->fd, 64) ||
		getsockname(pstream->fd, &addr.sa, &len))
		return -errno;
	pstream->port = inet_addr_port(&addr);
	return 0;
}

int stream_tcp_accepted(struct pstream *pstream, struct stream *stream)
{
	char text[INET_TEXT_MAX];
	union inet_addr addr;
	socklen_t len = sizeof(addr);

	if (getpeername(stream->fd, &addr.sa, &len))
		return -errno;
	set_options(stream->fd, addr.sa.sa_family, pstream->dscp);
	inet_format(&addr, text);
	free(stream->name);
	stream->name = xasprintf("%s:%s", stream->class->scheme, text);
	return 0;
}

const struct pstream_class pstream_tcp_class = {
	.scheme = "ptcp",
	.is_valid = stream_tcp_passive_is_valid,
	.listen = stream_tcp_listen,
	.accepted = stream_tcp_accepted,
	.stream_class = &stream_tcp_class,
};
