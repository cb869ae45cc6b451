/*
 * process.h: how every command begins and ends.
 */
#ifndef CLI_PROCESS_H
#define CLI_PROCESS_H

#include <e2e/error.h>

/*
 * First thing in main: no core dumps, no tracing, temporaries removed on
 * signals, descriptors 0 to 2 taken (a file opened as number 1 would
 * be written to by accident; reading and writing those that were closed still
 * fails), and the name for messages.
 */
void process_start(const char *command);

/*
 * Last thing: closes standard output, which may tell only now that it could
 * not keep what was written, and gives the exit status for `error`, which
 * has been told already.
 */
int process_finish(enum e2e_error error);

#endif
