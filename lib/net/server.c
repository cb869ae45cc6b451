/*
 * server.c: the loop, and what wakes it.
 *
 * Sockets that listen are watched with uv_poll and accepted from here, not by
 * uv_listen: when descriptors run out libuv takes waiting connections and
 * closes them without a word, while here they wait until there is room.
 */
#include "net/server.h"

#include "base/clock.h"
#include "base/file.h"
#include "net/connection.h"
#include "net/listen.h"
#include "net/metrics.h"
#include "net/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum {
	WHY_LEN = 256,
	ACCEPT_TURN = 64,		/* of one socket in one turn */
	ACCEPT_PAUSE_MS = 500,
	HOUSEKEEPING_MS = 5000,
	METRICS_MS = 15000,
	DRAIN_LOOK_MS = 20,
	METRICS_MAX = 65536,
	TELL_MS = 60000
};

struct server;

struct listener {
	uv_poll_t poll;
	struct server *server;
	int fd;
};

/*
 * 1. Jobs whose owner is this struct are the server's own: cards. While there
 *    are some (cards_left), the relay's jobs wait (`submit` says no): nobody
 *    sees a directory that is half read.
 * 2. Sockets are listened to from the moment the first cards are in the
 *    store until the drain.
 */
struct server {
	struct server_config *config;
	uv_loop_t loop;
	struct relay *relay;
	struct worker *worker;
	struct listeners sockets;
	struct listener listeners[LISTEN_MAX];
	struct connections connections;
	uv_prepare_t before;
	uv_check_t after;
	uv_async_t stored;
	uv_timer_t sweep, housekeeping, metrics, drain, resume;
	uv_signal_t signals[3];
	struct store_job *cards;	/* not submitted yet */
	size_t cards_left;
	uint64_t told;			/* when that accept failed, steady */
	bool serving, draining;
	uint64_t drain_until;		/* steady */
	uint64_t started;
	enum e2e_error result;
};

static void
note(struct server *s, const char *what, const char *detail)
{

	if (s->config->log.note != NULL)
		s->config->log.note(s->config->log.context, what, detail);
}

static void
set_time(struct server *s)
{

	relay_set_time(s->relay, clock_now(), uv_now(&s->loop));
}

/* ---- what the relay asks for ---- */

static bool
host_submit(void *context, struct store_job *job)
{
	struct server *s = context;

	return s->worker != NULL && s->cards_left == 0 &&
	    worker_submit(s->worker, job);
}

static void
host_wake(void *context, struct peer *peer)
{
	struct server *s = context;

	connection_wake(&s->connections, peer);
}

static void
host_report(void *context, const struct relay_report *report)
{
	struct server *s = context;
	char address[64];

	if (s->config->log.report == NULL)
		return;
	s->config->log.report(s->config->log.context, report,
	    report->peer == NULL ? "gone" :
	    connection_address(peer_data(report->peer), address));
}

/* ---- the end ---- */

static void
stop_accepting(struct server *s)
{
	size_t i;

	for (i = 0; s->serving && i < s->sockets.count; i++)
		uv_close((uv_handle_t *)&s->listeners[i].poll, NULL);
	s->serving = false;
	listen_close(&s->sockets);
}

static void
on_drain(uv_timer_t *timer)
{
	struct server *s = timer->data;

	if (uv_now(&s->loop) >= s->drain_until ||
	    (relay_is_idle(s->relay) && s->cards_left == 0 &&
	    !connections_have_output(&s->connections) &&
	    !connections_are_talked_to(&s->connections,
	    uv_now(&s->loop))))
		uv_stop(&s->loop);
}

static void
on_connection(uv_poll_t *poll, int status, int events);

/* Who has connected by now need not find that out by a reset. */
static void
accept_last(struct server *s)
{
	size_t i;

	for (i = 0; s->serving && i < s->sockets.count; i++)
		on_connection(&s->listeners[i].poll, 0, UV_READABLE);
}

