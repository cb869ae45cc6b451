/*
 * link.c: the blocking end of a connection.
 *
 * The socket itself does not block: only so can every wait have its limit.
 * TLS, where there is some, works on the same two calls below (receive_raw,
 * send_raw) as everything else.
 */
#include "net/link.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0		/* there, SO_NOSIGPIPE does it */
#endif

enum { PIECE = 65536, WHY_LEN = 256, FOR_EVER = -1,
	PINGS_MAX = 64		/* answered at one look */
};

/*
 * 1. in.data[at ..] has come and was not handed out.
 * 2. Without TLS, context and tls are NULL.
 */
struct link {
	int fd;
	int timeout;			/* milliseconds */
	struct tls_context *context;
	struct tls *tls;
	struct buffer in;
	size_t at;
	bool ended;			/* nothing will come any more */
	char why[WHY_LEN];
};

static enum e2e_error
unreachable(struct link *link, const char *what, int number)
{
	(void)snprintf(link->why, sizeof(link->why), "%s%s%s", what,
	    number == 0 ? "" : ": ", number == 0 ? "" : strerror(number));
	return E2E_ERR_UNREACHABLE;
}

static int
milliseconds(uint32_t seconds)
{
	if (seconds == UINT32_MAX)
		return FOR_EVER;
	return seconds > INT_MAX / 1000 ? INT_MAX : (int)seconds * 1000;
}

/* False when the time is over, or poll failed (errno). */
static bool
wait_for(int fd, short events, int limit)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, limit);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0;
}

/* ---- bytes of the socket ---- */

/* Up to `size` bytes, at least one. */
static enum e2e_error
receive_raw(struct link *link, void *data, size_t size, size_t *got,
    int limit)
{
	ssize_t n;

	*got = 0;
	if (link->ended)
		return unreachable(link, "the connection has ended", 0);
	for (;;) {
		n = recv(link->fd, data, size, 0);
		if (n > 0) {
			*got = (size_t)n;
			return E2E_OK;
		}
		if (n == 0) {
			link->ended = true;
			return unreachable(link, "the connection has ended",
			    0);
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK) {
			link->ended = true;
			return unreachable(link, "the connection broke",
			    errno);
		}
		if (!wait_for(link->fd, POLLIN, limit))
			return unreachable(link, errno == ETIMEDOUT ?
			    "no answer in time" : "waiting", errno ==
			    ETIMEDOUT ? 0 : errno);
	}
}

