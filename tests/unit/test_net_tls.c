/*
 * TLS between two buffers: our end against our end, and against libssl used
 * directly, which can be told to do what our end never does.
 */
#include "net/tls.h"

#include "base/file.h"
#include "crypto/crypto.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cmocka.h>

enum { DAY = 86400 };

static struct {
	char folder[64];
	EVP_PKEY *root_key;
	X509 *root;
	unsigned char pin[32];		/* of the leaf for "relay.test" */
} lab;

static const char *
path_of(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", lab.folder, name);
	return path;
}

/* ---- certificates ---- */

static void
add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* alternative NULL: a root. */
static X509 *
make_certificate(EVP_PKEY *key, const char *name, const char *alternative,
    long begin, long end)
{
	X509 *x509 = X509_new(), *issuer = alternative == NULL ? x509 :
	    lab.root;
	X509_NAME *subject;
	EVP_PKEY *signer = alternative == NULL ? key : lab.root_key;
	static long serial = 1;

	assert_non_null(x509);
	assert_int_equal(X509_set_version(x509, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x509),
	    serial++), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x509), begin));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x509), end));
	assert_int_equal(X509_set_pubkey(x509, key), 1);
	subject = X509_get_subject_name(x509);
	assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN",
	    MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(x509,
	    X509_get_subject_name(issuer)), 1);
	if (alternative == NULL)
		add_extension(x509, issuer, NID_basic_constraints,
		    "critical,CA:TRUE");
	else
		add_extension(x509, issuer, NID_subject_alt_name,
		    alternative);
	assert_true(X509_sign(x509, signer, EVP_sha256()) > 0);
	return x509;
}

static EVP_PKEY *
new_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert_non_null(key);
	return key;
}

static void
write_pem(const char *name, X509 *x509, EVP_PKEY *key)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	if (x509 != NULL)
		assert_int_equal(PEM_write_X509(file, x509), 1);
	if (key != NULL)
		assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL,
		    0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path_of(name), 0600), 0);
}

/* NAME.crt and NAME.key, signed by the root. */
static void
make_server(const char *name, EVP_PKEY *key, const char *alternative,
    long begin, long end)
{
	X509 *leaf = make_certificate(key, name, alternative, begin, end);
	char file[64];

	(void)snprintf(file, sizeof(file), "%s.crt", name);
	write_pem(file, leaf, NULL);
	(void)snprintf(file, sizeof(file), "%s.key", name);
	write_pem(file, NULL, key);
	X509_free(leaf);
	EVP_PKEY_free(key);
}

static int
set_up(void **state)
{
	/* First of all, as in a program: without the legacy names. */
	assert_int_equal(crypto_init(), E2E_OK);
	(void)snprintf(lab.folder, sizeof(lab.folder), "%s/e2e-tls.XXXXXX",
	    getenv("TMPDIR") == NULL ? "/tmp" : getenv("TMPDIR"));
	if (mkdtemp(lab.folder) == NULL)
		return -1;
	lab.root_key = new_key();
	lab.root = make_certificate(lab.root_key, "root", NULL, -DAY, DAY);
	write_pem("root.crt", lab.root, NULL);
	make_server("relay", new_key(), "DNS:relay.test,IP:127.0.0.1,IP:::1",
	    -DAY, DAY);
	make_server("other", new_key(), "DNS:other.test", -DAY, DAY);
	make_server("old", new_key(), "DNS:relay.test", -2 * DAY, -DAY);
	make_server("rsa", EVP_RSA_gen(2048), "DNS:relay.test", -DAY, DAY);
	make_server("weak", EVP_RSA_gen(1024), "DNS:relay.test", -DAY, DAY);
	make_server("wild", new_key(), "DNS:*.relay.test", -DAY, DAY);
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "root", "relay", "other", "old",
	    "rsa", "weak", "wild", "locked", "junk" };
	char file[64];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(file, sizeof(file), "%s.crt", names[i]);
		(void)unlink(path_of(file));
		(void)snprintf(file, sizeof(file), "%s.key", names[i]);
		(void)unlink(path_of(file));
	}
	X509_free(lab.root);
	EVP_PKEY_free(lab.root_key);
	return rmdir(lab.folder);
}

