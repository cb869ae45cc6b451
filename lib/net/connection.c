/*
 * connection.c: bytes between sockets and the relay's peers.
 *
 * Ten thousand connections wait for mail most of the time: an idle one has
 * its handle, its peer and no buffers. Bytes are read into one buffer of all
 * connections, handed on, and written straight from the peer's output; only
 * what a socket does not take is copied, a bounded piece of it, until it does.
 */
#include "net/connection.h"

#include "base/clock.h"
#include "relay/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	TLS_FIRST_BYTE = 0x16,		/* of a handshake record */
	WRITE_PIECE = 65536,		/* copied for a slow socket */
	WRITE_TURN = 1 << 20,		/* for one connection in one turn */
	REFUSED_MAX = 256,		/* told so, at the same time */
	REFUSED_MS = 2000,
	LAST_MS = 2000,			/* for what a closing one is still owed */
	TALKING_MS = 500		/* between two pieces of what is sent */
};

/*
 * 1. `all` and `dirty` are chains of connections.c's struct.
 * 2. deadline, 0: none: of a handshake, of a refused connection, or of the
 *    last output of one that is to be closed. The peer has its own.
 */
struct connection {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	};
	struct connections *set;
	struct chain all, dirty;
	struct peer *peer;
	struct tls *tls;
	uint64_t deadline;
	uint64_t heard;			/* when something came, steady */
	unsigned char address[16];	/* v4 mapped */
	bool has_address, local;
	bool begun;			/* the first byte has come */
	bool handshaking;
	bool refused, reading, writing, shut, ended, closing;
};

struct pending_write {
	uv_write_t request;
	struct connection *connection;
	char data[];
};

void
connections_init(struct connections *set, uv_loop_t *loop,
    struct relay *relay, uint32_t handshake_ms)
{

	memset(set, 0, sizeof(*set));
	set->loop = loop;
	set->relay = relay;
	set->handshake_ms = handshake_ms;
	chain_init(&set->all);
	chain_init(&set->dirty);
	buffer_init(&set->plain, CONNECTION_READ);
	buffer_init(&set->cipher, WRITE_PIECE);
	(void)uv_idle_init(loop, &set->again);	/* never fails */
}

void
connections_free(struct connections *set)
{

	buffer_free(&set->plain);
	buffer_free(&set->cipher);
	tls_context_free(set->tls);
	set->tls = NULL;
}

static void
mark(struct connection *c)
{

	if (!c->closing && chain_is_empty(&c->dirty))
		chain_add(&c->set->dirty, &c->dirty);
}

void
connection_wake(struct connections *set, struct peer *peer)
{
	struct connection *c = peer_data(peer);

	if (c != NULL)
		mark(c);
}

/* ---- ending ---- */

static void
on_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;

	c->set->count--;
	free(c);
}

static void
end_connection(struct connection *c)
{

	if (c->closing)
		return;
	c->closing = true;
	chain_remove(&c->all);
	chain_remove(&c->dirty);
	if (c->refused)
		c->set->refused_now--;
	if (c->peer != NULL)
		peer_free(c->peer);
	c->peer = NULL;
	tls_free(c->tls);
	c->tls = NULL;
	uv_close(&c->handle, on_closed);
}

static void
shut_output(struct connection *c)
{
	uv_os_fd_t fd;

	if (c->shut)
		return;
	c->shut = true;
	/* Everything is in the kernel already: no uv_shutdown is needed. */
	if (uv_fileno(&c->handle, &fd) == 0)
		(void)shutdown(fd, SHUT_WR);
}

/* ---- output ---- */

static void
on_written(uv_write_t *request, int status)
{
	struct pending_write *pending = (struct pending_write *)request;
	struct connection *c = pending->connection;

	free(pending);
	c->writing = false;
	if (status != 0)
		end_connection(c);
	else
		mark(c);
}

/*
 * As much of the bytes as the socket takes now, and a piece of the rest into
 * its queue. *taken of them are on their way; false: the connection ended.
 */
static bool
write_some(struct connection *c, const void *data, size_t size,
    size_t *taken)
{
	uv_buf_t buf = { .base = (char *)(uintptr_t)data, .len = size };
	struct pending_write *pending;
	int n = uv_try_write(&c->stream, &buf, 1);

	*taken = n > 0 ? (size_t)n : 0;
	if (n < 0 && n != UV_EAGAIN) {
		end_connection(c);
		return false;
	}
	if (*taken == size)
		return true;
	data = (const char *)data + *taken;
	size -= *taken;
	if (size > WRITE_PIECE)
		size = WRITE_PIECE;
	pending = malloc(sizeof(*pending) + size);
	if (pending == NULL) {
		end_connection(c);
		return false;
	}
	pending->connection = c;
	memcpy(pending->data, data, size);
	buf = uv_buf_init(pending->data, (unsigned)size);
	if (uv_write(&pending->request, &c->stream, &buf, 1,
	    on_written) != 0) {
		free(pending);
		end_connection(c);
		return false;
	}
	c->writing = true;
	*taken += size;
	return true;
}

