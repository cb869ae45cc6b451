/* Which relay is known under an address, and what happens when it changes. */
#include "cli/knownrelays.h"

#include "base/file.h"
#include "base/buffer.h"
#include "cli/message.h"

#include "cli_child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HERE "relay.example:7733"

static const unsigned char one[E2E_ID_LEN] = { 1 };
static const unsigned char two[E2E_ID_LEN] = { 2 };
static const unsigned char three[E2E_ID_LEN] = { 3 };

struct fixture {
	char *folder;
	char path[4096];
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->folder = child_folder();
	assert_int_equal(setenv("XDG_CONFIG_HOME", f->folder, 1), 0);
	(void)snprintf(f->path, sizeof(f->path), "%s/e2e/known_relays",
	    f->folder);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	child_folder_remove(f->folder);
	free(f);
	return 0;
}

/* context: the identity from which the relay's own leads, or NULL. */
static bool
succeeds(const void *context, const unsigned char old[E2E_ID_LEN])
{
	return context != NULL && memcmp(context, old, E2E_ID_LEN) == 0;
}

static enum e2e_error
check(const char *address, const unsigned char *id,
    const unsigned char *given, const unsigned char *before)
{
	return knownrelays_check(address, id, given, succeeds, before);
}

static void
contents(const struct fixture *f, struct buffer *text)
{
	buffer_init(text, 65536);
	assert_int_equal(file_read(f->path, text), E2E_OK);
	assert_true(buffer_append_byte(text, '\0'));
}

static void
expect_file(const struct fixture *f, const char *expected)
{
	struct buffer text;

	contents(f, &text);
	assert_string_equal((const char *)text.data, expected);
	buffer_free(&text);
}

static const char *
line(const char *address, const unsigned char *id)
{
	static char text[4][256];
	static size_t next;
	char fingerprint[E2E_FINGERPRINT_LEN + 1];

	next = (next + 1) % 4;
	e2e_fingerprint(fingerprint, id);
	(void)snprintf(text[next], sizeof(text[next]), "%s %s\n", address,
	    fingerprint);
	return text[next];
}

static void
write_file(const struct fixture *f, const char *text)
{
	char folder[4096];

	(void)snprintf(folder, sizeof(folder), "%s/e2e", f->folder);
	(void)mkdir(folder, 0700);
	assert_int_equal(file_write(f->path, text, strlen(text), 0600,
	    FILE_REPLACE), E2E_OK);
}

static void
the_first_relay_is_pinned_and_others_are_refused(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(check(HERE, one, NULL, NULL), E2E_OK);
	expect_file(f, line(HERE, one));
	assert_int_equal(check(HERE, one, NULL, NULL), E2E_OK);
	assert_int_equal(check(HERE, two, NULL, NULL), E2E_ERR_RELAY_OTHER);
	assert_int_equal(check(HERE, two, NULL, three), E2E_ERR_RELAY_OTHER);
	expect_file(f, line(HERE, one));
}

static void
addresses_do_not_share_a_pin(void **state)
{
	const struct fixture *f = *state;
	char both[512];

	assert_int_equal(check(HERE, one, NULL, NULL), E2E_OK);
	assert_int_equal(check("relay.example:7734", two, NULL, NULL), E2E_OK);
	(void)snprintf(both, sizeof(both), "%s%s", line(HERE, one),
	    line("relay.example:7734", two));
	expect_file(f, both);
	assert_int_equal(check("relay.example:773", three, NULL, NULL),
	    E2E_OK);
	assert_int_equal(check(HERE, two, NULL, NULL), E2E_ERR_RELAY_OTHER);
}

static void
a_proven_successor_is_followed(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(check(HERE, one, NULL, NULL), E2E_OK);
	assert_int_equal(check(HERE, two, NULL, one), E2E_OK);
	expect_file(f, line(HERE, two));
	/* There is no way back. */
	assert_int_equal(check(HERE, one, NULL, NULL), E2E_ERR_RELAY_OTHER);
}

