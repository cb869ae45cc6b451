/*
 * lab.h: whole envelopes in memory: identities, sealing, opening, and a
 * record of every byte that was released on the way.
 *
 * Everything asserts by cmocka that it worked, except opening, which is what
 * the tests are about.
 */
#ifndef TESTS_LAB_H
#define TESTS_LAB_H

#include "base/buffer.h"

#include <e2e/e2e.h>

#include <pthread.h>

enum { LAB_MAX = 64 << 20 };

/* An input. Calls count from 1; the one numbered fail_at fails. */
struct lab_source {
	const unsigned char *data;
	size_t length, at;
	size_t calls, fail_at;
	pthread_mutex_t lock;
};
/* `random`: with read_at. The source is set up anew, fail_at is 0. */
struct e2e_input lab_input(struct lab_source *s, const void *data,
    size_t length, bool random);

/* An output. `released` is what somebody who reads it could have seen: with
 * write_at that is nothing before set_size. */
struct lab_sink {
	struct buffer written;
	struct bytes released;
	size_t calls, fail_at;
	pthread_mutex_t lock;
};
struct e2e_output lab_output(struct lab_sink *s, bool random);
void lab_sink_free(struct lab_sink *s);

/* How to read or write: any of these together. */
enum { LAB_STREAM = 0, LAB_RANDOM_IN = 1, LAB_RANDOM_OUT = 2 };

struct e2e_identity *lab_identity(const char *type, const char *name);
/* X25519 and Ed25519, of 32 times these bytes, as in docs/FORMAT.md, 15. */
struct e2e_identity *lab_fixed_identity(unsigned char signing,
    unsigned char encryption, const char *name, uint64_t created);

/* Bytes that are all different enough; free() them. */
unsigned char *lab_data(size_t length);

/* Seals into a fresh buffer; buffer_free it. */
struct buffer lab_seal(const struct e2e_seal *request, const void *data,
    size_t length, unsigned how);

struct lab_result {
	enum e2e_error error;		/* of the first step that failed */
	bool header_opened;		/* e2e_open_next was content */
	bool end;
	struct e2e_opened opened;	/* its pointers are not valid */
	struct lab_sink sink;
	bool released_anything;
};
/* One reader, one header, one payload. Ends with lab_result_free. */
void lab_open(struct lab_result *result, const void *envelope, size_t length,
    const struct e2e_open *request, unsigned how);
void lab_result_free(struct lab_result *result);

/* A request with one identity, or none (NULL), and a card that is known.
 * *request points into *keys, which must live as long. */
struct lab_keys {
	const struct e2e_identity *identities[8];
	const struct e2e_group_key *groups[8];
	const struct e2e_card *cards[8];	/* for find_card */
	size_t card_count;
	const char *passphrase;
	size_t passphrase_asked;
};
struct e2e_open lab_request(struct lab_keys *keys,
    const struct e2e_identity *identity, const struct e2e_card *known);
void lab_add_identity(struct e2e_open *request, struct lab_keys *keys,
    const struct e2e_identity *identity);
void lab_add_group(struct e2e_open *request, struct lab_keys *keys,
    const struct e2e_group_key *group);
/* passphrase: a text that lives as long. */
void lab_add_passphrase(struct e2e_open *request, struct lab_keys *keys,
    const char *passphrase);

/* Opens and compares: the error is this, and for E2E_OK the data is that. */
void lab_expect(enum e2e_error error, const void *envelope, size_t length,
    const struct e2e_open *request, const void *data, size_t data_length);
/* The same, and nothing at all was released. */
void lab_refused(enum e2e_error error, const void *envelope, size_t length,
    const struct e2e_open *request);

/* Offset of the preamble in a binary envelope: where its header ends. */
size_t lab_header_end(const void *envelope, size_t length);

/* "83 40 a1 01" and comments in parentheses; white space as one likes. The
 * buffer is the caller's to free. */
struct buffer lab_hex(const char *text);

#endif