/* False: the connection ended. */
static bool
push_plain(struct connection *c)
{
	struct bytes output;
	size_t taken, sum = 0;

	while (!c->writing && sum < WRITE_TURN) {
		output = peer_output(c->peer);
		if (output.length == 0)
			return true;
		if (!write_some(c, output.data, output.length, &taken))
			return false;
		peer_sent(c->peer, taken);
		sum += taken;
	}
	if (!c->writing)
		mark(c);		/* the others first */
	return true;
}

/* Ciphertext that libssl has ready. */
static bool
push_cipher(struct connection *c)
{
	struct connections *set = c->set;
	size_t taken;

	while (!c->writing && tls_pending(c->tls) > 0) {
		buffer_clear(&set->cipher);
		if (tls_take(c->tls, &set->cipher, WRITE_PIECE) != E2E_OK) {
			end_connection(c);
			return false;
		}
		/* All of it is taken: it is no more than a piece. */
		if (!write_some(c, set->cipher.data, set->cipher.length,
		    &taken))
			return false;
	}
	return true;
}

static bool
push_tls(struct connection *c)
{
	enum { RECORDS = 65536 - 4096 };	/* fit a piece, encrypted */
	struct bytes output;
	size_t size, sum = 0;

	for (;;) {
		if (!push_cipher(c))
			return false;
		if (c->writing || c->handshaking)
			return true;
		output = peer_output(c->peer);
		if (output.length == 0)
			return true;
		if (sum >= WRITE_TURN) {
			mark(c);
			return true;
		}
		size = output.length < RECORDS ? output.length : RECORDS;
		if (tls_write(c->tls, output.data, size) != E2E_OK) {
			end_connection(c);
			return false;
		}
		peer_sent(c->peer, size);
		sum += size;
	}
}

/* ---- input ---- */

/* The other side will send no more. */
static void
end_input(struct connection *c)
{

	if (c->ended)
		return;
	c->ended = true;
	if (c->peer != NULL)
		peer_end(c->peer);
}

/* The handshake is done: from now on a peer who knows of it. */
static bool
begin_tls_peer(struct connection *c)
{
	struct peer_origin origin = { .local = c->local, .tls = true,
	    .has_address = c->has_address };

	memcpy(origin.address, c->address, sizeof(origin.address));
	if (!tls_binding(c->tls, origin.binding))
		return false;
	/* In this order: it is to be counted once. */
	peer_free(c->peer);
	c->peer = peer_new(c->set->relay, &origin, c);
	c->deadline = 0;
	c->handshaking = false;
	c->set->counters.tls++;
	return c->peer != NULL;
}

/*
 * Plaintext that is there and wanted. False: the connection ended.
 */
static bool
pump_tls(struct connection *c)
{
	struct connections *set = c->set;
	enum tls_state state = tls_state(c->tls);

	if (state == TLS_OPEN && c->handshaking && !begin_tls_peer(c)) {
		end_connection(c);
		return false;
	}
	while (!c->handshaking && !c->ended && peer_wants_input(c->peer)) {
		buffer_clear(&set->plain);
		if (tls_read(c->tls, &set->plain,
		    CONNECTION_READ / 2) != E2E_OK) {
			end_connection(c);
			return false;
		}
		if (set->plain.length == 0)
			break;
		peer_input(c->peer, set->plain.data, set->plain.length);
	}
	state = tls_state(c->tls);
	if (state == TLS_ENDED)
		end_input(c);
	if (state != TLS_FAILED)
		return true;
	set->counters.tls_failed++;
	if (push_cipher(c))		/* the alert */
		end_connection(c);
	return false;
}

/* The relay has no room for it: that is said in the manner in which it
 * speaks; in TLS not at all, that would be work. */
