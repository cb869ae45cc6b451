/* planted.h: what the linker puts in place of random_bytes. */
#ifndef FAULT_PLANTED_H
#define FAULT_PLANTED_H

#include <stdbool.h>
#include <stddef.h>

bool __real_random_bytes(void *data, size_t size);
bool __wrap_random_bytes(void *data, size_t size);

#endif
