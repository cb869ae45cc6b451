/* fixed_random.h: what the linker puts in place of clock_now. */
#ifndef FAULT_FIXED_RANDOM_H
#define FAULT_FIXED_RANDOM_H

#include <stdint.h>

uint64_t __wrap_clock_now(void);

#endif
