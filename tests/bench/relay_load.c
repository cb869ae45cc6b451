/*
 * relay_load: how many durable receipts a second a relay gives, and how long
 * each takes. One thread, many connections; the same for an MQTT broker (QoS
 * 1), so that one clock measures both.
 *
 *	relay_load [-c CLIENTS] [-t SECONDS] [-w WINDOW] [-a ADDRESSES] [-1 | -q]
 *	    -e FILE... HOST PORT
 *
 *	-c	connections at a time (1)
 *	-t	how long receipts are counted, after half a second that is not (5)
 *	-w	messages under way in one connection (1)
 *	-a	connect from so many addresses, 127.0.0.1 and up (1)
 *	-1	one connection for each message: the message, the end of output,
 *		the receipt
 *	-q	MQTT 3.1.1 instead of envelopes
 *	-e	an envelope; those that are sent differ from it in 16 bytes near
 *		their end. Several: connections take turns.
 *
 * A message counts when its receipt has been read, and was right: an OK with
 * the SHA-256 of what was sent and at least one copy stored. Prints one line of
 * KEY=VALUE; times in microseconds, from the first byte (with -1: from the
 * call of connect) to the end of the receipt's line. Status 1 if nothing
 * was receipted, or a receipt was false.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

enum {
	END_LEN = 17,		/* 16 bytes that differ, and the break */
	HEAD_MAX = 64,		/* of a PUBLISH */
	WINDOW_MAX = 4096,
	TEMPLATES_MAX = 4096,
	LINE_MAX_LEN = 512,
	ID_TEXT = 43
};

#define TOPIC "bench"

/* What all messages of an envelope have in common. */
struct pattern {
	unsigned char *data;	/* without END_LEN bytes */
	size_t size;
	EVP_MD_CTX *hash;
};

struct under_way {
	unsigned char end[END_LEN];
	uint64_t since;
	unsigned packet;	/* MQTT's number; 0: free */
	bool done;		/* its receipt came out of turn (MQTT) */
};

enum stage { CONNECTING, GREETING, RUNNING };

/*
 * One connection. Messages first .. next - 1 are under way, in a ring;
 * next - 1 is perhaps not sent completely: `sent` bytes of it are.
 */
struct client {
	int fd;
	enum stage stage;
	uint64_t started;
	const struct pattern *pattern;
	struct under_way *ring;
	uint64_t first, next;
	unsigned char head[HEAD_MAX];
	size_t head_size, sent, total;
	bool sending;
	char line[LINE_MAX_LEN];
	size_t line_size;
	uint32_t events;	/* that epoll watches */
};

static struct {
	size_t clients, window, addresses;
	double seconds;
	bool each, mqtt;
	struct sockaddr_in to;
	struct pattern patterns[TEMPLATES_MAX];
	size_t pattern_count;
} config = { .clients = 1, .window = 1, .addresses = 1, .seconds = 5 };

static struct {
	uint64_t begin, end;	/* of counting */
	uint64_t receipts, errors, broken, wrong;
	uint32_t *times;
	size_t time_room;
	char first_error[LINE_MAX_LEN];
} result;

static int poller;
static uint64_t serial;
static unsigned char nonce[8];
static EVP_MD_CTX *scratch;
static size_t turn;

