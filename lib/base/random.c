/*
 * random.c: the kernel's generator, asked anew each time.
 *
 * No state of our own: nothing to seed, to lock or to lose in a fork.
 */
#include "base/random.h"

#include <errno.h>
#include <unistd.h>

#ifndef __OpenBSD__
#include <sys/random.h>
#endif

bool
random_bytes(void *data, size_t size)
{
	unsigned char *out = data;

	while (size > 0) {
#ifdef __linux__
		ssize_t n = getrandom(out, size, 0);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return false;
		}
		out += n;
		size -= (size_t)n;
#else
		size_t n = size < 256 ? size : 256;	/* its own limit */

		if (getentropy(out, n) != 0)
			return false;
		out += n;
		size -= n;
#endif
	}
	return true;
}

void
random_stream(uint64_t number)
{
	(void)number;
}
