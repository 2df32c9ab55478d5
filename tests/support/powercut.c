/* Records what a process asks of the disk, so that a test can tell what a power cut would leave of it; and plays a disk
 * that is full or broken. Preloaded (LD_PRELOAD) into one process; Linux and glibc only.
 *
 * Environment: POWERCUT_ROOT   only files whose path begins with this are watched
 *              POWERCUT_LOG    where records are appended
 *              POWERCUT_FULL   writes fail with ENOSPC after so many bytes (optional)
 *              POWERCUT_BROKEN the n-th and every later fdatasync fails with EIO (optional)
 *
 * A record is: kind (1 byte), fd (u32), offset (u64), length of first text or data (u32), of second text (u32), then both;
 * numbers in the byte order of the machine. Each real call and its record are made under one lock, so the order of the
 * records is the order of the calls. A watched file written by writev would go past this record: that aborts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static size_t root_len;
static int log_fd = -1;
static char watched[FDS];
static long long bytes_left = -1, syncs_left = -1;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) {
    void *f = dlsym(RTLD_NEXT, name);
    if (!f) abort();
    return f;
}

static void raw(const void *data, size_t len) {
    const char *p = data;
    while (len > 0) {
        long n = syscall(SYS_write, log_fd, p, len);
        if (n <= 0) abort();
        p += n, len -= (size_t)n;
    }
}

static void record(char kind, int fd, uint64_t offset, const void *a, size_t alen, const void *b, size_t blen) {
    unsigned char head[21];
    uint32_t fd32 = (uint32_t)fd, al = (uint32_t)alen, bl = (uint32_t)blen;
    head[0] = (unsigned char)kind;
    memcpy(head + 1, &fd32, 4), memcpy(head + 5, &offset, 8), memcpy(head + 13, &al, 4), memcpy(head + 17, &bl, 4);
    raw(head, sizeof head), raw(a, alen), raw(b, blen);
}

__attribute__((constructor)) static void start(void) {
    const char *log = getenv("POWERCUT_LOG"), *full = getenv("POWERCUT_FULL"), *broken = getenv("POWERCUT_BROKEN");
    root = getenv("POWERCUT_ROOT");
    if (!root || !log) return;
    root_len = strlen(root);
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0) abort();
    if (full) bytes_left = atoll(full);
    if (broken) syncs_left = atoll(broken);
    record('P', 0, 0, "", 0, "", 0); /* a new process: all descriptors are forgotten */
}

static int under_root(const char *path) { return log_fd >= 0 && path && !strncmp(path, root, root_len); }
static int is_watched(int fd) { return log_fd >= 0 && fd >= 0 && fd < FDS && watched[fd]; }

static int opened(int fd, const char *path, int flags) {
    if (fd >= 0 && under_root(path)) {
        if (fd >= FDS) abort();
        struct stat about;
        if (fstat(fd, &about)) abort();
        watched[fd] = 1;
        record(flags & O_TRUNC ? 'T' : 'O', fd, S_ISDIR(about.st_mode), path, strlen(path), "", 0);
    }
    return fd;
}

#define OPEN(name, params, args, path)                                      \
    int name params {                                                       \
        mode_t mode = 0;                                                    \
        if (flags & (O_CREAT | O_TMPFILE)) {                                \
            va_list list;                                                   \
            va_start(list, flags);                                          \
            mode = va_arg(list, mode_t);                                    \
            va_end(list);                                                   \
        }                                                                   \
        pthread_mutex_lock(&lock);                                          \
        int fd = opened(REAL(name) args, path, flags), error = errno;       \
        pthread_mutex_unlock(&lock);                                        \
        errno = error;                                                      \
        return fd;                                                          \
    }
OPEN(open, (const char *path, int flags, ...), (path, flags, mode), path)
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode), path)
OPEN(openat, (int dir, const char *path, int flags, ...), (dir, path, flags, mode), path)
OPEN(openat64, (int dir, const char *path, int flags, ...), (dir, path, flags, mode), path)

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (is_watched(fd)) watched[fd] = 0, record('C', fd, 0, "", 0, "", 0);
    int result = REAL(close)(fd), error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

static int disk_full(size_t len) {
    if (bytes_left < 0) return 0;
    if ((long long)len > bytes_left) return 1;
    bytes_left -= (long long)len;
    return 0;
}

ssize_t write(int fd, const void *data, size_t len) {
    if (!is_watched(fd)) return REAL(write)(fd, data, len);
    pthread_mutex_lock(&lock);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t n = disk_full(len) ? (errno = ENOSPC, -1) : REAL(write)(fd, data, len);
    int error = errno;
    if (n > 0) record('W', fd, (uint64_t)at, data, (size_t)n, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return n;
}

static ssize_t written_at(int fd, const void *data, size_t len, off64_t at) {
    if (!is_watched(fd)) return REAL(pwrite64)(fd, data, len, at);
    pthread_mutex_lock(&lock);
    ssize_t n = disk_full(len) ? (errno = ENOSPC, -1) : REAL(pwrite64)(fd, data, len, at);
    int error = errno;
    if (n > 0) record('W', fd, (uint64_t)at, data, (size_t)n, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return n;
}
ssize_t pwrite(int fd, const void *data, size_t len, off_t at) { return written_at(fd, data, len, at); }
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) { return written_at(fd, data, len, at); }

ssize_t writev(int fd, const struct iovec *iov, int n) {
    if (is_watched(fd)) abort();
    return REAL(writev)(fd, iov, n);
}

#define AFTER(kind, fd, offset)                                             \
    pthread_mutex_lock(&lock);                                              \
    int result = CALL, error = errno;                                       \
    if (!result && is_watched(fd)) record(kind, fd, offset, "", 0, "", 0);  \
    pthread_mutex_unlock(&lock);                                            \
    errno = error;                                                          \
    return result;

#define CALL REAL(ftruncate64)(fd, len)
int ftruncate(int fd, off_t len) { AFTER('L', fd, (uint64_t)len) }
int ftruncate64(int fd, off64_t len) { AFTER('L', fd, (uint64_t)len) }
#undef CALL
#define CALL REAL(fsync)(fd)
int fsync(int fd) { AFTER('F', fd, 0) }
#undef CALL
#define CALL (is_watched(fd) && syncs_left >= 0 && --syncs_left < 0 ? (syncs_left = 0, errno = EIO, -1) : REAL(fdatasync)(fd))
int fdatasync(int fd) { AFTER('D', fd, 0) }
#undef CALL
#define CALL REAL(sync_file_range)(fd, at, len, flags)
int sync_file_range(int fd, off64_t at, off64_t len, unsigned flags) { AFTER('R', fd, (uint64_t)at) }
#undef CALL

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    int result = REAL(rename)(from, to), error = errno;
    if (!result && under_root(to)) record('N', 0, 0, from, strlen(from), to, strlen(to));
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    int result = REAL(unlink)(path), error = errno;
    if (!result && under_root(path)) record('U', 0, 0, path, strlen(path), "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int mkdir(const char *path, mode_t mode) {
    pthread_mutex_lock(&lock);
    int result = REAL(mkdir)(path, mode), error = errno;
    if (!result && under_root(path)) record('M', 0, 0, path, strlen(path), "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
