/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/ssl_config.h"
#include "lib/stream_provider.h"

LOG_MODULE(stream_ssl);

static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(10, 25);

struct stream_ssl {
	struct stream_tcp *tcp; /* NULL for accepted ones */
	SSL *ssl;               /* NULL until the socket is connected */
	bool bootstrap;         /* this connection is only to fetch the CA certificate */
};

static int ssl_open(struct stream *stream, const char *suffix, uint16_t default_port)
{
	struct stream_ssl *s = xcalloc(1, sizeof(*s));
	int err;

	stream->class_data = s;
	s->tcp = stream_tcp_open(stream, suffix, default_port, &err);
	return err;
}

static int start_tls(struct stream *stream, struct stream_ssl *s)
{
	SSL_CTX *ctx = ssl_config_get();

	if (!ctx)
		return -EPROTO;
	s->bootstrap = ssl_config_wants_bootstrap();
	s->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (!s->ssl || !SSL_set_fd(s->ssl, stream->fd))
		return -ENOMEM;
	if (s->tcp)
		SSL_set_connect_state(s->ssl);
	else
		SSL_set_accept_state(s->ssl);
	return 0;
}

/* Turns the result RET of an SSL call into 0 (end of stream), or -EAGAIN with *EVENTS set, or
 * another negative errno. */
static int interpret(struct stream *stream, int ret, unsigned int *events)
{
	struct stream_ssl *s = stream->class_data;
	int saved_errno = errno;

	switch (SSL_get_error(s->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		*events = EVENT_READ;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		*events = EVENT_WRITE;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		ERR_clear_error();
		return saved_errno ? -saved_errno : -ECONNRESET;
	default:
		/* A peer that just closes is no news: OpenSSL 3 calls that an error. */
		if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
			ERR_clear_error();
			return SSL_is_init_finished(s->ssl) ? 0 : -ECONNRESET;
		}
		log_warn_rl(&rl, "%s: TLS: %s", stream->name, ssl_error_text());
		return -EPROTO;
	}
}

static int ssl_connect(struct stream *stream)
{
	struct stream_ssl *s = stream->class_data;
	int err, ret;

	if (!s->ssl) {
		stream->connect_events = EVENT_WRITE;
		err = s->tcp ? stream_tcp_connect(stream, s->tcp) : 0;
		if (!err)
			err = start_tls(stream, s);
		if (err)
			return err;
	}
	ERR_clear_error();
	errno = 0;
	ret = SSL_do_handshake(s->ssl);
	if (ret != 1) {
		err = interpret(stream, ret, &stream->connect_events);
		return err ? err : -ECONNRESET;
	}
	if (s->bootstrap) {
		err = ssl_config_bootstrap(s->ssl);
		return err == -EAGAIN ? -EPROTO : err; /* the next attempt will be verified */
	}
	return 0;
}

static ssize_t ssl_recv(struct stream *stream, void *data, size_t len)
{
	struct stream_ssl *s = stream->class_data;
	int ret;

	ERR_clear_error();
	errno = 0;
	ret = SSL_read(s->ssl, data, (int)MIN(len, (size_t)INT32_MAX));
	return ret > 0 ? ret : interpret(stream, ret, &stream->recv_events);
}

static ssize_t ssl_send(struct stream *stream, const void *data, size_t len)
{
	struct stream_ssl *s = stream->class_data;
	int ret, err;

	ERR_clear_error();
	errno = 0;
	ret = SSL_write(s->ssl, data, (int)MIN(len, (size_t)INT32_MAX));
	if (ret > 0)
		return ret;
	err = interpret(stream, ret, &stream->send_events);
	return err ? err : -EPIPE;
}

static void ssl_destroy(struct stream *stream)
{
	struct stream_ssl *s = stream->class_data;

	if (s->ssl) {
		/* One try at a close notification; nobody waits for the answer. */
		if (SSL_is_init_finished(s->ssl))
			SSL_shutdown(s->ssl);
		ERR_clear_error();
		SSL_free(s->ssl);
	}
	stream_tcp_destroy(s->tcp);
	free(s);
}

const struct stream_class stream_ssl_class = {
	.scheme = "ssl",
	.is_valid = stream_tcp_is_valid,
	.open = ssl_open,
	.connect = ssl_connect,
	.recv = ssl_recv,
	.send = ssl_send,
	.destroy = ssl_destroy,
};

static int pssl_accepted(struct pstream *pstream, struct stream *stream)
{
	stream->class_data = xcalloc(1, sizeof(struct stream_ssl));
	stream->connect_events = EVENT_READ;
	return stream_tcp_accepted(pstream, stream);
}

const struct pstream_class pstream_ssl_class = {
	.scheme = "pssl",
	.is_valid = stream_tcp_passive_is_valid,
	.listen = stream_tcp_listen,
	.accepted = pssl_accepted,
	.stream_class = &stream_ssl_class,
};
