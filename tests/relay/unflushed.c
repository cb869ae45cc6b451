/*
 * unflushed.c: fsync that fails, as on a disk that is broken. Loaded in front
 * of the C library (LD_PRELOAD). UNFLUSHED names the file or folder whose
 * flush fails with EIO; that of all others succeeds without being done.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int
fsync(int fd)
{
	const char *path = getenv("UNFLUSHED");
	struct stat asked, meant;

	if (path == NULL || fstat(fd, &asked) != 0 ||
	    stat(path, &meant) != 0 || asked.st_ino != meant.st_ino ||
	    asked.st_dev != meant.st_dev)
		return 0;
	errno = EIO;
	return -1;
}