static enum e2e_error
send_raw(struct link *link, const void *data, size_t size)
{
	const unsigned char *from = data;
	ssize_t n;

	while (size > 0) {
		n = send(link->fd, from, size, MSG_NOSIGNAL);
		if (n >= 0) {
			from += n;
			size -= (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return unreachable(link, "the connection broke",
			    errno);
		if (!wait_for(link->fd, POLLOUT, link->timeout))
			return unreachable(link, "nothing was taken in time",
			    0);
	}
	return E2E_OK;
}

/* ---- TLS around them ---- */

/* Ciphertext that waits to be sent. */
static enum e2e_error
flush_tls(struct link *link)
{
	enum e2e_error error = E2E_OK;
	struct buffer out;

	buffer_init(&out, PIECE);
	while (error == E2E_OK && tls_pending(link->tls) > 0) {
		buffer_clear(&out);
		error = tls_take(link->tls, &out, PIECE);
		if (error == E2E_OK)
			error = send_raw(link, out.data, out.length);
	}
	buffer_free(&out);
	return error;
}

static enum e2e_error
failed_tls(struct link *link)
{
	(void)flush_tls(link);		/* the alert, if it still goes */
	link->ended = true;
	(void)snprintf(link->why, sizeof(link->why), "%s",
	    tls_why(link->tls));
	return tls_distrusted(link->tls) ? E2E_ERR_CONFIG :
	    E2E_ERR_UNREACHABLE;
}

/* One more piece of ciphertext. */
static enum e2e_error
feed_tls(struct link *link, int limit)
{
	unsigned char data[PIECE];
	enum e2e_error error;
	size_t got;

	error = receive_raw(link, data, sizeof(data), &got, limit);
	if (error == E2E_OK)
		error = tls_receive(link->tls, data, got);
	if (error == E2E_OK && tls_state(link->tls) != TLS_FAILED)
		error = flush_tls(link);
	if (tls_state(link->tls) == TLS_FAILED)
		return failed_tls(link);
	return error;
}

static enum e2e_error
handshake(struct link *link, const char *host, const struct tls_trust *trust)
{
	enum e2e_error error;
	const char *why = NULL;

	error = tls_client_context(&link->context, trust, &why);
	if (error != E2E_OK) {
		(void)snprintf(link->why, sizeof(link->why), "%s",
		    why == NULL ? "" : why);
		return error;
	}
	if ((link->tls = tls_new(link->context, host)) == NULL)
		return E2E_ERR_MEMORY;
	error = tls_receive(link->tls, NULL, 0);
	if (error == E2E_OK)
		error = flush_tls(link);
	while (error == E2E_OK && tls_state(link->tls) == TLS_HANDSHAKE)
		error = feed_tls(link, link->timeout);
	if (error == E2E_OK && tls_state(link->tls) != TLS_OPEN)
		error = failed_tls(link);
	return error;
}

/* At least one byte more in link->in. */
static enum e2e_error
receive(struct link *link, int limit)
{
	enum e2e_error error = E2E_OK;
	unsigned char *room;
	size_t before, got;

	if (link->at > 0) {
		buffer_consume(&link->in, link->at);
		link->at = 0;
	}
	before = link->in.length;
	if (link->tls == NULL) {
		if ((room = buffer_extend(&link->in, PIECE)) == NULL)
			return E2E_ERR_MEMORY;
		error = receive_raw(link, room, PIECE, &got, limit);
		link->in.length = before + got;
		return error;
	}
	for (;;) {
		error = tls_read(link->tls, &link->in, PIECE);
		if (error != E2E_OK || link->in.length > before)
			return error;
		if (tls_state(link->tls) == TLS_FAILED)
			return failed_tls(link);
		if (tls_state(link->tls) == TLS_ENDED) {
			link->ended = true;
			return unreachable(link, "the connection has ended",
			    0);
		}
		if ((error = feed_tls(link, limit)) != E2E_OK)
			return error;
	}
}

/* ---- opening ---- */

static bool
prepare_socket(int fd)
{
	const int on = 1, idle = 60, step = 20, count = 6;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return false;
#ifdef SO_NOSIGPIPE
	(void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
#endif
	/* Whoever waits for mail for days notices a line that is dead. */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
#if defined(TCP_KEEPIDLE) && defined(TCP_KEEPINTVL) && defined(TCP_KEEPCNT)
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &step, sizeof(step));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
#else
	(void)idle;
	(void)step;
	(void)count;
#endif
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return true;
}

/* False, and errno. */
static bool
connect_one(struct link *link, int family, const struct sockaddr *where,
    socklen_t length, int limit)
{
	socklen_t size = sizeof(int);
	int problem = 0;

	if ((link->fd = socket(family, SOCK_STREAM, 0)) < 0)
		return false;
	if (prepare_socket(link->fd)) {
		if (connect(link->fd, where, length) == 0)
			return true;
		if ((errno == EINPROGRESS || errno == EINTR) &&
		    wait_for(link->fd, POLLOUT, limit) &&
		    getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &problem,
		    &size) == 0) {
			if (problem == 0)
				return true;
			errno = problem;
		}
	}
	problem = errno;
	(void)close(link->fd);
	link->fd = -1;
	errno = problem;
	return false;
}

static enum e2e_error
connect_unix(struct link *link, const char *path)
{
	struct sockaddr_un where;

	memset(&where, 0, sizeof(where));
	where.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(where.sun_path))
		return unreachable(link, "path too long", 0);
	memcpy(where.sun_path, path, strlen(path));
	if (!connect_one(link, AF_UNIX, (const struct sockaddr *)&where,
	    sizeof(where), link->timeout))
		return unreachable(link, "cannot connect", errno);
	return E2E_OK;
}

