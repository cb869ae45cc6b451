/* cutvfs.c: a disk in memory that loses what was not synced. */
#include "cutvfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILES_MAX = 16, REGIONS_MAX = 64, SECTOR = 512 };

struct image {
	unsigned char *bytes;
	size_t size, capacity;
};

/* On its way to the disk: bytes, or (data NULL) a new size. */
struct pending {
	struct pending *next;
	size_t offset, size;
	unsigned char *data;
};

struct file {
	char name[256];
	bool there, on_disk;		/* has it its name? */
	bool dirty_name;
	bool log;			/* its first sync syncs the folder */
	unsigned opened;
	struct image now, disk;
	struct pending *first, **end;
	unsigned char *regions[REGIONS_MAX];
};

struct handle {
	sqlite3_file base;
	struct file *file;
	bool delete;
};

static struct file files[FILES_MAX];
static unsigned cut_countdown, fail_countdown;
static int fail_code;
static bool is_cut, is_lying, has_failed;

/* ---- images ---- */

static void
image_resize(struct image *i, size_t size)
{
	if (size > i->capacity) {
		i->capacity = size * 2;
		i->bytes = realloc(i->bytes, i->capacity);
		assert_non_null(i->bytes);
	}
	if (size > i->size)
		memset(i->bytes + i->size, 0, size - i->size);
	i->size = size;
}

static void
image_write(struct image *i, const void *data, size_t size, size_t offset)
{
	if (size == 0)
		return;
	if (offset + size > i->size)
		image_resize(i, offset + size);
	memcpy(i->bytes + offset, data, size);
}

static void
image_copy(struct image *to, const struct image *from)
{
	image_resize(to, 0);
	if (from->size > 0)
		image_write(to, from->bytes, from->size, 0);
}

static void
image_free(struct image *i)
{
	free(i->bytes);
	*i = (struct image){ .size = 0 };
}

/* ---- files ---- */

static void
pending_add(struct file *f, const void *data, size_t size, size_t offset)
{
	struct pending *p = calloc(1, sizeof *p);

	assert_non_null(p);
	p->size = size;
	p->offset = offset;
	if (data != NULL) {
		p->data = malloc(size > 0 ? size : 1);
		assert_non_null(p->data);
		memcpy(p->data, data, size);
	}
	*f->end = p;
	f->end = &p->next;
}

static void
pending_drop(struct file *f)
{
	struct pending *next;

	for (struct pending *p = f->first; p != NULL; p = next) {
		next = p->next;
		free(p->data);
		free(p);
	}
	f->first = NULL;
	f->end = &f->first;
}

static void
forget_regions(struct file *f)
{
	for (int i = 0; i < REGIONS_MAX; i++) {
		free(f->regions[i]);
		f->regions[i] = NULL;
	}
}

static void
file_clear(struct file *f)
{
	pending_drop(f);
	forget_regions(f);
	image_free(&f->now);
	image_free(&f->disk);
	memset(f, 0, sizeof *f);
	f->end = &f->first;
}

static struct file *
file_named(const char *name)
{
	for (int i = 0; i < FILES_MAX; i++)
		if (files[i].name[0] != '\0' &&
		    strcmp(files[i].name, name) == 0)
			return &files[i];
	return NULL;
}

static struct file *
file_make(const char *name)
{
	struct file *f = file_named(name);

	for (int i = 0; f == NULL && i < FILES_MAX; i++)
		if (files[i].name[0] == '\0')
			f = &files[i];
	assert_non_null(f);
	assert_true(strlen(name) < sizeof f->name);
	if (f->name[0] == '\0')
		file_clear(f);
	(void)snprintf(f->name, sizeof f->name, "%s", name);
	if (!f->there) {
		f->there = true;
		f->dirty_name = true;
		/* A new file, whatever was called so before. */
		pending_drop(f);
		pending_add(f, NULL, 0, 0);
		image_resize(&f->now, 0);
	}
	return f;
}

static void
sync_names(void)
{
	for (int i = 0; i < FILES_MAX; i++) {
		files[i].on_disk = files[i].there;
		files[i].dirty_name = false;
		/* The next file of this name has none of its bytes. */
		if (!files[i].there) {
			pending_drop(&files[i]);
			image_resize(&files[i].disk, 0);
		}
	}
}

static void
sync_bytes(struct file *f)
{
	pending_drop(f);
	image_copy(&f->disk, &f->now);
}

/* ---- what goes wrong ---- */

/* Counts a call; its code if it is to fail. */
static int
call(int otherwise, bool is_write)
{
	if (is_cut)
		return otherwise;
	if (fail_countdown == 0 || --fail_countdown > 0)
		return SQLITE_OK;
	has_failed = true;
	return is_write ? fail_code : otherwise;
}

/* Counts what changes the disk. True: at this very call the power goes. */
static bool
cuts(void)
{
	if (cut_countdown == 0 || --cut_countdown > 0)
		return false;
	is_cut = true;
	return true;
}

/* ---- files as SQLite sees them ---- */

static struct handle *
handle_of(sqlite3_file *f)
{
	return (struct handle *)(void *)f;
}

