/*
 * tls.c: libssl between two buffers.
 *
 * A BIO of our own in place of OpenSSL's memory BIOs, whose buffers never
 * shrink: an idle connection then keeps nothing but the SSL object.
 *
 * The program has told libcrypto not to fill its table of legacy names
 * (lib/crypto/crypto.c). libssl fetches what it needs itself, but the
 * verification of certificate signatures looks digests up by those names:
 * they are added here, for those that use TLS at all.
 */
#include "net/tls.h"

#include "base/fd.h"
#include "base/file.h"
#include "base/secret.h"
#include "crypto/crypto.h"
#include "crypto/hash.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUITES_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK"
#define LABEL "EXPORTER-Channel-Binding"

enum {
	WHY_LEN = 160,
	PEM_MAX = 1024 * 1024,
	BUFFERED_MAX = 64 * 1024 * 1024,
	SECURITY_LEVEL = 2		/* 112 bits: RSA from 2048 on */
};

struct tls_context {
	SSL_CTX *ssl;
	size_t users;			/* connections, and the owner */
	bool is_server;
	bool pinned;
	unsigned char pin[HASH_LEN];
};

/*
 * 1. in.data[at ..] has come and libssl has not taken it yet; the buffer is
 *    freed when there is nothing of that kind. `out` likewise.
 */
struct tls {
	SSL *ssl;
	struct tls_context *context;
	enum tls_state state;
	bool distrusted, pin_differs;
	struct buffer in, out;
	size_t in_at, out_at;
	char why[WHY_LEN];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;		/* of every connection; never freed */

/* ---- the BIO ---- */

static int
bio_read(BIO *bio, char *data, int size)
{
	struct tls *tls = BIO_get_data(bio);
	size_t left = tls->in.length - tls->in_at;

	BIO_clear_retry_flags(bio);
	if (size <= 0)
		return 0;
	if (left == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (left > (size_t)size)
		left = (size_t)size;
	memcpy(data, tls->in.data + tls->in_at, left);
	tls->in_at += left;
	if (tls->in_at == tls->in.length) {
		buffer_free(&tls->in);
		tls->in_at = 0;
	}
	return (int)left;
}

static int
bio_write(BIO *bio, const char *data, int size)
{
	struct tls *tls = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (size < 0 || !buffer_append(&tls->out, data, (size_t)size))
		return -1;
	return size;
}

static long
bio_control(BIO *bio, int command, long number, void *pointer)
{

	return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

/* ---- start-up ---- */

static void
start(void)
{

	if (crypto_init() != E2E_OK ||
	    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG |
	    OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
	    NULL) != 1)
		return;
	if (EVP_add_digest(EVP_sha1()) != 1 ||
	    EVP_add_digest(EVP_sha256()) != 1 ||
	    EVP_add_digest(EVP_sha384()) != 1 ||
	    EVP_add_digest(EVP_sha512()) != 1)
		return;
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
	    "tls");
	if (method == NULL)
		return;
	if (BIO_meth_set_read(method, bio_read) != 1 ||
	    BIO_meth_set_write(method, bio_write) != 1 ||
	    BIO_meth_set_ctrl(method, bio_control) != 1) {
		BIO_meth_free(method);
		method = NULL;
	}
}

static bool
started(void)
{

	return pthread_once(&once, start) == 0 && method != NULL;
}

/* What both ends ask for. */
static struct tls_context *
new_context(const SSL_METHOD *ends)
{
	char groups[] = "X25519:P-256:P-384";	/* the macro casts const away */
	struct tls_context *context;

	if (!started() || (context = calloc(1, sizeof(*context))) == NULL)
		return NULL;
	context->users = 1;
	context->ssl = SSL_CTX_new(ends);
	if (context->ssl == NULL ||
	    SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(context->ssl, SUITES_1_2) != 1 ||
	    SSL_CTX_set1_groups_list(context->ssl, groups) != 1 ||
	    SSL_CTX_set_num_tickets(context->ssl, 0) != 1) {
		tls_context_free(context);
		return NULL;
	}
	SSL_CTX_set_security_level(context->ssl, SECURITY_LEVEL);
	(void)SSL_CTX_set_options(context->ssl, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
	    SSL_OP_CIPHER_SERVER_PREFERENCE);
	(void)SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_mode(context->ssl, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return context;
}

void
tls_context_free(struct tls_context *context)
{

	if (context == NULL || --context->users > 0)
		return;
	SSL_CTX_free(context->ssl);
	free(context);
}

/* ---- a server's certificate ---- */

/* A certificate's file may not be typed in: nobody sits there. */
static int
no_passphrase(char *text, int size, int writing, void *context)
{

	*(bool *)context = true;
	return -1;
}

/*
 * Like file_is_private, but a key that belongs to root may be readable by a
 * group: so it is handed to services (the group ssl-cert, the credentials of
 * systemd).
 */
static bool
is_private(int fd)
{
	struct stat st;

	if (file_is_private(fd))
		return true;
	return fstat(fd, &st) == 0 && st.st_uid == 0 && geteuid() != 0 &&
	    (st.st_mode & (S_IWGRP | S_IRWXO)) == 0;
}

static enum e2e_error
read_pem(struct buffer *pem, const char *path, bool secret, const char **why)
{
	enum e2e_error error;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*why = secret ? "the TLS key cannot be read" :
	    "the TLS certificate cannot be read";
	if (fd < 0)
		return E2E_ERR_NO_INPUT;
	if (secret && !is_private(fd)) {
		*why = "others can read the TLS key";
		error = E2E_ERR_PERMISSIONS;
	} else {
		error = fd_read_all(fd, pem);
	}
	(void)close(fd);
	if (error == E2E_ERR_LIMIT)
		error = E2E_ERR_CONFIG;
	return error == E2E_ERR_READ ? E2E_ERR_NO_INPUT : error;
}

/* The leaf first, then those that lead from it to the root. */
static bool
use_chain(SSL_CTX *ssl, struct bytes pem)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.length);
	X509 *x509 = NULL;
	bool fine, refused = true;	/* asked for a passphrase */

