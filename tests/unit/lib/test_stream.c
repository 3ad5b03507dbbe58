/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/event.h"
#include "lib/fatal.h"
#include "lib/inet.h"
#include "lib/log.h"
#include "lib/sbuf.h"
#include "lib/stream.h"
#include "lib/util.h"
#include "tests/support/turn_until.h"

/* One end of a connection that notes what happens to it. */
struct end {
	struct stream *stream;
	struct sbuf got;
	int n_connected, n_readable, n_drained, n_closed, error;
	bool close_in_readable, close_in_closed;
	size_t leave; /* bytes not to consume */
};

static struct event_loop *loop;
static struct pstream *listener;
static struct end server, client;
static char dir[] = "/tmp/test_stream.XXXXXX";

static void on_connected(struct stream *stream, void *aux)
{
	struct end *end = aux;

	end->n_connected++;
}

static void on_readable(struct stream *stream, void *aux)
{
	struct end *end = aux;
	size_t len;
	const uint8_t *data = stream_rx_data(stream, &len);

	end->n_readable++;
	if (end->close_in_readable) {
		stream_close(stream);
		end->stream = NULL;
		return;
	}
	len = len > end->leave ? len - end->leave : 0;
	sbuf_put(&end->got, data, len);
	stream_rx_consume(stream, len);
}

static void on_drained(struct stream *stream, void *aux)
{
	struct end *end = aux;

	end->n_drained++;
}

static void on_closed(struct stream *stream, int error, void *aux)
{
	struct end *end = aux;

	end->n_closed++;
	end->error = error;
	if (end->close_in_closed) {
		stream_close(stream);
		end->stream = NULL;
	}
}

static const struct stream_callbacks callbacks = {on_connected, on_readable, on_drained, on_closed};

static void on_accept(struct pstream *pstream, struct stream *stream, void *aux)
{
	if (server.stream) {
		stream_close(stream);
		return;
	}
	server.stream = stream;
	stream_set_callbacks(stream, &callbacks, &server);
}

static int setup(void **state)
{
	free(log_set_from_string("off"));
	server = client = (struct end){0};
	loop = event_loop_create();
	return 0;
}

static int teardown(void **state)
{
	stream_close(server.stream);
	stream_close(client.stream);
	sbuf_uninit(&server.got);
	sbuf_uninit(&client.got);
	pstream_close(listener);
	listener = NULL;
	event_loop_destroy(loop);
	return 0;
}

static void turn(int n)
{
	for (int i = 0; i < n; i++)
		event_run_once(loop, 0);
}

static void say(struct end *end, const char *text)
{
	assert_int_equal(stream_write(end->stream, text, strlen(text)), 0);
}

/* Connects client and server over SCHEME, TCP or what lies over it. */
static void connect_pair(const char *scheme, const char *host)
{
	char *name = xasprintf("p%s:0:%s", scheme, host);

	assert_int_equal(pstream_open(loop, name, 6653, -1, on_accept, NULL, &listener), 0);
	free(name);
	name = xasprintf("%s:%s:%u", scheme, host, pstream_port(listener));
	assert_int_equal(stream_open(loop, name, 0, 12, &callbacks, &client, &client.stream), 0);
	assert_int_equal(client.n_connected, 0);
	free(name);
	TURN_UNTIL(loop, client.n_connected || client.n_closed);
	if (client.n_connected)
		TURN_UNTIL(loop, server.stream);
}

static void exchange(void)
{
	say(&client, "hel");
	say(&client, "lo");
	TURN_UNTIL(loop, server.got.len == 5);
	assert_memory_equal(server.got.data, "hello", 5);
	TURN_UNTIL(loop, client.n_drained);
	say(&server, "bye");
	TURN_UNTIL(loop, client.got.len == 3);
	stream_close(server.stream);
	server.stream = NULL;
	TURN_UNTIL(loop, client.n_closed);
	assert_int_equal(client.error, 0);
	assert_int_equal(client.n_closed, 1);
	assert_int_equal(stream_write(client.stream, "x", 1), -EPIPE);
	turn(3);
	assert_int_equal(client.n_closed, 1);
}

