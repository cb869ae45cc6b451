/*
 * address.h: what a user writes to name a relay.
 *
 *	host  host:port  [v6]  [v6]:port  v6  unix:PATH, "tls://" in front of
 *	all but the last; port 7733 unless given. For listening "*", or nothing
 *	before a port, is every address, and stored as "*"; port 0 is one that is free. Host
 *	names come out in lower case, v6 in its shortest form.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <e2e/error.h>

#include <stdbool.h>

enum { ADDRESS_HOST_MAX = 255, ADDRESS_PATH_MAX = 107 };

#define ADDRESS_PORT "7733"

struct address {
	bool tls;
	bool is_unix;
	char host[ADDRESS_HOST_MAX + 1];	/* the path when is_unix */
	char port[6];
};

/* False: none. listening: also without a host. */
bool address_parse(struct address *address, const char *text, bool listening);
/* The normal form, under which a relay is remembered: "host:port" in lower
 * case, "[v6]:port", "unix:/path"; tls does not count. NUL-terminated. */
enum { ADDRESS_TEXT_MAX = ADDRESS_HOST_MAX + 16 };
void address_format(char text[ADDRESS_TEXT_MAX + 1],
    const struct address *address);

#endif
