/* LD_PRELOAD: a disk that fails when told to, for the files below one folder.
 *
 * STEPPE_CHAOS_DISK names a file of one native 64-bit integer that is read at each call: 0 all is well, 1 the disk is
 * full (ENOSPC), 2 it does not take what is written (EIO), 3 it does not sync (EIO). STEPPE_CHAOS_DISK_FOLDER: which
 * folder, as an absolute path without links. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WELL, FULL, UNWRITABLE, UNSYNCABLE };

static const volatile int64_t *order;
static const char *folder;

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("STEPPE_CHAOS_DISK");
    const char *below = getenv("STEPPE_CHAOS_DISK_FOLDER");
    /* A copy: Redis writes its title over its environment. */
    folder = below == NULL ? NULL : strdup(below);
    int descriptor = name == NULL || folder == NULL ? -1 : open(name, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    void *page = mmap(NULL, sizeof *order, PROT_READ, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (page != MAP_FAILED)
        order = page;
}

static int is_ours(int descriptor)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    size_t expected = strlen(folder);
    return length > (ssize_t)expected && memcmp(path, folder, expected) == 0 && path[expected] == '/';
}

/* What a write to the descriptor fails with now; 0 if it does not. */
static int write_error(int descriptor)
{
    int64_t now = order == NULL ? WELL : *order;
    if ((now != FULL && now != UNWRITABLE) || !is_ours(descriptor))
        return 0;
    return now == FULL ? ENOSPC : EIO;
}

static int sync_error(int descriptor)
{
    return order != NULL && *order == UNSYNCABLE && is_ours(descriptor) ? EIO : 0;
}

#define NEXT(name) \
    static __typeof__(name) *next; \
    if (next == NULL) \
    next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define FAIL_WITH(error) \
    do { \
        int code = (error); \
        if (code != 0) { \
            errno = code; \
            return -1; \
        } \
    } while (0)

ssize_t write(int descriptor, const void *data, size_t bytes)
{
    NEXT(write);
    FAIL_WITH(write_error(descriptor));
    return next(descriptor, data, bytes);
}

ssize_t pwrite64(int descriptor, const void *data, size_t bytes, off64_t offset)
{
    NEXT(pwrite64);
    FAIL_WITH(write_error(descriptor));
    return next(descriptor, data, bytes, offset);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count)
{
    NEXT(writev);
    FAIL_WITH(write_error(descriptor));
    return next(descriptor, parts, count);
}

int fsync(int descriptor)
{
    NEXT(fsync);
    FAIL_WITH(sync_error(descriptor));
    return next(descriptor);
}

int fdatasync(int descriptor)
{
    NEXT(fdatasync);
    FAIL_WITH(sync_error(descriptor));
    return next(descriptor);
}
