/*
 * e2e-relayd: keeps sealed envelopes for those who are not there, and forgets
 * them.
 *
 * It holds no code that could open one: what is linked in here is checked by
 * tests/suites/symbols.
 */
#include "relayd.h"

#include "base/number.h"
#include "cli/message.h"
#include "cli/process.h"
#include "net/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
	OPTION_STORE = OPTION_OWN,
	OPTION_UNIX,
	OPTION_UNIX_MODE,
	OPTION_REGISTRATION,
	OPTION_TOKEN_FILE,
	OPTION_CARDS,
	OPTION_TLS_CERT,
	OPTION_TLS_KEY,
	OPTION_LOG_ADDRESSES,
	OPTION_METRICS_FILE,
	OPTION_QUEUE,
	OPTION_STOP_TIME,
	OPTION_CHECK,
	OPTION_BACKUP,
	OPTION_ROTATE_KEY,
	OPTION_FINGERPRINT,
	OPTION_LIMITS			/* limits.c's begin here */
};

enum {
	QUEUE = 4096, QUEUE_MIN = 16, QUEUE_MAX = 1 << 20,
	STOP_SECONDS = 10,
	UNIX_MODE = 0660,
	SPARE_FILES = 64,		/* beside those of connections */
	ROWS_MAX = 64
};

static const struct option_spec head[] = {
	{ 0, NULL, NULL, "options" },
	{ OPTION_STORE, "store", "DIR",
	    "folder of the store, made if need be" },
	{ 'l', "listen", "ADDRESS",
	    "ADDR:PORT to listen on (default: *:7733)" },
	{ OPTION_UNIX, "unix", "FILE", "Unix socket to listen on" },
	{ OPTION_UNIX_MODE, "unix-mode", "MODE",
	    "its permissions (default: 0660)" },
	{ 'i', "identity", "KEY",
	    "the relay's own key (default: DIR/relay.key)" },
	{ OPTION_REGISTRATION, "registration", "open|token|closed",
	    "who may register (default: open)" },
	{ OPTION_TOKEN_FILE, "token-file", "FILE",
	    "what has to be known to register" },
	{ OPTION_CARDS, "cards", "DIR",
	    "closed: folder of the cards that have a mailbox" },
	{ OPTION_TLS_CERT, "tls-cert", "FILE", "certificate chain, PEM" },
	{ OPTION_TLS_KEY, "tls-key", "FILE", "its key, PEM" },
	{ OPTION_LOG_ADDRESSES, "log-addresses", NULL,
	    "log addresses and whole mailbox ids" },
	{ OPTION_METRICS_FILE, "metrics-file", "FILE",
	    "keep counters for Prometheus in FILE" },
	{ OPTION_QUEUE, "queue", "N",
	    "jobs that may wait for the store (default: 4096)" },
	{ OPTION_STOP_TIME, "stop-time", "TIME",
	    "to finish after SIGTERM, at most (default: 10s)" },
	{ 0, NULL, NULL, "instead of serving" },
	{ OPTION_CHECK, "check", NULL, "look at everything in the store" },
	{ OPTION_BACKUP, "backup", "FILE",
	    "copy the store, also of a relay that runs" },
	{ OPTION_ROTATE_KEY, "rotate-key", NULL,
	    "make a new key that the old one names" },
	{ OPTION_FINGERPRINT, "fingerprint", NULL,
	    "print the key's fingerprint" },
	{ 0, NULL, NULL, "limits" }
};

static const struct option_spec tail[] = {
	{ 0, NULL, NULL, "common" },
	OPTIONS_COMMON
};

/* Put together at the start, for the defaults of the limits are in it. */
static struct option_spec rows[ROWS_MAX];

const struct command relayd_command = {
	"e2e-relayd",
	"--store DIR [-l ADDRESS]... [OPTION...]\n"
	"--store DIR --check | --backup FILE | --rotate-key | --fingerprint",
	"Keeps envelopes until they are fetched. It cannot open them.",
	rows
};

static void
make_rows(const struct relay_policy *defaults)
{
	size_t n = sizeof(head) / sizeof(head[0]);

	memcpy(rows, head, sizeof(head));
	n += limits_options(rows + n, ROWS_MAX - n, OPTION_LIMITS, defaults);
	memcpy(rows + n, tail, sizeof(tail));
}

/* ---- the command line ---- */

static void
take_address(struct relayd *r, const struct options *o)
{
	struct address *address = &r->listen[r->config.listen_count];

	if (r->config.listen_count == RELAYD_LISTEN_MAX)
		options_usage(&relayd_command, "too many addresses");
	if (!address_parse(address, o->argument, true) || address->is_unix ||
	    address->tls)
		options_usage(&relayd_command, "--listen %s: not an address "
		    "such as 192.0.2.1:7733, [2001:db8::1]:7733 or *:7733%s",
		    o->argument, address->is_unix ? "; --unix PATH" :
		    address->tls ? "; TLS comes with --tls-cert" : "");
	r->config.listen_count++;
}

