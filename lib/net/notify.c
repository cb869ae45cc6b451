/*
 * notify.c: a datagram to the socket named in NOTIFY_SOCKET. The protocol is
 * stable and documented; a library for one sendto would cost more than it
 * saves.
 */
#include "net/notify.h"

#include "base/clock.h"
#include "base/number.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FDS_MAX = 64 };

static void
notify(const char *text)
{
	struct sockaddr_un where = { .sun_family = AF_UNIX };
	const char *name = getenv("NOTIFY_SOCKET");
	size_t length = name == NULL ? 0 : strlen(name);
	int fd;

	if (length < 2 || length >= sizeof(where.sun_path) ||
	    (name[0] != '/' && name[0] != '@'))
		return;
	memcpy(where.sun_path, name, length);
	if (name[0] == '@')
		where.sun_path[0] = '\0';	/* an abstract name */
	if ((fd = socket(AF_UNIX, SOCK_DGRAM, 0)) < 0)
		return;
	/* A supervisor that does not listen is no reason not to serve. */
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL,
	    (const struct sockaddr *)&where,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	(void)close(fd);
}

void
notify_ready(void)
{

	notify("READY=1");
}

void
notify_reloading(void)
{
	char text[80];

	(void)snprintf(text, sizeof(text),
	    "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic() / 1000);
	notify(text);
}

void
notify_stopping(void)
{

	notify("STOPPING=1");
}

int
notify_listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t process = 0, count = 0;

	if (pid == NULL || fds == NULL ||
	    !number_parse(&process, pid, UINT32_MAX) ||
	    !number_parse(&count, fds, FDS_MAX) ||
	    process != (uint64_t)getpid())
		count = 0;
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return (int)count;
}
