/*
 * log.c: one line for each event, in logfmt, on standard error.
 *
 * Lines are gathered and written before the loop waits: under load many with
 * one system call. Where somebody connects from, and who gets mail from there,
 * is what a relay knows and had better forget: it is left out unless asked for.
 */
#include "relayd.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/utf8.h"
#include "cli/message.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GATHERED_MAX = 65536, WRITE_AT = 16384, BOX_LETTERS = 8 };

struct log {
	bool addresses;
	struct buffer lines;
};

enum level { DEBUG, INFO, WARN, ERROR };

/* What the numbers of a report count. */
static const struct {
	const char *name, *items;
	enum level level;
} events[] = {
	[RELAY_DEPOSIT] = { "deposit", "stored", INFO },
	[RELAY_REFUSED] = { "refused", NULL, INFO },
	[RELAY_SESSION] = { "session", NULL, INFO },
	[RELAY_FETCHED] = { "fetched", "items", INFO },
	[RELAY_ACKED] = { "acked", "items", INFO },
	[RELAY_REGISTERED] = { "registered", NULL, INFO },
	[RELAY_REVOKED] = { "revoked", NULL, INFO },
	[RELAY_LOOKUP] = { "lookup", NULL, DEBUG },
	[RELAY_REPLACED] = { "replaced", NULL, INFO },
	[RELAY_BROKEN] = { "broken", NULL, INFO },
	[RELAY_STORE_FAILED] = { "store-failed", NULL, ERROR }
};

/* Words of log_note that are no mere information. */
static const struct {
	const char *what;
	enum level level;
} notes[] = {
	{ "accept", WARN }, { "card", WARN }, { "cards-kept", WARN },
	{ "certificate-kept", WARN }, { "metrics", WARN }, { "store", ERROR },
	{ "token-kept", WARN }
};

struct log *
log_new(bool addresses)
{
	struct log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return NULL;
	log->addresses = addresses;
	buffer_init(&log->lines, GATHERED_MAX);
	return log;
}

void
log_free(struct log *log)
{

	if (log == NULL)
		return;
	log_flush(log);
	buffer_free(&log->lines);
	free(log);
}

void
log_flush(void *context)
{
	struct log *log = context;

	/* Where it should have been written is where one would say so. */
	if (log->lines.length > 0)
		(void)fd_write(STDERR_FILENO, log->lines.data,
		    log->lines.length);
	buffer_clear(&log->lines);
}

static bool
is_wanted(enum level level)
{

	if (message_is_quiet())
		return level >= WARN;
	return level > DEBUG || message_is_verbose();
}

static void
put_string(struct buffer *b, const char *key, const char *value)
{
	char escaped[512];
	const char *c;

	if (value[0] != '\0' && value[strcspn(value, " \"=\\")] == '\0') {
		text_add(b, " %s=", key);
		text_add_escaped(b, value);
		return;
	}
	text_add(b, " %s=\"", key);
	(void)utf8_escape(escaped, sizeof(escaped), value, strlen(value));
	for (c = escaped; *c != '\0'; c++) {
		if (*c == '"')
			(void)buffer_append_byte(b, '\\');
		(void)buffer_append_byte(b, (unsigned char)*c);
	}
	(void)buffer_append_byte(b, '"');
}

static void
begin_line(struct log *log, enum level level, const char *event)
{
	static const char *const names[] = {
		"debug", "info", "warn", "error"
	};
	char time[CLOCK_TEXT_MAX];

	clock_format(time, clock_now());
	text_add(&log->lines, "time=%s level=%s event=%s", time, names[level],
	    event);
}

static void
end_line(struct log *log)
{

	(void)buffer_append_byte(&log->lines, '\n');
	if (log->lines.failed || log->lines.length >= WRITE_AT)
		log_flush(log);
}

void
log_report(void *context, const struct relay_report *report,
    const char *address)
{
	struct log *log = context;
	struct buffer *b = &log->lines;
	char box[2 * E2E_ID_LEN + 1];

	if (!is_wanted(events[report->event].level))
		return;
	begin_line(log, events[report->event].level,
	    events[report->event].name);
	put_string(b, "code", report->code == NULL ? "ok" : report->code);
	if (events[report->event].items != NULL)
		text_add(b, " %s=%" PRIu64, events[report->event].items,
		    report->items);
	if (report->bytes > 0)
		text_add(b, " bytes=%" PRIu64, report->bytes);
	if (report->box != NULL) {
		text_hex(box, report->box, E2E_ID_LEN);
		if (!log->addresses)
			box[BOX_LETTERS] = '\0';
		text_add(b, " box=%s", box);
	}
	if (log->addresses)
		put_string(b, "from", address == NULL ? "local" : address);
	end_line(log);
}

void
log_note(void *context, const char *what, const char *detail)
{
	struct log *log = context;
	enum level level = INFO;
	size_t i;

	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		if (strcmp(notes[i].what, what) == 0)
			level = notes[i].level;
	if (!is_wanted(level))
		return;
	begin_line(log, level, what);
	if (detail != NULL)
		put_string(&log->lines, "detail", detail);
	end_line(log);
}

void
log_line(struct log *log, struct buffer *line)
{

	log_flush(log);
	(void)buffer_append(&log->lines, line->data, line->length);
	end_line(log);
	log_flush(log);
}