static struct tls_context *
server_of(const char *name)
{
	struct tls_context *context;
	char certificate[64], key[64];
	const char *why;

	(void)snprintf(certificate, sizeof(certificate), "%s.crt", name);
	(void)snprintf(key, sizeof(key), "%s.key", name);
	if (tls_server_context(&context, path_of(certificate), path_of(key),
	    &why) != E2E_OK)
		fail_msg("%s: %s", name, why);
	return context;
}

static struct tls_context *
client_of(const char *root, const unsigned char *pin)
{
	struct tls_trust trust = { root == NULL ? NULL : path_of(root), pin };
	struct tls_context *context;
	const char *why;

	if (tls_client_context(&context, &trust, &why) != E2E_OK)
		fail_msg("%s", why);
	return context;
}

/* ---- two of our ends ---- */

struct pair {
	struct tls_context *contexts[2];
	struct tls *client, *server;
	size_t step;			/* bytes at a time */
};

/* True when something was moved. */
static bool
move(struct tls *to, struct tls *from, size_t step)
{
	struct buffer bytes;
	bool moved;

	buffer_init(&bytes, step);
	assert_int_equal(tls_take(from, &bytes, step), E2E_OK);
	moved = bytes.length > 0;
	assert_int_equal(tls_receive(to, bytes.data, bytes.length), E2E_OK);
	buffer_free(&bytes);
	return moved;
}

static void
settle(struct pair *p)
{
	bool moved;

	do {
		moved = move(p->server, p->client, p->step);
		moved |= move(p->client, p->server, p->step);
	} while (moved);
}

/* Contexts become the pair's. */
static void
meet(struct pair *p, struct tls_context *server, struct tls_context *client,
    const char *host, size_t step)
{
	p->contexts[0] = server;
	p->contexts[1] = client;
	p->step = step;
	p->server = tls_new(server, NULL);
	p->client = tls_new(client, host);
	assert_non_null(p->server);
	assert_non_null(p->client);
	assert_int_equal(tls_receive(p->client, NULL, 0), E2E_OK);
	settle(p);
}

static void
part(struct pair *p)
{
	tls_free(p->client);
	tls_free(p->server);
	tls_context_free(p->contexts[0]);
	tls_context_free(p->contexts[1]);
}

static void
assert_open(const struct pair *p)
{
	if (tls_state(p->client) != TLS_OPEN)
		fail_msg("client: %s", tls_why(p->client));
	if (tls_state(p->server) != TLS_OPEN)
		fail_msg("server: %s", tls_why(p->server));
}

