/*
 * inject.h: calls that can be told to fail.
 *
 * The linker (--wrap) leads every call that this project's own code makes to
 * one of the functions named in a WRAP here to the function that the macro
 * makes. It counts the call under a kind, and fails it when it is the one that
 * the environment names:
 *
 *	E2E_FAULT=KIND:N	the N-th call of that kind fails, once
 *	E2E_FAULT_REPORT=FILE	at the end, lines "KIND COUNT", and "hit" if
 *				the one call was reached
 *	E2E_FAULT_NAMED=yes	the system has no unnamed files (O_TMPFILE)
 *
 * The Makefile takes the names to wrap from the lines that begin with WRAP.
 * Calls that OpenSSL or another library makes are not wrapped.
 */
#ifndef FAULT_INJECT_H
#define FAULT_INJECT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

enum fault_kind {
	FAULT_ALLOC,
	FAULT_MAP,		/* memory for secrets */
	FAULT_READ,
	FAULT_WRITE,
	FAULT_SYNC,
	FAULT_NAME,		/* link, rename, mkdir */
	FAULT_OPEN,
	FAULT_CLOSE,		/* of what was written to */
	FAULT_RANDOM,
	FAULT_CRYPTO,
	FAULT_CBOR,
	FAULT_THREAD,
	FAULT_ADVICE,		/* mlock and other wishes */
	FAULT_LOOK,		/* stat and other questions */
	FAULT_KINDS
};

/* Counts one more place. True: it is to fail. Threads: safe. */
bool fault_here(enum fault_kind kind);

#define WRAP(name, kind, type, failure, code, parameters, arguments)	\
	type __real_##name parameters;					\
	type __wrap_##name parameters;					\
	type								\
	__wrap_##name parameters					\
	{								\
		if (fault_here(kind)) {					\
			errno = (code);					\
			return failure;					\
		}							\
		return __real_##name arguments;				\
	}								\
	extern int fault_semicolon

/* The same, where a condition tells whether this call counts. */
#define WRAP_IF(name, condition, kind, type, failure, code, parameters,	\
    arguments)								\
	type __real_##name parameters;					\
	type __wrap_##name parameters;					\
	type								\
	__wrap_##name parameters					\
	{								\
		if ((condition) && fault_here(kind)) {			\
			errno = (code);					\
			return failure;					\
		}							\
		return __real_##name arguments;				\
	}								\
	extern int fault_semicolon

#endif
