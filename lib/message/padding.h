/*
 * padding.h: hiding the length of the data (docs/FORMAT.md, 5.5). Padmé of
 * Nikitin, Barman, Lueks, Underwood, Hubaux and Ford: "Reducing Metadata
 * Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019.
 */
#ifndef MESSAGE_PADDING_H
#define MESSAGE_PADDING_H

#include <e2e/error.h>

#include <stddef.h>
#include <stdint.h>

/* The padded length of `length` bytes, at least 1: at most 12 percent more. */
uint64_t padding_padme(uint64_t length);

/* Takes padding off a stream that comes in pieces: remembers how many bytes,
 * a 0x80 and zeros, may turn out to be the padding. 0 at the start. */
struct padding {
	uint64_t held;
};

/*
 * Takes the next piece. Calls emit, in order, with what cannot be padding any
 * more. emit's errors are handed on.
 */
enum e2e_error padding_strip(struct padding *p, const unsigned char *data,
    size_t size, enum e2e_error (*emit)(void *context,
    const unsigned char *data, size_t size), void *context);
/* The stream is over. E2E_ERR_MALFORMED when there was no padding. */
enum e2e_error padding_end(const struct padding *p);

#endif
