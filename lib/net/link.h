/*
 * link.h: a client's connection to a relay, blocking, with time limits: TCP or
 * a Unix socket, TLS if asked for; whole frames and raw bytes.
 *
 * E2E_ERR_UNREACHABLE: no connection, or it broke, or nothing came for
 * `timeout` seconds; link_why tells in words. E2E_ERR_CONFIG: the
 * certificate is not trusted. E2E_ERR_PROTOCOL: what came is no frame.
 *
 * SIGINT and SIGTERM end a wait as they end any command: by their default
 * action, unless the caller has blocked them. Threads: one.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "net/address.h"
#include "net/tls.h"
#include "relay/frame.h"

#include <stdint.h>

struct link;

/* timeout: seconds that anything may take. */
enum e2e_error link_open(struct link **link, const struct address *address,
    const struct tls_trust *trust, unsigned timeout, char why[256]);
void link_close(struct link *link);	/* NULL is fine */

/* What went wrong last, for people: static or the link's, not escaped. */
const char *link_why(const struct link *link);
/* Zeros without TLS. */
void link_binding(const struct link *link,
    unsigned char binding[TLS_BINDING_LEN]);
bool link_has_tls(const struct link *link);

/* Sends all of it. */
enum e2e_error link_send(struct link *link, const void *data, size_t size);
/*
 * The next frame, pointers into the link's own buffer until the next call;
 * *whole its bytes. timeout: until it is all there; 0: link_open's; UINT32_MAX:
 * for ever. A PING is answered and not returned. A connection that has ended
 * is E2E_ERR_UNREACHABLE.
 */
enum e2e_error link_frame(struct link *link, struct frame *frame,
    struct bytes *whole, uint32_t timeout);
/* Exactly `size` raw bytes that follow a frame. */
enum e2e_error link_raw(struct link *link, void *data, size_t size);
/* Is a whole frame here, or the end? Does not wait; a PING is answered and does
 * not count. Not between a frame and the raw bytes that belong to it. */
bool link_has_input(struct link *link);
/* The same amid raw bytes that are being sent, where a relay may say early
 * that it does not want them: nothing is answered. */
bool link_was_interrupted(struct link *link);
/* To wait, together with other things, for what link_has_input tells. */
int link_fd(const struct link *link);

#endif
