/*
 * passphrase.c: one source at a time, read whole, kept in secret memory.
 */
#include "cli/passphrase.h"

#include "base/buffer.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NEW_ATTEMPTS = 3 };

void
passphrase_free(struct passphrase *p)
{
	secret_free(p->data);
	p->data = NULL;
	p->length = 0;
}

bool
passphrase_option(struct passphrase_source *source, const struct options *o,
    int id, int first)
{
	if (id == first) {
		source->file = o->argument;
		source->fd = -1;
		return true;
	}
	if (id == first + 1) {
		source->fd = (int)options_number(o, 0, 1 << 20);
		/* Later it could be some other file that was given this
		 * number. */
		if (!fd_is_readable(source->fd))
			options_usage(o->command, "descriptor %d cannot be "
			    "read", source->fd);
		source->file = NULL;
		return true;
	}
	return false;
}

bool
passphrase_is_given(const struct passphrase_source *source)
{
	return source->file != NULL || source->fd >= 0;
}

/* 0600 or nothing: whoever can read it can open the key. */
static enum e2e_error
check_private(int fd, const char *name)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || file_is_private(fd))
		return E2E_OK;
	(void)message_error(E2E_ERR_PERMISSIONS,
	    "%s: a passphrase file that others can read", name);
	message_hint("chmod 600 %s", name);
	return E2E_ERR_PERMISSIONS;
}

/* Opens what the options name. *own: the caller closes it. */
static enum e2e_error
open_source(const struct passphrase_source *source, int *fd, bool *own)
{
	enum e2e_error error;

	*own = false;
	if (source->fd >= 0) {
		*fd = source->fd;
		if (source->fd == STDIN_FILENO)
			return input_claim_stdin("the passphrase");
		return E2E_OK;
	}
	if (strcmp(source->file, "-") == 0) {
		*fd = STDIN_FILENO;
		return input_claim_stdin("the passphrase");
	}
	if ((*fd = open(source->file, O_RDONLY | O_CLOEXEC)) < 0)
		return message_system(E2E_ERR_NO_INPUT, source->file);
	*own = true;
	if ((error = check_private(*fd, source->file)) != E2E_OK)
		(void)close(*fd);
	return error;
}

static enum e2e_error
read_given(struct passphrase_source *source)
{
	const char *name = source->file != NULL ? source->file :
	    "passphrase descriptor";
	struct buffer text;
	enum e2e_error error;
	int fd;
	bool own;

	/* One more for the newline that does not count. */
	buffer_init_secret(&text, PASSPHRASE_MAX + 1);
	if ((error = open_source(source, &fd, &own)) != E2E_OK)
		goto out;
	errno = 0;
	error = fd_read_all(fd, &text);
	if (error != E2E_OK)
		(void)message_system(error, name);
	if (own)
		(void)close(fd);
	if (error != E2E_OK)
		goto out;
	if (text.length > 0 && text.data[text.length - 1] == '\n')
		text.length--;
	if (text.length > PASSPHRASE_MAX) {
		error = message_error(E2E_ERR_LIMIT,
		    "%s: a passphrase of more than %d bytes", name,
		    PASSPHRASE_MAX);
		goto out;
	}
	if ((source->given.data = secret_alloc(text.length)) == NULL) {
		error = message_no_memory();
		goto out;
	}
	if (text.length > 0)
		memcpy(source->given.data, text.data, text.length);
	source->given.length = text.length;
out:
	buffer_free(&text);
	return error;
}

static enum e2e_error
get_given(struct passphrase *p, struct passphrase_source *source)
{
	enum e2e_error error;

	if (source->given.data == NULL &&
	    (error = read_given(source)) != E2E_OK)
		return error;
	if ((p->data = secret_alloc(source->given.length)) == NULL)
		return message_no_memory();
	memcpy(p->data, source->given.data, source->given.length);
	p->length = source->given.length;
	return E2E_OK;
}

