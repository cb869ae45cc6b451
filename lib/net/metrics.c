/* metrics.c: one table, from which names, kinds and help come. */
#include "net/metrics.h"

#include "relay/receipt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
put_text(struct buffer *b, const char *text)
{

	(void)buffer_append(b, text, strlen(text));
}

static void
put_head(struct buffer *b, const char *name, const char *kind,
    const char *help)
{
	char line[256];

	(void)snprintf(line, sizeof(line),
	    "# HELP e2e_relay_%s %s\n# TYPE e2e_relay_%s %s\n", name, help,
	    name, kind);
	put_text(b, line);
}

static void
put_value(struct buffer *b, const char *name, const char *labels,
    uint64_t value)
{
	char line[160];

	(void)snprintf(line, sizeof(line), "e2e_relay_%s%s %" PRIu64 "\n",
	    name, labels, value);
	put_text(b, line);
}

static void
put_seconds(struct buffer *b, const char *name, uint64_t nanoseconds)
{
	char line[160];

	(void)snprintf(line, sizeof(line), "e2e_relay_%s %" PRIu64 ".%09u\n",
	    name, nanoseconds / 1000000000,
	    (unsigned)(nanoseconds % 1000000000));
	put_text(b, line);
}

/* Refused deposits, by what the depositor was told. */
static void
put_refused(struct buffer *b, const struct relay_counters *c)
{
	static const char name[] = "deposits_refused_total";
	char labels[64];
	int code;

	put_head(b, name, "counter", "Envelopes answered with ERR.");
	for (code = RECEIPT_SYNTAX; code <= RECEIPT_DRAIN; code++) {
		(void)snprintf(labels, sizeof(labels), "{code=\"%s\"}",
		    receipt_code_name((enum receipt_code)code));
		put_value(b, name, labels, c->refused[code]);
	}
}

void
metrics_put(struct buffer *b, const struct metrics *m)
{
	const struct relay_counters *c = m->relay;
	const struct {
		const char *name, *kind, *help;
		uint64_t value;
	} rows[] = {
		{ "start_time_seconds", "gauge", "When the relay started.",
		    m->started },
		{ "written_time_seconds", "gauge",
		    "When these numbers were written.", m->now },
		{ "connections", "gauge", "Open connections.", m->open },
		{ "connections_total", "counter", "Connections accepted.",
		    m->accepted },
		{ "connections_refused_total", "counter",
		    "Connections beyond the limits.", m->refused },
		{ "tls_total", "counter", "TLS handshakes completed.",
		    m->tls },
		{ "tls_failed_total", "counter",
		    "TLS handshakes and connections that failed.",
		    m->tls_failed },
		{ "sessions", "gauge", "Authenticated sessions.",
		    c->authenticated },
		{ "sessions_total", "counter", "Sessions begun.",
		    c->sessions },
		{ "deposits_total", "counter", "Envelopes that arrived.",
		    c->deposits },
		{ "deposit_bytes_total", "counter",
		    "Bytes of envelopes that arrived.", c->deposit_bytes },
		{ "stored_total", "counter", "Copies put into mailboxes.",
		    c->stored },
		{ "duplicates_total", "counter",
		    "Copies that a mailbox had already.", c->duplicates },
		{ "unknown_total", "counter",
		    "Recipients without a mailbox here.", c->unknown },
		{ "delivered_total", "counter", "Envelopes handed out.",
		    c->delivered },
		{ "delivered_bytes_total", "counter", "Bytes handed out.",
		    c->delivered_bytes },
		{ "acknowledged_total", "counter",
		    "Envelopes acknowledged, and deleted.", c->acknowledged },
		{ "moved_total", "counter", "Envelopes put behind the others "
		    "after too many attempts.", c->moved },
		{ "expired_total", "counter",
		    "Envelopes whose time was over.", c->expired_items },
		{ "registrations_total", "counter", "Cards taken.",
		    c->registrations },
		{ "lookups_total", "counter", "Cards asked for.",
		    c->lookups },
		{ "revocations_total", "counter", "Revocations taken.",
		    c->revocations },
		{ "errors_total", "counter",
		    "Connections that broke the protocol.", c->errors },
		{ "store_commits_total", "counter", "Transactions.",
		    m->worker.commits },
		{ "store_changes_total", "counter", "Changes in them.",
		    m->worker.changes },
		{ "store_reads_total", "counter", "Questions to the store.",
		    m->worker.reads },
		{ "store_queued", "gauge", "Jobs that wait for the store.",
		    m->worker.queued }
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_head(b, rows[i].name, rows[i].kind, rows[i].help);
		put_value(b, rows[i].name, "", rows[i].value);
	}
	put_refused(b, c);
	put_head(b, "store_commit_seconds_total", "counter",
	    "Time spent in commits.");
	put_seconds(b, "store_commit_seconds_total",
	    m->worker.commit_ns_total);
	put_head(b, "store_commit_seconds_max", "gauge",
	    "The longest commit.");
	put_seconds(b, "store_commit_seconds_max", m->worker.commit_ns_max);
	if (m->free_bytes == UINT64_MAX)
		return;
	put_head(b, "store_free_bytes", "gauge",
	    "Space left on the store's file system.");
	put_value(b, "store_free_bytes", "", m->free_bytes);
}