static int
file_close(sqlite3_file *base)
{
	struct handle *h = handle_of(base);

	h->file->opened--;
	return SQLITE_OK;
}

static int
file_read(sqlite3_file *base, void *data, int size, sqlite3_int64 offset)
{
	struct image *i = &handle_of(base)->file->now;
	size_t at = (size_t)offset, want = (size_t)size, got;
	int code = call(SQLITE_IOERR_READ, false);

	if (code != SQLITE_OK)
		return code;
	got = at >= i->size ? 0 : i->size - at < want ? i->size - at : want;
	if (got > 0)
		memcpy(data, i->bytes + at, got);
	memset((unsigned char *)data + got, 0, want - got);
	return got == want ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int
file_write(sqlite3_file *base, const void *data, int size,
    sqlite3_int64 offset)
{
	struct file *f = handle_of(base)->file;
	int code = call(SQLITE_IOERR_WRITE, true);
	bool last;

	if (code != SQLITE_OK) {
		/* Half of it may be there. */
		if (!is_cut) {
			image_write(&f->now, data, (size_t)size / 2,
			    (size_t)offset);
			pending_add(f, data, (size_t)size / 2,
			    (size_t)offset);
		}
		return code;
	}
	last = cuts();
	image_write(&f->now, data, (size_t)size, (size_t)offset);
	pending_add(f, data, (size_t)size, (size_t)offset);
	return last ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

static int
file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct file *f = handle_of(base)->file;
	int code = call(SQLITE_IOERR_TRUNCATE, false);
	bool last;

	if (code != SQLITE_OK)
		return code;
	last = cuts();
	image_resize(&f->now, (size_t)size);
	pending_add(f, NULL, (size_t)size, 0);
	return last ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int
file_sync(sqlite3_file *base, int flags)
{
	struct file *f = handle_of(base)->file;
	int code = call(SQLITE_IOERR_FSYNC, false);

	if (code != SQLITE_OK)
		return code;
	if (cuts())
		return SQLITE_IOERR_FSYNC;
	if (is_lying)
		return SQLITE_OK;
	sync_bytes(f);
	if (f->log && f->dirty_name)
		sync_names();
	return SQLITE_OK;
}

static int
file_size(sqlite3_file *base, sqlite3_int64 *size)
{
	int code = call(SQLITE_IOERR_FSTAT, false);

	*size = (sqlite3_int64)handle_of(base)->file->now.size;
	return code;
}

static int
file_lock(sqlite3_file *base, int level)
{
	return call(SQLITE_IOERR_LOCK, false);
}

static int
file_unlock(sqlite3_file *base, int level)
{
	return SQLITE_OK;
}

static int
file_reserved(sqlite3_file *base, int *reserved)
{
	*reserved = 0;
	return call(SQLITE_IOERR_CHECKRESERVEDLOCK, false);
}

static int
file_control(sqlite3_file *base, int op, void *argument)
{
	return SQLITE_NOTFOUND;
}

static int
file_sector(sqlite3_file *base)
{
	return 4096;		/* as SQLite's own files say */
}

static int
file_traits(sqlite3_file *base)
{
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int
file_shm_map(sqlite3_file *base, int region, int size, int extend,
    void volatile **at)
{
	struct file *f = handle_of(base)->file;
	int code = call(SQLITE_IOERR_SHMMAP, false);

	*at = NULL;
	if (code != SQLITE_OK)
		return code;
	assert_true(region < REGIONS_MAX);
	if (f->regions[region] == NULL && extend) {
		f->regions[region] = calloc(1, (size_t)size);
		assert_non_null(f->regions[region]);
	}
	*at = f->regions[region];
	return SQLITE_OK;
}

static int
file_shm_lock(sqlite3_file *base, int offset, int n, int flags)
{
	return SQLITE_OK;
}

static void
file_shm_barrier(sqlite3_file *base)
{
}

static int
file_shm_unmap(sqlite3_file *base, int delete)
{
	forget_regions(handle_of(base)->file);
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_traits,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap
};

/* ---- the disk as SQLite sees it ---- */

static int
disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
    int *given)
{
	struct handle *h = handle_of(base);
	int code = call(SQLITE_CANTOPEN, false);
	struct file *f;

	h->base.pMethods = NULL;
	if (code != SQLITE_OK)
		return code;
	/* Files without a name are for sorting; nothing here sorts so much. */
	assert_non_null(name);
	f = file_named(name);
	if (f == NULL || !f->there) {
		if ((flags & SQLITE_OPEN_CREATE) == 0)
			return SQLITE_CANTOPEN;
		if (cuts())
			return SQLITE_CANTOPEN;
		f = file_make(name);
	}
	f->log = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
	f->opened++;
	h->file = f;
	h->base.pMethods = &methods;
	if (given != NULL)
		*given = flags;
	return SQLITE_OK;
}

static int
disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	struct file *f = file_named(name);
	int code = call(SQLITE_IOERR_DELETE, false);
	bool last;

	if (code != SQLITE_OK)
		return code;
	if (f == NULL || !f->there)
		return SQLITE_IOERR_DELETE_NOENT;
	last = cuts();
	f->there = false;
	f->dirty_name = true;
	if (last)
		return SQLITE_IOERR_DELETE;
	if (sync && !is_lying)
		sync_names();
	return SQLITE_OK;
}

static int
disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *there)
{
	struct file *f = file_named(name);

	*there = f != NULL && f->there && (flags != SQLITE_ACCESS_EXISTS ||
	    f->now.size > 0);
	return call(SQLITE_IOERR_ACCESS, false);
}