/* Each address gets its share of the time that is left. */
static enum e2e_error
connect_host(struct link *link, const struct address *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *a;
	uint64_t end = clock_monotonic() / 1000000 + (uint64_t)link->timeout;
	uint64_t now;
	int n, left = 0;

	n = getaddrinfo(address->host, address->port, &hints, &list);
	if (n != 0) {
		(void)snprintf(link->why, sizeof(link->why), "%s",
		    n == EAI_SYSTEM ? strerror(errno) : gai_strerror(n));
		return E2E_ERR_UNREACHABLE;
	}
	for (a = list; a != NULL; a = a->ai_next)
		left++;
	errno = ETIMEDOUT;
	for (a = list; a != NULL; a = a->ai_next, left--) {
		now = clock_monotonic() / 1000000;
		if (now >= end)
			break;
		if (connect_one(link, a->ai_family, a->ai_addr,
		    a->ai_addrlen, (int)((end - now) / (uint64_t)left) + 1))
			break;
	}
	n = errno;
	freeaddrinfo(list);
	return link->fd >= 0 ? E2E_OK :
	    unreachable(link, "cannot connect", n);
}

enum e2e_error
link_open(struct link **result, const struct address *address,
    const struct tls_trust *trust, unsigned timeout, char why[WHY_LEN])
{
	struct link *link = calloc(1, sizeof(*link));
	enum e2e_error error;

	*result = NULL;
	why[0] = '\0';
	if (link == NULL)
		return E2E_ERR_MEMORY;
	link->fd = -1;
	link->timeout = milliseconds(timeout);
	if (link->timeout < 0)
		link->timeout = INT_MAX;
	buffer_init(&link->in, FRAME_MAX + 2 * PIECE);
	if (!buffer_reserve(&link->in, PIECE))
		error = E2E_ERR_MEMORY;
	else if (address->is_unix)
		error = connect_unix(link, address->host);
	else
		error = connect_host(link, address);
	if (error == E2E_OK && address->tls)
		error = handshake(link, address->host, trust);
	if (error == E2E_OK) {
		*result = link;		/* transferred */
		return E2E_OK;
	}
	memcpy(why, link->why, WHY_LEN);
	link_close(link);
	return error;
}

void
link_close(struct link *link)
{
	if (link == NULL)
		return;
	if (link->tls != NULL && !link->ended &&
	    tls_state(link->tls) == TLS_OPEN) {
		link->timeout = 0;	/* a courtesy, not worth waiting */
		tls_end(link->tls);
		(void)flush_tls(link);
	}
	tls_free(link->tls);
	tls_context_free(link->context);
	if (link->fd >= 0)
		(void)close(link->fd);
	buffer_free(&link->in);
	free(link);
}

const char *
link_why(const struct link *link)
{
	return link->why;
}

void
link_binding(const struct link *link, unsigned char binding[TLS_BINDING_LEN])
{
	if (link->tls == NULL || !tls_binding(link->tls, binding))
		memset(binding, 0, TLS_BINDING_LEN);
}

bool
link_has_tls(const struct link *link)
{
	return link->tls != NULL;
}

int
link_fd(const struct link *link)
{
	return link->fd;
}

/* ---- what passes ---- */

