/*
 * state.h: the user's folder of state, by the XDG base directory
 * specification: what commands remember and nobody edits.
 */
#ifndef CLI_STATE_H
#define CLI_STATE_H

#include <e2e/error.h>

/*
 * $XDG_STATE_HOME/e2e/RELATIVE, or $HOME/.local/state/e2e/RELATIVE; free()
 * it. Everything above its last slash is made if it is not there, mode 0700.
 * E2E_ERR_CONFIG when the environment names neither. Told.
 */
enum e2e_error state_path(char **path, const char *relative);

#endif
