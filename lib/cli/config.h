/*
 * config.h: the user's own folder, by the XDG base directory specification.
 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <e2e/error.h>

/*
 * $VARIABLE/e2e/RELATIVE, or $HOME/BELOW_HOME/e2e/RELATIVE; free() it. NULL when
 * the environment names neither. E2E_ERR_MEMORY, told.
 */
enum e2e_error config_xdg_path(char **path, const char *variable,
    const char *below_home, const char *relative);

/*
 * $XDG_CONFIG_HOME/e2e/RELATIVE, or $HOME/.config/e2e/RELATIVE; free() it.
 * NULL when the environment names neither. E2E_ERR_MEMORY, told.
 */
enum e2e_error config_path(char **path, const char *relative);

/* The same, and E2E_ERR_CONFIG, told, instead of NULL. */
enum e2e_error config_path_needed(char **path, const char *relative);

/* Makes the folder and those above it, mode 0700. Told. */
enum e2e_error config_make_folder(const char *path);

#endif