static void
begin_drain(struct server *s, const char *reason)
{

	if (s->draining) {
		uv_stop(&s->loop);	/* asked for twice */
		return;
	}
	s->draining = true;
	note(s, "drain", reason);
	notify_stopping();
	accept_last(s);
	stop_accepting(s);
	set_time(s);
	relay_drain(s->relay);
	s->drain_until = uv_now(&s->loop) +
	    (uint64_t)s->config->drain_seconds * 1000;
	(void)uv_timer_start(&s->drain, on_drain, DRAIN_LOOK_MS,
	    DRAIN_LOOK_MS);
}

static void
fail(struct server *s, enum e2e_error error, const char *reason)
{

	if (s->result == E2E_OK)
		s->result = error;
	if (!s->draining)
		begin_drain(s, reason);
}

/* ---- accepting ---- */

static void
on_sweep(uv_timer_t *timer);

static void
need_sweep(struct server *s)
{

	if (!uv_is_active((const uv_handle_t *)&s->sweep))
		(void)uv_timer_start(&s->sweep, on_sweep, CONNECTION_SWEEP_MS,
		    CONNECTION_SWEEP_MS);
}

static void
watch_sockets(struct server *s)
{
	size_t i;

	for (i = 0; i < s->sockets.count; i++)
		(void)uv_poll_start(&s->listeners[i].poll, UV_READABLE,
		    on_connection);
}

static void
on_resume(uv_timer_t *timer)
{
	struct server *s = timer->data;

	if (s->serving)
		watch_sockets(s);
}

/* No descriptors, or no memory: those who wait wait on. */
static void
pause_accepting(struct server *s, int number)
{
	uint64_t now = uv_now(&s->loop);
	size_t i;

	if (s->told == 0 || now - s->told > TELL_MS) {
		note(s, "accept", strerror(number));
		s->told = now;
	}
	for (i = 0; i < s->sockets.count; i++)
		(void)uv_poll_stop(&s->listeners[i].poll);
	(void)uv_timer_start(&s->resume, on_resume, ACCEPT_PAUSE_MS, 0);
}

static void
on_connection(uv_poll_t *poll, int status, int events)
{
	struct listener *listener = poll->data;
	struct server *s = listener->server;
	struct sockaddr_storage from;
	socklen_t length;
	int i, fd;

	set_time(s);
	for (i = 0; i < ACCEPT_TURN; i++) {
		length = sizeof(from);
		memset(&from, 0, sizeof(from));
		fd = accept(listener->fd, (struct sockaddr *)&from, &length);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE ||
		    errno == ENOBUFS || errno == ENOMEM)) {
			pause_accepting(s, errno);
			return;
		}
		if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (fd < 0)
			continue;	/* one that went away meanwhile */
		if (length == 0 || from.ss_family == AF_UNSPEC)
			from.ss_family = AF_UNIX;
		need_sweep(s);
		connection_new(&s->connections, fd,
		    (const struct sockaddr *)&from);
	}
}

/* ---- becoming ready ---- */

static enum e2e_error
open_sockets(struct server *s, char why[WHY_LEN])
{
	struct server_config *config = s->config;
	enum e2e_error error = E2E_OK;
	size_t i;

	if (config->fd_count > 0)
		error = listen_inherited(&s->sockets, config->first_fd,
		    config->fd_count, why);
	for (i = 0; error == E2E_OK && i < config->listen_count; i++)
		error = listen_tcp(&s->sockets, &config->listen[i], why);
	if (error == E2E_OK && config->unix_path != NULL)
		error = listen_unix(&s->sockets, config->unix_path,
		    config->unix_mode, why);
	if (error == E2E_OK && s->sockets.count == 0) {
		(void)snprintf(why, WHY_LEN, "no address to listen on");
		error = E2E_ERR_CONFIG;
	}
	return error;
}

static void
announce(struct server *s)
{
	struct sockaddr_storage address;
	char text[LISTEN_TEXT_MAX];
	struct buffer all;
	socklen_t length;
	size_t i;

	buffer_init(&all, LISTEN_MAX * (LISTEN_TEXT_MAX + 1) + 1);
	for (i = 0; i < s->sockets.count; i++) {
		length = sizeof(address);
		memset(&address, 0, sizeof(address));
		if (getsockname(s->sockets.fds[i],
		    (struct sockaddr *)&address, &length) != 0)
			continue;
		listen_format(text, (const struct sockaddr *)&address,
		    length);
		if (all.length > 0)
			(void)buffer_append_byte(&all, '\n');
		(void)buffer_append(&all, text, strlen(text));
	}
	(void)buffer_append_byte(&all, '\0');
	if (s->config->ready != NULL)
		s->config->ready(s->config->context,
		    all.failed ? "" : (const char *)all.data);
	buffer_free(&all);
}

