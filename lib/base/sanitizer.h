/*
 * sanitizer.h: is this a build that looks for leaks? It traces the process
 * when it ends, and expects everything to have been freed by then.
 */
#ifndef BASE_SANITIZER_H
#define BASE_SANITIZER_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZER_LEAK_CHECK 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(SANITIZER_LEAK_CHECK)
#define SANITIZER_LEAK_CHECK 1
#endif
#ifndef SANITIZER_LEAK_CHECK
#define SANITIZER_LEAK_CHECK 0
#endif

#endif