enum e2e_error
link_send(struct link *link, const void *data, size_t size)
{
	const unsigned char *from = data;
	enum e2e_error error = E2E_OK;
	size_t part;

	if (link->tls == NULL)
		return send_raw(link, data, size);
	while (error == E2E_OK && size > 0) {
		if (tls_state(link->tls) != TLS_OPEN)
			return unreachable(link, "the connection has ended",
			    0);
		part = size < PIECE ? size : PIECE;
		error = tls_write(link->tls, from, part);
		if (error == E2E_OK)
			error = flush_tls(link);
		from += part;
		size -= part;
	}
	return error;
}

static enum e2e_error
answer_ping(struct link *link, const struct frame *ping)
{
	struct frame pong = { .type = FRAME_PONG };
	enum e2e_error error = E2E_ERR_MEMORY;
	struct buffer out;

	pong.ping.number = ping->ping.number;
	buffer_init(&out, FRAME_MAX);
	frame_put(&out, &pong);
	if (!out.failed)
		error = link_send(link, out.data, out.length);
	buffer_free(&out);
	return error;
}

/* Of a time in milliseconds, what is left until `end`; at least none. */
static int
left_until(uint64_t end)
{
	uint64_t now = clock_monotonic() / 1000000;

	return now >= end ? 0 : (int)(end - now);
}

enum e2e_error
link_frame(struct link *link, struct frame *frame, struct bytes *whole,
    uint32_t timeout)
{
	int limit = timeout == 0 ? link->timeout : milliseconds(timeout);
	uint64_t end = clock_monotonic() / 1000000 + (uint64_t)limit;
	enum e2e_error error = E2E_OK;
	size_t length;

	while (error == E2E_OK) {
		switch (frame_parse(frame, link->in.data + link->at,
		    link->in.length - link->at, &length)) {
		case FRAME_COMPLETE:
			*whole = (struct bytes){ link->in.data + link->at,
			    length };
			link->at += length;
			if (frame->type != FRAME_PING)
				return E2E_OK;
			error = answer_ping(link, frame);
			/* Questions alone are not what is waited for. */
			if (error == E2E_OK && limit != FOR_EVER &&
			    left_until(end) == 0)
				error = unreachable(link,
				    "no answer in time", 0);
			break;
		case FRAME_SHORT:
			error = receive(link, limit == FOR_EVER ? FOR_EVER :
			    left_until(end));
			break;
		case FRAME_BAD:
			(void)snprintf(link->why, sizeof(link->why), "%s",
			    "what came is no frame: is this a relay?");
			return E2E_ERR_PROTOCOL;
		}
	}
	return error;
}

enum e2e_error
link_raw(struct link *link, void *data, size_t size)
{
	unsigned char *to = data;
	enum e2e_error error = E2E_OK;
	size_t part;

	while (error == E2E_OK && size > 0) {
		part = link->in.length - link->at;
		if (part > 0) {
			part = part < size ? part : size;
			memcpy(to, link->in.data + link->at, part);
			link->at += part;
		} else if (link->tls != NULL) {
			error = receive(link, link->timeout);
			continue;
		} else {
			error = receive_raw(link, to, size, &part,
			    link->timeout);
		}
		to += part;
		size -= part;
	}
	return error;
}

static bool
has_input(struct link *link, bool may_answer)
{
	unsigned pings = 0;
	struct frame frame;
	size_t length;

	for (;;) {
		switch (frame_parse(&frame, link->in.data + link->at,
		    link->in.length - link->at, &length)) {
		case FRAME_COMPLETE:
			if (frame.type != FRAME_PING)
				return true;
			if (!may_answer || pings++ == PINGS_MAX)
				return false;
			link->at += length;
			if (answer_ping(link, &frame) != E2E_OK)
				return true;
			break;
		case FRAME_SHORT:
			/* What is here already; a failure is input, too. */
			if (receive(link, 0) != E2E_OK)
				return link->ended;
			break;
		case FRAME_BAD:
			return true;
		}
	}
}

bool
link_has_input(struct link *link)
{
	return has_input(link, true);
}

bool
link_was_interrupted(struct link *link)
{
	return has_input(link, false);
}
