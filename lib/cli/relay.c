/*
 * relay.c: the clients' way to a relay whose identity is proved and expected.
 */
#include "cli/relay.h"

#include "base/random.h"
#include "cli/knownrelays.h"
#include "cli/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	/* An answer that was under way when the connection broke. */
	LAST_WORDS_TIMEOUT = 2,
	LAST_WORDS_FRAMES = 64,
	/* Half as much again is random: five minutes at most. */
	DELAY_FIRST_MS = 1000, DELAY_MAX_MS = 200000,
	REPLACED_DELAY = 60		/* seconds */
};

/* Codes of ERROR that another try may change (docs/PROTOCOL.md, 10.2). */
static const char *const temporary_codes[] = {
	"timeout", "store", "internal", "rate"
};

bool
relay_place_option(struct relay_place *place, const struct options *o, int id)
{
	switch (id) {
	case OPTION_RELAY_KEY:
		if (!e2e_fingerprint_parse(place->key, o->argument))
			options_usage(o->command,
			    "--relay-key %s: not a fingerprint", o->argument);
		place->has_key = true;
		return true;
	case OPTION_CA:
		place->ca = o->argument;
		return true;
	case OPTION_TLS_PIN:
		if (!text_hex_parse(place->tls_pin, sizeof(place->tls_pin),
		    o->argument))
			options_usage(o->command, "--tls-pin %s: not 64 "
			    "hexadecimal digits", o->argument);
		place->has_tls_pin = true;
		return true;
	case OPTION_TIMEOUT:
		place->timeout = (unsigned)options_number(o, 1, 86400);
		return true;
	default:
		return false;
	}
}

void
relay_place_address(struct relay_place *place, const struct command *command,
    const char *text)
{
	if (!address_parse(&place->address, text, false))
		options_usage(command, "%s: not the address of a relay "
		    "(HOST, HOST:PORT, [V6]:PORT, unix:PATH; tls:// in front "
		    "asks for TLS)", text);
	if ((place->ca != NULL || place->has_tls_pin) && !place->address.tls)
		options_usage(command, "--ca and --tls-pin need a relay with "
		    "TLS: tls://%s", text);
	address_format(place->name, &place->address);
	if (place->timeout == 0)
		place->timeout = RELAY_TIMEOUT;
}

/* ---- failures ---- */

enum e2e_error
relay_client_fail(struct relay_client *r, enum e2e_error error,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(r->why, sizeof(r->why), format, ap);
	va_end(ap);
	return error;
}

/* What the link says about its own failures; other ones have their text. */
static enum e2e_error
from_link(struct relay_client *r, enum e2e_error error)
{
	switch (error) {
	case E2E_OK:
		return E2E_OK;
	case E2E_ERR_UNREACHABLE:
	case E2E_ERR_PROTOCOL:
	case E2E_ERR_CONFIG:
		return relay_client_fail(r, error, "%s", link_why(r->link));
	default:
		return relay_client_fail(r, error, "%s", "");
	}
}

enum e2e_error
relay_client_tell(struct relay_client *r, enum e2e_error error)
{
	if (error == E2E_OK || r->told)
		return error;
	r->told = true;
	(void)message_error(error, "%s: %s%s%s", r->place->name,
	    e2e_error_text(error), r->why[0] == '\0' ? "" : ": ", r->why);
	if (strcmp(r->code, "tls") == 0)
		message_hint("tls:// in front of the address asks for TLS");
	return error;
}

bool
relay_client_is_temporary(enum e2e_error error)
{
	return error == E2E_ERR_UNREACHABLE || error == E2E_ERR_BUSY;
}

uint64_t
relay_client_delay(const struct relay_client *r, unsigned attempt)
{
	uint64_t delay = DELAY_FIRST_MS;
	uint32_t random = 0;

	while (attempt-- > 1 && delay < DELAY_MAX_MS)
		delay *= 2;
	if (r->retry > 0)
		delay = r->retry < DELAY_MAX_MS / 1000 ? r->retry * 1000 :
		    DELAY_MAX_MS;
	if (delay > DELAY_MAX_MS)
		delay = DELAY_MAX_MS;
	/* No randomness only means that others may come at the same time. */
	(void)random_bytes(&random, sizeof(random));
	return delay + random % (delay / 2 + 1);
}

