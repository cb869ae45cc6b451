/* Pinned contacts: names, changes, rollback, revocation. */
#include "cli/contacts.h"

#include "cli/message.h"
#include "cli/resolve.h"

#include "cli_child.h"

#include <e2e/e2e.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char *folder;
	struct contacts contacts;
	struct e2e_identity *alice;
	struct e2e_identity *bob;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->folder = child_folder();
	assert_int_equal(setenv("XDG_CONFIG_HOME", f->folder, 1), 0);
	assert_int_equal(chdir(f->folder), 0);
	assert_int_equal(e2e_identity_generate(&f->alice, "x25519", "alice",
	    0), E2E_OK);
	assert_int_equal(e2e_identity_generate(&f->bob, "x25519", "bob", 0),
	    E2E_OK);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	contacts_free(&f->contacts);
	e2e_identity_free(f->alice);
	e2e_identity_free(f->bob);
	assert_int_equal(chdir("/"), 0);
	child_folder_remove(f->folder);
	free(f);
	return 0;
}

static const struct contacts *
reload(struct fixture *f)
{
	contacts_free(&f->contacts);
	assert_int_equal(contacts_load(&f->contacts), E2E_OK);
	return &f->contacts;
}

static enum e2e_error
pin(struct fixture *f, const char *name, const struct e2e_identity *who)
{
	enum e2e_error error;
	bool changed;

	error = contacts_pin(reload(f), name, e2e_identity_card(who),
	    &changed);
	(void)reload(f);
	return error;
}

static void
make_revoked(struct fixture *f, const struct e2e_identity *who)
{
	const struct e2e_card *card = e2e_identity_card(who);
	char *text = NULL;

	assert_int_equal(e2e_revocation_make(&text, who,
	    E2E_REVOKE_COMPROMISED), E2E_OK);
	assert_int_equal(contacts_revoke(reload(f), e2e_card_id(card), text,
	    strlen(text)), E2E_OK);
	free(text);
	(void)reload(f);
}

