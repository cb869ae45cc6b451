/*
 * options.c: the parser over the tables, and what it prints.
 *
 * getopt_long is not in POSIX, permutes argv behind the caller's back and
 * prints lines of its own form; this parser is shorter than its wrapper would be.
 */
#include "cli/options.h"

#include "base/clock.h"
#include "base/number.h"
#include "base/utf8.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/process.h"

#include <e2e/e2e.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 32 };

void
options_start(struct options *o, const struct command *command, int argc,
    char **argv)
{
	memset(o, 0, sizeof(*o));
	o->command = command;
	o->argc = argc;
	o->argv = argv;
	o->next = 1;
}

_Noreturn void
options_usage(const struct command *command, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	(void)message_error(E2E_ERR_USAGE, "%s", text);
	message_hint("try '%s --help'", command->name);
	exit(process_finish(E2E_ERR_USAGE));
}

static void
add_synopsis(struct buffer *b, const struct command *command)
{
	const char *line = command->synopsis, *end;
	const char *lead = "usage:";

	/* No operands and no options worth showing: an empty line, once. */
	do {
		end = line + strcspn(line, "\n");
		text_add(b, "%-6s %s%s%.*s\n", lead, command->name,
		    end == line ? "" : " ", (int)(end - line), line);
		lead = "";
		line = *end == '\n' ? end + 1 : end;
	} while (*line != '\0');
}

static void
add_options(struct buffer *b, const struct option_spec *spec)
{
	char left[80];

	for (; spec->name != NULL || spec->help != NULL; spec++) {
		if (spec->name == NULL) {
			text_add(b, "\n%s:\n", spec->help);
			continue;
		}
		if (spec->id < 256)
			(void)snprintf(left, sizeof(left), "  -%c, --%s%s%s",
			    spec->id, spec->name,
			    spec->argument == NULL ? "" : " ",
			    spec->argument == NULL ? "" : spec->argument);
		else
			(void)snprintf(left, sizeof(left), "      --%s%s%s",
			    spec->name, spec->argument == NULL ? "" : " ",
			    spec->argument == NULL ? "" : spec->argument);
		if (strlen(left) > HELP_COLUMN - 2)
			text_add(b, "%s\n%*s%s\n", left, HELP_COLUMN, "",
			    spec->help);
		else
			text_add(b, "%-*s%s\n", HELP_COLUMN, left, spec->help);
	}
}

/* Prints and exits; standard output may be full, and then this fails. */
static _Noreturn void
print_and_exit(struct buffer *b)
{
	enum e2e_error error = output_text(b);

	buffer_free(b);
	exit(process_finish(error));
}

static _Noreturn void
print_help(const struct command *command, const struct subcommand *list)
{
	struct buffer b;

	buffer_init(&b, TEXT_MAX);
	add_synopsis(&b, command);
	text_add(&b, "\n%s\n", command->about);
	if (list != NULL)
		text_add(&b, "\nsubcommands:\n");
	for (; list != NULL && list->word != NULL; list++)
		text_add(&b, "  %-12s%.*s\n", list->word,
		    (int)strcspn(list->command->about, "\n"),
		    list->command->about);
	add_options(&b, command->options);
	print_and_exit(&b);
}

static _Noreturn void
print_version(const struct command *command)
{
	struct buffer b;

	buffer_init(&b, TEXT_MAX);
	text_add(&b, "%.*s %s\n", (int)strcspn(command->name, " "),
	    command->name, e2e_version());
	print_and_exit(&b);
}

/* What every command does with the common options; else false. */
static bool
handle_common(const struct options *o, int id)
{
	switch (id) {
	case 'q':
		message_quiet();
		return true;
	case 'v':
		message_verbose();
		return true;
	case OPTION_STATUS_FD:
		if (!message_set_status_fd((int)options_number(o, 1, 1 << 20)))
			options_usage(o->command,
			    "--%s %s: not a descriptor open for writing",
			    o->spec->name, o->argument);
		return true;
	case 'h':
		print_help(o->command, NULL);
	case 'V':
		print_version(o->command);
	default:
		return false;
	}
}

/* --name, --name=value, --name value; or exits. */
static const struct option_spec *
find_long(struct options *o, const char *word)
{
	const struct option_spec *spec, *found = NULL;
	size_t length = strcspn(word, "=");

	for (spec = o->command->options;
	    length > 0 && (spec->name != NULL || spec->help != NULL);
	    spec++) {
		if (spec->name == NULL ||
		    strncmp(spec->name, word, length) != 0)
			continue;
		if (spec->name[length] == '\0') {
			found = spec;
			break;
		}
		if (found != NULL)
			options_usage(o->command,
			    "option --%.*s is ambiguous: --%s or --%s",
			    (int)length, word, found->name, spec->name);
		found = spec;
	}
	if (found == NULL)
		options_usage(o->command, "unknown option --%.*s", (int)length,
		    word);
	return found;
}