	if (bio == NULL)
		return false;
	x509 = PEM_read_bio_X509(bio, NULL, no_passphrase, &refused);
	fine = x509 != NULL && SSL_CTX_use_certificate(ssl, x509) == 1;
	X509_free(x509);
	while (fine) {
		x509 = PEM_read_bio_X509(bio, NULL, no_passphrase, &refused);
		if (x509 == NULL) {
			fine = ERR_GET_REASON(ERR_peek_last_error()) ==
			    PEM_R_NO_START_LINE;
			ERR_clear_error();
			break;
		}
		fine = SSL_CTX_add0_chain_cert(ssl, x509) == 1;
		if (!fine)
			X509_free(x509);
	}
	(void)BIO_free(bio);
	return fine;
}

static enum e2e_error
use_key(SSL_CTX *ssl, struct bytes pem, const char **why)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.length);
	EVP_PKEY *key;
	bool locked = false;
	int used;

	if (bio == NULL)
		return E2E_ERR_MEMORY;
	key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &locked);
	(void)BIO_free(bio);
	*why = locked ? "the TLS key is under a passphrase" :
	    "the TLS key is no private key in PEM";
	if (key == NULL)
		return E2E_ERR_CONFIG;
	used = SSL_CTX_use_PrivateKey(ssl, key);
	EVP_PKEY_free(key);
	*why = "the TLS key does not belong to the certificate";
	return used == 1 && SSL_CTX_check_private_key(ssl) == 1 ? E2E_OK :
	    E2E_ERR_CONFIG;
}

enum e2e_error
tls_server_context(struct tls_context **result, const char *certificate_file,
    const char *key_file, const char **why)
{
	struct tls_context *context;
	struct buffer chain, key;
	enum e2e_error error;

	*result = NULL;
	*why = "no memory for TLS";
	if ((context = new_context(TLS_server_method())) == NULL)
		return E2E_ERR_MEMORY;
	context->is_server = true;
	buffer_init(&chain, PEM_MAX);
	buffer_init_secret(&key, PEM_MAX);
	error = read_pem(&chain, certificate_file, false, why);
	if (error == E2E_OK)
		error = read_pem(&key, key_file, true, why);
	if (error == E2E_OK && !use_chain(context->ssl,
	    buffer_bytes(&chain))) {
		*why = "the TLS certificate is none in PEM";
		error = E2E_ERR_CONFIG;
	}
	if (error == E2E_OK)
		error = use_key(context->ssl, buffer_bytes(&key), why);
	buffer_free(&chain);
	buffer_free(&key);
	ERR_clear_error();
	if (error != E2E_OK) {
		tls_context_free(context);
		return error;
	}
	*why = NULL;
	*result = context;		/* transferred */
	return E2E_OK;
}

/* ---- a client's trust ---- */

static bool
hash_public_key(unsigned char pin[HASH_LEN], X509 *x509)
{
	unsigned char *der = NULL;
	int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
	bool fine = size > 0 &&
	    hash_sha256(pin, der, (size_t)size) == E2E_OK;

	OPENSSL_free(der);
	return fine;
}

