/*
 * planted.c: uses keys that the test knows, and stops on the way, so that the
 * test can look for them in this process's memory (tests/suites/memory).
 *
 * It links the library's own objects and never hardens itself, so that a
 * process of the same user may look. Every secret of 32 bytes that is drawn
 * here (a content encryption key, a payload key, an ephemeral key) is the same
 * known one, made up below; it stands nowhere in this program's data.
 *
 *	planted load KEY		parses a secret key file
 *	planted unlock KEY WORD		and unlocks it
 *	planted again KEY WORD		and once more, by the key of the file
 *	planted passwd KEY WORD NEW	and writes it under a new passphrase
 *	planted seal KEY WORD TO OUT	seals to a card, signed
 *	planted open KEY WORD IN	opens, verified
 *	planted letter KEY WORD TO OUT	seals, and tells drawn keys apart
 *	planted rewrap KEY WORD TO IN	gives it other recipients
 *	planted wrap KEY WORD TO OUT	wraps the key of a group, told apart, too
 *	planted group KEY WORD IN	unwraps it, and seals with it
 *	planted keep KEY WORD IN	the same, and never frees: the control
 *	planted hold KEY		never frees: the control
 */
#include "planted.h"

#include "base/buffer.h"
#include "base/fd.h"
#include "base/file.h"

#include <e2e/e2e.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MESSAGE_LENGTH = (3 << 20) + 100000, PATTERN_LENGTH = 32, IV_LENGTH = 12
};

static const struct e2e_kdf_cost cost = { 8192, 1, 1 };

static void
must(enum e2e_error error)
{
	if (error == E2E_OK)
		return;
	(void)fprintf(stderr, "planted: %s\n", e2e_error_text(error));
	exit(e2e_exit_status(error));
}

/* Tells where it is, and waits until the test has looked. */
static void
stop(const char *where)
{
	char byte;

	(void)printf("%s\n", where);
	(void)fflush(stdout);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		exit(1);
}

/* Drawn keys are told apart: the first, the second, and all the others. */
static bool numbered;
/* Stops where the IV of a rewrap block is drawn: then the CEK is in use. */
static bool stop_at_iv;

bool
__wrap_random_bytes(void *data, size_t size)
{
	/* Not for the compiler to compute: the pattern would stand in the
	 * program itself. */
	static volatile unsigned char first = 0x5a;
	static unsigned char number;
	unsigned char *out = data;

	if (size == IV_LENGTH && stop_at_iv)
		stop("during");
	if (size != PATTERN_LENGTH)
		return __real_random_bytes(data, size);
	for (size_t i = 0; i < size; i++)
		out[i] = (unsigned char)(i * 37 + first + number);
	if (numbered && number < 2)
		number++;
	return true;
}

/* ---- what the library is given ---- */

static struct e2e_identity *
load(const char *path)
{
	struct e2e_identity *identity;
	struct buffer text;

	buffer_init_secret(&text, E2E_KEY_FILE_MAX);
	must(file_read(path, &text));
	must(e2e_identity_parse(&identity, text.data, text.length));
	buffer_free(&text);
	return identity;
}

static void
unlock(struct e2e_identity *identity, const char *path)
{
	struct buffer word;

	buffer_init_secret(&word, 1024);
	must(file_read(path, &word));
	must(e2e_identity_unlock(identity, word.data, word.length, 0));
	buffer_free(&word);
}

/* The message: one sentence that the test knows, again and again. */
static enum e2e_error
read_message(void *context, void *data, size_t size, size_t *got)
{
	size_t *left = context;
	unsigned char *out = data;

	*got = size < *left ? size : *left;
	*left -= *got;
	for (size_t i = 0; i < *got; i++)
		out[i] = (unsigned char)("aeiou"[i % 5] ^ (i % 7));
	return E2E_OK;
}

static enum e2e_error
read_file(void *context, void *data, size_t size, size_t *got)
{
	return fd_read(*(int *)context, data, size, got);
}

/* Stops in the midst of the first piece. */
struct out {
	int fd;
	const char *where;
	bool stopped;
};

static enum e2e_error
write_out(void *context, const void *data, size_t size)
{
	struct out *out = context;

	if (!out->stopped)
		stop(out->where);
	out->stopped = true;
	return out->fd >= 0 ? fd_write(out->fd, data, size) : E2E_OK;
}

static struct out
create(const char *path)
{
	return (struct out){
		.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0600), .where = "during"
	};
}

static struct e2e_card *
load_card(const char *path)
{
	struct e2e_card *card;
	struct buffer line;

	buffer_init(&line, E2E_CARD_MAX * 2);
	must(file_read(path, &line));
	must(e2e_card_parse(&card, (const char *)line.data, line.length));
	buffer_free(&line);
	return card;
}

static void
seal(const struct e2e_identity *identity, const char *to, const char *path)
{
	size_t left = MESSAGE_LENGTH;
	struct e2e_input input = { .context = &left, .read = read_message };
	struct out out = create(path);
	struct e2e_output output = { .context = &out, .write = write_out };
	struct e2e_card *card = load_card(to);
	struct e2e_seal request = {
		.to.card_count = 1, .sender = identity, .threads = 2,
		.sign_segments = true
	};

	request.to.cards = (const struct e2e_card *const *)&card;
	must(e2e_seal(&request, &input, &output, NULL, NULL));
	must(fd_close(out.fd));
	e2e_card_free(card);
}

