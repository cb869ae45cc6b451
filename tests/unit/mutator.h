/*
 * mutator.h: alters an envelope in every small way there is and demands that
 * each is refused, by the right status, with nothing wrong released. It does
 * the same with other things that are signed or sealed; those release nothing.
 *
 * Three findings are counted:
 *	accepted	it opened (armor: and differs in more than white
 *			space)
 *	leaked		bytes were released that are no prefix of the data,
 *			or any at all where the header or the preamble was
 *			altered, or the end of input that can be seen ahead
 *	misnamed	the status is none of those allowed at that place:
 *			5 for a header that ends early, 2 3 5 6 7 in the
 *			header, 1 for a payload that ends early, 1 5 in the
 *			payload; 1 2 5 6 7 in armor, which has no places
 */
#ifndef TESTS_MUTATOR_H
#define TESTS_MUTATOR_H

#include "lab.h"

/* Is this what it was made to be? */
typedef enum e2e_error mutator_verdict(void *context, const void *bytes,
    size_t length);

struct mutator {
	/* Set by the test. */
	const char *name;
	const unsigned char *envelope;
	size_t length;
	const unsigned char *data;
	size_t data_length;
	const struct e2e_open *request;
	bool armored;
	/* In place of request and data, of what is no envelope. */
	mutator_verdict *verdict;
	void *verdict_context;
	unsigned statuses;		/* allowed ones, as bits */

	/* Found out. */
	size_t header_end;
	size_t tried, accepted, leaked, misnamed;
	char first[200];		/* the first finding, in words */
	unsigned char *work;
};

/* Opens the envelope as it is, which must succeed. */
void mutator_begin(struct mutator *m, const char *name,
    const struct buffer *envelope, const unsigned char *data,
    size_t data_length, const struct e2e_open *request, bool armored);
/* The same for something else; one of these statuses (as bits) must be said
 * to whatever is altered. */
void mutator_begin_other(struct mutator *m, const char *name,
    const struct buffer *bytes, mutator_verdict *verdict, void *context,
    unsigned statuses, bool armored);
/* Says how many were tried; frees. */
void mutator_end(struct mutator *m);
/* Asserts that nothing was found. */
void mutator_assert_clean(const struct mutator *m);

/* Each byte from..to-1 to `values` other values: 255 is all of them, fewer
 * are the single bits first. Odd and even ones are read in order and at
 * offsets in turn. */
void mutator_bytes(struct mutator *m, size_t from, size_t to,
    unsigned values);
/* Every shorter beginning, one byte less each time. */
void mutator_truncations(struct mutator *m);
/* One byte more, before each byte and at the end; one byte less, each. */
void mutator_insertions(struct mutator *m);
void mutator_deletions(struct mutator *m);
/*
 * `count` pieces of the same length from `offset` on: neighbors exchanged,
 * each one twice, each one missing, the first one moved to the end.
 */
void mutator_pieces(struct mutator *m, size_t offset, size_t piece,
    size_t count);
/* The same once more behind itself. */
void mutator_appended(struct mutator *m);

#endif