/* In place of all other judgment: names, dates and issuers do not count. */
static int
judge_pin(X509_STORE_CTX *store, void *argument)
{
	const struct tls_context *context = argument;
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
	    SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *tls = SSL_get_app_data(ssl);
	X509 *x509 = X509_STORE_CTX_get0_cert(store);
	unsigned char pin[HASH_LEN];

	if (x509 != NULL && hash_public_key(pin, x509) &&
	    secret_equal(pin, context->pin, sizeof(pin))) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	tls->pin_differs = true;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

enum e2e_error
tls_client_context(struct tls_context **result, const struct tls_trust *trust,
    const char **why)
{
	struct tls_context *context;
	enum e2e_error error = E2E_OK;

	*result = NULL;
	*why = "no memory for TLS";
	if ((context = new_context(TLS_client_method())) == NULL)
		return E2E_ERR_MEMORY;
	SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
	if (trust != NULL && trust->pin != NULL) {
		context->pinned = true;
		memcpy(context->pin, trust->pin, sizeof(context->pin));
		SSL_CTX_set_cert_verify_callback(context->ssl, judge_pin,
		    context);
	} else if (trust != NULL && trust->ca_file != NULL) {
		if (SSL_CTX_load_verify_file(context->ssl,
		    trust->ca_file) != 1) {
			*why = access(trust->ca_file, R_OK) != 0 ?
			    "the file of trusted certificates cannot be read" :
			    "the file of trusted certificates has none in PEM";
			error = E2E_ERR_CONFIG;
		}
	} else if (SSL_CTX_set_default_verify_paths(context->ssl) != 1) {
		*why = "the system's trusted certificates cannot be found";
		error = E2E_ERR_CONFIG;
	}
	ERR_clear_error();
	if (error != E2E_OK) {
		tls_context_free(context);
		return error;
	}
	*why = NULL;
	*result = context;		/* transferred */
	return E2E_OK;
}

/* The certificate is to be for this host; an address is no name for SNI. */
static bool
expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char bare[256];
	size_t length = strcspn(host, "%");

	if (length >= sizeof(bare))
		return false;
	memcpy(bare, host, length);
	bare[length] = '\0';
	if (X509_VERIFY_PARAM_set1_ip_asc(param, bare) == 1)
		return true;
	ERR_clear_error();
	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, bare) == 1 &&
	    SSL_set_tlsext_host_name(ssl, bare) == 1;
}

/* ---- one connection ---- */

struct tls *
tls_new(struct tls_context *context, const char *host)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	BIO *bio = NULL;

	if (tls == NULL)
		return NULL;
	buffer_init(&tls->in, BUFFERED_MAX);
	buffer_init(&tls->out, BUFFERED_MAX);
	tls->context = context;
	context->users++;
	tls->ssl = SSL_new(context->ssl);
	if (tls->ssl == NULL || (bio = BIO_new(method)) == NULL)
		goto fail;
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);	/* transferred */
	if (SSL_set_app_data(tls->ssl, tls) != 1)
		goto fail;
	if (context->is_server)
		SSL_set_accept_state(tls->ssl);
	else
		SSL_set_connect_state(tls->ssl);
	if (host != NULL && !context->is_server &&
	    !expect_host(tls->ssl, host))
		goto fail;
	return tls;
fail:
	ERR_clear_error();
	tls_free(tls);
	return NULL;
}

void
tls_free(struct tls *tls)
{

	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	tls_context_free(tls->context);
	buffer_free(&tls->in);
	buffer_free(&tls->out);
	free(tls);
}

enum tls_state
tls_state(const struct tls *tls)
{

	return tls->state;
}

const char *
tls_why(const struct tls *tls)
{

	return tls->why;
}

bool
tls_distrusted(const struct tls *tls)
{

	return tls->distrusted;
}

static void
fail(struct tls *tls, const char *why)
{
	unsigned long number = ERR_peek_last_error();
	const char *reason = number == 0 ? NULL :
	    ERR_reason_error_string(number);
	long verdict;

	tls->state = TLS_FAILED;
	if (tls->why[0] != '\0')
		return;
	verdict = tls->context->is_server ? X509_V_OK :
	    SSL_get_verify_result(tls->ssl);
	if (tls->pin_differs) {
		tls->distrusted = true;
		why = "the certificate's key is not the one that is pinned";
	} else if (verdict != X509_V_OK) {
		tls->distrusted = true;
		why = "the certificate is not trusted";
		reason = X509_verify_cert_error_string(verdict);
	}
	(void)snprintf(tls->why, sizeof(tls->why), "%s%s%s", why,
	    reason == NULL || tls->pin_differs ? "" : ": ",
	    reason == NULL || tls->pin_differs ? "" : reason);
}

