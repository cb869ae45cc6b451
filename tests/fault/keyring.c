/*
 * keyring.c: what a test wants to do with the kernel's keyring, and no command
 * does.
 *
 *	keyring available	is there one? (status 0)
 *	keyring find NAME	is a key of this name in the user's keyring?
 *	keyring read NAME	its bytes, to standard output
 *	keyring plant NAME	puts standard input there, for ten minutes
 *	keyring end NAME	when it ends, as /proc/keys says
 *	keyring mode NAME	its permissions, as /proc/keys says
 *	keyring apart COMMAND	runs it in a session that has nothing to do with
 *				this one, as cron would
 *	keyring without COMMAND	runs it where the kernel forbids keyrings
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SECONDS = 600 };

static long
find(const char *name)
{
	return syscall(SYS_keyctl, (long)KEYCTL_SEARCH,
	    (long)KEY_SPEC_USER_KEYRING, "user", name, 0L);
}

static int
read_key(const char *name)
{
	char data[4096];
	long serial = find(name), length;

	if (serial < 0)
		return 1;
	length = syscall(SYS_keyctl, (long)KEYCTL_READ, serial, data,
	    sizeof(data));
	if (length < 0 || length > (long)sizeof(data))
		return 1;
	return fwrite(data, 1, (size_t)length, stdout) == (size_t)length &&
	    fflush(stdout) == 0 ? 0 : 1;
}

static int
plant(const char *name)
{
	char data[4096];
	size_t length = fread(data, 1, sizeof(data), stdin);
	long serial = syscall(SYS_add_key, "user", name, data, length,
	    (long)KEY_SPEC_USER_KEYRING);

	return serial > 0 && syscall(SYS_keyctl, (long)KEYCTL_SET_TIMEOUT,
	    serial, (unsigned long)SECONDS) == 0 ? 0 : 1;
}

/* Serial, flags, count, end, mode. */
static int
show(const char *name, int want_mode)
{
	char line[512], end[32], mode[32];
	unsigned long serial;
	long held = find(name);
	FILE *keys = fopen("/proc/keys", "r");
	int status = 1;

	if (held < 0 || keys == NULL)
		return 1;
	while (fgets(line, sizeof(line), keys) != NULL)
		if (sscanf(line, "%lx %*s %*s %31s %31s", &serial, end,
		    mode) == 3 && serial == (unsigned long)held)
			status = puts(want_mode ? mode : end) < 0;
	(void)fclose(keys);
	return status;
}

static int
without(void)
{
	static struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_add_key, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	};
	struct sock_fprog program = {
		sizeof(filter) / sizeof(filter[0]), filter
	};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "available") == 0)
		return find("e2e: no such key") >= 0 || errno == ENOKEY ? 0 :
		    1;
	if (argc < 3)
		return 64;
	if (strcmp(what, "find") == 0)
		return find(argv[2]) >= 0 ? 0 : 1;
	if (strcmp(what, "read") == 0)
		return read_key(argv[2]);
	if (strcmp(what, "plant") == 0)
		return plant(argv[2]);
	if (strcmp(what, "end") == 0 || strcmp(what, "mode") == 0)
		return show(argv[2], what[0] == 'm');
	if ((strcmp(what, "apart") == 0 && syscall(SYS_keyctl,
	    (long)KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0) ||
	    (strcmp(what, "without") == 0 && without()))
		(void)execvp(argv[2], argv + 2);
	perror("keyring");
	return 64;
}
