/*
 * passphrase.h: where passphrases come from.
 *
 * From a file, a descriptor, or the terminal; never from the command line,
 * the environment or the standard input that carries data. A passphrase is
 * the exact bytes, without one newline at the end.
 */
#ifndef CLI_PASSPHRASE_H
#define CLI_PASSPHRASE_H

#include "cli/options.h"

#include <e2e/error.h>
#include <e2e/key.h>

#include <stdbool.h>
#include <stddef.h>

enum { PASSPHRASE_MAX = 4096 };

/* data is from secret_alloc, NULL when there is none. */
struct passphrase {
	unsigned char *data;
	size_t length;
};

void passphrase_free(struct passphrase *p);

/*
 * Set up by options. file and fd are read once, when first needed; what they
 * hold then answers every question put to this source.
 */
struct passphrase_source {
	const char *file;		/* --passphrase-file */
	int fd;				/* --passphrase-fd, or -1 */
	const char *options;		/* for the hint: "--passphrase-file or ..." */
	struct passphrase given;
};

#define PASSPHRASE_SOURCE(hint) { .fd = -1, .options = (hint) }
#define PASSPHRASE_OPTIONS "--passphrase-file or --passphrase-fd"

/*
 * Takes --passphrase-file and --passphrase-fd, or with `first` the pair of
 * options whose ids begin there. False: another option.
 */
bool passphrase_option(struct passphrase_source *source,
    const struct options *o, int id, int first);
/* Was one of the options given? (Else the terminal is asked.) */
bool passphrase_is_given(const struct passphrase_source *source);

/*
 * An existing passphrase "for SUBJECT". E2E_ERR_PASSPHRASE_NEEDED without an
 * option and without a terminal, naming the options. Told.
 */
enum e2e_error passphrase_get(struct passphrase *p,
    struct passphrase_source *source, const char *subject);
/* A new one: not empty, asked for twice on the terminal, up to three times. */
enum e2e_error passphrase_get_new(struct passphrase *p,
    struct passphrase_source *source, const char *subject);
void passphrase_source_free(struct passphrase_source *source);

/* What answers a request of libe2e for the passphrase of a message. */
struct passphrase_answer {
	struct passphrase_source *source;
	enum e2e_error told;	/* what it has failed with, and told */
};
/* The callback of struct e2e_keys; context is a passphrase_answer. */
enum e2e_error passphrase_answer(void *context, void **passphrase,
    size_t *length);

/* Takes --kdf-memory, --kdf-passes, --kdf-lanes. False: another option. */
bool passphrase_cost_option(struct e2e_kdf_cost *cost, const struct options *o,
    int id);

#endif
