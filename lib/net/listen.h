/*
 * listen.h: the sockets on which a relay waits, and what an address looks like.
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "net/address.h"

#include <stddef.h>
#include <sys/socket.h>

enum { LISTEN_MAX = 64 };

/* Open, non-blocking, close-on-exec, listening. */
struct listeners {
	int fds[LISTEN_MAX];
	size_t count;
	char unix_path[ADDRESS_PATH_MAX + 1];	/* to be removed; "": none */
};

/*
 * All of these append. E2E_ERR_CONFIG: an address that cannot be bound, a
 * socket that does not listen, too many; `why` says which, in words.
 */

/* Every address that the host has; "*" is one socket for v4 and v6. */
enum e2e_error listen_tcp(struct listeners *all, const struct address *address,
    char why[256]);
/* A socket that is there and that nobody serves is replaced; anything else is
 * not. */
enum e2e_error listen_unix(struct listeners *all, const char *path,
    unsigned mode, char why[256]);
/* Passed in by a supervisor. */
enum e2e_error listen_inherited(struct listeners *all, int first, int count,
    char why[256]);

/* Closes, and removes the Unix socket that listen_unix made. */
void listen_close(struct listeners *all);

enum { LISTEN_TEXT_MAX = 128 };
/* "127.0.0.1:7733", "[::1]:7733", "unix:/path". */
void listen_format(char text[LISTEN_TEXT_MAX], const struct sockaddr *address,
    socklen_t length);

#endif
