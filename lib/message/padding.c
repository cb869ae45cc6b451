/* Padding. */
#include "message/padding.h"

#include <stdbool.h>
#include <string.h>

enum { MARK = 0x80 };

static unsigned
floor_log2(uint64_t n)
{
	unsigned bits = 0;

	while ((n >>= 1) != 0)
		bits++;
	return bits;
}

uint64_t
padding_padme(uint64_t length)
{
	unsigned e, s;
	uint64_t mask;

	if (length < 2)
		return 1;
	e = floor_log2(length);
	s = floor_log2(e) + 1;
	mask = (UINT64_C(1) << (e - s)) - 1;
	return (length + mask) & ~mask;
}

/* What was held back is data after all. */
static enum e2e_error
release(struct padding *p, enum e2e_error (*emit)(void *,
    const unsigned char *, size_t), void *context)
{
	static const unsigned char mark = MARK, zeros[4096];
	enum e2e_error error;
	size_t part;

	if (p->held == 0)
		return E2E_OK;
	error = emit(context, &mark, 1);
	p->held--;
	while (error == E2E_OK && p->held > 0) {
		part = p->held < sizeof(zeros) ? (size_t)p->held :
		    sizeof(zeros);
		error = emit(context, zeros, part);
		p->held -= part;
	}
	return error;
}

/* Length of the data in front of a possible padding at the end. */
static size_t
data_length(const unsigned char *data, size_t size, bool *all_zero)
{
	size_t end = size;

	while (end > 0 && data[end - 1] == 0)
		end--;
	*all_zero = end == 0;
	return end > 0 && data[end - 1] == MARK ? end - 1 : size;
}

enum e2e_error
padding_strip(struct padding *p, const unsigned char *data, size_t size,
    enum e2e_error (*emit)(void *, const unsigned char *, size_t),
    void *context)
{
	enum e2e_error error;
	bool all_zero;
	size_t length;

	if (size == 0)
		return E2E_OK;
	length = data_length(data, size, &all_zero);
	if (all_zero && p->held > 0) {
		p->held += size;
		return E2E_OK;
	}
	error = release(p, emit, context);
	if (error == E2E_OK && length > 0)
		error = emit(context, data, length);
	p->held = size - length;
	return error;
}

enum e2e_error
padding_end(const struct padding *p)
{
	return p->held > 0 ? E2E_OK : E2E_ERR_MALFORMED;
}
