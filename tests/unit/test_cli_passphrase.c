/* Passphrases: from files, descriptors and a terminal, and from nowhere. */
#include "cli/passphrase.h"

#include "cli/message.h"
#include "cli/process.h"

#include "cli_child.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

struct question {
	const char *file;
	int fd;
	int is_new;
	void (*handler)(int number);
};

/* Writes what was given to standard error, in brackets. */
static int
ask(void *context)
{
	const struct question *q = context;
	struct passphrase_source source = PASSPHRASE_SOURCE("--the-option");
	struct passphrase p = { NULL, 0 };
	struct termios t;
	enum e2e_error error;

	process_start("e2e-test");
	if (q->handler != NULL) {
		(void)signal(SIGINT, q->handler);
		(void)signal(SIGQUIT, q->handler);
	}
	source.file = q->file;
	source.fd = q->fd;
	error = q->is_new ? passphrase_get_new(&p, &source, "it") :
	    passphrase_get(&p, &source, "it");
	if (error == E2E_OK)
		(void)fprintf(stderr, "[%.*s]", (int)p.length,
		    (const char *)p.data);
	if (isatty(STDOUT_FILENO) && tcgetattr(STDOUT_FILENO, &t) == 0 &&
	    (t.c_lflag & ECHO) == 0)
		(void)fprintf(stderr, "echo is off");
	passphrase_free(&p);
	passphrase_source_free(&source);
	return process_finish(error);
}

static void
without_a_terminal_it_fails_at_once(void **state)
{
	struct question q = { NULL, -1, 0, NULL };
	struct child c = { .on_terminal = 0 };

	child_run(&c, ask, &q);
	assert_int_equal(c.status, 7);
	assert_string_equal(c.err,
	    "e2e-test: error: a passphrase for it is needed\n"
	    "e2e-test: hint: without a terminal, give --the-option\n");
	q.is_new = 1;
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 7);
}

static void
a_terminal_is_asked_and_shows_nothing(void **state)
{
	struct question q = { NULL, -1, 0, NULL };
	struct child c = { .on_terminal = 1, .input = "tree frog\n" };

	child_run(&c, ask, &q);
	assert_int_equal(c.status, 0);
	assert_string_equal(c.err, "[tree frog]");
	assert_string_equal(c.out, "passphrase for it: \r\n");
}

static void
a_new_one_is_asked_for_twice(void **state)
{
	struct question q = { NULL, -1, 1, NULL };
	struct child c = { .on_terminal = 1 };

	c.input = "one\none\n";
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 0);
	assert_string_equal(c.err, "[one]");
	c.input = "one\ntwo\n\nthree\nthree\n";
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "[three]"));
	assert_non_null(strstr(c.err, "not the same"));
	c.input = "1\n2\n3\n4\n5\n6\n7\n7\n";
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 7);
	assert_null(strchr(c.err, '['));
}

static void
the_end_of_the_terminal_is_no_answer(void **state)
{
	struct question q = { NULL, -1, 0, NULL };
	/* What begins a line with ^D ends the input. */
	struct child c = { .on_terminal = 1, .input = "\004\n" };

	child_run(&c, ask, &q);
	assert_int_equal(c.status, 7);
	assert_null(strstr(c.err, "echo is off"));
}

/* Runs once the terminal is as before. */
static void
restore_checked(int number)
{
	struct termios t;

	_exit(tcgetattr(STDOUT_FILENO, &t) == 0 && (t.c_lflag & ECHO) != 0 ?
	    40 + number : 1);
}

static void
signals_restore_the_terminal_first(void **state)
{
	struct question q = { NULL, -1, 0, restore_checked };
	struct child c = { .on_terminal = 1, .input = "abc\003\n" };

	child_run(&c, ask, &q);
	assert_int_equal(c.status, 40 + SIGINT);
	c.input = "abc\034\n";
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 40 + SIGQUIT);
}

static void
a_signal_ends_the_command_by_itself(void **state)
{
	struct question q = { NULL, -1, 0, NULL };
	struct child c = { .on_terminal = 1, .input = "abc\003\n" };

	child_run(&c, ask, &q);
	assert_int_equal(c.status, -SIGINT);
	assert_string_equal(c.err, "");
}

static void
make_file(const char *path, const char *text, size_t length, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), length);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void
a_file_gives_its_bytes_but_one_newline(void **state)
{
	static const struct {
		const char *text;
		const char *passphrase;
	} rows[] = {
		{ "abc", "[abc]" }, { "abc\n", "[abc]" },
		{ "abc\n\n", "[abc\n]" }, { "abc\r\n", "[abc\r]" },
		{ " a b ", "[ a b ]" }, { "\n", "[]" }
	};
	struct question q = { "pass", -1, 0, NULL };
	struct child c = { .on_terminal = 0 };
	char *folder = child_folder();
	size_t i;

	assert_int_equal(chdir(folder), 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_file("pass", rows[i].text, strlen(rows[i].text), 0600);
		child_run(&c, ask, &q);
		assert_int_equal(c.status, 0);
		assert_string_equal(c.err, rows[i].passphrase);
	}
	q.is_new = 1;
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 7);
	assert_int_equal(chdir("/"), 0);
	child_folder_remove(folder);
}

static void
a_file_is_private_and_not_too_long(void **state)
{
	static char text[PASSPHRASE_MAX + 2];
	struct question q = { "pass", -1, 0, NULL };
	struct child c = { .on_terminal = 0 };
	char *folder = child_folder();

	assert_int_equal(chdir(folder), 0);
	make_file("pass", "hunter2", 7, 0640);
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 78);
	assert_null(strstr(c.err, "hunter2"));
	memset(text, 'x', sizeof(text));
	make_file("pass", text, PASSPHRASE_MAX, 0600);
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 0);
	make_file("pass", text, PASSPHRASE_MAX + 1, 0600);
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 6);
	make_file("pass", text, PASSPHRASE_MAX + 2, 0600);
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 6);
	assert_null(strstr(c.err, "xxx"));
	q.file = "missing";
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 66);
	assert_int_equal(chdir("/"), 0);
	child_folder_remove(folder);
}

static void
a_descriptor_gives_its_bytes(void **state)
{
	struct question q = { NULL, -1, 1, NULL };
	struct child c = { .on_terminal = 0 };
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "from afar\n", 10), 10);
	assert_int_equal(close(ends[1]), 0);
	q.fd = ends[0];
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 0);
	assert_string_equal(c.err, "[from afar]");
	assert_int_equal(close(ends[0]), 0);
	q.fd = 900;		/* is not open */
	child_run(&c, ask, &q);
	assert_int_equal(c.status, 74);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_terminal_it_fails_at_once),
		cmocka_unit_test(a_terminal_is_asked_and_shows_nothing),
		cmocka_unit_test(a_new_one_is_asked_for_twice),
		cmocka_unit_test(the_end_of_the_terminal_is_no_answer),
		cmocka_unit_test(signals_restore_the_terminal_first),
		cmocka_unit_test(a_signal_ends_the_command_by_itself),
		cmocka_unit_test(a_file_gives_its_bytes_but_one_newline),
		cmocka_unit_test(a_file_is_private_and_not_too_long),
		cmocka_unit_test(a_descriptor_gives_its_bytes)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
