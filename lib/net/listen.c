/*
 * listen.c: binding. What is bound is bound for good: a relay whose third
 * address is taken does not start on two.
 */
#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096, WHY_LEN = 256 };

static enum e2e_error
refuse(char *why, const char *what, const char *reason)
{

	(void)snprintf(why, WHY_LEN, "%.160s: %.90s", what, reason);
	return E2E_ERR_CONFIG;
}

static bool
prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static bool
set(int fd, int level, int option, int value)
{

	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* Takes fd, closed on failure; errno tells. */
static bool
add(struct listeners *all, int fd)
{
	int saved;

	if (all->count == LISTEN_MAX) {
		errno = EMFILE;
	} else if (prepare(fd) && listen(fd, BACKLOG) == 0) {
		all->fds[all->count++] = fd;
		return true;
	}
	saved = errno;
	(void)close(fd);
	errno = saved;
	return false;
}

static bool
bind_one(struct listeners *all, const struct sockaddr *where,
    socklen_t length, bool both)
{
	int fd = socket(where->sa_family, SOCK_STREAM, 0), saved;

	if (fd < 0)
		return false;
	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
	    (where->sa_family != AF_INET6 ||
	    set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !both)) &&
	    bind(fd, where, length) == 0)
		return add(all, fd);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return false;
}

static bool
bind_everywhere(struct listeners *all, const char *port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	v6.sin6_port = v4.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	v6.sin6_addr = in6addr_any;
	v4.sin_addr.s_addr = htonl(INADDR_ANY);
	if (bind_one(all, (const struct sockaddr *)&v6, sizeof(v6), true))
		return true;
	/* A system without v6, or without both in one. */
	if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL &&
	    errno != ENOPROTOOPT && errno != EINVAL)
		return false;
	return bind_one(all, (const struct sockaddr *)&v4, sizeof(v4), false);
}

enum e2e_error
listen_tcp(struct listeners *all, const struct address *address,
    char why[WHY_LEN])
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *list, *a;
	char text[ADDRESS_TEXT_MAX + 1];
	enum e2e_error error = E2E_OK;
	int n;

	address_format(text, address);
	if (strcmp(address->host, "*") == 0)
		return bind_everywhere(all, address->port) ? E2E_OK :
		    refuse(why, text, strerror(errno));
	n = getaddrinfo(address->host, address->port, &hints, &list);
	if (n != 0)
		return refuse(why, text, n == EAI_SYSTEM ? strerror(errno) :
		    gai_strerror(n));
	for (a = list; a != NULL && error == E2E_OK; a = a->ai_next)
		if (!bind_one(all, a->ai_addr, a->ai_addrlen, false))
			error = refuse(why, text, strerror(errno));
	freeaddrinfo(list);
	return error;
}

/* Is there a socket at `path` on which nobody listens any more? */
static bool
is_stale(const struct sockaddr_un *where)
{
	struct stat st;
	int fd;
	bool stale;

	if (lstat(where->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return false;
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)where,
	    sizeof(*where)) != 0 && errno == ECONNREFUSED;
	(void)close(fd);
	return stale;
}

enum e2e_error
listen_unix(struct listeners *all, const char *path, unsigned mode,
    char why[WHY_LEN])
{
	struct sockaddr_un where = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask;
	int fd, result;

	if (strlen(path) >= sizeof(where.sun_path))
		return refuse(why, path, "path too long for a socket");
	memcpy(where.sun_path, path, strlen(path) + 1);
	if (is_stale(&where))
		(void)unlink(path);
	else if (lstat(path, &st) == 0)
		return refuse(why, path, S_ISSOCK(st.st_mode) ?
		    "another process listens there" :
		    "there is something that is no socket");
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) < 0)
		return refuse(why, path, strerror(errno));
	/* The mode is there from the beginning, not a moment later. */
	mask = umask(0777 & ~mode);
	result = bind(fd, (const struct sockaddr *)&where, sizeof(where));
	(void)umask(mask);
	if (result != 0) {
		(void)refuse(why, path, strerror(errno));
		(void)close(fd);
		return E2E_ERR_CONFIG;
	}
	(void)snprintf(all->unix_path, sizeof(all->unix_path), "%s", path);
	return add(all, fd) ? E2E_OK : refuse(why, path, strerror(errno));
}

enum e2e_error
listen_inherited(struct listeners *all, int first, int count,
    char why[WHY_LEN])
{
	struct sockaddr_storage address;
	socklen_t length, size = sizeof(int);
	char name[32];
	int i, listening;

	for (i = first; i < first + count; i++) {
		(void)snprintf(name, sizeof(name), "descriptor %d", i);
		length = sizeof(address);
		listening = 0;
		if (getsockname(i, (struct sockaddr *)&address,
		    &length) != 0)
			return refuse(why, name, strerror(errno));
		if (getsockopt(i, SOL_SOCKET, SO_ACCEPTCONN, &listening,
		    &size) != 0 || listening == 0 ||
		    (address.ss_family != AF_INET &&
		    address.ss_family != AF_INET6 &&
		    address.ss_family != AF_UNIX))
			return refuse(why, name, "not a listening stream "
			    "socket of TCP or Unix");
		if (all->count == LISTEN_MAX || !prepare(i))
			return refuse(why, name, strerror(errno));
		all->fds[all->count++] = i;
	}
	return E2E_OK;
}

void
listen_close(struct listeners *all)
{
	size_t i;

	for (i = 0; i < all->count; i++)
		(void)close(all->fds[i]);
	all->count = 0;
	if (all->unix_path[0] != '\0')
		(void)unlink(all->unix_path);
	all->unix_path[0] = '\0';
}

void
listen_format(char text[LISTEN_TEXT_MAX], const struct sockaddr *address,
    socklen_t length)
{
	const struct sockaddr_in6 *v6 = (const void *)address;
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_un *path = (const void *)address;
	const size_t before = offsetof(struct sockaddr_un, sun_path);
	char number[INET6_ADDRSTRLEN] = "?";
	size_t size = (size_t)length > before ? (size_t)length - before : 0;

	switch (address->sa_family) {
	case AF_INET:
		(void)inet_ntop(AF_INET, &v4->sin_addr, number,
		    sizeof(number));
		(void)snprintf(text, LISTEN_TEXT_MAX, "%s:%u", number,
		    (unsigned)ntohs(v4->sin_port));
		break;
	case AF_INET6:
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, number,
		    sizeof(number));
		(void)snprintf(text, LISTEN_TEXT_MAX, "[%s]:%u", number,
		    (unsigned)ntohs(v6->sin6_port));
		break;
	default:
		/* Of an abstract name only that it is one. */
		(void)snprintf(text, LISTEN_TEXT_MAX, "unix:%.*s",
		    size == 0 || path->sun_path[0] == '\0' ? 1 : (int)size,
		    size == 0 || path->sun_path[0] == '\0' ? "@" :
		    path->sun_path);
	}
}