static unsigned
take_mode(const struct options *o)
{
	const char *c;
	unsigned mode = 0;

	for (c = o->argument; *c >= '0' && *c <= '7' && mode <= 0777; c++)
		mode = mode * 8 + (unsigned)(*c - '0');
	if (c == o->argument || *c != '\0' || mode > 0777)
		options_usage(&relayd_command, "--unix-mode %s: not "
		    "permissions such as 0660", o->argument);
	return mode;
}

static void
take_mode_of_work(struct relayd *r, enum relayd_mode mode)
{

	if (r->mode != RELAYD_SERVE && r->mode != mode)
		options_usage(&relayd_command, "one of --check, --backup, "
		    "--rotate-key and --fingerprint");
	r->mode = mode;
}

static void
take_option(struct relayd *r, const struct options *o, int id)
{
	struct server_config *config = &r->config;

	switch (id) {
	case OPTION_STORE:
		r->store = o->argument;
		break;
	case 'l':
		take_address(r, o);
		break;
	case OPTION_UNIX:
		if (strlen(o->argument) > ADDRESS_PATH_MAX ||
		    o->argument[0] == '\0')
			options_usage(&relayd_command, "--unix %s: not a "
			    "path of at most %d bytes", o->argument,
			    (int)ADDRESS_PATH_MAX);
		config->unix_path = o->argument;
		break;
	case OPTION_UNIX_MODE:
		config->unix_mode = take_mode(o);
		break;
	case 'i':
		r->key = o->argument;
		break;
	case OPTION_REGISTRATION:
		config->policy.registration =
		    (enum frame_registration)options_choice(o);
		break;
	case OPTION_TOKEN_FILE:
		r->token_file = o->argument;
		break;
	case OPTION_CARDS:
		r->cards = o->argument;
		break;
	case OPTION_TLS_CERT:
		config->tls_certificate = o->argument;
		break;
	case OPTION_TLS_KEY:
		config->tls_key = o->argument;
		break;
	case OPTION_LOG_ADDRESSES:
		r->log_addresses = true;
		break;
	case OPTION_METRICS_FILE:
		config->metrics_file = o->argument;
		break;
	case OPTION_QUEUE:
		config->queue = (size_t)options_number(o, QUEUE_MIN,
		    QUEUE_MAX);
		break;
	case OPTION_STOP_TIME:
		config->drain_seconds = (unsigned)
		    ((limits_time(o, 86400000) + 999) / 1000);
		break;
	case OPTION_CHECK:
		take_mode_of_work(r, RELAYD_CHECK);
		break;
	case OPTION_BACKUP:
		take_mode_of_work(r, RELAYD_BACKUP);
		r->backup = o->argument;
		break;
	case OPTION_ROTATE_KEY:
		take_mode_of_work(r, RELAYD_ROTATE);
		break;
	case OPTION_FINGERPRINT:
		take_mode_of_work(r, RELAYD_FINGERPRINT);
		break;
	default:
		options_usage(&relayd_command, "unexpected operand '%s'",
		    o->argument);
	}
}

static void
judge_options(const struct relayd *r)
{
	const struct server_config *config = &r->config;
	const enum frame_registration registration =
	    config->policy.registration;

	if (r->store == NULL && (r->key == NULL ||
	    (r->mode != RELAYD_ROTATE && r->mode != RELAYD_FINGERPRINT)))
		options_usage(&relayd_command, "--store DIR is needed");
	if (r->mode != RELAYD_SERVE)
		return;
	if ((config->tls_certificate == NULL) != (config->tls_key == NULL))
		options_usage(&relayd_command, "--tls-cert and --tls-key "
		    "belong together");
	if ((registration == FRAME_TOKEN) != (r->token_file != NULL))
		options_usage(&relayd_command, "--registration token and "
		    "--token-file belong together");
	if ((registration == FRAME_CLOSED) != (r->cards != NULL))
		options_usage(&relayd_command, "--registration closed and "
		    "--cards belong together");
}

static void
parse(struct relayd *r, int argc, char **argv)
{
	struct options o;
	int id;

	options_start(&o, &relayd_command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END)
		if (!limits_take(&o, id, OPTION_LIMITS, &r->config.policy))
			take_option(r, &o, id);
	judge_options(r);
}

/* ---- serving ---- */

struct service {
	struct relayd *r;
	struct log *log;
	struct relay_key key;
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
};

static void
say_ready(void *context, const char *addresses)
{
	struct service *service = context;
	struct buffer line;
	const char *end;
	struct json j;

	message_event(&j, "ready");
	json_string(&j, "fingerprint", service->fingerprint);
	json_string(&j, "listen", addresses);
	message_status(&j);
	buffer_init(&line, TEXT_MAX);
	text_add(&line, "ready fingerprint=%s listen=", service->fingerprint);
	for (;; addresses = end + 1) {
		end = addresses + strcspn(addresses, "\n");
		(void)buffer_append(&line, addresses,
		    (size_t)(end - addresses));
		if (*end == '\0')
			break;
		(void)buffer_append_byte(&line, ',');
	}
	log_line(service->log, &line);
	buffer_free(&line);
}

