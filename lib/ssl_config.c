/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/ssl_config.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fatal.h"
#include "lib/log.h"
#include "lib/stream.h"

LOG_MODULE(stream_ssl);

static struct log_rate_limit rl = LOG_RATE_LIMIT_INIT(10, 10);

/* A configured file, and what it looked like when the context was made. */
struct config_file {
	char *path; /* NULL: none */
	struct timespec mtime;
	off_t size;
	ino_t inode;
};

static struct config_file key, cert, ca, peer_ca;
static bool bootstrap_ca, verify = true;
static char *ciphers;
static int min_version = TLS1_2_VERSION, max_version; /* 0: the newest */
static SSL_CTX *context;                              /* NULL: to be made */

static void forget_context(void)
{
	SSL_CTX_free(context);
	context = NULL;
}

static void set_path(struct config_file *file, const char *path)
{
	if (path && !*path)
		path = NULL;
	if (path && file->path && !strcmp(path, file->path))
		return;
	free(file->path);
	*file = (struct config_file){.path = path ? xstrdup(path) : NULL};
	forget_context();
}

void stream_ssl_set_key_file(const char *path)
{
	set_path(&key, path);
}

void stream_ssl_set_cert_file(const char *path)
{
	set_path(&cert, path);
}

void stream_ssl_set_ca_cert_file(const char *path, bool bootstrap)
{
	bool none = path && !strcmp(path, "none");

	if (verify == none || bootstrap_ca != bootstrap)
		forget_context();
	verify = !none;
	bootstrap_ca = bootstrap && !none;
	set_path(&ca, none ? NULL : path);
}

void stream_ssl_set_peer_ca_cert_file(const char *path)
{
	set_path(&peer_ca, path);
}

int stream_ssl_set_ciphers(const char *list)
{
	SSL_CTX *probe = SSL_CTX_new(TLS_method());
	int ok = probe && SSL_CTX_set_cipher_list(probe, list);

	SSL_CTX_free(probe);
	ERR_clear_error();
	if (!ok)
		return -EINVAL;
	free(ciphers);
	ciphers = xstrdup(list);
	forget_context();
	return 0;
}

int stream_ssl_set_protocols(const char *protocols)
{
	static const struct {
		const char *name;
		int version;
	} known[] = {{"TLSv1", TLS1_VERSION}, {"TLSv1.1", TLS1_1_VERSION},
		{"TLSv1.2", TLS1_2_VERSION}, {"TLSv1.3", TLS1_3_VERSION}};
	char *copy = xstrdup(protocols), *save = NULL;
	int min = 0, max = 0, err = 0;

	for (char *word = strtok_r(copy, " ,\t", &save); word;
		word = strtok_r(NULL, " ,\t", &save)) {
		int version = 0;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (!strcasecmp(word, known[i].name))
				version = known[i].version;
		if (!version)
			err = -EINVAL;
		min = !min ? version : MIN(min, version);
		max = MAX(max, version);
	}
	free(copy);
	if (err || !min)
		return -EINVAL;
	min_version = min;
	max_version = max;
	forget_context();
	return 0;
}

const char *ssl_error_text(void)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return reason ? reason : "unknown TLS error";
}

/* Has FILE changed since it was looked at last? */
static bool changed(struct config_file *file)
{
	struct stat st;

	if (!file->path || stat(file->path, &st))
		return false;
	if (st.st_size == file->size && st.st_ino == file->inode &&
		st.st_mtim.tv_sec == file->mtime.tv_sec &&
		st.st_mtim.tv_nsec == file->mtime.tv_nsec)
		return false;
	file->size = st.st_size;
	file->inode = st.st_ino;
	file->mtime = st.st_mtim;
	return true;
}

static bool load_failed(const char *what, const char *path)
{
	if (path)
		log_err_rl(&rl, "%s %s: %s", what, path, ssl_error_text());
	else
		log_err_rl(&rl, "%s must be configured to use SSL", what);
	return false;
}

static bool load_ca(SSL_CTX *ctx)
{
	if (!verify) {
		log_warn_rl(&rl, "Peer certificate validation disabled "
				 "(this is a security risk)");
		SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
		return true;
	}
	if (ssl_config_wants_bootstrap()) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
		return true;
	}
	if (!ca.path || !SSL_CTX_load_verify_locations(ctx, ca.path, NULL))
		return load_failed("CA certificate", ca.path);
	SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(ca.path));
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return true;
}

/* Certificates to send along, so that the peer can bootstrap. */
static bool load_peer_ca(SSL_CTX *ctx)
{
	STACK_OF(X509_INFO) * infos;
	BIO *bio;

	if (!peer_ca.path)
		return true;
	bio = BIO_new_file(peer_ca.path, "r");
	infos = bio ? PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	if (!infos)
		return load_failed("peer CA certificate", peer_ca.path);
	for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
		X509 *x509 = sk_X509_INFO_value(infos, i)->x509;

		if (x509)
			SSL_CTX_add1_chain_cert(ctx, x509);
	}
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	return true;
}

static bool load(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_min_proto_version(ctx, min_version);
	SSL_CTX_set_max_proto_version(ctx, max_version);
	if (ciphers)
		SSL_CTX_set_cipher_list(ctx, ciphers);
	if (!key.path || !SSL_CTX_use_PrivateKey_file(ctx, key.path, SSL_FILETYPE_PEM))
		return load_failed("Private key", key.path);
	if (!cert.path || !SSL_CTX_use_certificate_chain_file(ctx, cert.path))
		return load_failed("Certificate", cert.path);
	if (!SSL_CTX_check_private_key(ctx))
		return load_failed("Private key for certificate", cert.path);
	return load_ca(ctx) && load_peer_ca(ctx);
}

SSL_CTX *ssl_config_get(void)
{
	struct config_file *files[] = {&key, &cert, &ca, &peer_ca};
	bool any = false;

	/* All four, so that none is found changed once more the next time. */
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (changed(files[i]))
			any = true;
	if (any)
		forget_context();
	if (!context) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_method());

		if (!ctx || !load(ctx)) {
			SSL_CTX_free(ctx);
			return NULL;
		}
		context = ctx;
	}
	SSL_CTX_up_ref(context);
	return context;
}

bool ssl_config_wants_bootstrap(void)
{
	return bootstrap_ca && ca.path && access(ca.path, F_OK) && errno == ENOENT;
}

static int write_certificate(X509 *x509)
{
	int fd = open(ca.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444), err = 0;
	FILE *file;

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	file = fdopen(fd, "w");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	if (!PEM_write_X509(file, x509))
		err = -EIO;
	if (fclose(file))
		err = -EIO;
	if (err)
		unlink(ca.path);
	return err;
}

int ssl_config_bootstrap(SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	int n = chain ? sk_X509_num(chain) : 0, err;
	X509 *x509 = n ? sk_X509_value(chain, n - 1) : NULL;

	if (!x509 || !(X509_get_extension_flags(x509) & EXFLAG_SS)) {
		log_err_rl(&rl, "could not bootstrap CA certificate: the peer's chain does not end "
				"with a self-signed certificate");
		return -EPROTO;
	}
	err = write_certificate(x509);
	if (err) {
		log_err("could not bootstrap CA certificate: %s: %s", ca.path, strerror(-err));
		return err;
	}
	log_info("successfully bootstrapped CA certificate to %s", ca.path);
	forget_context();
	return -EAGAIN;
}