static void
open_one(const struct e2e_identity *identity, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct e2e_input input = { .context = &fd, .read = read_file };
	struct out out = { .fd = -1, .where = "during" };
	struct e2e_output output = { .context = &out, .write = write_out };
	struct e2e_open request = {
		.keys.identities = &identity, .keys.identity_count = 1, .threads = 2
	};
	struct e2e_reader *reader;
	struct e2e_opened opened;
	bool end;

	must(e2e_reader_new(&reader, &input));
	must(e2e_open_next(reader, &request, &opened, &end, NULL));
	must(e2e_open_payload(reader, &request, &output, &opened, NULL));
	if (opened.sender_state != E2E_SENDER_VERIFIED)
		exit(1);
	e2e_reader_free(reader);
	must(fd_close(fd));
}

/* As two commands do of which the second finds what the first had held. */
static void
again(const struct e2e_identity *identity, const char *path)
{
	unsigned char *key = e2e_secret_alloc(E2E_FILE_KEY_LEN);
	struct e2e_identity *second = load(path);

	if (key == NULL)
		must(E2E_ERR_MEMORY);
	must(e2e_identity_file_key(identity, key));
	must(e2e_identity_unlock_key(second, key));
	e2e_secret_free(key);
	stop("during");
	e2e_identity_free(second);
}

static void
save(const struct e2e_identity *identity, const char *path)
{
	struct buffer word;
	size_t length;
	char *text;

	buffer_init_secret(&word, 1024);
	must(file_read(path, &word));
	must(e2e_identity_text(identity, word.data, word.length, cost, &text,
	    &length));
	stop("during");
	e2e_secret_free(text);
	/* Unprotected, the key itself passes through the armor. */
	must(e2e_identity_text(identity, NULL, 0, cost, &text, &length));
	e2e_secret_free(text);
	buffer_free(&word);
}

/* ---- groups, other recipients ---- */

static void
rewrap(const struct e2e_identity *identity, const char *to, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct e2e_input input = { .context = &fd, .read = read_file };
	struct out out = { .fd = -1, .where = "written" };
	struct e2e_output output = { .context = &out, .write = write_out };
	struct e2e_card *card = load_card(to);
	struct e2e_rewrap request = {
		.keys.identities = &identity, .keys.identity_count = 1,
		.to.cards = (const struct e2e_card *const *)&card,
		.to.card_count = 1, .forwarder = identity
	};
	struct e2e_rewrapped rewrapped;
	struct e2e_reader *reader;
	bool end;

	must(e2e_reader_new(&reader, &input));
	stop_at_iv = true;
	must(e2e_rewrap_next(reader, &request, &output, &rewrapped, &end,
	    NULL));
	e2e_reader_free(reader);
	e2e_card_free(card);
	must(fd_close(fd));
}

static void
wrap_key(const struct e2e_identity *identity, const char *to,
    const char *path)
{
	struct out out = create(path);
	struct e2e_output output = { .context = &out, .write = write_out };
	struct e2e_card *card = load_card(to);
	const struct e2e_wrap_key request = {
		.maker = identity,
		.members = (const struct e2e_card *const *)&card,
		.member_count = 1
	};

	must(e2e_wrap_key(&request, &output, NULL));
	must(fd_close(out.fd));
	e2e_card_free(card);
}

static void
use_group(const struct e2e_identity *identity, const char *path, bool keep)
{
	size_t left = MESSAGE_LENGTH;
	struct e2e_input input = { .context = &left, .read = read_message };
	struct out out = { .fd = -1, .stopped = true };
	struct e2e_output output = { .context = &out, .write = write_out };
	const struct e2e_unwrap_key unwrap = {
		.keys.identities = &identity, .keys.identity_count = 1
	};
	struct e2e_group_key *group;
	struct e2e_seal request = {
		.to.group_count = 1, .sender = identity, .threads = 2
	};
	struct buffer file;

	buffer_init(&file, E2E_WRAPPED_KEY_MAX);
	must(file_read(path, &file));
	must(e2e_unwrap_key(&group, &unwrap, file.data, file.length, NULL));
	buffer_free(&file);
	stop("during");
	request.to.groups = (const struct e2e_group_key *const *)&group;
	must(e2e_seal(&request, &input, &output, NULL, NULL));
	if (!keep)
		e2e_group_key_free(group);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	struct e2e_identity *identity;

	numbered = strcmp(what, "letter") == 0 || strcmp(what, "wrap") == 0;
	must(e2e_init());
	stop("start");
	identity = load(argv[2]);
	if (argc > 3)
		unlock(identity, argv[3]);
	stop("loaded");
	if (strcmp(what, "again") == 0)
		again(identity, argv[2]);
	else if (strcmp(what, "passwd") == 0 && argc > 4)
		save(identity, argv[4]);
	else if (strcmp(what, "seal") == 0 && argc > 5)
		seal(identity, argv[4], argv[5]);
	else if (strcmp(what, "open") == 0 && argc > 4)
		open_one(identity, argv[4]);
	else if (strcmp(what, "letter") == 0 && argc > 5)
		seal(identity, argv[4], argv[5]);
	else if (strcmp(what, "rewrap") == 0 && argc > 5)
		rewrap(identity, argv[4], argv[5]);
	else if (strcmp(what, "wrap") == 0 && argc > 5)
		wrap_key(identity, argv[4], argv[5]);
	else if ((strcmp(what, "group") == 0 || strcmp(what, "keep") == 0) &&
	    argc > 4)
		use_group(identity, argv[4], what[0] == 'k');
	if (strcmp(what, "hold") != 0)
		e2e_identity_free(identity);
	stop("freed");
	return 0;
}
