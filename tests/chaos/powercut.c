/* LD_PRELOAD: writes down what happens to the files below one folder, so that tests/chaos/powercut.py can make of it
 * what a power cut at any moment would have left.
 *
 * STEPPE_POWERCUT_DIR: the folder, an absolute path without links. STEPPE_POWERCUT_LOG: the file to write to, elsewhere.
 * STEPPE_POWERCUT_MARKS: a file whose writes are noted as marks, which is how a program says what it has promised.
 *
 * An operation and its note are one step for the other threads of a process; between processes only their own order
 * holds. Not seen: memory maps, copy_file_range, sendfile.
 *
 *   note    u8 operation | u64 monotonic clock, ns | u64 inode | u64 offset, length or number | u32 bytes | these
 */
#define _GNU_SOURCE /* RTLD_NEXT, O_TMPFILE */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char *folder, *marks;
static size_t folder_bytes;
static int notes = -1;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) \
    static __typeof__(name) *real; \
    if (real == NULL) \
        real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static int real_open(const char *path, int flags, mode_t mode)
{
    REAL(open);
    return real(path, flags, mode);
}

__attribute__((constructor)) static void begin(void)
{
    const char *below = getenv("STEPPE_POWERCUT_DIR"), *log = getenv("STEPPE_POWERCUT_LOG");
    const char *promises = getenv("STEPPE_POWERCUT_MARKS");
    if (below == NULL || log == NULL)
        return;
    folder = strdup(below); /* Redis writes its title over its environment. */
    folder_bytes = strlen(folder);
    marks = promises == NULL ? NULL : strdup(promises);
    notes = real_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void note(char operation, uint64_t inode, uint64_t number, const void *data, size_t bytes)
{
    REAL(writev);
    char head[29];
    uint32_t length = (uint32_t)bytes;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t time_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    head[0] = operation;
    memcpy(head + 1, &time_ns, 8);
    memcpy(head + 9, &inode, 8);
    memcpy(head + 17, &number, 8);
    memcpy(head + 25, &length, 4);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)data, bytes}};
    int saved = errno;
    if (real(notes, parts, 2) != (ssize_t)(sizeof head + bytes))
        abort();
    errno = saved;
}

/* The path below the folder, or NULL if it is not there; "" is the folder itself. */
static const char *below(const char *path)
{
    if (strncmp(path, folder, folder_bytes) != 0)
        return NULL;
    if (path[folder_bytes] == '\0')
        return path + folder_bytes;
    return path[folder_bytes] == '/' ? path + folder_bytes + 1 : NULL;
}

static int path_of(int descriptor, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t bytes = readlink(link, path, PATH_MAX - 1);
    if (bytes < 0)
        return 0;
    path[bytes] = '\0';
    return 1;
}

static void whole(int at, const char *name, char *path)
{
    char start[PATH_MAX];
    path[0] = '\0';
    if (name[0] == '/')
        snprintf(path, PATH_MAX, "%s", name);
    else if (at == AT_FDCWD ? getcwd(start, sizeof start) != NULL : path_of(at, start))
        if (snprintf(path, PATH_MAX, "%s/%s", start, name) >= PATH_MAX)
            path[0] = '\0';
}

/* Which file of the folder a descriptor is of; 0 if of none. It may have lost its name. */
static uint64_t inode_of(int descriptor)
{
    char path[PATH_MAX];
    struct stat found;
    if (notes < 0 || !path_of(descriptor, path) || below(path) == NULL || fstat(descriptor, &found) != 0)
        return 0;
    return S_ISREG(found.st_mode) ? found.st_ino : 0;
}

static int is_marks(int descriptor)
{
    char path[PATH_MAX];
    return notes >= 0 && marks != NULL && path_of(descriptor, path) && strcmp(path, marks) == 0;
}

static void lock(void)
{
    if (notes >= 0)
        pthread_mutex_lock(&one_at_a_time);
}

