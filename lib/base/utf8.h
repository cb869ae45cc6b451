/*
 * utf8.h: text from strangers.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms)? */
bool utf8_valid(const void *data, size_t length);

/*
 * As utf8_valid, for text that comes in pieces: a sequence cut at the end of
 * `data` is held over. *state is 0 at the start; at the end of all, 0 again
 * if nothing is missing. False: this can no longer become valid, or has a
 * control character (C0 but newline and tab, DEL, C1) or a bidi control.
 */
bool utf8_printable(unsigned int *state, const void *data, size_t length);

/*
 * Copies text for a terminal or a log into out[size], NUL-terminated:
 * C0, DEL, C1, bidi controls (U+061C, U+200E, U+200F, U+202A-202E,
 * U+2066-2069), line and paragraph separators and bytes that are no UTF-8
 * become \xNN (C0, DEL, stray bytes) or \u{NNNN}; a backslash is doubled. Cut
 * with "..." when it does not fit. size >= 8. Returns out.
 */
char *utf8_escape(char *out, size_t size, const void *text, size_t length);

#endif