/* "LEAD for SUBJECT: " on the terminal. */
static enum e2e_error
ask(struct passphrase *p, const struct passphrase_source *source,
    const char *lead, const char *subject)
{
	char shown[256], prompt[320];
	enum e2e_error error;

	(void)utf8_escape(shown, sizeof(shown), subject, strlen(subject));
	(void)snprintf(prompt, sizeof(prompt), "%s for %s: ", lead, shown);
	if ((p->data = secret_alloc(PASSPHRASE_MAX)) == NULL)
		return message_no_memory();
	error = terminal_ask(prompt, p->data, PASSPHRASE_MAX, &p->length);
	if (error == E2E_OK)
		return E2E_OK;
	passphrase_free(p);
	if (error == E2E_ERR_LIMIT)
		return message_error(error,
		    "a passphrase of more than %d bytes", PASSPHRASE_MAX);
	(void)message_error(error, "a passphrase for %s is needed", subject);
	message_hint("without a terminal, give %s", source->options);
	return error;
}

enum e2e_error
passphrase_get(struct passphrase *p, struct passphrase_source *source,
    const char *subject)
{
	p->data = NULL;
	p->length = 0;
	if (passphrase_is_given(source))
		return get_given(p, source);
	return ask(p, source, "passphrase", subject);
}

/* Asks twice. *same: both answers were the same and not empty. */
static enum e2e_error
ask_twice(struct passphrase *p, struct passphrase_source *source,
    const char *subject, bool *same)
{
	struct passphrase again = { NULL, 0 };
	enum e2e_error error;

	*same = false;
	error = ask(p, source, "new passphrase", subject);
	if (error != E2E_OK)
		return error;
	if (p->length == 0) {
		message_note("an empty passphrase protects nothing");
	} else {
		error = ask(&again, source, "the same again", subject);
		if (error == E2E_OK) {
			*same = p->length == again.length &&
			    secret_equal(p->data, again.data, p->length);
			if (!*same)
				message_note("the two are not the same");
		}
	}
	passphrase_free(&again);
	if (!*same)
		passphrase_free(p);
	return error;
}

enum e2e_error
passphrase_get_new(struct passphrase *p, struct passphrase_source *source,
    const char *subject)
{
	enum e2e_error error;
	bool same = false;
	int i;

	p->data = NULL;
	p->length = 0;
	if (passphrase_is_given(source)) {
		if ((error = get_given(p, source)) != E2E_OK)
			return error;
		if (p->length > 0)
			return E2E_OK;
		passphrase_free(p);
		return message_error(E2E_ERR_PASSPHRASE_NEEDED,
		    "the passphrase for %s is empty", subject);
	}
	for (i = 0; i < NEW_ATTEMPTS; i++) {
		error = ask_twice(p, source, subject, &same);
		if (error != E2E_OK || same)
			return error;
	}
	return message_error(E2E_ERR_PASSPHRASE_NEEDED,
	    "no passphrase for %s was chosen", subject);
}

void
passphrase_source_free(struct passphrase_source *source)
{
	passphrase_free(&source->given);
}

enum e2e_error
passphrase_answer(void *context, void **passphrase, size_t *length)
{
	struct passphrase_answer *answer = context;
	struct passphrase p = { NULL, 0 };
	enum e2e_error error;

	error = passphrase_get(&p, answer->source, "this message");
	if (error == E2E_OK &&
	    (*passphrase = e2e_secret_alloc(p.length)) == NULL)
		error = message_no_memory();
	if (error == E2E_OK) {
		memcpy(*passphrase, p.data, p.length);
		*length = p.length;
	}
	answer->told = error;
	passphrase_free(&p);
	return error;
}

bool
passphrase_cost_option(struct e2e_kdf_cost *cost, const struct options *o,
    int id)
{
	/* One of the three given: the others are the format's default. */
	struct e2e_kdf_cost set = { 256 * 1024, 3, 4 };

	if (id != OPTION_KDF_MEMORY && id != OPTION_KDF_PASSES &&
	    id != OPTION_KDF_LANES)
		return false;
	if (cost->passes != 0)
		set = *cost;
	if (id == OPTION_KDF_MEMORY)
		set.memory_kib = (uint32_t)options_number(o, 8192, 1048576);
	else if (id == OPTION_KDF_PASSES)
		set.passes = (uint32_t)options_number(o, 1, 16);
	else
		set.lanes = (uint32_t)options_number(o, 1, 8);
	*cost = set;
	return true;
}