static void
names(void **state)
{
	static const char *const good[] = {
		"a", "0", "bob", "bob@example.org", "a.b_c-d", "pub", "x.pubx"
	};
	static const char *const bad[] = {
		"", ".", "..", ".bob", "-bob", "@x", "_x", "Bob", "bob/x",
		"b ob", "bob.pub", "a.revoked", "a.verified", "b\303\266b",
		"a\n", "e2e-pub1 x"
	};
	char longest[CONTACT_NAME_MAX + 2];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(contacts_name_valid(good[i]));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(contacts_name_valid(bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[CONTACT_NAME_MAX + 1] = '\0';
	assert_false(contacts_name_valid(longest));
	longest[CONTACT_NAME_MAX] = '\0';
	assert_true(contacts_name_valid(longest));
}

static void
a_pinned_name_keeps_its_identity(void **state)
{
	struct fixture *f = *state;
	const struct contact *c;

	assert_int_equal(reload(f)->count, 0);
	assert_int_equal(pin(f, "al", f->alice), E2E_OK);
	assert_int_equal(pin(f, "al", f->alice), E2E_OK);
	assert_int_equal(pin(f, "al", f->bob), E2E_ERR_CONTACT_CHANGED);
	assert_int_equal(f->contacts.count, 1);
	c = contacts_find_name(&f->contacts, "al");
	assert_non_null(c);
	assert_true(e2e_card_equal(c->card, e2e_identity_card(f->alice)));
	assert_ptr_equal(contacts_find_id(&f->contacts,
	    e2e_card_id(e2e_identity_card(f->alice))), c);
	assert_null(contacts_find_id(&f->contacts,
	    e2e_card_id(e2e_identity_card(f->bob))));
	assert_int_equal(contacts_unpin(&f->contacts, c), E2E_OK);
	assert_int_equal(pin(f, "al", f->bob), E2E_OK);
}

static void
an_older_card_does_not_replace_a_newer_one(void **state)
{
	struct fixture *f = *state;
	struct e2e_card *old = e2e_card_dup(e2e_identity_card(f->alice));
	const struct contact *c;
	bool changed;

	assert_non_null(old);
	assert_int_equal(pin(f, "alice", f->alice), E2E_OK);
	assert_int_equal(e2e_identity_rotate(f->alice), E2E_OK);
	assert_int_equal(pin(f, "alice", f->alice), E2E_OK);
	c = contacts_find_name(&f->contacts, "alice");
	assert_int_equal(e2e_card_serial(c->card), 2);
	assert_int_equal(contacts_pin(&f->contacts, "alice", old, &changed),
	    E2E_ERR_ROLLBACK);
	assert_false(changed);
	/* Not under another name, either. */
	assert_int_equal(contacts_pin(&f->contacts, "al", old, &changed),
	    E2E_ERR_ROLLBACK);
	assert_int_equal(contacts_check(&f->contacts, old,
	    E2E_ERR_RECIPIENT_REVOKED), E2E_ERR_ROLLBACK);
	assert_int_equal(contacts_check(&f->contacts,
	    e2e_identity_card(f->alice), E2E_ERR_RECIPIENT_REVOKED), E2E_OK);
	assert_int_equal(contacts_check(&f->contacts,
	    e2e_identity_card(f->bob), E2E_ERR_RECIPIENT_REVOKED), E2E_OK);
	e2e_card_free(old);
}

/* The same identity as it was before, from its own text. */
static struct e2e_identity *
copy_of(const struct e2e_identity *identity)
{
	const struct e2e_kdf_cost cost = { 0, 0, 0 };
	struct e2e_identity *copy = NULL;
	char *text = NULL;
	size_t length;

	assert_int_equal(e2e_identity_text(identity, NULL, 0, cost, &text,
	    &length), E2E_OK);
	assert_int_equal(e2e_identity_parse(&copy, text, length), E2E_OK);
	e2e_secret_free(text);
	return copy;
}

static void
two_cards_with_one_serial_are_refused(void **state)
{
	struct fixture *f = *state;
	struct e2e_identity *twin = copy_of(f->alice);

	assert_int_equal(e2e_identity_rotate(f->alice), E2E_OK);
	assert_int_equal(e2e_identity_rotate(twin), E2E_OK);
	assert_int_equal(pin(f, "alice", f->alice), E2E_OK);
	assert_int_equal(pin(f, "alice", twin), E2E_ERR_CONTACT_CHANGED);
	assert_int_equal(contacts_check(&f->contacts, e2e_identity_card(twin),
	    E2E_ERR_SENDER_REVOKED), E2E_ERR_CONTACT_CHANGED);
	e2e_identity_free(twin);
}

static void
a_revoked_identity_is_revoked_under_every_name(void **state)
{
	struct fixture *f = *state;
	struct cardlist list = { .count = 0 };

	assert_int_equal(pin(f, "alice", f->alice), E2E_OK);
	assert_int_equal(pin(f, "bob", f->bob), E2E_OK);
	assert_int_equal(symlink("e2e/contacts/alice.pub", "a.pub"), 0);
	make_revoked(f, f->alice);
	assert_int_equal(resolve_word(&list, &f->contacts, "alice",
	    E2E_ERR_RECIPIENT_REVOKED), E2E_ERR_RECIPIENT_REVOKED);
	assert_int_equal(resolve_word(&list, &f->contacts, "./a.pub",
	    E2E_ERR_SENDER_REVOKED), E2E_ERR_SENDER_REVOKED);
	assert_int_equal(pin(f, "another", f->alice),
	    E2E_ERR_RECIPIENT_REVOKED);
	cardlist_free(&list);
	assert_int_equal(resolve_word(&list, &f->contacts, "bob",
	    E2E_ERR_RECIPIENT_REVOKED), E2E_OK);
	assert_int_equal(list.count, 1);
	cardlist_free(&list);
	/* Copied by hand under another name: the revocation holds. */
	assert_int_equal(system("cp e2e/contacts/alice.pub "
	    "e2e/contacts/copy.pub"), 0);
	assert_true(contacts_find_name(reload(f), "copy")->revoked);
	assert_false(contacts_find_name(&f->contacts, "bob")->revoked);
}

static void
verified_is_about_one_key(void **state)
{
	struct fixture *f = *state;
	const struct contact *c;

	assert_int_equal(pin(f, "who", f->alice), E2E_OK);
	c = contacts_find_name(&f->contacts, "who");
	assert_false(c->verified);
	assert_int_equal(contacts_set_verified(&f->contacts, c), E2E_OK);
	c = contacts_find_name(reload(f), "who");
	assert_true(c->verified);
	/* Another key put in its place by hand is not the one compared. */
	assert_int_equal(pin(f, "other", f->bob), E2E_OK);
	assert_int_equal(rename("e2e/contacts/other.pub",
	    "e2e/contacts/who.pub"), 0);
	assert_false(contacts_find_name(reload(f), "who")->verified);
}

static void
what_is_no_contact_is_left_alone(void **state)
{
	struct fixture *f = *state;
	FILE *file;

	assert_int_equal(pin(f, "bob", f->bob), E2E_OK);
	file = fopen("e2e/contacts/broken.pub", "w");
	assert_non_null(file);
	assert_true(fputs("e2e-pub1 AAAA broken\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	file = fopen("e2e/contacts/README", "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	file = fopen("e2e/contacts/UPPER.pub", "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(reload(f)->count, 1);
}

static void
a_word_names_a_file_a_line_or_a_contact(void **state)
{
	struct fixture *f = *state;
	struct cardlist list = { .count = 0 };
	char *line = e2e_card_line(e2e_identity_card(f->alice));
	FILE *file;

	assert_non_null(line);
	assert_int_equal(pin(f, "same", f->bob), E2E_OK);
	assert_int_equal(resolve_word(&list, &f->contacts, "same",
	    E2E_ERR_RECIPIENT_REVOKED), E2E_OK);
	assert_int_equal(resolve_word(&list, &f->contacts, line,
	    E2E_ERR_RECIPIENT_REVOKED), E2E_OK);
	/* The contact comes before a file of its name: anybody may have put
	 * that there. */
	file = fopen("same", "w");
	assert_non_null(file);
	assert_true(fprintf(file, "# Alice\r\n\n%s", line) > 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(resolve_word(&list, &f->contacts, "same",
	    E2E_ERR_RECIPIENT_REVOKED), E2E_OK);
	assert_int_equal(resolve_word(&list, &f->contacts, "./same",
	    E2E_ERR_RECIPIENT_REVOKED), E2E_OK);
	assert_int_equal(list.count, 4);
	assert_true(e2e_card_equal(list.cards[0], e2e_identity_card(f->bob)));
	assert_true(e2e_card_equal(list.cards[0], list.cards[2]));
	assert_true(e2e_card_equal(list.cards[1], list.cards[3]));
	assert_int_equal(resolve_word(&list, &f->contacts, "nobody",
	    E2E_ERR_RECIPIENT_REVOKED), E2E_ERR_NO_INPUT);
	assert_int_equal(resolve_word(&list, &f->contacts, "./nobody",
	    E2E_ERR_RECIPIENT_REVOKED), E2E_ERR_NO_INPUT);
	/* Two lines where one is meant; a list takes both. */
	file = fopen("same", "a");
	assert_non_null(file);
	assert_true(fprintf(file, "%s", line) > 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(resolve_word(&list, &f->contacts, "./same",
	    E2E_ERR_RECIPIENT_REVOKED), E2E_ERR_CARD);
	assert_int_equal(resolve_file(&list, &f->contacts, "same",
	    E2E_ERR_RECIPIENT_REVOKED), E2E_OK);
	assert_int_equal(list.count, 6);
	cardlist_free(&list);
	free(line);
}

static void
a_wrong_line_is_named_by_its_number_only(void **state)
{
	static const char text[] = "# ok\n\nsecret words\n";
	struct cardlist list = { .count = 0 };

	assert_int_equal(cardlist_parse(&list, text, strlen(text), "f"),
	    E2E_ERR_CARD);
	assert_int_equal(cardlist_parse(&list, "", 0, "f"), E2E_ERR_CARD);
	assert_int_equal(list.count, 0);
	cardlist_free(&list);
}

static int
parse_secret(void *context)
{
	a_wrong_line_is_named_by_its_number_only(NULL);
	return 0;
}

static void
the_line_itself_is_not_shown(void **state)
{
	struct child c = { .on_terminal = 0 };

	child_run(&c, parse_secret, NULL);
	assert_int_equal(c.status, 0);
	assert_non_null(strstr(c.err, "line 3"));
	assert_null(strstr(c.err, "secret words"));
}

#define WITH_FOLDER(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		WITH_FOLDER(a_pinned_name_keeps_its_identity),
		WITH_FOLDER(an_older_card_does_not_replace_a_newer_one),
		WITH_FOLDER(two_cards_with_one_serial_are_refused),
		WITH_FOLDER(a_revoked_identity_is_revoked_under_every_name),
		WITH_FOLDER(verified_is_about_one_key),
		WITH_FOLDER(what_is_no_contact_is_left_alone),
		WITH_FOLDER(a_word_names_a_file_a_line_or_a_contact),
		cmocka_unit_test(a_wrong_line_is_named_by_its_number_only),
		cmocka_unit_test(the_line_itself_is_not_shown)
	};

	return cmocka_run_group_tests(tests, child_mute, child_unmute);
}