static void tcp(void **state)
{
	connect_pair("tcp", "127.0.0.1");
	assert_non_null(strstr(stream_name(server.stream), "tcp:127.0.0.1:"));
	exchange();
}

static void tcp6(void **state)
{
	if (access("/proc/net/if_inet6", F_OK))
		skip();
	connect_pair("tcp", "[::1]");
	exchange();
}

static void unix_stream(void **state)
{
	char *name = xasprintf("punix:%s/sock", dir);

	assert_int_equal(pstream_open(loop, name, 0, -1, on_accept, NULL, &listener), 0);
	assert_int_equal(
		stream_open(loop, name + 1, 0, -1, &callbacks, &client, &client.stream), 0);
	free(name);
	TURN_UNTIL(loop, server.stream);
	exchange();
}

static void by_host_name(void **state)
{
	char *name;

	assert_int_equal(
		pstream_open(loop, "ptcp:0:127.0.0.1", 0, -1, on_accept, NULL, &listener), 0);
	name = xasprintf("tcp:localhost:%u", pstream_port(listener));
	assert_int_equal(stream_open(loop, name, 0, -1, &callbacks, &client, &client.stream), 0);
	say(&client, "early"); /* waits for the connection */
	TURN_UNTIL(loop, server.got.len == 5);
	/* Closing while the look-up runs. */
	stream_close(client.stream);
	assert_int_equal(stream_open(loop, name, 0, -1, &callbacks, &client, &client.stream), 0);
	stream_close(client.stream);
	client.stream = NULL;
	free(name);
}