static void
begin_serving(struct server *s)
{
	struct listener *listener;
	size_t i;

	if (s->serving || s->draining)
		return;
	for (i = 0; i < s->sockets.count; i++) {
		listener = &s->listeners[i];
		listener->server = s;
		listener->fd = s->sockets.fds[i];
		listener->poll.data = listener;
		if (uv_poll_init(&s->loop, &listener->poll,
		    listener->fd) != 0) {
			while (i-- > 0)
				uv_close((uv_handle_t *)
				    &s->listeners[i].poll, NULL);
			fail(s, E2E_ERR_CONFIG, "cannot wait for "
			    "connections");
			return;
		}
	}
	s->serving = true;
	watch_sockets(s);
	announce(s);
	notify_ready();
}

/* ---- cards of closed registration ---- */

static void
submit_cards(struct server *s)
{
	struct store_job *job;

	while ((job = s->cards) != NULL) {
		s->cards = job->next;
		job->next = NULL;
		job->owner = s;
		if (!worker_submit(s->worker, job)) {
			job->next = s->cards;
			s->cards = job;
			return;
		}
	}
}

static void
read_cards(struct server *s)
{
	struct store_job *job;

	if (s->config->cards == NULL || s->cards_left > 0)
		return;
	s->cards = s->config->cards(s->config->context);
	for (job = s->cards; job != NULL; job = job->next)
		s->cards_left++;
	submit_cards(s);
}

/* What the store made of a card, when it did not take it. */
static void
judge_card(struct server *s, const struct store_job *job)
{
	static const char *const words[] = {
		[STORE_NAME_TAKEN] = "its name belongs to another identity",
		[STORE_ROLLBACK] = "a newer card is here",
		[STORE_CONFLICT] = "another card of the same serial is here",
		[STORE_REVOKED] = "its identity is revoked"
	};
	char text[STORE_NAME_MAX + 80];

	if (job->error != E2E_OK) {
		fail(s, job->error, "the cards could not be stored");
		return;
	}
	if (job->kind != JOB_ENROLL ||
	    job->enroll.result < STORE_NAME_TAKEN ||
	    job->enroll.result > STORE_REVOKED)
		return;
	(void)snprintf(text, sizeof(text), "%s: %s",
	    job->enroll.card.name[0] == '\0' ? "(without a name)" :
	    job->enroll.card.name, words[job->enroll.result]);
	note(s, "card", text);
}

static void
card_done(struct server *s, struct store_job *job)
{

	judge_card(s, job);
	buffer_free(&job->bytes);
	free(job);
	if (--s->cards_left > 0)
		return;
	if (s->result == E2E_OK)
		begin_serving(s);
}

/* ---- what the store has done ---- */

static void
take_jobs(struct server *s, struct store_job *jobs)
{
	struct store_job *relays = NULL, **end = &relays, *next;

	for (; jobs != NULL; jobs = next) {
		next = jobs->next;
		jobs->next = NULL;
		if (jobs->owner == s) {
			card_done(s, jobs);
		} else {
			*end = jobs;
			end = &jobs->next;
		}
	}
	if (relays != NULL)
		relay_done(s->relay, relays);
}

static void
on_stored(uv_async_t *async)
{
	struct server *s = async->data;

	set_time(s);
	take_jobs(s, worker_take(s->worker));
	if (s->cards != NULL)
		submit_cards(s);
	relay_room(s->relay);
	if (worker_failed(s->worker) && s->result == E2E_OK) {
		note(s, "store", s->config->writer->why != NULL ?
		    s->config->writer->why : "a commit failed");
		fail(s, E2E_ERR_STORE, "the store failed");
	}
}

/* Called by the worker's threads. */
static void
wake_loop(void *context)
{
	struct server *s = context;

	(void)uv_async_send(&s->stored);
}

