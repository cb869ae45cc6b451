/*
 * terminal.h: asking a question on the terminal without showing the answer.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <e2e/error.h>

#include <stddef.h>

/*
 * Shows `prompt` on /dev/tty and reads one line, echo off, into answer[size]
 * (secret memory), without its newline. The terminal is restored and a
 * signal that came meanwhile delivered before this returns; after a stop the
 * question is asked again. Nothing is printed but the prompt and a newline:
 * E2E_ERR_PASSPHRASE_NEEDED	there is no terminal, or it was closed (^D)
 * E2E_ERR_LIMIT		the line does not fit
 */
enum e2e_error terminal_ask(const char *prompt, unsigned char *answer,
    size_t size, size_t *length);

#endif