static void unlock(void)
{
    if (notes >= 0)
        pthread_mutex_unlock(&one_at_a_time);
}

static int opened(int at, const char *name, int flags, mode_t mode)
{
    REAL(openat);
    char path[PATH_MAX];
    struct stat found;
    if (notes < 0 || (flags & O_ACCMODE) == O_RDONLY)
        return real(at, name, flags, mode);
    lock();
    whole(at, name, path);
    int was_there = stat(path, &found) == 0;
    int descriptor = real(at, name, flags, mode);
    if (descriptor >= 0 && path_of(descriptor, path) && below(path) != NULL && fstat(descriptor, &found) == 0 &&
        S_ISREG(found.st_mode)) {
        note(was_there ? 'O' : 'C', found.st_ino, 0, below(path), strlen(below(path)));
        if (was_there && flags & O_TRUNC)
            note('T', found.st_ino, 0, NULL, 0);
    }
    unlock();
    return descriptor;
}

#define MODE(flags, mode) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *name, int flags, ...)
{
    MODE(flags, mode)
    return opened(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
    MODE(flags, mode)
    return opened(AT_FDCWD, name, flags | O_LARGEFILE, mode);
}

int openat(int at, const char *name, int flags, ...)
{
    MODE(flags, mode)
    return opened(at, name, flags, mode);
}

int openat64(int at, const char *name, int flags, ...)
{
    MODE(flags, mode)
    return opened(at, name, flags | O_LARGEFILE, mode);
}

int creat(const char *name, mode_t mode)
{
    return opened(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

ssize_t write(int descriptor, const void *data, size_t bytes)
{
    REAL(write);
    if (notes < 0)
        return real(descriptor, data, bytes);
    lock();
    uint64_t inode = inode_of(descriptor);
    int is_mark = !inode && is_marks(descriptor);
    off_t place = inode ? lseek(descriptor, 0, SEEK_CUR) : 0;
    struct stat found;
    if (inode && fcntl(descriptor, F_GETFL) & O_APPEND && fstat(descriptor, &found) == 0)
        place = found.st_size;
    ssize_t written = real(descriptor, data, bytes);
    if (written > 0 && (inode || is_mark))
        note(is_mark ? 'M' : 'W', inode, (uint64_t)place, data, (size_t)written);
    unlock();
    return written;
}

ssize_t pwrite(int descriptor, const void *data, size_t bytes, off_t place)
{
    REAL(pwrite);
    lock();
    uint64_t inode = inode_of(descriptor);
    ssize_t written = real(descriptor, data, bytes, place);
    if (written > 0 && inode)
        note('W', inode, (uint64_t)place, data, (size_t)written);
    unlock();
    return written;
}

ssize_t pwrite64(int descriptor, const void *data, size_t bytes, off64_t place)
{
    return pwrite(descriptor, data, bytes, place);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count)
{
    REAL(writev);
    if (notes < 0 || !inode_of(descriptor))
        return real(descriptor, parts, count);
    ssize_t total = 0;
    for (int i = 0; i < count; i++) {
        ssize_t written = write(descriptor, parts[i].iov_base, parts[i].iov_len);
        if (written < 0)
            return total ? total : written;
        total += written;
        if ((size_t)written < parts[i].iov_len)
            break;
    }
    return total;
}

int ftruncate(int descriptor, off_t bytes)
{
    REAL(ftruncate);
    lock();
    uint64_t inode = inode_of(descriptor);
    int result = real(descriptor, bytes);
    if (result == 0 && inode)
        note('T', inode, (uint64_t)bytes, NULL, 0);
    unlock();
    return result;
}

int ftruncate64(int descriptor, off64_t bytes)
{
    return ftruncate(descriptor, bytes);
}

int truncate(const char *name, off_t bytes)
{
    int descriptor = open(name, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return -1;
    int result = ftruncate(descriptor, bytes), saved = errno;
    close(descriptor);
    errno = saved;
    return result;
}

int truncate64(const char *name, off64_t bytes)
{
    return truncate(name, bytes);
}

int posix_fallocate(int descriptor, off_t place, off_t bytes)
{
    REAL(posix_fallocate);
    lock();
    uint64_t inode = inode_of(descriptor);
    struct stat found;
    int result = real(descriptor, place, bytes);
    if (result == 0 && inode && fstat(descriptor, &found) == 0)
        note('T', inode, (uint64_t)found.st_size, NULL, 0);
    unlock();
    return result;
}

int posix_fallocate64(int descriptor, off64_t place, off64_t bytes)
{
    return posix_fallocate(descriptor, place, bytes);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    REAL(linkat);
    char old[PATH_MAX], new[PATH_MAX], both[2 * PATH_MAX];
    if (notes < 0)
        return real(from_at, from, to_at, to, flags);
    whole(from_at, from, old);
    whole(to_at, to, new);
    lock();
    int result = real(from_at, from, to_at, to, flags);
    if (result == 0 && below(old) != NULL && below(new) != NULL) {
        int bytes = snprintf(both, sizeof both, "%s%c%s", below(old), '\0', below(new));
        note('L', 0, 0, both, (size_t)bytes);
    }
    unlock();
    return result;
}

int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned int flags)
{
    REAL(renameat2);
    char old[PATH_MAX], new[PATH_MAX], both[2 * PATH_MAX];
    if (notes < 0)
        return real(from_at, from, to_at, to, flags);
    whole(from_at, from, old);
    whole(to_at, to, new);
    lock();
    int result = real(from_at, from, to_at, to, flags);
    if (result == 0 && below(old) != NULL && below(new) != NULL) {
        int bytes = snprintf(both, sizeof both, "%s%c%s", below(old), '\0', below(new));
        note('R', 0, 0, both, (size_t)bytes);
    }
    unlock();
    return result;
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return renameat2(from_at, from, to_at, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int at, const char *name, int flags)
{
    REAL(unlinkat);
    char path[PATH_MAX];
    if (notes < 0)
        return real(at, name, flags);
    whole(at, name, path);
    lock();
    int result = real(at, name, flags);
    if (result == 0 && below(path) != NULL)
        note('U', 0, 0, below(path), strlen(below(path)));
    unlock();
    return result;
}

int unlink(const char *name)
{
    return unlinkat(AT_FDCWD, name, 0);
}

int rmdir(const char *name)
{
    return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

int mkdirat(int at, const char *name, mode_t mode)
{
    REAL(mkdirat);
    char path[PATH_MAX];
    if (notes < 0)
        return real(at, name, mode);
    whole(at, name, path);
    lock();
    int result = real(at, name, mode);
    if (result == 0 && below(path) != NULL)
        note('D', 0, 0, below(path), strlen(below(path)));
    unlock();
    return result;
}

int mkdir(const char *name, mode_t mode)
{
    return mkdirat(AT_FDCWD, name, mode);
}

static int synced(int descriptor, int (*real)(int))
{
    static uint32_t count;
    char path[PATH_MAX];
    struct stat found;
    if (notes < 0 || !path_of(descriptor, path) || below(path) == NULL || fstat(descriptor, &found) != 0)
        return real(descriptor);
    /* Others go on meanwhile: on the disk is then what was there at the beginning. */
    lock();
    uint64_t number = (uint64_t)getpid() << 32 | ++count;
    if (S_ISDIR(found.st_mode))
        note('f', 0, number, below(path), strlen(below(path)));
    else
        note('s', found.st_ino, number, NULL, 0);
    unlock();
    int result = real(descriptor);
    lock();
    if (result == 0)
        note('S', 0, number, NULL, 0);
    unlock();
    return result;
}

int fsync(int descriptor)
{
    REAL(fsync);
    return synced(descriptor, real);
}

int fdatasync(int descriptor)
{
    REAL(fdatasync);
    return synced(descriptor, real);
}
