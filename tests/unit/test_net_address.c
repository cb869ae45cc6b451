/* What a user writes to name a relay. */
#include "net/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
expect(const char *text, bool listening, bool tls, const char *host,
    const char *port, const char *normal)
{
	struct address a;
	char formatted[ADDRESS_TEXT_MAX + 1];

	if (!address_parse(&a, text, listening))
		fail_msg("'%s' is refused", text);
	assert_string_equal(a.host, host);
	assert_string_equal(a.port, port);
	assert_int_equal(a.tls, tls);
	address_format(formatted, &a);
	assert_string_equal(formatted, normal);
}

static void
hosts_have_the_usual_port(void **state)
{
	expect("relay.example", false, false, "relay.example", "7733",
	    "relay.example:7733");
	expect("Relay.EXAMPLE", false, false, "relay.example", "7733",
	    "relay.example:7733");
	expect("192.0.2.1", false, false, "192.0.2.1", "7733",
	    "192.0.2.1:7733");
	expect("localhost:1", false, false, "localhost", "1", "localhost:1");
	expect("localhost:065", false, false, "localhost", "65",
	    "localhost:65");
	expect("a_b-c.d:65535", false, false, "a_b-c.d", "65535",
	    "a_b-c.d:65535");
}

static void
tls_stands_in_front(void **state)
{
	expect("tls://relay.example", false, true, "relay.example", "7733",
	    "relay.example:7733");
	expect("tls://relay.example:443", false, true, "relay.example", "443",
	    "relay.example:443");
	expect("tls://[2001:db8::1]:443", false, true, "2001:db8::1", "443",
	    "[2001:db8::1]:443");
}

static void
v6_has_one_form(void **state)
{
	expect("2001:db8::1", false, false, "2001:db8::1", "7733",
	    "[2001:db8::1]:7733");
	expect("[2001:db8::1]", false, false, "2001:db8::1", "7733",
	    "[2001:db8::1]:7733");
	expect("[2001:0DB8:0:0:0::0001]:80", false, false, "2001:db8::1",
	    "80", "[2001:db8::1]:80");
	expect("::1", false, false, "::1", "7733", "[::1]:7733");
	expect("[fe80::1%eth0]:9", false, false, "fe80::1%eth0", "9",
	    "[fe80::1%eth0]:9");
	expect("::", false, false, "::", "7733", "[::]:7733");
}

static void
everywhere_is_for_listening(void **state)
{
	struct address a;

	expect("*", true, false, "*", "7733", "*:7733");
	expect("*:0", true, false, "*", "0", "*:0");
	expect(":80", true, false, "*", "80", "*:80");
	expect("127.0.0.1:0", true, false, "127.0.0.1", "0", "127.0.0.1:0");
	expect("[::]:80", true, false, "::", "80", "[::]:80");
	assert_false(address_parse(&a, "*", false));
	assert_false(address_parse(&a, "*:80", false));
	assert_false(address_parse(&a, "", false));
	assert_false(address_parse(&a, "", true));
	assert_false(address_parse(&a, "tls://", true));
	assert_false(address_parse(&a, "tls://", false));
	assert_false(address_parse(&a, ":80", false));
	assert_false(address_parse(&a, "localhost:0", false));
}

static void
sockets_are_paths(void **state)
{
	char text[5 + ADDRESS_PATH_MAX + 2], formatted[ADDRESS_TEXT_MAX + 1];
	struct address a;

	assert_true(address_parse(&a, "unix:/run/e2e/relay", false));
	assert_true(a.is_unix);
	assert_false(a.tls);
	assert_string_equal(a.host, "/run/e2e/relay");
	assert_string_equal(a.port, "");
	address_format(formatted, &a);
	assert_string_equal(formatted, "unix:/run/e2e/relay");
	/* Of a path every letter counts. */
	assert_true(address_parse(&a, "unix:Relay:1 [x]", false));
	assert_string_equal(a.host, "Relay:1 [x]");
	memset(text, 'p', sizeof(text));
	memcpy(text, "unix:", 5);
	text[5 + ADDRESS_PATH_MAX] = '\0';
	assert_true(address_parse(&a, text, false));
	assert_int_equal(strlen(a.host), ADDRESS_PATH_MAX);
	text[5 + ADDRESS_PATH_MAX] = 'p';
	text[5 + ADDRESS_PATH_MAX + 1] = '\0';
	assert_false(address_parse(&a, text, false));
	assert_false(address_parse(&a, "unix:", false));
}

static void
anything_else_is_refused(void **state)
{
	static const char *const bad[] = {
		"relay.example:", "relay.example:65536", "relay.example:-1",
		"relay.example:http", "relay.example:1x", "relay.example: 1",
		"relay.example:000080", "relay example", "relay.example/",
		"relay\texample", "relay\n", "relay.example:80:90", "[::1",
		"[::1]x", "[::1]80", "[::1]:", "[::1]:0x50", "[]", "[]:80",
		"[relay.example]", "[192.0.2.1]", "::1]", "1:2:3",
		"2001:db8::1::2", "[fe80::1%]", "[fe80::1%a/b]", "tls:///",
		"tls://:x", "tls://unix:/x", "tls://tls://x", "TLS://relay",
		"http://relay", "-relay", "r\xc3\xa9lais", "user@relay",
		"relay?x", "*.example"
	};
	struct address a;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (address_parse(&a, bad[i], false))
			fail_msg("'%s' is taken", bad[i]);
		if (address_parse(&a, bad[i], true))
			fail_msg("'%s' is taken for listening", bad[i]);
	}
}

static void
long_names_fit_or_are_refused(void **state)
{
	char text[ADDRESS_HOST_MAX + 8], formatted[ADDRESS_TEXT_MAX + 1];
	struct address a;

	memset(text, 'h', sizeof(text));
	memcpy(text + ADDRESS_HOST_MAX, ":65535", 7);
	assert_true(address_parse(&a, text, false));
	assert_int_equal(strlen(a.host), ADDRESS_HOST_MAX);
	address_format(formatted, &a);
	assert_string_equal(formatted, text);
	text[ADDRESS_HOST_MAX] = 'h';
	text[ADDRESS_HOST_MAX + 1] = '\0';
	assert_false(address_parse(&a, text, false));
}

/* What was formatted is read again as the same. */
static void
the_normal_form_is_stable(void **state)
{
	static const char *const some[] = {
		"RELAY", "[2001:DB8::a]:1", "fe80::1%Eth0", "10.0.0.1:007",
		"unix:x"
	};
	char once[ADDRESS_TEXT_MAX + 1], twice[ADDRESS_TEXT_MAX + 1];
	struct address a;
	size_t i;

	for (i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		assert_true(address_parse(&a, some[i], false));
		address_format(once, &a);
		assert_true(address_parse(&a, once, false));
		address_format(twice, &a);
		assert_string_equal(once, twice);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_have_the_usual_port),
		cmocka_unit_test(tls_stands_in_front),
		cmocka_unit_test(v6_has_one_form),
		cmocka_unit_test(everywhere_is_for_listening),
		cmocka_unit_test(sockets_are_paths),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(long_names_fit_or_are_refused),
		cmocka_unit_test(the_normal_form_is_stable)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