static void
carry(struct pair *p, struct tls *from, struct tls *to, size_t size,
    size_t max)
{
	unsigned char *data = malloc(size);
	struct buffer got;
	size_t i, before;

	assert_non_null(data);
	for (i = 0; i < size; i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	assert_int_equal(tls_write(from, data, size), E2E_OK);
	settle(p);
	buffer_init(&got, size + 16384);
	do {
		before = got.length;
		assert_int_equal(tls_read(to, &got, max), E2E_OK);
		assert_true(got.length - before <= max);
	} while (got.length > before);
	assert_int_equal(got.length, size);
	assert_memory_equal(got.data, data, size);
	buffer_free(&got);
	free(data);
}

static void
both_ends_carry_bytes(void **state)
{
	struct pair p;

	meet(&p, server_of("relay"), client_of("root.crt", NULL),
	    "relay.test", 4096);
	assert_open(&p);
	assert_string_equal(tls_why(p.client), "");
	carry(&p, p.client, p.server, 1, 10);
	carry(&p, p.client, p.server, 100000, 16384);
	carry(&p, p.server, p.client, 1000000, 100000);
	carry(&p, p.server, p.client, 40000, 7);
	assert_int_equal(tls_pending(p.client), 0);
	assert_int_equal(tls_pending(p.server), 0);
	assert_open(&p);
	part(&p);
}

static void
bytes_may_come_one_by_one(void **state)
{
	struct pair p;

	meet(&p, server_of("rsa"), client_of("root.crt", NULL), "relay.test",
	    1);
	assert_open(&p);
	carry(&p, p.client, p.server, 300, 1);
	part(&p);
}

static void
both_ends_have_the_same_binding(void **state)
{
	unsigned char a[32], b[32], other[32];
	static const unsigned char zeros[32];
	struct pair p, q;

	meet(&p, server_of("relay"), client_of("root.crt", NULL),
	    "relay.test", 4096);
	assert_true(tls_binding(p.client, a));
	assert_true(tls_binding(p.server, b));
	assert_memory_equal(a, b, 32);
	assert_memory_not_equal(a, zeros, 32);
	meet(&q, server_of("relay"), client_of("root.crt", NULL),
	    "relay.test", 4096);
	assert_true(tls_binding(q.client, other));
	assert_memory_not_equal(a, other, 32);
	part(&q);
	/* Before there is a connection there is none. */
	q.client = tls_new(p.contexts[1], "relay.test");
	memset(other, 0xa5, sizeof(other));
	assert_false(tls_binding(q.client, other));
	assert_memory_equal(other, zeros, 32);
	tls_free(q.client);
	part(&p);
}

static void
an_end_that_has_ended_still_gets_its_answer(void **state)
{
	struct buffer got;
	struct pair p;

	meet(&p, server_of("relay"), client_of("root.crt", NULL),
	    "relay.test", 4096);
	assert_int_equal(tls_write(p.client, "letter", 6), E2E_OK);
	tls_end(p.client);
	settle(&p);
	buffer_init(&got, 100);
	assert_int_equal(tls_read(p.server, &got, 100), E2E_OK);
	assert_int_equal(got.length, 6);
	assert_int_equal(tls_read(p.server, &got, 100), E2E_OK);
	assert_int_equal(tls_state(p.server), TLS_ENDED);
	assert_int_equal(tls_write(p.server, "OK", 2), E2E_OK);
	tls_end(p.server);
	settle(&p);
	buffer_clear(&got);
	assert_int_equal(tls_read(p.client, &got, 100), E2E_OK);
	assert_int_equal(got.length, 2);
	assert_int_equal(tls_read(p.client, &got, 100), E2E_OK);
	assert_int_equal(tls_state(p.client), TLS_ENDED);
	buffer_free(&got);
	part(&p);
}

static void
who_says_goodbye_still_hears(void **state)
{
	struct buffer got;
	struct pair p;

	meet(&p, server_of("relay"), client_of("root.crt", NULL),
	    "relay.test", 4096);
	tls_end(p.server);
	settle(&p);
	assert_int_equal(tls_write(p.client, "letter", 6), E2E_OK);
	settle(&p);
	/* Saying it again neither says nor swallows anything. */
	tls_end(p.server);
	assert_int_equal(tls_pending(p.server), 0);
	buffer_init(&got, 100);
	assert_int_equal(tls_read(p.server, &got, 100), E2E_OK);
	assert_int_equal(got.length, 6);
	assert_int_equal(tls_state(p.server), TLS_OPEN);
	buffer_free(&got);
	part(&p);
}

static void
a_context_may_go_while_its_connections_stay(void **state)
{
	struct pair p;

	meet(&p, server_of("relay"), client_of("root.crt", NULL),
	    "relay.test", 4096);
	tls_context_free(p.contexts[0]);
	tls_context_free(p.contexts[1]);
	p.contexts[0] = p.contexts[1] = NULL;
	carry(&p, p.client, p.server, 1000, 1000);
	part(&p);
}

/* ---- whom a client trusts ---- */

static void
expect_trust(const char *server, const char *root, const unsigned char *pin,
    const char *host, const char *complaint)
{
	struct pair p;
	bool trusted = complaint == NULL;

	meet(&p, server_of(server), client_of(root, pin), host, 4096);
	assert_int_equal(tls_state(p.client), trusted ? TLS_OPEN :
	    TLS_FAILED);
	assert_int_equal(tls_distrusted(p.client), !trusted);
	/* No server goes on with a client that has said no. */
	assert_int_equal(tls_state(p.server), trusted ? TLS_OPEN :
	    TLS_FAILED);
	assert_false(tls_distrusted(p.server));
	if (!trusted && strstr(tls_why(p.client), complaint) == NULL)
		fail_msg("'%s' does not say '%s'", tls_why(p.client),
		    complaint);
	part(&p);
}

static void
a_certificate_is_for_its_host(void **state)
{
	expect_trust("relay", "root.crt", NULL, "relay.test", NULL);
	expect_trust("relay", "root.crt", NULL, "RELAY.test", NULL);
	expect_trust("relay", "root.crt", NULL, "127.0.0.1", NULL);
	expect_trust("relay", "root.crt", NULL, "::1", NULL);
	expect_trust("wild", "root.crt", NULL, "a.relay.test", NULL);
	expect_trust("relay", "root.crt", NULL, "127.0.0.2", "mismatch");
	expect_trust("relay", "root.crt", NULL, "other.test", "mismatch");
	expect_trust("other", "root.crt", NULL, "relay.test", "mismatch");
	expect_trust("relay", "root.crt", NULL, "a.relay.test", "mismatch");
	expect_trust("wild", "root.crt", NULL, "relay.test", "mismatch");
	expect_trust("wild", "root.crt", NULL, "a.b.relay.test", "mismatch");
}

static void
strangers_and_the_old_are_not_trusted(void **state)
{
	expect_trust("relay", "other.crt", NULL, "relay.test", "issuer");
	expect_trust("relay", NULL, NULL, "relay.test", "issuer");
	expect_trust("old", "root.crt", NULL, "relay.test", "expired");
}

static void
a_pin_is_all_that_counts(void **state)
{
	unsigned char wrong[32];
	struct pair p;

	meet(&p, server_of("old"), client_of("root.crt", NULL), "relay.test",
	    4096);
	assert_int_equal(tls_state(p.client), TLS_FAILED);
	part(&p);
	meet(&p, server_of("relay"), client_of("root.crt", NULL),
	    "relay.test", 4096);
	assert_true(tls_peer_pin(p.client, lab.pin));
	part(&p);
	expect_trust("relay", NULL, lab.pin, "relay.test", NULL);
	expect_trust("relay", NULL, lab.pin, "elsewhere.example", NULL);
	/* Another key, and one that the root vouches for. */
	expect_trust("other", NULL, lab.pin, "other.test", "pinned");
	expect_trust("other", "root.crt", lab.pin, "other.test", "pinned");
	memcpy(wrong, lab.pin, sizeof(wrong));
	wrong[31] ^= 1;
	expect_trust("relay", "root.crt", wrong, "relay.test", "pinned");
}

/* ---- what a server starts with ---- */

/* Of P-256, under the passphrase "secret". */
static const char locked_key[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgB07qrwrB1dAICA+gw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEIs+8xCdMVpSLL/ZpvglmUMEgZC6\n"
    "BBpvIdpJYGRaOKbCEqmw75F0NLcm02U8OpHP9pY8A/hLKQU1Ap1g55agwda75uBy\n"
    "j9DAx1qhmYudRhhsbpEjay8qHPnloD7bnNuACqqPgzTlko9tIkwIeijWJUdr42Yd\n"
    "NnO2pBB1tKZC9eA83dI8CJDQwHhrgrx/5yRzzsXB1r2mb98P6mB3q3PdH/mW+Dk=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static void
expect_refused(const char *certificate, const char *key,
    enum e2e_error expected, const char *complaint)
{
	struct tls_context *context;
	const char *why = NULL;

	assert_int_equal(tls_server_context(&context, path_of(certificate),
	    path_of(key), &why), expected);
	assert_null(context);
	assert_non_null(why);
	if (strstr(why, complaint) == NULL)
		fail_msg("'%s' does not say '%s'", why, complaint);
}

static void
bad_files_are_refused(void **state)
{
	static const char junk[] = "-----BEGIN CERTIFICATE-----\nAAAA\n"
	    "-----END CERTIFICATE-----\n";

	assert_int_equal(file_write(path_of("locked.key"), locked_key,
	    strlen(locked_key), 0600, FILE_NEW), E2E_OK);
	assert_int_equal(file_write(path_of("junk.crt"), junk, strlen(junk),
	    0600, FILE_NEW), E2E_OK);
	expect_refused("none.crt", "relay.key", E2E_ERR_NO_INPUT,
	    "certificate");
	expect_refused("relay.crt", "none.key", E2E_ERR_NO_INPUT, "key");
	expect_refused(".", "relay.key", E2E_ERR_NO_INPUT, "certificate");
	expect_refused("relay.crt", "other.key", E2E_ERR_CONFIG,
	    "does not belong");
	expect_refused("relay.key", "relay.key", E2E_ERR_CONFIG,
	    "certificate");
	expect_refused("relay.crt", "relay.crt", E2E_ERR_CONFIG, "key");
	expect_refused("junk.crt", "relay.key", E2E_ERR_CONFIG,
	    "certificate");
	expect_refused("relay.crt", "locked.key", E2E_ERR_CONFIG,
	    "passphrase");
	expect_refused("weak.crt", "weak.key", E2E_ERR_CONFIG, "certificate");
	assert_int_equal(chmod(path_of("relay.key"), 0640), 0);
	/* Root's own key, read by root, is not for a group either. */
	expect_refused("relay.crt", "relay.key", E2E_ERR_PERMISSIONS,
	    "others");
	assert_int_equal(chmod(path_of("relay.key"), 0604), 0);
	expect_refused("relay.crt", "relay.key", E2E_ERR_PERMISSIONS,
	    "others");
	assert_int_equal(chmod(path_of("relay.key"), 0600), 0);
	tls_context_free(server_of("relay"));
}

static void
a_client_needs_its_roots(void **state)
{
	struct tls_trust trust = { path_of("none.crt"), NULL };
	struct tls_context *context;
	const char *why = NULL;

	assert_int_equal(tls_client_context(&context, &trust, &why),
	    E2E_ERR_CONFIG);
	assert_null(context);
	assert_non_null(strstr(why, "cannot be read"));
	trust.ca_file = path_of("relay.key");
	assert_int_equal(tls_client_context(&context, &trust, &why),
	    E2E_ERR_CONFIG);
	assert_non_null(strstr(why, "none in PEM"));
}

/* ---- against libssl itself ---- */

struct raw {
	SSL_CTX *context;
	SSL *ssl;
	struct tls_context *server_context;
	struct tls *server;
};

static void
raw_start(struct raw *r, int version, uint64_t options, const char *suites)
{
	r->server_context = server_of("rsa");
	r->server = tls_new(r->server_context, NULL);
	r->context = SSL_CTX_new(TLS_client_method());
	assert_non_null(r->server);
	assert_non_null(r->context);
	SSL_CTX_set_security_level(r->context, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(r->context, version),
	    1);
	assert_int_equal(SSL_CTX_set_max_proto_version(r->context, version),
	    1);
	(void)SSL_CTX_set_options(r->context, options);
	if (suites != NULL)
		assert_int_equal(SSL_CTX_set_cipher_list(r->context, suites),
		    1);
	r->ssl = SSL_new(r->context);
	assert_non_null(r->ssl);
	SSL_set_bio(r->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(r->ssl);
}

/* Bytes both ways until none move; libssl's own handshake at each turn. */
static void
raw_settle(struct raw *r)
{
	unsigned char data[4096];
	struct buffer out;
	bool moved;
	int n;

	buffer_init(&out, 1 << 20);
	do {
		moved = false;
		ERR_clear_error();
		(void)SSL_do_handshake(r->ssl);
		while ((n = BIO_read(SSL_get_wbio(r->ssl), data,
		    sizeof(data))) > 0) {
			moved = true;
			assert_int_equal(tls_receive(r->server, data,
			    (size_t)n), E2E_OK);
		}
		buffer_clear(&out);
		assert_int_equal(tls_take(r->server, &out, 1 << 20), E2E_OK);
		if (out.length > 0) {
			moved = true;
			assert_int_equal(BIO_write(SSL_get_rbio(r->ssl),
			    out.data, (int)out.length), (int)out.length);
		}
	} while (moved);
	buffer_free(&out);
	ERR_clear_error();
}

static void
raw_free(struct raw *r)
{
	SSL_free(r->ssl);
	SSL_CTX_free(r->context);
	tls_free(r->server);
	tls_context_free(r->server_context);
}

static void
expect_binding(int version)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	unsigned char ours[32], theirs[32];
	struct raw r;

	raw_start(&r, version, 0, NULL);
	raw_settle(&r);
	assert_int_equal(tls_state(r.server), TLS_OPEN);
	assert_int_equal(SSL_version(r.ssl), version);
	assert_true(tls_binding(r.server, ours));
	assert_int_equal(SSL_export_keying_material(r.ssl, theirs, 32, label,
	    sizeof(label) - 1, (const unsigned char *)"", 0, 1), 1);
	assert_memory_equal(ours, theirs, 32);
	raw_free(&r);
}

static void
the_binding_is_that_of_rfc_9266(void **state)
{
	expect_binding(TLS1_3_VERSION);
	expect_binding(TLS1_2_VERSION);
}

static void
expect_no_deal(int version, uint64_t options, const char *suites)
{
	unsigned char binding[32];
	struct raw r;

	raw_start(&r, version, options, suites);
	raw_settle(&r);
	assert_int_equal(tls_state(r.server), TLS_FAILED);
	assert_string_not_equal(tls_why(r.server), "");
	assert_false(tls_binding(r.server, binding));
	raw_free(&r);
}

static void
what_is_weak_is_refused(void **state)
{
	struct raw r;

	/* The same client gets through when nothing is weak. */
	raw_start(&r, TLS1_2_VERSION, 0, "ECDHE-RSA-AES128-GCM-SHA256");
	raw_settle(&r);
	assert_int_equal(tls_state(r.server), TLS_OPEN);
	raw_free(&r);
	expect_no_deal(TLS1_1_VERSION, 0, NULL);
	expect_no_deal(TLS1_VERSION, 0, NULL);
	/* CBC; without forward secrecy; without authentication. */
	expect_no_deal(TLS1_2_VERSION, 0, "ECDHE-RSA-AES128-SHA256");
	expect_no_deal(TLS1_2_VERSION, 0, "AES256-GCM-SHA384");
	expect_no_deal(TLS1_2_VERSION, 0, "ADH-AES256-GCM-SHA384");
	/* Nothing to bind to. */
	expect_no_deal(TLS1_2_VERSION, SSL_OP_NO_EXTENDED_MASTER_SECRET,
	    NULL);
}

static void
nothing_can_be_resumed(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct raw r;
	size_t i;
	char byte;

	for (i = 0; i < 2; i++) {
		raw_start(&r, versions[i], 0, NULL);
		raw_settle(&r);
		assert_int_equal(tls_state(r.server), TLS_OPEN);
		/* Tickets of 1.3 come after the handshake. */
		assert_int_equal(SSL_read(r.ssl, &byte, 1), -1);
		assert_int_equal(SSL_SESSION_is_resumable(
		    SSL_get0_session(r.ssl)), 0);
		assert_int_equal(SSL_get_early_data_status(r.ssl),
		    SSL_EARLY_DATA_NOT_SENT);
		raw_free(&r);
	}
}

static void
nothing_is_negotiated_twice(void **state)
{
	struct buffer plain;
	struct raw r;

	raw_start(&r, TLS1_2_VERSION, 0, NULL);
	raw_settle(&r);
	assert_int_equal(tls_state(r.server), TLS_OPEN);
	assert_int_equal(SSL_renegotiate(r.ssl), 1);
	raw_settle(&r);
	buffer_init(&plain, 100);
	assert_int_equal(tls_read(r.server, &plain, 100), E2E_OK);
	assert_int_equal(plain.length, 0);
	raw_settle(&r);
	assert_int_equal(SSL_get_state(r.ssl) == TLS_ST_OK &&
	    SSL_num_renegotiations(r.ssl) > 0 &&
	    !SSL_renegotiate_pending(r.ssl), 0);
	buffer_free(&plain);
	raw_free(&r);
}

/* ---- altered on the way ---- */

/* Everything that the client sends, up to its first bytes of plaintext. */
static void
altered_bytes_are_noticed(void **state)
{
	struct buffer record, plain;
	struct pair p;
	size_t size, i;

	buffer_init(&record, 4096);
	buffer_init(&plain, 4096);
	for (i = 0, size = 1; i < size; i++) {
		meet(&p, server_of("relay"), client_of("root.crt", NULL),
		    "relay.test", 4096);
		assert_open(&p);
		assert_int_equal(tls_write(p.client, "pay bob 10", 10),
		    E2E_OK);
		buffer_clear(&record);
		assert_int_equal(tls_take(p.client, &record, 4096), E2E_OK);
		size = record.length;
		record.data[i] ^= 0x40;
		assert_int_equal(tls_receive(p.server, record.data, size),
		    E2E_OK);
		assert_int_equal(tls_read(p.server, &plain, 100), E2E_OK);
		/* Of a record said to be longer the rest is awaited. */
		if (i != 3 && i != 4)
			assert_int_equal(tls_state(p.server), TLS_FAILED);
		assert_int_equal(plain.length, 0);
		part(&p);
	}
	assert_true(size > 30);
	buffer_free(&record);
	buffer_free(&plain);
}

static void
junk_is_no_handshake(void **state)
{
	static const char junk[] = "\x16\x03\x01\x00\x05hello there";
	struct tls_context *context = server_of("relay");
	struct tls *tls = tls_new(context, NULL);

	assert_non_null(tls);
	assert_int_equal(tls_receive(tls, junk, sizeof(junk)), E2E_OK);
	assert_int_equal(tls_state(tls), TLS_FAILED);
	assert_string_not_equal(tls_why(tls), "");
	assert_true(tls_pending(tls) > 0);	/* an alert */
	assert_int_equal(tls_receive(tls, junk, sizeof(junk)), E2E_OK);
	assert_int_equal(tls_write(tls, "x", 1), E2E_OK);
	tls_free(tls);
	tls_context_free(context);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_carry_bytes),
		cmocka_unit_test(bytes_may_come_one_by_one),
		cmocka_unit_test(both_ends_have_the_same_binding),
		cmocka_unit_test(an_end_that_has_ended_still_gets_its_answer),
		cmocka_unit_test(who_says_goodbye_still_hears),
		cmocka_unit_test(a_context_may_go_while_its_connections_stay),
		cmocka_unit_test(a_certificate_is_for_its_host),
		cmocka_unit_test(strangers_and_the_old_are_not_trusted),
		cmocka_unit_test(a_pin_is_all_that_counts),
		cmocka_unit_test(bad_files_are_refused),
		cmocka_unit_test(a_client_needs_its_roots),
		cmocka_unit_test(the_binding_is_that_of_rfc_9266),
		cmocka_unit_test(what_is_weak_is_refused),
		cmocka_unit_test(nothing_can_be_resumed),
		cmocka_unit_test(nothing_is_negotiated_twice),
		cmocka_unit_test(altered_bytes_are_noticed),
		cmocka_unit_test(junk_is_no_handshake)
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
