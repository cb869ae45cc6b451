/*
 * relay.h: what e2e-send, e2e-fetch and e2e-directory share: the options that
 * say which relay is meant, and the opening of a session with it, as far as
 * its proof of identity and the comparison with the pin.
 *
 * What the relay answers may be worth another try; whether it is an error, the
 * command decides. So, unlike elsewhere in lib/cli, a failure is not told
 * here, but kept in relay_client: relay_client_tell tells it. (A relay that is
 * not the pinned one is told at once, and no try makes it better.)
 */
#ifndef CLI_RELAY_H
#define CLI_RELAY_H

#include "cli/options.h"
#include "net/link.h"
#include "relay/client.h"

#include <e2e/error.h>
#include <e2e/key.h>

#include <stdbool.h>
#include <stdint.h>

enum {
	OPTION_RELAY_KEY = OPTION_OWN + 1024, OPTION_CA, OPTION_TLS_PIN,
	OPTION_TIMEOUT
};

#define OPTIONS_RELAY \
	{ OPTION_RELAY_KEY, "relay-key", "FINGERPRINT", \
	    "accept this relay only, and pin it" }, \
	{ OPTION_CA, "ca", "FILE", \
	    "trust the certificates in FILE, not the system's" }, \
	{ OPTION_TLS_PIN, "tls-pin", "HEX", \
	    "trust this one TLS key: SHA-256 of its public key" }, \
	{ OPTION_TIMEOUT, "timeout", "SECONDS", \
	    "give up on a relay silent for so long (30)" }

enum { RELAY_TIMEOUT = 30, RELAY_PIN_LEN = 32, RELAY_WHY_LEN = 320,
	RELAY_CODE_LEN = 32 };

/* Which relay, and how it is judged. */
struct relay_place {
	struct address address;
	char name[ADDRESS_TEXT_MAX + 1];	/* normal form, for messages */
	bool has_key, has_tls_pin;
	unsigned char key[E2E_ID_LEN];
	unsigned char tls_pin[RELAY_PIN_LEN];
	const char *ca;
	unsigned timeout;		/* 0: RELAY_TIMEOUT */
};

/* Takes the options of OPTIONS_RELAY. False: another option. */
bool relay_place_option(struct relay_place *place, const struct options *o,
    int id);
/* Takes HOST[:PORT], or usage. */
void relay_place_address(struct relay_place *place,
    const struct command *command, const char *text);

/* A session. Zeroed at first; relay_client_close is right at any time. */
struct relay_client {
	const struct relay_place *place;
	struct link *link;
	struct client *client;
	uint64_t retry;			/* seconds the relay asks to wait; 0 */
	char code[RELAY_CODE_LEN];	/* of the relay's last ERROR */
	bool told;
	char why[RELAY_WHY_LEN];	/* hostile text */
};

/*
 * Connects; HELLO and CHAL; compares the relay with its pin. mailbox NULL:
 * none. E2E_ERR_UNREACHABLE, E2E_ERR_BUSY, E2E_ERR_REFUSED, E2E_ERR_CONFIG,
 * E2E_ERR_PROTOCOL, E2E_ERR_RELAY_PROOF, E2E_ERR_RELAY_OTHER.
 */
enum e2e_error relay_client_open(struct relay_client *r,
    const struct relay_place *place, const unsigned char *mailbox,
    uint64_t credit_items, uint64_t credit_bytes);
/* AUTH as the identity, and READY. with_card: the relay may not know it. */
enum e2e_error relay_client_auth(struct relay_client *r,
    const struct e2e_identity *identity, bool with_card, struct frame *ready);
void relay_client_close(struct relay_client *r);

/* One frame, made by the caller in `out`; `out` is cleared. When sending
 * fails, an answer that came before is looked for first. */
enum e2e_error relay_client_send(struct relay_client *r, struct buffer *out);
enum e2e_error relay_client_send_frame(struct relay_client *r,
    const struct frame *frame);
/* The relay's next frame, valid until the next one. ERROR and GOAWAY are
 * turned into an error: E2E_ERR_BUSY (with `retry`) or E2E_ERR_REFUSED. */
enum e2e_error relay_client_frame(struct relay_client *r, struct frame *frame,
    uint32_t timeout);
/* After link_send or link_raw of the caller failed: why. The relay may have
 * said something before it closed; then that is the error. */
enum e2e_error relay_client_broken(struct relay_client *r,
    enum e2e_error error);

/* A failure found by the caller: its words. Returns the code. */
enum e2e_error relay_client_fail(struct relay_client *r,
    enum e2e_error error, const char *format, ...) TEXT_FORMAT(3, 4);
/* Tells what the last failure was; returns the code. */
enum e2e_error relay_client_tell(struct relay_client *r,
    enum e2e_error error);
/* May the same be tried again later? */
bool relay_client_is_temporary(enum e2e_error error);
/*
 * Milliseconds to wait after failure number `attempt` (from 1): what the relay
 * asked for, or twice as long each time; with a random part, so that not all
 * come back at once; never more than five minutes.
 */
uint64_t relay_client_delay(const struct relay_client *r, unsigned attempt);
/* Sleeps; a signal ends it as it ends any command. */
void relay_client_sleep(uint64_t milliseconds);

#endif
