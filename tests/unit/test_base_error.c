/* The table of errors: complete, and saying what the header promises. */
#include "base/error.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The compiler warns when a code of the enum is missing here. */
static bool
is_code(int n)
{
	switch ((enum e2e_error)n) {
	case E2E_OK:
	case E2E_ERR_SIGNATURE:
	case E2E_ERR_COMMITMENT:
	case E2E_ERR_CHUNK:
	case E2E_ERR_SEGMENT:
	case E2E_ERR_TRUNCATED:
	case E2E_ERR_CARD_SIGNATURE:
	case E2E_ERR_STATEMENT_SIGNATURE:
	case E2E_ERR_DELIVERY_SIGNATURE:
	case E2E_ERR_DELIVERY_OTHER:
	case E2E_ERR_FORWARDER_SIGNATURE:
	case E2E_ERR_NO_KEY:
	case E2E_ERR_SENDER_ANONYMOUS:
	case E2E_ERR_SENDER_OTHER:
	case E2E_ERR_SENDER_UNKNOWN:
	case E2E_ERR_SENDER_EXPIRED:
	case E2E_ERR_SENDER_REVOKED:
	case E2E_ERR_NOT_ADDRESSED:
	case E2E_ERR_MODE:
	case E2E_ERR_FORWARDED:
	case E2E_ERR_CONTACT_CHANGED:
	case E2E_ERR_ROLLBACK:
	case E2E_ERR_RECIPIENT_EXPIRED:
	case E2E_ERR_RECIPIENT_REVOKED:
	case E2E_ERR_OLD_EPOCH:
	case E2E_ERR_NOT_A_MEMBER:
	case E2E_ERR_NOT_MAKER:
	case E2E_ERR_FORWARDER_UNKNOWN:
	case E2E_ERR_EXPIRED:
	case E2E_ERR_TOO_OLD:
	case E2E_ERR_FROM_FUTURE:
	case E2E_ERR_REPEATED:
	case E2E_ERR_NUMBER_REPEATED:
	case E2E_ERR_NUMBER_BEHIND:
	case E2E_ERR_MALFORMED:
	case E2E_ERR_VERSION:
	case E2E_ERR_TRAILING:
	case E2E_ERR_ARMOR:
	case E2E_ERR_MANGLED:
	case E2E_ERR_EMPTY:
	case E2E_ERR_CARD:
	case E2E_ERR_KEY_FILE:
	case E2E_ERR_HEADER_TRUNCATED:
	case E2E_ERR_STATEMENT:
	case E2E_ERR_WRAPPED_KEY:
	case E2E_ERR_GROUP_KEY:
	case E2E_ERR_DELIVERY:
	case E2E_ERR_LIMIT:
	case E2E_ERR_KDF_COST:
	case E2E_ERR_RSA_TRIALS:
	case E2E_ERR_KEY_SIZE:
	case E2E_ERR_TOO_MANY_RECIPIENTS:
	case E2E_ERR_PASSPHRASE_NEEDED:
	case E2E_ERR_PASSPHRASE_WRONG:
	case E2E_ERR_USAGE:
	case E2E_ERR_NO_INPUT:
	case E2E_ERR_CRYPTO:
	case E2E_ERR_CREATE:
	case E2E_ERR_EXISTS:
	case E2E_ERR_SAME_FILE:
	case E2E_ERR_TERMINAL:
	case E2E_ERR_READ:
	case E2E_ERR_WRITE:
	case E2E_ERR_CHANGED:
	case E2E_ERR_MEMORY:
	case E2E_ERR_CONFIG:
	case E2E_ERR_PERMISSIONS:
	case E2E_ERR_STORE:
	case E2E_ERR_FULL:
	case E2E_ERR_UNREACHABLE:
	case E2E_ERR_BUSY:
	case E2E_ERR_RUNNING:
	case E2E_ERR_UNDELIVERED:
	case E2E_ERR_PROTOCOL:
	case E2E_ERR_RELAY_PROOF:
	case E2E_ERR_RELAY_OTHER:
	case E2E_ERR_REFUSED:
	case E2E_ERR_NOT_FOUND:
	case E2E_ERR_STORE_VERSION:
	case E2E_ERR_STORE_DAMAGED:
	case E2E_ERR_STORE_IN_USE:
		return true;
	}
	return false;
}

static bool
has_row(int n)
{
	const struct error_row *row;

	for (size_t i = 0; (row = error_row_at(i)) != NULL; i++)
		if ((int)row->code == n)
			return true;
	return false;
}

static bool
has_status(int n)
{
	const struct error_status *status;

	for (size_t i = 0; (status = error_status_at(i)) != NULL; i++)
		if (status->status == n)
			return true;
	return false;
}

static void
every_code_and_nothing_else_has_a_row(void **state)
{
	for (int n = 0; n < 10000; n++)
		assert_int_equal(is_code(n), has_row(n));
}

static void
rows_ascend_from_success(void **state)
{
	assert_int_equal(error_row_at(0)->code, E2E_OK);
	for (size_t i = 1; error_row_at(i) != NULL; i++)
		assert_true(error_row_at(i)->code > error_row_at(i - 1)->code);
	for (size_t i = 1; error_status_at(i) != NULL; i++)
		assert_true(error_status_at(i)->status >
		    error_status_at(i - 1)->status);
}

static void
hundreds_are_a_known_exit_status(void **state)
{
	for (int n = 0; n < 10000; n++) {
		if (!is_code(n))
			continue;
		assert_int_equal(e2e_exit_status((enum e2e_error)n), n / 100);
		assert_true(has_status(n / 100));
	}
}

static void
no_code_is_an_internal_error(void **state)
{
	static const int none[] = { -1, 1, 99, 199, 6500, 10000, INT32_MAX };

	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		assert_int_equal(e2e_exit_status((enum e2e_error)none[i]), 70);
		assert_non_null(e2e_error_text((enum e2e_error)none[i]));
	}
}

static void
check_sentence(const char *text)
{
	size_t n = strlen(text);

	assert_true(n > 0);
	assert_true(islower((unsigned char)text[0]));
	assert_true(text[n - 1] != '.');
	assert_null(strchr(text, '\n'));
	assert_null(strchr(text, '%'));
}

static void
texts_are_sentences_and_differ(void **state)
{
	const struct error_row *a, *b;

	for (size_t i = 0; (a = error_row_at(i)) != NULL; i++) {
		check_sentence(a->text);
		assert_ptr_equal(e2e_error_text(a->code), a->text);
		for (size_t j = 0; j < i; j++) {
			b = error_row_at(j);
			assert_string_not_equal(a->text, b->text);
		}
	}
	for (size_t i = 0; error_status_at(i) != NULL; i++)
		check_sentence(error_status_at(i)->text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_and_nothing_else_has_a_row),
		cmocka_unit_test(rows_ascend_from_success),
		cmocka_unit_test(hundreds_are_a_known_exit_status),
		cmocka_unit_test(no_code_is_an_internal_error),
		cmocka_unit_test(texts_are_sentences_and_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