static void
die(const char *what)
{
	fprintf(stderr, "relay_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void *
allocate(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (p == NULL)
		die("memory");
	return p;
}

/* ---- what is counted ---- */

static void
count_receipt(uint64_t since, uint64_t now)
{
	if (now < result.begin || now >= result.end)
		return;
	if (result.receipts == result.time_room) {
		result.time_room = result.time_room * 2 + 65536;
		result.times = realloc(result.times,
		    result.time_room * sizeof *result.times);
		if (result.times == NULL)
			die("memory");
	}
	result.times[result.receipts++] =
	    now - since > UINT32_MAX ? UINT32_MAX : (uint32_t)(now - since);
}

static void
count_error(const char *text)
{
	if (result.errors++ == 0)
		snprintf(result.first_error, sizeof result.first_error, "%s",
		    text);
}

/* base64url of what was sent. */
static void
id_text(char text[ID_TEXT + 1], const struct pattern *p,
    const unsigned char end[END_LEN])
{
	unsigned char id[33] = { 0 }, encoded[ID_TEXT + 2];

	if (EVP_MD_CTX_copy_ex(scratch, p->hash) != 1 ||
	    EVP_DigestUpdate(scratch, end, END_LEN) != 1 ||
	    EVP_DigestFinal_ex(scratch, id, NULL) != 1)
		die("SHA-256");
	EVP_EncodeBlock(encoded, id, 33);
	for (size_t i = 0; i < ID_TEXT; i++)
		text[i] = encoded[i] == '+' ? '-' :
		    encoded[i] == '/' ? '_' : (char)encoded[i];
	text[ID_TEXT] = '\0';
}

/* ---- sending ---- */

static void
watch(struct client *c, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = c };

	if (events == c->events)
		return;
	if (epoll_ctl(poller, c->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
	    c->fd, &e) != 0)
		die("epoll_ctl");
	c->events = events;
}

static struct under_way *
place(struct client *c, uint64_t number)
{
	return &c->ring[number % config.window];
}

/* The fixed header of a PUBLISH, its topic and number. */
static void
put_publish(struct client *c, unsigned packet, size_t size)
{
	size_t rest = 2 + sizeof TOPIC - 1 + 2 + size, n = 0;

	c->head[n++] = 0x32;
	do {
		c->head[n++] = (unsigned char)(rest % 128 |
		    (rest >= 128 ? 128 : 0));
		rest /= 128;
	} while (rest > 0);
	c->head[n++] = 0;
	c->head[n++] = sizeof TOPIC - 1;
	memcpy(c->head + n, TOPIC, sizeof TOPIC - 1);
	n += sizeof TOPIC - 1;
	c->head[n++] = (unsigned char)(packet >> 8);
	c->head[n++] = (unsigned char)packet;
	c->head_size = n;
}

static void
next_message(struct client *c, uint64_t now)
{
	struct under_way *w = place(c, c->next);
	size_t size = c->pattern->size + END_LEN;

	memcpy(w->end, nonce, sizeof nonce);
	serial++;
	for (int i = 0; i < 8; i++)
		w->end[8 + i] = (unsigned char)(serial >> (8 * (7 - i)));
	w->end[END_LEN - 1] = 0xff;
	w->since = config.each ? c->started : now;
	w->packet = (unsigned)(c->next % 65535) + 1;
	w->done = false;
	c->head_size = 0;
	if (config.mqtt)
		put_publish(c, w->packet, size);
	c->next++;
	c->sent = 0;
	c->total = c->head_size + size;
	c->sending = true;
}

/* The rest of the message that is being sent, without copying it. */
static ssize_t
write_rest(struct client *c)
{
	struct under_way *w = place(c, c->next - 1);
	struct iovec all[3] = { { c->head, c->head_size },
		{ c->pattern->data, c->pattern->size }, { w->end, END_LEN } };
	struct msghdr message = { .msg_iov = all, .msg_iovlen = 3 };
	size_t skip = c->sent;

	for (int i = 0; i < 3; i++) {
		size_t n = skip < all[i].iov_len ? skip : all[i].iov_len;

		all[i].iov_base = (unsigned char *)all[i].iov_base + n;
		all[i].iov_len -= n;
		skip -= n;
	}
	return sendmsg(c->fd, &message, MSG_NOSIGNAL);
}

/* False: the connection is broken. */
static bool
send_some(struct client *c)
{
	for (;;) {
		ssize_t n;

		if (!c->sending) {
			if (c->next - c->first >= config.window ||
			    (config.each && c->next > 0))
				break;
			next_message(c, now_us());
		}
		n = write_rest(c);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			watch(c, EPOLLIN | EPOLLOUT);
			return true;
		}
		if (n < 0)
			return false;
		c->sent += (size_t)n;
		if (c->sent == c->total) {
			c->sending = false;
			if (config.each)
				shutdown(c->fd, SHUT_WR);
		}
	}
	watch(c, EPOLLIN);
	return true;
}