static void failures(void **state)
{
	static const char *const bad[] = {"tcp:", "tcp:1.2.3.4:x", "tcp:[::1", "tcp:1.2.3.4:0",
		"unix:", "ssl:", "tcp:1.2.3.4:65536"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(
			stream_open(loop, bad[i], 1, -1, &callbacks, &client, &client.stream),
			-EINVAL);
	assert_int_equal(
		stream_open(loop, "tcp:1.2.3.4", 0, -1, &callbacks, &client, &client.stream),
		-EINVAL);
	assert_int_equal(
		stream_open(loop, "udp:1.2.3.4:5", 0, -1, &callbacks, &client, &client.stream),
		-EAFNOSUPPORT);
	assert_true(stream_name_is_valid("tcp:host"));
	assert_false(stream_name_is_valid("ptcp:"));
	assert_true(pstream_name_is_valid("ptcp:"));
	assert_true(pstream_name_is_valid("ptcp:6653:[::]"));
	assert_false(pstream_name_is_valid("ptcp:6653:name"));
	assert_false(stream_name_needs_probes("unix:x"));

	assert_int_equal(stream_open(loop, "unix:/nonexistent/x", 0, -1, &callbacks, &client,
				 &client.stream),
		0);
	assert_int_equal(client.n_closed, 0); /* only from the loop */
	TURN_UNTIL(loop, client.n_closed);
	assert_int_equal(client.error, -ENOENT);
	stream_close(client.stream);
	client = (struct end){.close_in_closed = true};
	assert_int_equal(
		stream_open(loop, "tcp:127.0.0.1:1", 0, -1, &callbacks, &client, &client.stream),
		0);
	TURN_UNTIL(loop, client.n_closed);
	assert_int_equal(client.error, -ECONNREFUSED);
	assert_int_equal(pstream_open(loop, "ptcp:x", 1, -1, on_accept, NULL, &listener), -EINVAL);
	assert_null(listener);
}

static void backpressure(void **state)
{
	enum {
		CHUNK = 65536
	};
	char *data = xcalloc(1, CHUNK);
	size_t sent = 0;

	connect_pair("tcp", "127.0.0.1");
	stream_pause_rx(server.stream, true);
	stream_set_tx_limit(client.stream, 2 * STREAM_RX_LIMIT);
	while (stream_write(client.stream, data, CHUNK) == 0) {
		sent += CHUNK;
		turn(1);
		assert_true(sent < 100000000);
	}
	assert_in_range(stream_tx_queued(client.stream), 1, 2 * STREAM_RX_LIMIT);
	assert_int_equal(stream_write(client.stream, data, CHUNK), -ENOBUFS);
	turn(5);
	assert_int_equal(server.got.len, 0);

	/* An owner who leaves bytes lying gets no more than the limit. */
	server.leave = 1000000000;
	stream_pause_rx(server.stream, false);
	turn(200);
	size_t len;

	stream_rx_data(server.stream, &len);
	assert_int_equal(len, STREAM_RX_LIMIT);
	server.leave = 0;
	stream_rx_consume(server.stream, STREAM_RX_LIMIT);
	TURN_UNTIL(loop, server.got.len + STREAM_RX_LIMIT == sent);
	assert_int_equal(stream_tx_queued(client.stream), 0);
	assert_true(client.n_drained >= 1);
	free(data);
}

static void close_inside_callbacks(void **state)
{
	connect_pair("tcp", "127.0.0.1");
	server.close_in_readable = true;
	client.close_in_closed = true;
	say(&client, "x");
	TURN_UNTIL(loop, client.n_closed);
	assert_null(server.stream);
	assert_null(client.stream);
	assert_int_equal(server.n_closed, 0);
}

/* What was sent before the end arrives before closed(). */
static void data_before_the_end(void **state)
{
	char *data = xcalloc(1, 500000);

	connect_pair("tcp", "127.0.0.1");
	assert_int_equal(stream_write(client.stream, data, 500000), 0);
	TURN_UNTIL(loop, client.n_drained);
	stream_close(client.stream);
	client.stream = NULL;
	TURN_UNTIL(loop, server.n_closed);
	assert_int_equal(server.got.len, 500000);
	free(data);
}

static void out_of_descriptors(void **state)
{
	struct rlimit old, low;
	int fds[64], n = 0;

	connect_pair("tcp", "127.0.0.1");
	stream_close(server.stream);
	stream_close(client.stream);
	server = client = (struct end){0};
	getrlimit(RLIMIT_NOFILE, &old);
	char *name = xasprintf("tcp:127.0.0.1:%u", pstream_port(listener));

	assert_int_equal(stream_open(loop, name, 0, -1, &callbacks, &client, &client.stream), 0);
	free(name);
	while (n < 64 && (fds[n] = dup(0)) >= 0)
		n++;
	low = (struct rlimit){(rlim_t)fds[n - 1] + 1, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (int i = 0; i < 20; i++)
		event_run_once(loop, 1);
	/* No busy loop: it waits a while before it tries again. */
	assert_null(server.stream);
	while (n > 0)
		close(fds[--n]);
	setrlimit(RLIMIT_NOFILE, &old);
	TURN_UNTIL(loop, server.stream);
}

/* TLS. */

static EVP_PKEY *make_key(const char *file)
{
	char *path = xasprintf("%s/%s", dir, file);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	FILE *f = fopen(path, "w");

	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	free(path);
	return key;
}

/* A certificate for KEY, issued by CA (NULL: itself). */
static X509 *make_cert(const char *file, EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, long serial)
{
	char *path = xasprintf("%s/%s", dir, file);
	X509 *x509 = X509_new();
	FILE *f = fopen(path, "w");
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509_set_version(x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), serial);
	X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
		(const unsigned char *)file, -1, -1, 0);
	X509_set_issuer_name(x509, X509_get_subject_name(ca ? ca : x509));
	X509V3_set_ctx(&ctx, ca ? ca : x509, x509, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints, ca ? "CA:FALSE" : "CA:TRUE");
	X509_add_ext(x509, ext, -1);
	X509_EXTENSION_free(ext);
	X509_sign(x509, ca_key, EVP_sha256());
	PEM_write_X509(f, x509);
	fclose(f);
	free(path);
	return x509;
}