static void
refuse(struct connection *c, const unsigned char *data, size_t size)
{
	static const char line[] = "ERR busy retry=5 too many connections\n";
	struct buffer text;
	size_t taken;

	if (data[0] == TLS_FIRST_BYTE) {
		end_connection(c);
		return;
	}
	buffer_init(&text, FRAME_MAX);
	if (size >= FRAME_START_LEN &&
	    memcmp(data, frame_start, FRAME_START_LEN) == 0)
		frame_put_goaway(&text, "too many connections", 5);
	else
		(void)buffer_append(&text, line, sizeof(line) - 1);
	if (!text.failed &&
	    write_some(c, text.data, text.length, &taken) && !c->writing)
		shut_output(c);
	buffer_free(&text);
}

static void
take_input(struct connection *c, const unsigned char *data, size_t size)
{
	bool first = !c->begun;

	c->begun = true;
	if (c->refused) {
		if (first)
			refuse(c, data, size);
		return;
	}
	if (first && data[0] == TLS_FIRST_BYTE && c->set->tls != NULL) {
		if ((c->tls = tls_new(c->set->tls, NULL)) == NULL) {
			end_connection(c);
			return;
		}
		c->handshaking = true;
		c->deadline = uv_now(c->set->loop) + c->set->handshake_ms;
	}
	if (c->tls == NULL)
		peer_input(c->peer, data, size);
	else if (tls_receive(c->tls, data, size) != E2E_OK) {
		end_connection(c);
		return;
	} else if (!pump_tls(c)) {
		return;
	}
	mark(c);
}

static void
set_reading(struct connection *c);

static void
on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct connection *c = handle->data;

	*buf = uv_buf_init((char *)c->set->input, CONNECTION_READ);
}

static void
on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct connection *c = stream->data;

	if (n == 0)
		return;
	relay_set_time(c->set->relay, clock_now(), uv_now(c->set->loop));
	if (n > 0) {
		c->heard = uv_now(c->set->loop);
		take_input(c, (const unsigned char *)buf->base, (size_t)n);
	} else if (n == UV_EOF && !c->refused &&
	    !c->handshaking) {
		/* Without a close_notify, too: envelopes and frames end
		 * themselves, a cut one is noticed. */
		end_input(c);
		mark(c);
	} else {
		end_connection(c);
	}
	if (!c->closing)
		set_reading(c);
}

static void
set_reading(struct connection *c)
{
	bool wanted = !c->ended && (c->refused || c->handshaking ||
	    peer_wants_input(c->peer));

	if (wanted == c->reading)
		return;
	c->reading = wanted;
	if (!wanted)
		(void)uv_read_stop(&c->stream);	/* never fails */
	else if (uv_read_start(&c->stream, on_room, on_read) != 0)
		end_connection(c);
}

/* ---- the turn ---- */

static void
follow_state(struct connection *c)
{
	enum peer_state state = peer_state(c->peer);

	if (state == PEER_OPEN)
		return;
	if (state == PEER_CLOSED && c->deadline == 0)
		c->deadline = uv_now(c->set->loop) + LAST_MS;
	if (c->writing || peer_output(c->peer).length > 0)
		return;
	if (c->tls != NULL && !c->shut) {
		tls_end(c->tls);
		if (!push_cipher(c) || c->writing)
			return;
	}
	if (state == PEER_HALF_CLOSED)
		shut_output(c);
	else
		end_connection(c);
}

static void
serve(struct connection *c)
{

	if (c->refused) {
		if (c->begun && !c->writing)
			shut_output(c);
		return;
	}
	if (c->tls != NULL && !pump_tls(c))
		return;
	if (!c->shut && !(c->tls == NULL ? push_plain(c) : push_tls(c)))
		return;
	if (!c->handshaking)
		follow_state(c);
	if (!c->closing)
		set_reading(c);
}

static void
on_again(uv_idle_t *handle)
{

	/* It is there so that the loop does not wait. */
}

void
connection_turn(struct connections *set)
{
	struct chain batch, *c;

	if (chain_is_empty(&set->dirty)) {
		(void)uv_idle_stop(&set->again);
		return;
	}
	relay_set_time(set->relay, clock_now(), uv_now(set->loop));
	/* Those that get marked meanwhile wait for the next turn. */
	chain_init(&batch);
	chain_add(&set->dirty, &batch);
	chain_remove(&set->dirty);
	while (!chain_is_empty(&batch)) {
		c = batch.next;
		chain_remove(c);
		serve(CHAIN_OF(c, struct connection, dirty));
	}
	if (chain_is_empty(&set->dirty))
		(void)uv_idle_stop(&set->again);
	else
		(void)uv_idle_start(&set->again, on_again);
}

