/* The option parser: what it takes, and what it refuses in one line. */
#include "cli/message.h"
#include "cli/options.h"
#include "cli/process.h"

#include "cli_child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPTION_LONG = OPTION_OWN, OPTION_LOUD };

static const struct option_spec table[] = {
	{ 0, NULL, NULL, "options" },
	{ 'a', "all", NULL, "a flag" },
	{ 'b', "both", NULL, "another flag" },
	{ 'o', "output", "FILE", "an argument" },
	{ 't', "type", "red|green", "a choice" },
	{ OPTION_LONG, "long-one", "N", "a number" },
	{ OPTION_LOUD, "loud", NULL, "a long flag" },
	OPTIONS_COMMON
};

static const struct command command = {
	"e2e-test", "[-ab] [FILE]\n--loud", "Tests.", table
};

/* What was parsed, as text: "a o=x (operand)". */
static int
parse(void *context)
{
	char **argv = context;
	struct options o;
	int argc = 0, id;

	while (argv[argc] != NULL)
		argc++;
	process_start("e2e-test");
	options_start(&o, &command, argc, argv);
	while ((id = options_next(&o)) != OPTIONS_END) {
		if (id == OPTIONS_OPERAND)
			(void)printf("(%s) ", o.argument);
		else if (id == OPTION_LONG)
			(void)printf("%s=%u ", o.spec->name,
			    (unsigned)options_number(&o, 2, 9));
		else if (id == 't')
			(void)printf("t=%zu ", options_choice(&o));
		else
			(void)printf("%s%s%s ", o.spec->name,
			    o.argument == NULL ? "" : "=",
			    o.argument == NULL ? "" : o.argument);
	}
	(void)fflush(stdout);
	return process_finish(E2E_OK);
}

static void
run(struct child *c, const char *line)
{
	static char copy[1024];
	char *argv[32] = { NULL }, *word;
	size_t n = 0;

	memset(c, 0, sizeof(*c));
	(void)snprintf(copy, sizeof(copy), "e2e-test %s", line);
	for (word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
		argv[n++] = word;
	child_run(c, parse, argv);
}

static void
every_way_to_write_an_option(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "-a", "all " },
		{ "-ab", "all both " },
		{ "-abo x", "all both output=x " },
		{ "-ox", "output=x " },
		{ "-o -", "output=- " },
		{ "-o -a", "output=-a " },
		{ "-aox y", "all output=x (y) " },
		{ "--output=x", "output=x " },
		{ "--output x", "output=x " },
		{ "--output=", "output= " },
		{ "--out=a=b", "output=a=b " },
		{ "--lon 5", "long-one=5 " },
		{ "x -a y", "(x) all (y) " },
		{ "-", "(-) " },
		{ "-a -- -b --both -", "all (-b) (--both) (-) " },
		{ "-t red -tgreen", "t=0 t=1 " }
	};
	struct child c;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run(&c, rows[i][0]);
		assert_string_equal(c.out, rows[i][1]);
		assert_string_equal(c.err, "");
		assert_int_equal(c.status, 0);
	}
}

static void
usage_errors_are_one_line_and_a_hint(void **state)
{
	static const char *const rows[][2] = {
		{ "-x", "unknown option -x" },
		{ "-ax", "unknown option -x" },
		{ "--nope", "unknown option --nope" },
		{ "--nope=secret", "unknown option --nope" },
		{ "--=x", "unknown option --" },
		{ "--lo", "option --lo is ambiguous: --long-one or --loud" },
		{ "-o", "option --output needs an argument (FILE)" },
		{ "--output", "option --output needs an argument (FILE)" },
		{ "--all=1", "option --all takes no argument" },
		{ "--long-one 1", "--long-one 1: not a number from 2 to 9" },
		{ "--long-one 10", "--long-one 10: not a number from 2 to 9" },
		{ "--long-one x", "--long-one x: not a number from 2 to 9" },
		{ "-t blue", "--type blue: not one of red|green" },
		{ "-t re", "--type re: not one of red|green" },
		{ "-t red|green", "--type red|green: not one of red|green" },
		{ "--status-fd 77", "--status-fd 77: not a descriptor open "
		    "for writing" }
	};
	char expected[512];
	struct child c;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run(&c, rows[i][0]);
		(void)snprintf(expected, sizeof(expected),
		    "e2e-test: error: %s\ne2e-test: hint: try 'e2e-test "
		    "--help'\n", rows[i][1]);
		assert_string_equal(c.err, expected);
		assert_int_equal(c.status, 64);
		assert_string_equal(c.out, "");
	}
}

static void
help_shows_the_whole_table(void **state)
{
	const struct option_spec *spec;
	char long_name[64];
	struct child c;

	run(&c, "--help");
	assert_int_equal(c.status, 0);
	assert_string_equal(c.err, "");
	assert_non_null(strstr(c.out, "usage: e2e-test [-ab] [FILE]\n"
	    "       e2e-test --loud\n\nTests.\n"));
	for (spec = table; spec->name != NULL || spec->help != NULL; spec++) {
		assert_non_null(strstr(c.out, spec->help));
		if (spec->name == NULL)
			continue;
		(void)snprintf(long_name, sizeof(long_name), "--%s",
		    spec->name);
		assert_non_null(strstr(c.out, long_name));
	}
	run(&c, "-V");
	assert_int_equal(c.status, 0);
	assert_memory_equal(c.out, "e2e-test ", 9);
}

static void
control_characters_do_not_reach_the_terminal(void **state)
{
	struct child c;

	run(&c, "--no\033[31mpe");
	assert_int_equal(c.status, 64);
	assert_null(strchr(c.err, '\033'));
	assert_non_null(strstr(c.err, "--no\\x1b[31mpe"));
}

static void
an_error_is_a_status_line_too(void **state)
{
	struct child c;

	run(&c, "--status-fd 1 -x");
	assert_int_equal(c.status, 64);
	assert_string_equal(c.out, "{\"event\":\"error\",\"code\":6400,"
	    "\"status\":64,\"text\":\"unknown option -x\"}\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_write_an_option),
		cmocka_unit_test(usage_errors_are_one_line_and_a_hint),
		cmocka_unit_test(help_shows_the_whole_table),
		cmocka_unit_test(control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(an_error_is_a_status_line_too)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