static void
open_client(struct client *c)
{
	int one = 1;
	struct sockaddr_in from = { .sin_family = AF_INET };

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (config.addresses > 1) {
		from.sin_addr.s_addr =
		    htonl(INADDR_LOOPBACK + (uint32_t)(turn++ % config.addresses));
		setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
		    sizeof one);
		if (bind(c->fd, (struct sockaddr *)&from, sizeof from) != 0)
			die("bind");
	}
	c->first = c->next = 0;
	c->line_size = 0;
	c->sending = false;
	c->events = 0;
	c->stage = CONNECTING;
	c->started = now_us();
	if (connect(c->fd, (const struct sockaddr *)&config.to,
	    sizeof config.to) != 0 && errno != EINPROGRESS)
		die("connect");
	watch(c, EPOLLOUT);
}

static void
close_client(struct client *c)
{
	close(c->fd);
	c->fd = -1;
}

static bool
begin(struct client *c)
{
	unsigned char hello[64] = { 0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2,
		0, 0, 0, 0 };
	int n;

	if (!config.mqtt) {
		c->stage = RUNNING;
		return send_some(c);
	}
	n = snprintf((char *)hello + 14, sizeof hello - 14, "load%p",
	    (void *)c);
	hello[1] = (unsigned char)(12 + n);
	hello[13] = (unsigned char)n;
	c->stage = GREETING;
	watch(c, EPOLLIN);
	return send(c->fd, hello, (size_t)(14 + n), MSG_NOSIGNAL) == 14 + n;
}

/* ---- receiving ---- */

static void
judge_line(struct client *c, const char *line, uint64_t now)
{
	struct under_way *w = place(c, c->first);
	char id[ID_TEXT + 1];

	if (c->first == c->next) {
		count_error(line);
		return;
	}
	c->first++;
	if (strncmp(line, "OK ", 3) != 0) {
		count_error(line);
		return;
	}
	id_text(id, c->pattern, w->end);
	if (strncmp(line + 3, id, ID_TEXT) != 0 || line[3 + ID_TEXT] != ' ' ||
	    strstr(line, " stored=0 ") != NULL) {
		result.wrong++;
		count_error(line);
		return;
	}
	count_receipt(w->since, now);
}

/* Whole lines of what has come. */
static bool
take_lines(struct client *c, uint64_t now)
{
	char *newline;

	while ((newline = memchr(c->line, '\n', c->line_size)) != NULL) {
		size_t n = (size_t)(newline - c->line) + 1;

		*newline = '\0';
		judge_line(c, c->line, now);
		c->line_size -= n;
		memmove(c->line, c->line + n, c->line_size);
	}
	return c->line_size < sizeof c->line;
}

static void
take_puback(struct client *c, unsigned packet, uint64_t now)
{
	for (uint64_t i = c->first; i < c->next; i++) {
		struct under_way *w = place(c, i);

		if (w->packet == packet && !w->done) {
			w->done = true;
			count_receipt(w->since, now);
			break;
		}
	}
	while (c->first < c->next && place(c, c->first)->done)
		c->first++;
}

/* CONNACK and PUBACK: four bytes each. */
static bool
take_packets(struct client *c, uint64_t now)
{
	while (c->line_size >= 4) {
		const unsigned char *p = (const unsigned char *)c->line;

		if (p[0] == 0x20 && p[1] == 2 && p[3] == 0)
			c->stage = RUNNING;
		else if (p[0] == 0x40 && p[1] == 2)
			take_puback(c, (unsigned)p[2] << 8 | p[3], now);
		else
			return false;
		c->line_size -= 4;
		memmove(c->line, c->line + 4, c->line_size);
	}
	return true;
}

/* False: the connection is over, or broken. */
static bool
receive(struct client *c)
{
	ssize_t n = recv(c->fd, c->line + c->line_size,
	    sizeof c->line - c->line_size, 0);
	uint64_t now = now_us();

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	c->line_size += (size_t)n;
	return config.mqtt ? take_packets(c, now) : take_lines(c, now);
}

static bool
serve(struct client *c, uint32_t events)
{
	if (c->stage == CONNECTING)
		return (events & (EPOLLERR | EPOLLHUP)) == 0 && begin(c);
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !receive(c))
		return false;
	if (config.each && c->first > 0)
		return false;
	return c->stage != RUNNING || send_some(c);
}

/* ---- all of them ---- */