/* ---- now and then ---- */

static void
on_before(uv_prepare_t *prepare)
{
	struct server *s = prepare->data;

	connection_turn(&s->connections);
	if (s->config->log.flush != NULL)
		s->config->log.flush(s->config->log.context);
}

static void
on_after(uv_check_t *check)
{
	struct server *s = check->data;

	connection_turn(&s->connections);
}

static void
on_sweep(uv_timer_t *timer)
{
	struct server *s = timer->data;

	set_time(s);
	connection_sweep(&s->connections, uv_now(&s->loop));
	if (s->connections.count == 0)
		(void)uv_timer_stop(timer);
}

static void
on_housekeeping(uv_timer_t *timer)
{
	struct server *s = timer->data;

	set_time(s);
	relay_housekeeping(s->relay);
}

/* False, and errno, when it cannot be written. */
static bool
write_metrics(struct server *s)
{
	const struct connections *c = &s->connections;
	struct metrics metrics = {
		.relay = relay_counters(s->relay),
		.started = s->started, .now = clock_now(),
		.accepted = c->counters.accepted,
		.refused = c->counters.refused, .tls = c->counters.tls,
		.tls_failed = c->counters.tls_failed, .open = c->count,
		.free_bytes = UINT64_MAX
	};
	struct buffer text;
	bool written;

	worker_stats(s->worker, &metrics.worker);
	buffer_init(&text, METRICS_MAX);
	metrics_put(&text, &metrics);
	errno = ENOMEM;
	written = !text.failed && file_write(s->config->metrics_file,
	    text.data, text.length, 0644, FILE_REPLACE) == E2E_OK;
	buffer_free(&text);
	return written;
}

static void
update_metrics(struct server *s)
{

	if (s->config->metrics_file != NULL && !write_metrics(s))
		note(s, "metrics", strerror(errno));
}

static void
on_metrics(uv_timer_t *timer)
{

	update_metrics(timer->data);
}

/* ---- signals ---- */

static void
reload_certificate(struct server *s)
{
	const struct server_config *config = s->config;
	struct tls_context *context;
	const char *why;

	if (config->tls_certificate == NULL)
		return;
	if (tls_server_context(&context, config->tls_certificate,
	    config->tls_key, &why) != E2E_OK) {
		note(s, "certificate-kept", why);
		return;
	}
	tls_context_free(s->connections.tls);
	s->connections.tls = context;
	note(s, "certificate", "read again");
}

static void
reload(struct server *s)
{
	const struct relay_policy *policy;

	notify_reloading();
	set_time(s);
	reload_certificate(s);
	if (s->config->reload != NULL) {
		policy = s->config->reload(s->config->context);
		if (policy != NULL)
			relay_set_policy(s->relay, policy);
	}
	read_cards(s);
	note(s, "reload", "done");
	notify_ready();
}

static void
on_signal(uv_signal_t *handle, int number)
{
	struct server *s = handle->data;

	if (number == SIGHUP) {
		if (!s->draining)
			reload(s);
	} else {
		begin_drain(s, number == SIGTERM ? "SIGTERM" : "SIGINT");
	}
}

/* ---- beginning and end ---- */

static bool
start_timer(uv_timer_t *timer, uv_timer_cb callback, uint64_t every)
{

	return uv_timer_start(timer, callback, every, every) == 0;
}

/* One that came before was kept back for this. */
static void
unblock_reload(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* The handles that live as long as the loop. */
static bool
start_handles(struct server *s)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	uv_timer_t *const timers[] = { &s->sweep, &s->housekeeping,
	    &s->metrics, &s->drain, &s->resume };
	size_t i;

	if (uv_async_init(&s->loop, &s->stored, on_stored) != 0)
		return false;
	s->stored.data = s;
	for (i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		if (uv_timer_init(&s->loop, timers[i]) != 0)
			return false;
		timers[i]->data = s;
	}
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (uv_signal_init(&s->loop, &s->signals[i]) != 0)
			return false;
		s->signals[i].data = s;
		if (uv_signal_start(&s->signals[i], on_signal,
		    numbers[i]) != 0)
			return false;
	}
	unblock_reload();
	if (uv_prepare_init(&s->loop, &s->before) != 0 ||
	    uv_check_init(&s->loop, &s->after) != 0)
		return false;
	s->before.data = s->after.data = s;
	return uv_prepare_start(&s->before, on_before) == 0 &&
	    uv_check_start(&s->after, on_after) == 0 &&
	    start_timer(&s->housekeeping, on_housekeeping, HOUSEKEEPING_MS) &&
	    (s->config->metrics_file == NULL ||
	    start_timer(&s->metrics, on_metrics, METRICS_MS));
}