void
relay_client_sleep(uint64_t milliseconds)
{
	struct timespec left = {
		.tv_sec = (time_t)(milliseconds / 1000),
		.tv_nsec = (long)(milliseconds % 1000) * 1000000
	};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

/* ---- frames ---- */

static bool
is_temporary_code(const char *code)
{
	size_t i;

	for (i = 0; i < sizeof(temporary_codes) / sizeof(temporary_codes[0]);
	    i++)
		if (strcmp(code, temporary_codes[i]) == 0)
			return true;
	return false;
}

static bool
is_text(struct bytes text, const char *expected)
{
	return text.length == strlen(expected) &&
	    memcmp(text.data, expected, text.length) == 0;
}

static enum e2e_error
take_error(struct relay_client *r, const struct frame *frame)
{
	struct bytes code = frame->error.code, text = frame->error.text;

	if (frame->type == FRAME_GOAWAY) {
		r->retry = frame->goaway.retry;
		/* Two that take it from each other should not hurry. */
		if (is_text(frame->goaway.reason, "replaced") &&
		    r->retry < REPLACED_DELAY)
			r->retry = REPLACED_DELAY;
		return relay_client_fail(r, E2E_ERR_BUSY, "%.*s",
		    (int)frame->goaway.reason.length,
		    (const char *)frame->goaway.reason.data);
	}
	(void)snprintf(r->code, sizeof(r->code), "%.*s", (int)code.length,
	    (const char *)code.data);
	return relay_client_fail(r, is_temporary_code(r->code) ?
	    E2E_ERR_BUSY : E2E_ERR_REFUSED, "%.*s%s%.*s", (int)code.length,
	    (const char *)code.data, text.length > 0 ? ": " : "",
	    (int)text.length, (const char *)text.data);
}

enum e2e_error
relay_client_frame(struct relay_client *r, struct frame *frame,
    uint32_t timeout)
{
	struct bytes whole;
	enum e2e_error error;

	error = from_link(r, link_frame(r->link, frame, &whole, timeout));
	if (error == E2E_OK && (frame->type == FRAME_ERROR ||
	    frame->type == FRAME_GOAWAY))
		error = take_error(r, frame);
	return error;
}

enum e2e_error
relay_client_broken(struct relay_client *r, enum e2e_error error)
{
	char why[RELAY_WHY_LEN];
	unsigned left = LAST_WORDS_FRAMES;
	struct frame frame;
	struct bytes whole;

	(void)from_link(r, error);
	if (error != E2E_ERR_UNREACHABLE)
		return error;
	memcpy(why, r->why, sizeof(why));
	while (left-- > 0 && link_frame(r->link, &frame, &whole,
	    LAST_WORDS_TIMEOUT) == E2E_OK)
		if (frame.type == FRAME_ERROR || frame.type == FRAME_GOAWAY)
			return take_error(r, &frame);
	memcpy(r->why, why, sizeof(why));
	return error;
}

enum e2e_error
relay_client_send(struct relay_client *r, struct buffer *out)
{
	enum e2e_error error = E2E_ERR_MEMORY;

	if (!out->failed)
		error = link_send(r->link, out->data, out->length);
	buffer_clear(out);
	return error == E2E_OK ? E2E_OK : relay_client_broken(r, error);
}

enum e2e_error
relay_client_send_frame(struct relay_client *r, const struct frame *frame)
{
	struct buffer out;
	enum e2e_error error;

	buffer_init(&out, FRAME_MAX);
	frame_put(&out, frame);
	error = relay_client_send(r, &out);
	buffer_free(&out);
	return error;
}

/* ---- sessions ---- */

static bool
succeeds(const void *context, const unsigned char old[E2E_ID_LEN])
{
	return client_succeeds(context, old);
}

/* The relay's answer proves who it is; is that who is meant? */
static enum e2e_error
take_challenge(struct relay_client *r)
{
	const struct relay_place *place = r->place;
	struct frame frame;
	struct bytes whole;
	enum e2e_error error;

	error = from_link(r, link_frame(r->link, &frame, &whole, 0));
	if (error != E2E_OK)
		return error;
	if (frame.type == FRAME_ERROR || frame.type == FRAME_GOAWAY)
		return take_error(r, &frame);
	if (frame.type != FRAME_CHAL)
		return relay_client_fail(r, E2E_ERR_PROTOCOL,
		    "no challenge came");
	if ((error = client_challenge(r->client, &frame, whole)) != E2E_OK)
		return relay_client_fail(r, error, "%s", "");
	error = knownrelays_check(place->name,
	    e2e_card_id(client_relay_card(r->client)),
	    place->has_key ? place->key : NULL, succeeds, r->client);
	r->told = error != E2E_OK;
	return error;
}

static enum e2e_error
say_hello(struct relay_client *r, const unsigned char *mailbox,
    uint64_t credit_items, uint64_t credit_bytes)
{
	unsigned char binding[PROOF_BINDING_LEN];
	struct buffer out;
	enum e2e_error error;

	link_binding(r->link, binding);
	if ((r->client = client_new(binding)) == NULL)
		return relay_client_fail(r, E2E_ERR_MEMORY, "%s", "");
	buffer_init(&out, FRAME_MAX);
	error = client_hello(r->client, &out, mailbox, credit_items,
	    credit_bytes);
	if (error == E2E_OK)
		error = relay_client_send(r, &out);
	buffer_free(&out);
	return error;
}

enum e2e_error
relay_client_open(struct relay_client *r, const struct relay_place *place,
    const unsigned char *mailbox, uint64_t credit_items,
    uint64_t credit_bytes)
{
	const struct tls_trust trust = {
		.ca_file = place->ca,
		.pin = place->has_tls_pin ? place->tls_pin : NULL
	};
	enum e2e_error error;
	char why[256];

	memset(r, 0, sizeof(*r));
	r->place = place;
	error = link_open(&r->link, &place->address, &trust, place->timeout,
	    why);
	if (error != E2E_OK)
		return relay_client_fail(r, error, "%s", why);
	error = say_hello(r, mailbox, credit_items, credit_bytes);
	return error == E2E_OK ? take_challenge(r) : error;
}

enum e2e_error
relay_client_auth(struct relay_client *r, const struct e2e_identity *identity,
    bool with_card, struct frame *ready)
{
	struct buffer out;
	enum e2e_error error;

	buffer_init(&out, FRAME_MAX);
	error = client_auth(r->client, &out, identity, with_card);
	if (error == E2E_OK)
		error = relay_client_send(r, &out);
	else
		(void)relay_client_fail(r, error, "%s", "");
	buffer_free(&out);
	if (error == E2E_OK)
		error = relay_client_frame(r, ready, 0);
	if (error == E2E_OK && ready->type != FRAME_READY)
		error = relay_client_fail(r, E2E_ERR_PROTOCOL,
		    "no READY came");
	return error;
}

void
relay_client_close(struct relay_client *r)
{
	link_close(r->link);
	client_free(r->client);
	r->link = NULL;
	r->client = NULL;
}
