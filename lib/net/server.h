/*
 * server.h: the relay as a process: libuv's loop around lib/relay, sockets and
 * TLS on one side, the store's threads on the other.
 *
 * One port for everything: the first byte of a connection tells TLS (16) from
 * the rest, which is lib/relay's business.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "net/address.h"
#include "relay/relay.h"
#include "store/worker.h"

struct server_log {
	void *context;
	void (*report)(void *context, const struct relay_report *report,
	    const char *address);	/* NULL: a local one; "gone": it has
					 * gone meanwhile */
	/* Start, end, trouble: a constant word, and details in words. */
	void (*note)(void *context, const char *what, const char *detail);
	/* Before the loop waits: a log may gather lines until then. */
	void (*flush)(void *context);
};

struct server_config {
	const struct address *listen;
	size_t listen_count;
	const char *unix_path;		/* NULL: none */
	unsigned unix_mode;		/* permissions of the socket */
	int first_fd, fd_count;		/* passed in by a supervisor, listening */
	const char *tls_certificate, *tls_key;	/* NULL: no TLS */
	struct relay_policy policy;
	struct store *writer, *reader;	/* the server's from now on */
	size_t queue;			/* of the worker */
	unsigned drain_seconds;		/* at SIGTERM, at most */
	const char *metrics_file;	/* NULL: none; every 15 s */
	struct server_log log;
	/* Called when everything listens: "ready". addresses: as bound, one a
	 * line (port 0 was replaced). */
	void (*ready)(void *context, const char *addresses);
	/* SIGHUP: new policy, or NULL: keep the old one, said why. Then the
	 * certificate is read again, too. */
	const struct relay_policy *(*reload)(void *context);
	/* Cards of `closed` registration, to be enrolled at start and at
	 * SIGHUP, before anything else is done with the store: changes for it,
	 * linked, each from malloc and the server's from now on with its
	 * `bytes`; NULL: none. */
	struct store_job *(*cards)(void *context);
	void *context;			/* of ready, reload and cards */
};

/*
 * Serves until SIGTERM or SIGINT, then drains: what has begun to arrive may
 * end within drain_seconds. SIGHUP may be blocked until the loop is there to
 * take it, and is unblocked then. identity is taken, also on
 * failure. E2E_ERR_CONFIG (an address in use, a bad certificate, a
 * metrics file that cannot be written; told in `why`), E2E_ERR_STORE when the store failed while running.
 */
enum e2e_error server_run(struct server_config *config,
    struct e2e_identity *identity, const struct frame_succession *successions,
    size_t succession_count, char why[256]);

#endif
