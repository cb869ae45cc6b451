/*
 * knownrelays.h: which relay is known under an address, by its fingerprint.
 *
 * In the file known_relays of the user's configuration, a line for each:
 *
 *	HOST:PORT FINGERPRINT
 *
 * Empty lines and those that begin with # are kept as they are. A line that
 * is neither makes the file unusable (E2E_ERR_CONFIG): skipped, it would let
 * anybody be pinned anew.
 *
 * 1. An address stands for one relay, until its user, or that relay's own
 *    signed succession, says otherwise.
 * 2. The file changes whole, under the lock of its folder.
 */
#ifndef CLI_KNOWNRELAYS_H
#define CLI_KNOWNRELAYS_H

#include <e2e/error.h>
#include <e2e/key.h>

#include <stdbool.h>

/* Does an unbroken chain of successions lead from the identity `old` to the
 * one that is there now? */
typedef bool knownrelays_succeeds(const void *context,
    const unsigned char old[E2E_ID_LEN]);

/*
 * The relay at `address` (address_format) has proved to be `id`.
 *
 * given: what the user says that it must be, or NULL. Without, the pin of the
 * address counts, and an address without one gets this, with a note. Another
 * relay is E2E_ERR_RELAY_OTHER, loudly, with both fingerprints; unless it is a
 * proven successor: then the pin follows, which is said, once. A given key
 * that fits becomes the pin. Told.
 */
enum e2e_error knownrelays_check(const char *address,
    const unsigned char id[E2E_ID_LEN], const unsigned char *given,
    knownrelays_succeeds *succeeds, const void *context);

#endif