static int
disk_path(sqlite3_vfs *vfs, const char *name, int size, char *path)
{
	assert_true((int)strlen(name) < size);
	(void)snprintf(path, (size_t)size, "%s", name);
	return SQLITE_OK;
}

static int
disk_random(sqlite3_vfs *vfs, int size, char *data)
{
	static struct dice dice = { 1 };

	for (int i = 0; i < size; i++)
		data[i] = (char)dice_roll(&dice, 256);
	return size;
}

static int
disk_sleep(sqlite3_vfs *vfs, int microseconds)
{
	return microseconds;
}

static int
disk_time(sqlite3_vfs *vfs, double *now)
{
	*now = 2460000.5;
	return SQLITE_OK;
}

static int
disk_error(sqlite3_vfs *vfs, int size, char *text)
{
	return 0;
}

static sqlite3_vfs vfs = {
	.iVersion = 1,
	.szOsFile = sizeof(struct handle),
	.mxPathname = 255,
	.zName = "cut",
	.xOpen = disk_open,
	.xDelete = disk_delete,
	.xAccess = disk_access,
	.xFullPathname = disk_path,
	.xRandomness = disk_random,
	.xSleep = disk_sleep,
	.xCurrentTime = disk_time,
	.xGetLastError = disk_error
};

/* ---- the harness's side ---- */

void
cutvfs_install(void)
{
	assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
	cutvfs_reset();
}

void
cutvfs_reset(void)
{
	for (int i = 0; i < FILES_MAX; i++) {
		assert_int_equal(files[i].opened, 0);
		file_clear(&files[i]);
	}
	cut_countdown = fail_countdown = 0;
	is_cut = is_lying = has_failed = false;
}

void
cutvfs_cut_at(unsigned n)
{
	cut_countdown = n;
}

void
cutvfs_cut_now(void)
{
	is_cut = true;
}

bool
cutvfs_is_cut(void)
{
	return is_cut;
}

static void
tear(struct image *disk, const struct pending *p, struct dice *dice)
{
	size_t from, to;

	/* Pieces as they lie on the disk. */
	for (from = p->offset; from < p->offset + p->size; from = to) {
		to = (from / SECTOR + 1) * SECTOR;
		if (to > p->offset + p->size)
			to = p->offset + p->size;
		if (dice_roll(dice, 2) == 0)
			image_write(disk, p->data + (from - p->offset),
			    to - from, from);
	}
}

static void
grow(struct image *disk, size_t size, struct dice *dice)
{
	size_t before = disk->size;
	bool rubbish = dice_roll(dice, 2) == 0;

	if (size <= before)
		return;
	image_resize(disk, size);
	for (size_t i = before; rubbish && i < size; i++)
		disk->bytes[i] = (unsigned char)dice_roll(dice, 256);
}

static void
arrive(struct image *disk, const struct pending *p, bool all,
    struct dice *dice)
{
	uint64_t fate = all ? 0 : dice_roll(dice, 3);

	if (p->data == NULL) {
		if (fate != 1)
			image_resize(disk, p->size);
		return;
	}
	if (fate == 0)
		image_write(disk, p->data, p->size, p->offset);
	else if (fate == 1)
		tear(disk, p, dice);
	if (dice_roll(dice, 3) == 0)
		grow(disk, p->offset + p->size, dice);
}

void
cutvfs_restart(struct dice *dice)
{
	/* Now and then the disk had got it all, and only not said so. */
	bool all = dice_roll(dice, 4) == 0;

	for (int i = 0; i < FILES_MAX; i++) {
		struct file *f = &files[i];

		assert_int_equal(f->opened, 0);
		for (struct pending *p = f->first; p != NULL; p = p->next)
			arrive(&f->disk, p, all, dice);
		if (f->dirty_name && dice_roll(dice, 2) == 0)
			f->on_disk = f->there;
		f->there = f->on_disk;
		f->dirty_name = false;
		pending_drop(f);
		forget_regions(f);
		if (!f->there)
			image_resize(&f->disk, 0);
		image_copy(&f->now, &f->disk);
	}
	is_cut = false;
	cut_countdown = 0;
}

void
cutvfs_folder_synced(void)
{
	if (!is_lying && !is_cut)
		sync_names();
}

void
cutvfs_lie(bool lies)
{
	is_lying = lies;
}

void
cutvfs_fail_at(unsigned n, int code)
{
	fail_countdown = n;
	fail_code = code;
	has_failed = false;
}

bool
cutvfs_has_failed(void)
{
	return has_failed;
}
