/*
 * connection.h: sockets on one side, struct peer on the other.
 *
 * 1. Every open connection is in `all`; those with something to look at are
 *    in `dirty`, which is worked off by connection_turn, once in each turn of
 *    the loop and never from within a call of lib/relay.
 * 2. A connection has a peer, or it is refused (the relay had no room for it),
 *    or it is closing.
 * 3. What is read is handed on at once; reading stops while the peer wants
 *    nothing.
 *
 * Threads: the loop's.
 */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "net/tls.h"
#include "relay/chain.h"
#include "relay/relay.h"

#include <sys/socket.h>
#include <uv.h>

enum { CONNECTION_READ = 65536 };

/* What all connections share. */
struct connections {
	uv_loop_t *loop;
	struct relay *relay;
	struct tls_context *tls;	/* of new ones; NULL: none */
	uint32_t handshake_ms;
	struct chain all, dirty;
	size_t count;			/* closing ones, too */
	size_t refused_now;
	uv_idle_t again;		/* runs while `dirty` is not empty */
	struct buffer plain, cipher;
	unsigned char input[CONNECTION_READ];
	struct {			/* since the start */
		uint64_t accepted, refused, tls, tls_failed;
	} counters;
};

/* In place: too large for a stack. uv_idle_init'ed here. */
void connections_init(struct connections *all, uv_loop_t *loop,
    struct relay *relay, uint32_t handshake_ms);
/* All of them are gone. */
void connections_free(struct connections *all);

/* Takes an accepted, non-blocking socket. */
void connection_new(struct connections *all, int fd,
    const struct sockaddr *from);
/* The peer has something to look at. */
void connection_wake(struct connections *all, struct peer *peer);
/* Where it comes from, for a log; NULL: a local one. */
struct connection;
const char *connection_address(const struct connection *connection,
    char text[64]);

/* Works off what is dirty. */
void connection_turn(struct connections *all);
/* Deadlines; every CONNECTION_SWEEP_MS, in steady milliseconds. */
enum { CONNECTION_SWEEP_MS = 100 };
void connection_sweep(struct connections *all, uint64_t steady);
/* Has any of them something that is not sent yet? */
bool connections_have_output(const struct connections *all);
/* Does anybody go on sending to whom everything is said? To close on him would
 * have his system throw away what he has not read. */
bool connections_are_talked_to(const struct connections *all,
    uint64_t steady);
void connections_close(struct connections *all);

#endif