static void configure(const char *key, const char *cert, const char *ca, bool bootstrap)
{
	char *k = xasprintf("%s/%s", dir, key), *c = xasprintf("%s/%s", dir, cert);
	char *a = xasprintf("%s/%s", dir, ca);

	stream_ssl_set_key_file(k);
	stream_ssl_set_cert_file(c);
	stream_ssl_set_ca_cert_file(strcmp(ca, "none") ? a : ca, bootstrap);
	free(k);
	free(c);
	free(a);
}

static int make_pki(void **state)
{
	EVP_PKEY *ca_key, *key;
	X509 *ca, *cert;

	assert_non_null(mkdtemp(dir));
	ca_key = make_key("cakey.pem");
	ca = make_cert("cacert.pem", ca_key, NULL, ca_key, 1);
	key = make_key("key.pem");
	cert = make_cert("cert.pem", key, ca, ca_key, 2);
	X509_free(cert);
	X509_free(ca);
	ca = make_cert("otherca.pem", key, NULL, key, 3);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return 0;
}

static int remove_pki(void **state)
{
	char *command = xasprintf("rm -rf %s", dir);
	int ret = system(command);

	free(command);
	stream_ssl_set_key_file(NULL);
	stream_ssl_set_cert_file(NULL);
	stream_ssl_set_ca_cert_file(NULL, false);
	stream_ssl_set_peer_ca_cert_file(NULL);
	return ret;
}

static void ssl(void **state)
{
	configure("key.pem", "cert.pem", "cacert.pem", false);
	assert_int_equal(stream_ssl_set_protocols("TLSv1.2, TLSv1.3"), 0);
	assert_int_equal(stream_ssl_set_protocols("SSLv2"), -EINVAL);
	assert_int_equal(stream_ssl_set_ciphers("nonsense"), -EINVAL);
	connect_pair("ssl", "127.0.0.1");
	assert_non_null(strstr(stream_name(server.stream), "ssl:127.0.0.1:"));
	exchange();
}

static void ssl_big(void **state)
{
	char *data = xmalloc(3000000);

	configure("key.pem", "cert.pem", "cacert.pem", false);
	connect_pair("ssl", "127.0.0.1");
	for (size_t i = 0; i < 3000000; i++)
		data[i] = (char)(i * 7 >> 3);
	assert_int_equal(stream_write(client.stream, data, 3000000), 0);
	assert_int_equal(stream_write(server.stream, data, 3000000), 0);
	TURN_UNTIL(loop, server.got.len == 3000000 && client.got.len == 3000000);
	assert_memory_equal(server.got.data, data, 3000000);
	assert_memory_equal(client.got.data, data, 3000000);
	free(data);
}

static void ssl_refuses_strangers(void **state)
{
	configure("key.pem", "cert.pem", "otherca.pem", false);
	connect_pair("ssl", "127.0.0.1");
	TURN_UNTIL(loop, client.n_closed);
	assert_int_equal(client.n_connected, 0);
	assert_int_equal(client.error, -EPROTO);
	stream_close(client.stream);
	client.stream = NULL;

	/* A key that doesn't belong to the certificate, and a missing file. */
	for (int i = 0; i < 2; i++) {
		char *name = xasprintf("ssl:127.0.0.1:%u", pstream_port(listener));

		configure(i ? "cakey.pem" : "nosuch.pem", "cert.pem", "cacert.pem", false);
		client = (struct end){0};
		assert_int_equal(
			stream_open(loop, name, 0, -1, &callbacks, &client, &client.stream), 0);
		TURN_UNTIL(loop, client.n_closed);
		assert_int_equal(client.error, -EPROTO);
		stream_close(client.stream);
		client.stream = NULL;
		free(name);
	}
}

static void ssl_bootstrap(void **state)
{
	char *peer_ca = xasprintf("%s/cacert.pem", dir),
	     *fetched = xasprintf("%s/fetched.pem", dir);

	configure("key.pem", "cert.pem", "fetched.pem", true);
	stream_ssl_set_peer_ca_cert_file(peer_ca);
	connect_pair("ssl", "127.0.0.1");
	TURN_UNTIL(loop, client.n_closed);
	assert_int_equal(access(fetched, F_OK), 0);
	stream_close(client.stream);
	stream_close(server.stream);
	pstream_close(listener);
	server = client = (struct end){0};
	connect_pair("ssl", "127.0.0.1");
	exchange();
	stream_ssl_set_peer_ca_cert_file(NULL);
	free(peer_ca);
	free(fetched);
}

