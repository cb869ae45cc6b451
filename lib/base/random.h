/*
 * random.h: the only place that draws randomness for this project's own code
 * (OpenSSL draws its own, for OAEP seeds, PSS salts and blinding).
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills from the kernel's generator (getrandom, getentropy). False only
 * when the system has none: give up. Threads: safe. */
bool random_bytes(void *data, size_t size);

/*
 * Names what the calling thread draws for from now on. Here it does nothing.
 * The tests link another object in place of this one, with a generator whose
 * output depends on this number alone and not on which thread came first.
 */
void random_stream(uint64_t number);

#endif
