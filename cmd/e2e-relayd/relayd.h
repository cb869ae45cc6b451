/*
 * relayd.h: what the files of e2e-relayd share.
 */
#ifndef RELAYD_H
#define RELAYD_H

#include "cli/options.h"
#include "net/server.h"

enum { RELAYD_LISTEN_MAX = 32, RELAYD_SUCCESSIONS_MAX = 64 };

enum relayd_mode {
	RELAYD_SERVE, RELAYD_CHECK, RELAYD_BACKUP, RELAYD_ROTATE,
	RELAYD_FINGERPRINT
};

/* What the command line says. */
struct relayd {
	enum relayd_mode mode;
	const char *store;
	const char *key;		/* NULL: relay.key in the store */
	const char *backup;
	const char *token_file, *cards;
	bool log_addresses;
	struct address listen[RELAYD_LISTEN_MAX];
	struct server_config config;	/* the policy is in it */
};

/* ---- main.c ---- */

extern const struct command relayd_command;

/* ---- limits.c: the fields of relay_policy as options ---- */

/* Options for all of them, with their defaults in the help; ids from `first`
 * on. The number of rows. */
size_t limits_options(struct option_spec *rows, size_t max, int first,
    const struct relay_policy *defaults);
/* Takes the option if it is one of these. */
bool limits_take(const struct options *o, int id, int first,
    struct relay_policy *policy);
/* A length of time in milliseconds: as text_duration_parse, or "250ms". */
uint64_t limits_time(const struct options *o, uint64_t max);

/* ---- log.c: logfmt on standard error ---- */

struct log;

/* addresses: say where from, and whole mailbox ids. NULL: no memory. */
struct log *log_new(bool addresses);
void log_free(struct log *log);		/* what was gathered is written */
void log_report(void *log, const struct relay_report *report,
    const char *address);
void log_note(void *log, const char *what, const char *detail);
/* A line of another form, at once. */
void log_line(struct log *log, struct buffer *line);
void log_flush(void *log);

/* ---- key.c: the relay's identity; all told ---- */

struct relay_key {
	char *path;
	struct e2e_identity *identity;
	/* Newest first, from the identity backwards; pointers into `chain`. */
	struct frame_succession successions[RELAYD_SUCCESSIONS_MAX];
	size_t count;
	struct buffer chain;
};

/* make: when the store has none yet. */
enum e2e_error relay_key_load(struct relay_key *key, const struct relayd *r,
    bool make);
void relay_key_free(struct relay_key *key);
enum e2e_error relay_key_rotate(const struct relayd *r);
enum e2e_error relay_key_fingerprint(const struct relayd *r);

/* ---- policy.c: files beside the command line; all told ---- */

/* The token of registration "token". */
enum e2e_error policy_read_token(struct relay_policy *policy,
    const char *path, bool serving, struct log *log);
/* At the start: E2E_ERR_CONFIG if it is none. */
enum e2e_error policy_look_at_cards(const char *folder);
/* Jobs that retire all cards and enroll those of the folder; NULL: it cannot
 * be read. */
struct store_job *policy_read_cards(const char *folder, struct log *log);

/* ---- care.c; all told ---- */

enum e2e_error care_check(const struct relayd *r);
enum e2e_error care_backup(const struct relayd *r);
/* Opens, and says what is wrong with it. */
enum e2e_error care_open(struct store **store, const char *folder,
    enum store_manner manner);

#endif
