/*
 * tls.h: TLS 1.2 and 1.3 by OpenSSL's libssl, without I/O: ciphertext in and
 * out, plaintext in and out. The one place that knows libssl; the relay's
 * event loop and the clients' blocking link drive it alike.
 *
 * TLS 1.2 only with extended master secret (else no channel binding); no
 * renegotiation, no compression, no session tickets (a resumed session would
 * have nothing new to bind to), no early data. Forward secret suites only.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/buffer.h"

#include <e2e/error.h>

#include <stdbool.h>
#include <stddef.h>

enum { TLS_BINDING_LEN = 32 };

struct tls_context;	/* certificates and settings, for many connections */
struct tls;		/* one connection */

/* A server's: chain and key in PEM. E2E_ERR_NO_INPUT (errno tells),
 * E2E_ERR_PERMISSIONS (the key can be read by others; by a group, root's key
 * may), E2E_ERR_CONFIG (not PEM, under a passphrase, or they do not match);
 * *why, static, in words. */
enum e2e_error tls_server_context(struct tls_context **context,
    const char *certificate_file, const char *key_file, const char **why);

/* How a client judges the server's certificate. */
struct tls_trust {
	const char *ca_file;		/* NULL: the system's roots */
	const unsigned char *pin;	/* SHA-256 of its SubjectPublicKeyInfo:
					 * then nothing else counts; or NULL */
};
enum e2e_error tls_client_context(struct tls_context **context,
    const struct tls_trust *trust, const char **why);
void tls_context_free(struct tls_context *context);

/* host: of a client, to be found in the certificate, and for SNI. NULL: no
 * memory. A connection keeps its context alive: contexts may be freed and
 * replaced (SIGHUP) while old connections go on. Threads: a context and its
 * connections belong to one. */
struct tls *tls_new(struct tls_context *context, const char *host);
void tls_free(struct tls *tls);

enum tls_state {
	TLS_HANDSHAKE,
	TLS_OPEN,
	TLS_ENDED,		/* the other side has sent close_notify */
	TLS_FAILED		/* tls_why tells; there may be an alert to send */
};
enum tls_state tls_state(const struct tls *tls);
/* A sentence, escaped and short; valid until tls_free. */
const char *tls_why(const struct tls *tls);
/* Was it the certificate that was not trusted? */
bool tls_distrusted(const struct tls *tls);

/* Takes ciphertext (all of it), or makes the first flight with size 0. */
enum e2e_error tls_receive(struct tls *tls, const void *data, size_t size);
/* Appends up to `max` bytes of plaintext that have arrived. */
enum e2e_error tls_read(struct tls *tls, struct buffer *plain, size_t max);
/* Encrypts, all of it; when TLS_OPEN or TLS_ENDED, else it does nothing. */
enum e2e_error tls_write(struct tls *tls, const void *data, size_t size);
/* Says close_notify, once: nothing can be written after it, but read. */
void tls_end(struct tls *tls);
/* Ciphertext to send: how much, and its bytes moved to `out`. */
size_t tls_pending(const struct tls *tls);
enum e2e_error tls_take(struct tls *tls, struct buffer *out, size_t max);

/* RFC 9266; false before TLS_OPEN or where there is none. */
bool tls_binding(const struct tls *tls, unsigned char binding[TLS_BINDING_LEN]);
/* SHA-256 of the server's SubjectPublicKeyInfo, of a client. */
bool tls_peer_pin(const struct tls *tls, unsigned char pin[32]);

#endif
