/*
 * open.h: what the parts of e2e-open share.
 */
#ifndef CMD_OPEN_H
#define CMD_OPEN_H

#include "cli/cardlist.h"
#include "cli/contacts.h"
#include "cli/input.h"
#include "cli/ownkey.h"
#include "cli/passphrase.h"

#include <e2e/e2e.h>

struct open_job {
	struct e2e_open request;
	struct own_key *keys;		/* request.identity_count of them */
	const struct e2e_identity **identities;
	const char **key_paths;
	size_t key_count;
	struct cardlist senders;	/* -s */
	bool known;			/* --known */
	struct contacts contacts;
	bool ask_passphrase;
	struct passphrase_source key_source;
	struct passphrase_source message_source;
	const char *input;
	struct input in;
	const char *output;
	const char *folder;		/* -d */
	int verdict_fd;			/* --verdict-fd; -1: none */
	const char *sender_card;	/* --sender-card */
	enum e2e_error lookup;		/* why no card could be looked up */
	enum e2e_error told;		/* by a callback of the request */
	/* What lines about a message begin with: nothing, or its id with -d. */
	char about[2 * E2E_MESSAGE_ID_LEN + sizeof(": ")];
};

/* ---- sender.c ---- */

/* The request's find_card; context is the job. */
const struct e2e_card *sender_find_card(void *context,
    const unsigned char id[E2E_ID_LEN]);

/* The request's judge_sender; context is the job. With -s or --known: is the
 * message from whom it may be from? Told. */
enum e2e_error sender_judge(void *context, const struct e2e_opened *opened);

/* Says who sent it where nobody was asked for, and writes the status line
 * about the header. For a message that may be released. */
void sender_report(const struct open_job *job,
    const struct e2e_opened *opened);

/* ---- verdict.c ---- */

/* Verdicts go to this descriptor. E2E_ERR_WRITE: it is none to write to. */
enum e2e_error verdict_use(struct open_job *job, int fd);
/*
 * How it went with an envelope, as a line with its exit status; what was
 * released has to be durable before. Nothing where nobody asked, and where
 * there was no envelope. Does not wait for room. Told.
 */
enum e2e_error verdict_write(const struct open_job *job,
    enum e2e_error error);

/* ---- payload.c ---- */

/* Opens the envelope of job->in, or its envelopes with -d. Told. */
enum e2e_error payload_open(struct open_job *job);

#endif