/* Bytes that are no TLS, and a peer that hangs up in the handshake. */
static void ssl_garbage(void **state)
{
	char *name;

	configure("key.pem", "cert.pem", "none", false);
	assert_int_equal(
		pstream_open(loop, "pssl:0:127.0.0.1", 0, -1, on_accept, NULL, &listener), 0);
	name = xasprintf("tcp:127.0.0.1:%u", pstream_port(listener));
	assert_int_equal(stream_open(loop, name, 0, -1, &callbacks, &client, &client.stream), 0);
	say(&client, "GET / HTTP/1.0\r\n\r\n");
	TURN_UNTIL(loop, server.n_closed);
	assert_int_equal(server.error, -EPROTO);
	assert_int_equal(server.n_connected, 0);
	stream_close(client.stream);
	stream_close(server.stream);
	server = client = (struct end){0};
	assert_int_equal(stream_open(loop, name, 0, -1, &callbacks, &client, &client.stream), 0);
	TURN_UNTIL(loop, server.stream);
	stream_close(client.stream);
	client.stream = NULL;
	TURN_UNTIL(loop, server.n_closed);
	assert_int_equal(server.error, -ECONNRESET);
	free(name);
}

static void addresses(void **state)
{
	static const char *const passive[][2] = {{"", "0.0.0.0:6653"}, {"80", "0.0.0.0:80"},
		{"0:1.2.3.4", "1.2.3.4:0"}, {":1.2.3.4", "1.2.3.4:6653"}, {"5:[::1]", "[::1]:5"},
		{"5:::1", "[::1]:5"}, {"5:", "0.0.0.0:5"}, {"x", NULL}, {"65536", NULL},
		{"5:[::1]x", NULL}, {"5:[::1", NULL}, {"123456789012", NULL}};
	static const char *const active[][2] = {{"1.2.3.4", "1.2.3.4/6653"},
		{"1.2.3.4:5", "1.2.3.4/5"}, {"[fe80::1]:7", "fe80::1/7"}, {"::1", "::1/6653"},
		{"[::1]", "::1/6653"}, {"host.example:8", "host.example/8"}, {":8", NULL},
		{"[]:8", NULL}, {"a:", NULL}, {"[::1]8", NULL}};

	for (size_t i = 0; i < ARRAY_SIZE(passive); i++) {
		char text[INET_TEXT_MAX];
		union inet_addr addr;
		int err = inet_parse_passive(passive[i][0], 6653, &addr);

		assert_int_equal(err, passive[i][1] ? 0 : -EINVAL);
		if (err)
			continue;
		inet_format(&addr, text);
		assert_string_equal(text, passive[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(active); i++) {
		char host[INET_HOST_MAX], *text;
		uint16_t port;
		int err = inet_parse_active(active[i][0], 6653, host, &port);

		assert_int_equal(err, active[i][1] ? 0 : -EINVAL);
		if (err)
			continue;
		text = xasprintf("%s/%u", host, port);
		assert_string_equal(text, active[i][1]);
		free(text);
	}
}

#define STREAM_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(tcp),
		STREAM_TEST(tcp6),
		STREAM_TEST(unix_stream),
		STREAM_TEST(by_host_name),
		STREAM_TEST(failures),
		STREAM_TEST(backpressure),
		STREAM_TEST(close_inside_callbacks),
		STREAM_TEST(data_before_the_end),
		STREAM_TEST(out_of_descriptors),
		STREAM_TEST(ssl),
		STREAM_TEST(ssl_big),
		STREAM_TEST(ssl_refuses_strangers),
		STREAM_TEST(ssl_bootstrap),
		STREAM_TEST(ssl_garbage),
		cmocka_unit_test(addresses),
	};

	alarm(120);
	return cmocka_run_group_tests(tests, make_pki, remove_pki);
}
