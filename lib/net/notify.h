/*
 * notify.h: telling the supervisor, as systemd's sd_notify(3) does, and
 * taking sockets from it (sd_listen_fds(3)). Without one, nothing happens.
 */
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

void notify_ready(void);
void notify_reloading(void);	/* notify_ready ends it */
void notify_stopping(void);

/*
 * Sockets that were passed in: their number, from descriptor
 * NOTIFY_FIRST_FD on; 0: none, or they are another process's. The variables
 * that say so are removed from the environment.
 */
enum { NOTIFY_FIRST_FD = 3 };
int notify_listen_fds(void);

#endif
