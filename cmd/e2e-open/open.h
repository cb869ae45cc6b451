/*
 * open.h: what the parts of e2e-open share.
 */
#ifndef CMD_OPEN_H
#define CMD_OPEN_H

#include "cli/cardlist.h"
#include "cli/contacts.h"
#include "cli/groupkeys.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/ownkey.h"
#include "cli/passphrase.h"
#include "cli/remember.h"

#include <e2e/e2e.h>

/* Bytes of the hash that make a name of a message id unique. */
enum { OPEN_HASH_LEN = 8 };

struct open_job {
	struct e2e_open request;
	struct own_key *keys;		/* request.keys.identity_count of them */
	const struct e2e_identity **identities;
	const char **key_paths;
	size_t key_count;
	struct cardlist senders;	/* -s */
	bool known;			/* --known */
	bool forwarded;			/* --forwarded */
	struct groupkeys groups;	/* -k */
	struct remember remember;	/* --state */
	struct state_order order;	/* of the message at hand */
	struct {
		const char *path;	/* --receipt, or NULL */
		char *file;		/* of the message at hand */
		struct output out;
		bool open;
	} receipt;
	struct contacts contacts;
	bool ask_passphrase;
	struct passphrase_source key_source;
	struct passphrase_source message_source;
	struct passphrase_answer answer;
	const char *input;
	struct input in;
	const char *output;
	const char *folder;		/* -d */
	/* There, of the message at hand: its name, and the one that it has if
	 * another message has that. */
	char *file, *second;
	int verdict_fd;			/* --verdict-fd; -1: none */
	const char *sender_card;	/* --sender-card */
	enum e2e_error lookup;		/* why no card could be looked up */
	enum e2e_error told;		/* by a callback of the request */
	/* What lines about a message begin with: nothing, or its id with -d;
	 * "" until its sender was judged. */
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
 * about the header. For a message that may be released, unless it cannot be
 * said. Told. */
enum e2e_error sender_report(const struct open_job *job,
    const struct e2e_opened *opened);

/* ---- order.c ---- */

/* Was it opened before, and is it next in its conversation? Before anything
 * of it is released; order_done or order_abandon follow. Told. */
enum e2e_error order_admit(struct open_job *job,
    const struct e2e_opened *opened);
/* Says what is worth saying of that. */
void order_report(const struct open_job *job,
    const struct e2e_opened *opened);
/* Its output is safe: never again. Told. */
enum e2e_error order_done(struct open_job *job);
/* Nothing came of it. */
void order_abandon(struct open_job *job);
/* Its output is there, but not all that belongs to it: the next attempt
 * finishes it. */
void order_leave(struct open_job *job);

/* ---- again.c ---- */

/* For -d, where job->file is there: a repeat, unless an attempt was cut off,
 * which may have written this very file. Told. */
enum e2e_error again_release(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in);

/* ---- receipt.c ---- */

/* Before a message is released: opens the file, if there has to be a receipt.
 * receipt_end follows, also after failure. Told. */
enum e2e_error receipt_prepare(struct open_job *job,
    const struct e2e_opened *opened);
/* For a message that is safe: seals the receipt and keeps it. Told. */
enum e2e_error receipt_make(struct open_job *job,
    const struct e2e_opened *opened);
/* Leaves none that was not made. */
void receipt_end(struct open_job *job);

/* ---- delivery.c ---- */

/* Is this message a receipt? */
bool delivery_is_one(const struct e2e_opened *opened);
/* A receipt speaks for whoever signed and sent its envelope, or for nobody:
 * status 3. Not told. */
enum e2e_error delivery_check(const struct e2e_opened *opened);
/* Reads it, and writes what it says instead of what it is. Told. */
enum e2e_error delivery_release(struct open_job *job,
    struct e2e_reader *reader, struct e2e_opened *opened,
    struct output *out);

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
/* Hands the payload, or what a receipt says, to `out`; nothing is committed.
 * Told. */
enum e2e_error payload_write(struct open_job *job, struct e2e_reader *reader,
    struct e2e_opened *opened, const struct input *in, struct output *out);
/* The message at hand has its second name from now on. */
void payload_use_second(struct open_job *job);
/* Tells what the library failed with, unless a callback has. */
void payload_tell(struct open_job *job, enum e2e_error error,
    const struct e2e_diag *diag, const char *subject);

#endif
