/*
 * options.h: one table a command; parsing, --help and completions follow it.
 *
 * The name of an option's argument tells what it is, for people and for the
 * completions: FILE and KEY are files, DIR a folder, RECIPIENT, SENDER and
 * NAME pinned contacts (or files), a|b|c a choice; others are free text.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/text.h"

#include <stddef.h>
#include <stdint.h>

/* Ids of options without a letter begin here; those below are letters. */
enum {
	OPTION_STATUS_FD = 256,
	OPTION_PASSPHRASE_FILE,
	OPTION_PASSPHRASE_FD,
	OPTION_NEW_PASSPHRASE_FILE,
	OPTION_NEW_PASSPHRASE_FD,
	OPTION_NO_PASSPHRASE,
	OPTION_KDF_MEMORY,
	OPTION_KDF_PASSES,
	OPTION_KDF_LANES,
	OPTION_KDF_MEMORY_MAX,
	OPTION_OWN		/* a command's own begin here */
};

struct option_spec {
	int id;
	const char *name;	/* without dashes; NULL: a heading (help) or the end */
	const char *argument;	/* NULL: takes none */
	const char *help;
};

struct command {
	const char *name;	/* "e2e-seal", "e2e-key rotate" */
	const char *synopsis;	/* lines, each after the name */
	const char *about;	/* one sentence, or several lines */
	const struct option_spec *options;
};

#define OPTIONS_PASSPHRASE \
	{ OPTION_PASSPHRASE_FILE, "passphrase-file", "FILE", \
	    "read the passphrase from FILE (private mode)" }, \
	{ OPTION_PASSPHRASE_FD, "passphrase-fd", "N", \
	    "read the passphrase from descriptor N" }

#define OPTIONS_KDF \
	{ OPTION_KDF_MEMORY, "kdf-memory", "KIB", \
	    "memory of the key derivation (small machines)" }, \
	{ OPTION_KDF_PASSES, "kdf-passes", "N", \
	    "passes of the key derivation" }, \
	{ OPTION_KDF_LANES, "kdf-lanes", "N", \
	    "lanes of the key derivation" }

#define OPTION_KDF_CAP \
	{ OPTION_KDF_MEMORY_MAX, "kdf-memory-max", "KIB", \
	    "largest memory a key derivation may ask for" }

/* Ends every table. The parser itself handles these. */
#define OPTIONS_COMMON \
	{ 'q', "quiet", NULL, "say nothing but errors" }, \
	{ 'v', "verbose", NULL, "say more" }, \
	{ OPTION_STATUS_FD, "status-fd", "N", \
	    "write JSON lines for programs to descriptor N" }, \
	{ 'h', "help", NULL, "print this and exit" }, \
	{ 'V', "version", NULL, "print the version and exit" }, \
	{ 0, NULL, NULL, NULL }

struct options {
	const struct command *command;
	int argc;
	char **argv;
	int next;		/* the argument to look at */
	const char *cluster;	/* the rest of -abc, or NULL */
	int operands_only;	/* after -- */
	const char *argument;	/* of the option just returned, or the operand */
	const struct option_spec *spec;	/* that option's row */
};

enum { OPTIONS_END = -1, OPTIONS_OPERAND = -2 };

/* argv[0] is skipped. */
void options_start(struct options *o, const struct command *command, int argc,
    char **argv);
/*
 * The next option's id, OPTIONS_OPERAND, or OPTIONS_END. Options and operands
 * may mix; "-" is an operand; long names may be cut as long as they are
 * unambiguous. --help and --version print and exit here; a wrong option is a
 * usage error.
 */
int options_next(struct options *o);

/* Says what is wrong and how to get help, and exits with status 64. */
_Noreturn void options_usage(const struct command *command,
    const char *format, ...) TEXT_FORMAT(2, 3);

/* The current option's argument as a number within bounds, or usage. */
uint64_t options_number(const struct options *o, uint64_t min, uint64_t max);
/* Which of its choices (a|b|c in the table) the argument is, from 0; or usage. */
size_t options_choice(const struct options *o);
/* The argument if it is 1 to `max` bytes of one line of text, or usage. */
const char *options_text(const struct options *o, size_t max);
/* When something ends (text_expiry_parse), or usage. */
uint64_t options_expiry(const struct options *o);
/* A length of time above 0 (text_duration_parse), or usage. */
uint64_t options_duration(const struct options *o);

/* ---- commands made of subcommands ---- */

struct subcommand {
	const struct command *command;
	const char *word;	/* NULL ends the list */
	/* argv[0] is the word; returns an enum e2e_error, already told. */
	int (*run)(int argc, char **argv);
};

/* Finds and runs argv[1]. */
int options_subcommand(const struct command *command,
    const struct subcommand *list, int argc, char **argv);

#endif