static void
close_handle(uv_handle_t *handle, void *context)
{

	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static enum e2e_error
prepare(struct server *s, struct e2e_identity *identity,
    const struct frame_succession *successions, size_t succession_count,
    char why[WHY_LEN])
{
	const struct relay_host host = { s, host_submit, host_wake,
	    host_report };
	struct server_config *config = s->config;
	const char *reason = NULL;
	enum e2e_error error = E2E_OK;

	if (config->tls_certificate != NULL)
		error = tls_server_context(&s->connections.tls,
		    config->tls_certificate, config->tls_key, &reason);
	if (error != E2E_OK)
		(void)snprintf(why, WHY_LEN, "%s", reason);
	if (error == E2E_OK)
		error = open_sockets(s, why);
	if (error != E2E_OK) {
		e2e_identity_free(identity);
		return error;
	}
	error = relay_new(&s->relay, identity /* transferred */, successions,
	    succession_count, &config->policy, s->connections.tls != NULL,
	    &host);
	if (error != E2E_OK)
		return error;
	s->connections.relay = s->relay;
	if (!start_handles(s)) {
		(void)snprintf(why, WHY_LEN, "the event loop cannot be made");
		return E2E_ERR_MEMORY;
	}
	error = worker_start(&s->worker, config->writer, config->reader,
	    config->queue, wake_loop, s);
	if (error == E2E_OK && config->metrics_file != NULL &&
	    !write_metrics(s)) {
		(void)snprintf(why, WHY_LEN, "%.150s: %s",
		    config->metrics_file, strerror(errno));
		error = E2E_ERR_CONFIG;
	}
	return error;
}

static void
serve(struct server *s)
{

	/* Timers of the first turn count from now. */
	uv_update_time(&s->loop);
	set_time(s);
	read_cards(s);
	if (s->cards_left == 0)
		begin_serving(s);
	relay_housekeeping(s->relay);
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	update_metrics(s);
}

/* Stores are closed whether a worker had them or not. */
static void
end_store(struct server *s)
{
	struct worker *worker = s->worker;
	struct store_job *job;

	if (worker == NULL) {
		if (s->config->reader != NULL)
			s->config->reader->ops->close(s->config->reader);
		s->config->writer->ops->close(s->config->writer);
		return;
	}
	s->worker = NULL;		/* from here on `submit` says no */
	take_jobs(s, worker_stop(worker));
	while ((job = s->cards) != NULL) {
		s->cards = job->next;
		buffer_free(&job->bytes);
		free(job);
	}
}

enum e2e_error
server_run(struct server_config *config, struct e2e_identity *identity,
    const struct frame_succession *successions, size_t succession_count,
    char why[WHY_LEN])
{
	struct server *s = calloc(1, sizeof(*s));
	enum e2e_error error = E2E_ERR_MEMORY;

	why[0] = '\0';
	if (s == NULL || uv_loop_init(&s->loop) != 0) {
		free(s);
		e2e_identity_free(identity);
		if (config->reader != NULL)
			config->reader->ops->close(config->reader);
		config->writer->ops->close(config->writer);
		return error;
	}
	s->config = config;
	s->started = clock_now();
	connections_init(&s->connections, &s->loop, NULL,
	    config->policy.header_ms);
	error = prepare(s, identity, successions, succession_count, why);
	if (error == E2E_OK) {
		serve(s);
		error = s->result;
	}
	stop_accepting(s);
	connections_close(&s->connections);
	end_store(s);
	relay_free(s->relay);
	uv_walk(&s->loop, close_handle, NULL);
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&s->loop);
	connections_free(&s->connections);
	free(s);
	return error;
}