static void
run(void)
{
	struct client *clients = allocate(config.clients, sizeof *clients);
	struct epoll_event events[256];

	poller = epoll_create1(EPOLL_CLOEXEC);
	if (poller < 0)
		die("epoll_create1");
	result.begin = now_us() + 500000;
	result.end = result.begin + (uint64_t)(config.seconds * 1e6);
	for (size_t i = 0; i < config.clients; i++) {
		clients[i].ring = allocate(config.window,
		    sizeof *clients[i].ring);
		clients[i].pattern =
		    &config.patterns[i % config.pattern_count];
		open_client(&clients[i]);
	}
	while (now_us() < result.end) {
		int n = epoll_wait(poller, events, 256, 100);

		for (int i = 0; i < n; i++) {
			struct client *c = events[i].data.ptr;

			if (serve(c, events[i].events))
				continue;
			/* In one connection for each message this is how all
			 * of them end. */
			if (!config.each || c->first == 0)
				result.broken++;
			close_client(c);
			if (result.broken > 10 * config.clients)
				return;
			open_client(c);
		}
	}
}

static int
ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t
percentile(double p)
{
	size_t i = (size_t)(p / 100 * (double)result.receipts);

	if (result.receipts == 0)
		return 0;
	return result.times[i < result.receipts ? i : result.receipts - 1];
}

static int
report(void)
{
	if (result.receipts > 0)
		qsort(result.times, result.receipts, sizeof *result.times,
		    ascending);
	printf("receipts=%llu rate=%.0f p50=%u p99=%u p999=%u max=%u "
	    "errors=%llu broken=%llu wrong=%llu\n",
	    (unsigned long long)result.receipts,
	    (double)result.receipts / config.seconds, percentile(50),
	    percentile(99), percentile(99.9), percentile(100),
	    (unsigned long long)result.errors,
	    (unsigned long long)result.broken,
	    (unsigned long long)result.wrong);
	if (result.errors > 0)
		fprintf(stderr, "relay_load: first error: %s\n",
		    result.first_error);
	return fflush(stdout) == 0 && result.receipts > 0 &&
	    result.wrong == 0 ? 0 : 1;
}

static void
add_pattern(const char *path)
{
	struct pattern *p = &config.patterns[config.pattern_count];
	FILE *f = fopen(path, "rb");
	long size;

	if (f == NULL || config.pattern_count == TEMPLATES_MAX)
		die(path);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	if (size <= END_LEN) {
		errno = EINVAL;
		die(path);
	}
	p->size = (size_t)size - END_LEN;
	p->data = allocate(1, p->size);
	if (fread(p->data, 1, p->size, f) != p->size)
		die(path);
	fclose(f);
	p->hash = EVP_MD_CTX_new();
	if (p->hash == NULL ||
	    EVP_DigestInit_ex(p->hash, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(p->hash, p->data, p->size) != 1)
		die("SHA-256");
	config.pattern_count++;
}

static void
prepare(void)
{
	struct rlimit files;
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, nonce, sizeof nonce) != sizeof nonce)
		die("/dev/urandom");
	close(fd);
	scratch = EVP_MD_CTX_new();
	if (scratch == NULL)
		die("SHA-256");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

int
main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "c:t:w:a:1qe:")) != -1) {
		switch (option) {
		case 'c': config.clients = strtoul(optarg, NULL, 10); break;
		case 't': config.seconds = strtod(optarg, NULL); break;
		case 'w': config.window = strtoul(optarg, NULL, 10); break;
		case 'a': config.addresses = strtoul(optarg, NULL, 10); break;
		case '1': config.each = true; break;
		case 'q': config.mqtt = true; break;
		case 'e': add_pattern(optarg); break;
		default: return 64;
		}
	}
	config.to.sin_family = AF_INET;
	if (argc - optind != 2 || config.pattern_count == 0 ||
	    config.clients == 0 || config.window == 0 ||
	    config.window > WINDOW_MAX || config.addresses == 0 ||
	    !(config.seconds > 0) || (config.each && config.mqtt) ||
	    inet_pton(AF_INET, argv[optind], &config.to.sin_addr) != 1) {
		fprintf(stderr, "usage: relay_load [-c CLIENTS] [-t SECONDS] "
		    "[-w WINDOW] [-a ADDRESSES] [-1 | -q] -e FILE... "
		    "ADDRESS PORT\n");
		return 64;
	}
	config.to.sin_port = htons((uint16_t)strtoul(argv[optind + 1], NULL,
	    10));
	prepare();
	run();
	return report();
}