static const struct relay_policy *
read_again(void *context)
{
	struct service *service = context;
	struct relayd *r = service->r;

	if (r->token_file == NULL || policy_read_token(&r->config.policy,
	    r->token_file, true, service->log) != E2E_OK)
		return NULL;
	return &r->config.policy;
}

static struct store_job *
read_cards(void *context)
{
	struct service *service = context;

	return policy_read_cards(service->r->cards, service->log);
}

/* As many connections as were promised, if the system lets us. */
static void
raise_file_limit(const struct relayd *r)
{
	rlim_t wanted = (rlim_t)r->config.policy.connections + SPARE_FILES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ||
	    limit.rlim_max > wanted ? wanted : limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < wanted)
		message_warn("%llu files may be open at once, too few for "
		    "%lu connections", (unsigned long long)limit.rlim_cur,
		    (unsigned long)r->config.policy.connections);
}

/* What can be found wrong before anything is made. */
static enum e2e_error
read_policy(struct relayd *r)
{

	if (r->cards != NULL)
		return policy_look_at_cards(r->cards);
	if (r->token_file != NULL)
		return policy_read_token(&r->config.policy, r->token_file,
		    false, NULL);
	return E2E_OK;
}

static enum e2e_error
open_stores(struct relayd *r)
{
	enum e2e_error error;

	error = care_open(&r->config.writer, r->store, STORE_WRITE);
	if (error != E2E_OK)
		return error;
	error = care_open(&r->config.reader, r->store, STORE_READ);
	if (error != E2E_OK)
		r->config.writer->ops->close(r->config.writer);
	return error;
}

static void
close_stores(struct relayd *r)
{

	r->config.reader->ops->close(r->config.reader);
	r->config.writer->ops->close(r->config.writer);
}

static enum e2e_error
run_server(struct relayd *r, struct service *service)
{
	static const struct address everywhere = { .host = "*",
	    .port = ADDRESS_PORT };
	struct server_config *config = &r->config;
	struct e2e_identity *identity = service->key.identity;
	char why[256];
	enum e2e_error error;

	config->fd_count = notify_listen_fds();
	config->first_fd = NOTIFY_FIRST_FD;
	config->listen = r->listen;
	if (config->listen_count == 0 && config->unix_path == NULL &&
	    config->fd_count == 0) {
		config->listen = &everywhere;
		config->listen_count = 1;
	}
	config->log = (struct server_log){ service->log, log_report,
	    log_note, log_flush };
	config->ready = say_ready;
	config->reload = read_again;
	config->cards = r->cards == NULL ? NULL : read_cards;
	config->context = service;
	service->key.identity = NULL;	/* transferred */
	error = server_run(config, identity, service->key.successions,
	    service->key.count < FRAME_SUCCESSIONS_MAX ? service->key.count :
	    FRAME_SUCCESSIONS_MAX, why);
	log_flush(service->log);
	if (error == E2E_OK || error == E2E_ERR_STORE)
		log_note(service->log, "end", e2e_error_text(error));
	else
		(void)message_error(error, "%s", why[0] == '\0' ?
		    e2e_error_text(error) : why);
	return error;
}

static enum e2e_error
serve(struct relayd *r)
{
	struct service service = { .r = r };
	enum e2e_error error;

	/* process_start had these in mind for commands that write files. */
	(void)signal(SIGPIPE, SIG_IGN);
	raise_file_limit(r);
	if ((error = read_policy(r)) != E2E_OK ||
	    (error = open_stores(r)) != E2E_OK)
		return error;
	if ((service.log = log_new(r->log_addresses)) == NULL)
		error = message_no_memory();
	if (error == E2E_OK)
		error = relay_key_load(&service.key, r, true);
	if (error == E2E_OK) {
		e2e_fingerprint(service.fingerprint,
		    e2e_card_id(e2e_identity_card(service.key.identity)));
		error = run_server(r, &service);
	} else {
		close_stores(r);
	}
	relay_key_free(&service.key);
	log_free(service.log);
	return error;
}

/* From the first moment it is not to end a relay; until the loop can take it
 * it waits. Those who do not serve end by it, as everybody does. */
static void
hold_reload(int how)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(how, &set, NULL);
}

static enum e2e_error
run(struct relayd *r)
{

	if (r->mode != RELAYD_SERVE)
		hold_reload(SIG_UNBLOCK);
	switch (r->mode) {
	case RELAYD_CHECK:
		return care_check(r);
	case RELAYD_BACKUP:
		return care_backup(r);
	case RELAYD_ROTATE:
		return relay_key_rotate(r);
	case RELAYD_FINGERPRINT:
		return relay_key_fingerprint(r);
	default:
		return serve(r);
	}
}

int
main(int argc, char **argv)
{
	static struct relayd r = { .config = { .unix_mode = UNIX_MODE,
	    .queue = QUEUE, .drain_seconds = STOP_SECONDS } };

	hold_reload(SIG_BLOCK);
	process_start(relayd_command.name);
	relay_policy_default(&r.config.policy);
	make_rows(&r.config.policy);
	parse(&r, argc, argv);
	return process_finish(run(&r));
}