/* What `result` of an SSL function means. True: nothing bad. */
static bool
judge(struct tls *tls, int result)
{
	int kind;

	if (result > 0)
		return true;
	kind = SSL_get_error(tls->ssl, result);
	switch (kind) {
	case SSL_ERROR_WANT_READ:
		return true;
	case SSL_ERROR_ZERO_RETURN:
		tls->state = TLS_ENDED;
		return true;
	default:
		fail(tls, tls->state == TLS_HANDSHAKE ?
		    "the TLS handshake failed" : "the TLS connection broke");
		return false;
	}
}

static void
handshake(struct tls *tls)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(tls->ssl);
	if (!judge(tls, result) || result != 1)
		return;
	if (SSL_version(tls->ssl) < TLS1_3_VERSION &&
	    SSL_get_extms_support(tls->ssl) != 1) {
		fail(tls, "the other end knows no extended master secret");
		return;
	}
	tls->state = TLS_OPEN;
}

/* Failures of memory are the caller's, everything else is a state. */
static enum e2e_error
outcome(const struct tls *tls)
{

	return tls->out.failed ? E2E_ERR_MEMORY : E2E_OK;
}

enum e2e_error
tls_receive(struct tls *tls, const void *data, size_t size)
{

	if (tls->state == TLS_FAILED || tls->state == TLS_ENDED)
		return E2E_OK;
	if (tls->in_at > 0) {
		buffer_consume(&tls->in, tls->in_at);
		tls->in_at = 0;
	}
	if (!buffer_append(&tls->in, data, size))
		return E2E_ERR_MEMORY;
	if (tls->state == TLS_HANDSHAKE)
		handshake(tls);
	ERR_clear_error();
	return outcome(tls);
}

enum e2e_error
tls_read(struct tls *tls, struct buffer *plain, size_t max)
{
	enum { RECORD = 16384 };
	unsigned char *room;
	size_t want, before;
	int got = 1;

	while (tls->state == TLS_OPEN && max > 0 && got > 0) {
		/* Asking without anything there would still make room. */
		if (tls->in.length == 0 && SSL_pending(tls->ssl) == 0)
			break;
		want = max < RECORD ? max : RECORD;
		before = plain->length;
		if ((room = buffer_extend(plain, want)) == NULL)
			return E2E_ERR_MEMORY;
		ERR_clear_error();
		got = SSL_read(tls->ssl, room, (int)want);
		plain->length = before + (got > 0 ? (size_t)got : 0);
		if (got > 0)
			max -= (size_t)got;
		else
			(void)judge(tls, got);
	}
	ERR_clear_error();
	return outcome(tls);
}

enum e2e_error
tls_write(struct tls *tls, const void *data, size_t size)
{
	size_t written;
	int result;

	if (size == 0 || tls->state == TLS_FAILED ||
	    tls->state == TLS_HANDSHAKE)
		return E2E_OK;
	ERR_clear_error();
	result = SSL_write_ex(tls->ssl, data, size, &written);
	if (result != 1 && !tls->out.failed)
		fail(tls, "the TLS connection broke");
	ERR_clear_error();
	return outcome(tls);
}

void
tls_end(struct tls *tls)
{

	if ((tls->state == TLS_OPEN || tls->state == TLS_ENDED) &&
	    (SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN) == 0) {
		ERR_clear_error();
		(void)SSL_shutdown(tls->ssl);
		ERR_clear_error();
	}
}

size_t
tls_pending(const struct tls *tls)
{

	return tls->out.length - tls->out_at;
}

enum e2e_error
tls_take(struct tls *tls, struct buffer *out, size_t max)
{
	size_t left = tls_pending(tls);

	if (left > max)
		left = max;
	if (left == 0)
		return E2E_OK;
	if (!buffer_append(out, tls->out.data + tls->out_at, left))
		return E2E_ERR_MEMORY;
	tls->out_at += left;
	if (tls->out_at == tls->out.length) {
		buffer_free(&tls->out);
		tls->out_at = 0;
	}
	return E2E_OK;
}

bool
tls_binding(const struct tls *tls, unsigned char binding[TLS_BINDING_LEN])
{
	static const unsigned char nothing[1];

	memset(binding, 0, TLS_BINDING_LEN);
	if (tls->state != TLS_OPEN && tls->state != TLS_ENDED)
		return false;
	return SSL_export_keying_material(tls->ssl, binding, TLS_BINDING_LEN,
	    LABEL, strlen(LABEL), nothing, 0, 1) == 1;
}

bool
tls_peer_pin(const struct tls *tls, unsigned char pin[32])
{
	X509 *x509 = SSL_get0_peer_certificate(tls->ssl);

	return x509 != NULL && hash_public_key(pin, x509);
}
