/* What may go where: terminals, files that are their own input, commits. */
#include "cli/output.h"

#include "cli/message.h"
#include "cli/process.h"

#include "cli_child.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Pieces written one after the other to standard output. */
struct script {
	enum output_kind kind;
	const char *pieces[8];
};

static int
write_pieces(void *context)
{
	const struct script *s = context;
	struct output out;
	enum e2e_error error;
	size_t i;

	process_start("e2e-test");
	error = output_open(&out, NULL, s->kind, FILE_REPLACE, 0666, -1);
	for (i = 0; error == E2E_OK && s->pieces[i] != NULL; i++)
		error = out.io.write(&out, s->pieces[i], strlen(s->pieces[i]));
	if (error == E2E_OK)
		error = output_commit(&out);
	return process_finish(error);
}

static void
data_for_a_terminal_is_looked_at(void **state)
{
	static const struct {
		struct script script;
		const char *shown;
		int status;
	} rows[] = {
		{ { OUTPUT_DATA, { "plain\ttext\n" } }, "plain\ttext\r\n", 0 },
		{ { OUTPUT_DATA, { "a\342", "\202", "\254b" } },
		    "a\342\202\254b", 0 },
		{ { OUTPUT_DATA, { "\360", "\237\230", "\200", "\360\237",
		    "\230\200" } }, "\360\237\230\200\360\237\230\200", 0 },
		{ { OUTPUT_DATA, { "good ", "bad \033[2J" } }, "good ", 73 },
		{ { OUTPUT_DATA, { "x\r" } }, "", 73 },
		{ { OUTPUT_DATA, { "x\177" } }, "", 73 },
		{ { OUTPUT_DATA, { "x\302\233" } }, "", 73 },
		{ { OUTPUT_DATA, { "a\302", "\233" } }, "a", 73 },
		{ { OUTPUT_DATA, { "a\342\200", "\256" } }, "a", 73 },
		{ { OUTPUT_DATA, { "a\377" } }, "", 73 },
		{ { OUTPUT_DATA, { "cut \342\202" } }, "cut ", 73 },
		{ { OUTPUT_BINARY, { "anything" } }, "", 73 },
		{ { OUTPUT_TEXT, { "ours" } }, "ours", 0 }
	};
	struct script script;
	struct child c;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&c, 0, sizeof(c));
		c.on_terminal = 1;
		script = rows[i].script;
		child_run(&c, write_pieces, &script);
		assert_string_equal(c.out, rows[i].shown);
		assert_int_equal(c.status, rows[i].status);
	}
}

static void
anything_goes_to_a_pipe(void **state)
{
	struct script script = { OUTPUT_BINARY, { "\033\377" } };
	struct child c = { .on_terminal = 0 };

	child_run(&c, write_pieces, &script);
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "\033\377");
	script.kind = OUTPUT_DATA;
	child_run(&c, write_pieces, &script);
	assert_int_equal(c.status, 0);
	assert_string_equal(c.out, "\033\377");
}

static int
close_standard_output(void *context)
{
	(void)close(STDOUT_FILENO);
	return write_pieces(context);
}

static void
a_closed_standard_output_is_an_error(void **state)
{
	struct script script = { OUTPUT_BINARY, { "x" } };
	struct child c = { .on_terminal = 0 };

	child_run(&c, close_standard_output, &script);
	assert_int_equal(c.status, 74);
}

static int
full_standard_output(void *context)
{
	(void)dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
	return write_pieces(context);
}

static void
a_full_device_is_an_error(void **state)
{
	struct script script = { OUTPUT_BINARY, { "x" } };
	struct child c = { .on_terminal = 0 };

	if (access("/dev/full", W_OK) != 0)
		skip();
	child_run(&c, full_standard_output, &script);
	assert_int_equal(c.status, 74);
}

static void
make_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
expect_file(const char *path, const char *expected)
{
	char text[64] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) == strlen(expected));
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, expected);
}

static void
a_file_is_not_its_own_input(void **state)
{
	char *folder = child_folder();
	struct output out;
	int fd;

	assert_int_equal(chdir(folder), 0);
	make_file("in", "data");
	assert_int_equal(link("in", "other-name"), 0);
	assert_int_equal(symlink("in", "symbolic"), 0);
	fd = open("in", O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(output_open(&out, "in", OUTPUT_BINARY, FILE_REPLACE,
	    0666, fd), E2E_ERR_SAME_FILE);
	assert_int_equal(output_open(&out, "other-name", OUTPUT_BINARY,
	    FILE_REPLACE, 0666, fd), E2E_ERR_SAME_FILE);
	assert_int_equal(output_open(&out, "symbolic", OUTPUT_BINARY,
	    FILE_REPLACE, 0666, fd), E2E_ERR_SAME_FILE);
	expect_file("in", "data");
	assert_int_equal(output_open(&out, "out", OUTPUT_BINARY, FILE_REPLACE,
	    0666, fd), E2E_OK);
	output_abort(&out);
	assert_int_equal(close(fd), 0);
	assert_int_equal(chdir("/"), 0);
	child_folder_remove(folder);
}

static void
a_file_appears_at_the_commit(void **state)
{
	char *folder = child_folder();
	struct output out;

	assert_int_equal(chdir(folder), 0);
	make_file("old", "old");
	assert_int_equal(output_open(&out, "old", OUTPUT_BINARY, FILE_REPLACE,
	    0666, -1), E2E_OK);
	assert_non_null(out.io.write_at);
	assert_int_equal(out.io.write_at(&out, "new and more", 12, 0), E2E_OK);
	assert_int_equal(out.io.set_size(&out, 3), E2E_OK);
	expect_file("old", "old");
	assert_int_equal(output_commit(&out), E2E_OK);
	output_abort(&out);
	expect_file("old", "new");
	assert_int_equal(output_open(&out, "old", OUTPUT_BINARY, FILE_REPLACE,
	    0666, -1), E2E_OK);
	assert_int_equal(out.io.write(&out, "lost", 4), E2E_OK);
	output_abort(&out);
	expect_file("old", "new");
	assert_int_equal(chdir("/"), 0);
	child_folder_remove(folder);
}

static void
a_key_is_not_replaced(void **state)
{
	char *folder = child_folder();
	struct output out;

	assert_int_equal(chdir(folder), 0);
	make_file("key", "old");
	assert_int_equal(output_open(&out, "key", OUTPUT_BINARY, FILE_NEW,
	    0600, -1), E2E_ERR_EXISTS);
	expect_file("key", "old");
	assert_int_equal(chdir("/"), 0);
	child_folder_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_for_a_terminal_is_looked_at),
		cmocka_unit_test(anything_goes_to_a_pipe),
		cmocka_unit_test(a_closed_standard_output_is_an_error),
		cmocka_unit_test(a_full_device_is_an_error),
		cmocka_unit_test(a_file_is_not_its_own_input),
		cmocka_unit_test(a_file_appears_at_the_commit),
		cmocka_unit_test(a_key_is_not_replaced)
	};

	return cmocka_run_group_tests(tests, child_mute, child_unmute);
}