void
connection_sweep(struct connections *set, uint64_t steady)
{
	struct connection *c;
	struct chain *at, *next;
	uint64_t deadline;

	for (at = set->all.next; at != &set->all; at = next) {
		next = at->next;
		c = CHAIN_OF(at, struct connection, all);
		if (c->deadline != 0 && c->deadline <= steady) {
			end_connection(c);
			continue;
		}
		if (c->refused || c->handshaking)
			continue;
		deadline = peer_deadline(c->peer);
		if (deadline != 0 && deadline <= steady) {
			peer_tick(c->peer);
			mark(c);
		}
	}
}

bool
connections_have_output(const struct connections *set)
{
	const struct connection *c;
	const struct chain *at;

	for (at = set->all.next; at != &set->all; at = at->next) {
		c = (const struct connection *)(const void *)
		    ((const char *)at - offsetof(struct connection, all));
		if (c->writing || !chain_is_empty(&c->dirty) ||
		    (c->peer != NULL && !c->shut &&
		    peer_output(c->peer).length > 0))
			return true;
	}
	return false;
}

bool
connections_are_talked_to(const struct connections *set, uint64_t steady)
{
	const struct connection *c;
	const struct chain *at;

	for (at = set->all.next; at != &set->all; at = at->next) {
		c = (const struct connection *)(const void *)
		    ((const char *)at - offsetof(struct connection, all));
		if (c->shut && !c->ended && c->heard != 0 &&
		    steady - c->heard < TALKING_MS)
			return true;
	}
	return false;
}

void
connections_close(struct connections *set)
{

	while (!chain_is_empty(&set->all))
		end_connection(CHAIN_OF(set->all.next, struct connection,
		    all));
}

/* ---- beginning ---- */

/* What counts as the other side's address. */
static void
take_address(struct connection *c, const struct sockaddr *from)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct sockaddr_in6 *v6 = (const void *)from;
	const struct sockaddr_in *v4 = (const void *)from;

	if (from->sa_family == AF_INET) {
		memcpy(c->address, mapped, sizeof(mapped));
		memcpy(c->address + 12, &v4->sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		memcpy(c->address, &v6->sin6_addr, 16);
	} else {
		c->local = true;
		return;
	}
	c->has_address = true;
	if (memcmp(c->address, mapped, sizeof(mapped)) == 0)
		c->local = c->address[12] == 127;
	else
		c->local = memcmp(c->address, &in6addr_loopback, 16) == 0;
}

const char *
connection_address(const struct connection *c, char text[64])
{
	struct in6_addr v6;

	if (c == NULL || !c->has_address)
		return NULL;
	memcpy(&v6, c->address, 16);
	if (IN6_IS_ADDR_V4MAPPED(&v6))
		return inet_ntop(AF_INET, c->address + 12, text, 64);
	return inet_ntop(AF_INET6, c->address, text, 64);
}

static bool
open_handle(struct connection *c, int fd, bool is_unix)
{
	int on = 1;

	if (is_unix) {
		if (uv_pipe_init(c->set->loop, &c->pipe, 0) != 0)
			return false;
	} else {
		if (uv_tcp_init(c->set->loop, &c->tcp) != 0)
			return false;
		/* An answer is one small piece, and it is awaited. */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
		    sizeof(on));
	}
	c->handle.data = c;
	return true;
}

void
connection_new(struct connections *set, int fd, const struct sockaddr *from)
{
	bool is_unix = from->sa_family == AF_UNIX;
	struct peer_origin origin;
	struct connection *c;

	set->counters.accepted++;
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		(void)close(fd);
		return;
	}
	c->set = set;
	if (!open_handle(c, fd, is_unix)) {
		free(c);
		(void)close(fd);
		return;
	}
	chain_init(&c->dirty);
	chain_add(&set->all, &c->all);
	set->count++;
	take_address(c, from);
	if ((is_unix ? uv_pipe_open(&c->pipe, fd) :
	    uv_tcp_open(&c->tcp, fd)) != 0) {
		(void)close(fd);
		end_connection(c);
		return;
	}
	memset(&origin, 0, sizeof(origin));
	origin.local = c->local;
	origin.has_address = c->has_address;
	memcpy(origin.address, c->address, sizeof(origin.address));
	c->peer = peer_new(set->relay, &origin, c);
	if (c->peer == NULL) {
		set->counters.refused++;
		if (set->refused_now == REFUSED_MAX) {
			end_connection(c);
			return;
		}
		c->refused = true;
		set->refused_now++;
		c->deadline = uv_now(set->loop) + REFUSED_MS;
	}
	set_reading(c);
}