static const struct option_spec *
find_short(struct options *o, char letter)
{
	const struct option_spec *spec;

	for (spec = o->command->options;
	    spec->name != NULL || spec->help != NULL; spec++)
		if (spec->name != NULL && spec->id == letter)
			return spec;
	options_usage(o->command, "unknown option -%c", letter);
}

/* The argument in the following word. */
static void
take_argument(struct options *o, const struct option_spec *spec)
{
	if (o->next >= o->argc)
		options_usage(o->command, "option --%s needs an argument (%s)",
		    spec->name, spec->argument);
	o->argument = o->argv[o->next++];
}

static const struct option_spec *
next_long(struct options *o, const char *word)
{
	const struct option_spec *spec = find_long(o, word);
	const char *value = strchr(word, '=');

	if (spec->argument == NULL && value != NULL)
		options_usage(o->command, "option --%s takes no argument",
		    spec->name);
	if (spec->argument != NULL && value != NULL)
		o->argument = value + 1;
	else if (spec->argument != NULL)
		take_argument(o, spec);
	return spec;
}

static const struct option_spec *
next_short(struct options *o)
{
	const struct option_spec *spec = find_short(o, *o->cluster++);

	if (spec->argument == NULL) {
		if (*o->cluster == '\0')
			o->cluster = NULL;
	} else if (*o->cluster != '\0') {
		o->argument = o->cluster;
		o->cluster = NULL;
	} else {
		o->cluster = NULL;
		take_argument(o, spec);
	}
	return spec;
}

int
options_next(struct options *o)
{
	const struct option_spec *spec;
	char *word;

	for (;;) {
		o->argument = NULL;
		if (o->cluster != NULL) {
			spec = next_short(o);
		} else {
			if (o->next >= o->argc)
				return OPTIONS_END;
			word = o->argv[o->next++];
			if (o->operands_only || word[0] != '-' ||
			    word[1] == '\0') {
				o->argument = word;
				return OPTIONS_OPERAND;
			}
			if (strcmp(word, "--") == 0) {
				o->operands_only = 1;
				continue;
			}
			if (word[1] == '-') {
				spec = next_long(o, word + 2);
			} else {
				o->cluster = word + 1;
				spec = next_short(o);
			}
		}
		o->spec = spec;
		if (!handle_common(o, spec->id))
			return spec->id;
	}
}

uint64_t
options_number(const struct options *o, uint64_t min, uint64_t max)
{
	uint64_t number;

	if (!number_parse(&number, o->argument, max) || number < min)
		options_usage(o->command,
		    "--%s %s: not a number from %llu to %llu",
		    o->spec->name, o->argument, (unsigned long long)min,
		    (unsigned long long)max);
	return number;
}

size_t
options_choice(const struct options *o)
{
	const char *choice = o->spec->argument;
	size_t length = strlen(o->argument), which;

	for (which = 0;; which++) {
		if (strcspn(choice, "|") == length &&
		    memcmp(choice, o->argument, length) == 0)
			return which;
		if ((choice = strchr(choice, '|')) == NULL)
			break;
		choice++;
	}
	options_usage(o->command, "--%s %s: not one of %s", o->spec->name,
	    o->argument, o->spec->argument);
}

const char *
options_text(const struct options *o, size_t max)
{
	unsigned int state = 0;
	size_t length = strlen(o->argument);

	if (length == 0 || length > max ||
	    strpbrk(o->argument, "\n\t") != NULL ||
	    !utf8_printable(&state, o->argument, length) || state != 0)
		options_usage(o->command, "--%s: not 1 to %zu bytes of UTF-8 "
		    "without control characters", o->spec->name, max);
	return o->argument;
}

uint64_t
options_expiry(const struct options *o)
{
	uint64_t when;

	if (!text_expiry_parse(&when, o->argument, clock_now()))
		options_usage(o->command, "--%s %s: not a duration (30d, 2y) "
		    "or a date (2030-12-31) to come", o->spec->name,
		    o->argument);
	return when;
}

uint64_t
options_duration(const struct options *o)
{
	uint64_t seconds;

	if (!text_duration_parse(&seconds, o->argument) || seconds == 0)
		options_usage(o->command, "--%s %s: not a length of time "
		    "(90s, 15m, 12h, 30d, 6w, 2y)", o->spec->name,
		    o->argument);
	return seconds;
}

int
options_subcommand(const struct command *command,
    const struct subcommand *list, int argc, char **argv)
{
	const struct subcommand *s;
	struct options o;

	if (argc < 2)
		options_usage(command, "a subcommand is needed");
	for (s = list; s->word != NULL; s++)
		if (strcmp(s->word, argv[1]) == 0)
			return s->run(argc - 1, argv + 1);
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		print_help(command, list);
	if (argv[1][0] == '-' && argv[1][1] != '\0') {
		/* --version and wrong options; others stand after the word. */
		options_start(&o, command, 2, argv);
		(void)options_next(&o);
		options_usage(command, "a subcommand is needed before %s",
		    argv[1]);
	}
	options_usage(command, "unknown subcommand '%s'", argv[1]);
}