static void
a_given_key_decides_and_is_pinned(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(check(HERE, one, two, NULL), E2E_ERR_RELAY_OTHER);
	assert_int_not_equal(access(f->path, F_OK), 0);
	assert_int_equal(check(HERE, one, one, NULL), E2E_OK);
	expect_file(f, line(HERE, one));
	assert_int_equal(check(HERE, two, one, NULL), E2E_ERR_RELAY_OTHER);
	/* The user knows better than the file. */
	assert_int_equal(check(HERE, two, two, NULL), E2E_OK);
	expect_file(f, line(HERE, two));
	/* It has a successor. */
	assert_int_equal(check(HERE, three, two, two), E2E_OK);
	expect_file(f, line(HERE, three));
}

static void
comments_and_other_lines_stay(void **state)
{
	const struct fixture *f = *state;
	char text[1024];

	(void)snprintf(text, sizeof(text), "# mine\n\n%s%s# end",
	    line(HERE, one), line("unix:/a b/c", three));
	write_file(f, text);
	assert_int_equal(check(HERE, two, NULL, one), E2E_OK);
	(void)snprintf(text, sizeof(text), "# mine\n\n%s%s# end",
	    line(HERE, two), line("unix:/a b/c", three));
	expect_file(f, text);
	assert_int_equal(check("unix:/a b/c", three, NULL, NULL), E2E_OK);
	assert_int_equal(check("other:1", one, NULL, NULL), E2E_OK);
	(void)snprintf(text, sizeof(text), "# mine\n\n%s%s# end\n%s",
	    line(HERE, two), line("unix:/a b/c", three),
	    line("other:1", one));
	expect_file(f, text);
}

static void
a_damaged_file_pins_nobody_anew(void **state)
{
	static const char *const damaged[] = {
		HERE "\n", HERE " abcd\n", "garbage\n", " \n",
		HERE "  aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-"
		    "aaaa-aaaa-aaa1\n"
	};
	const struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		write_file(f, damaged[i]);
		assert_int_equal(check(HERE, one, NULL, NULL),
		    E2E_ERR_CONFIG);
		expect_file(f, damaged[i]);
	}
	/* Of two lines for one address the first one counts. */
	write_file(f, line(HERE, one));
	assert_int_equal(check(HERE, two, NULL, NULL), E2E_ERR_RELAY_OTHER);
}

static void
without_a_folder_only_a_given_key_helps(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
	assert_int_equal(unsetenv("HOME"), 0);
	assert_int_equal(check(HERE, one, NULL, NULL), E2E_ERR_CONFIG);
	assert_int_equal(check(HERE, one, one, NULL), E2E_OK);
	assert_int_equal(check(HERE, one, two, NULL), E2E_ERR_RELAY_OTHER);
}

static int
refuse_loudly(void *context)
{
	(void)context;
	message_start("e2e-test");
	if (check(HERE, one, NULL, NULL) != E2E_OK)
		return 1;
	return check(HERE, two, NULL, NULL) == E2E_ERR_RELAY_OTHER ? 76 : 2;
}

static void
a_refusal_names_both_keys(void **state)
{
	char fingerprint[E2E_FINGERPRINT_LEN + 1];
	struct child c;

	(void)state;
	memset(&c, 0, sizeof(c));
	child_run(&c, refuse_loudly, NULL);
	assert_int_equal(c.status, 76);
	e2e_fingerprint(fingerprint, one);
	assert_non_null(strstr(c.err, fingerprint));
	assert_non_null(strstr(strstr(c.err, "error: "), fingerprint));
	e2e_fingerprint(fingerprint, two);
	assert_non_null(strstr(strstr(c.err, "error: "), fingerprint));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_relay_is_pinned_and_others_are_refused),
		TEST(addresses_do_not_share_a_pin),
		TEST(a_proven_successor_is_followed),
		TEST(a_given_key_decides_and_is_pinned),
		TEST(comments_and_other_lines_stay),
		TEST(a_damaged_file_pins_nobody_anew),
		TEST(without_a_folder_only_a_given_key_helps),
		TEST(a_refusal_names_both_keys)
	};

	return cmocka_run_group_tests_name("cli/knownrelays", tests,
	    child_mute, child_unmute);
}
