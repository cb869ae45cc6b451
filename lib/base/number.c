/*
 * number.c: numbers written by people.
 *
 * strtoull takes signs, white space and other bases, and depends on the
 * locale; none of that belongs in an option.
 */
#include "base/number.h"

bool
number_parse(uint64_t *number, const char *text, uint64_t max)
{
	uint64_t n = 0;

	*number = 0;
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    !number_add64(&n, n, (uint64_t)(*text - '0')) || n > max)
			return false;
	}
	*number = n;
	return true;
}
