/* A machine that goes wrong, preloaded into one process of a test: a disk without room, a sync or a
   read that fails, a sync that takes its time, a clock that is wrong. The numbers in the file LAIKA_MACHINE say what is wrong at
   the moment; the test writes them, and they hold at once. Only files whose path begins with
   LAIKA_MACHINE_DISK are on that disk. It changes nothing that succeeds. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FULL, SYNC_FAILS, READ_FAILS, CLOCK_S, FAILED, SYNC_WAITS, WAITING, NUMBERS };

static volatile int64_t nothing_wrong[NUMBERS];
static volatile int64_t *wrong = nothing_wrong;
static const char *disk;

__attribute__((constructor)) static void look(void) {
    const char *name = getenv("LAIKA_MACHINE");
    disk = getenv("LAIKA_MACHINE_DISK");
    int fd = name ? open(name, O_RDWR) : -1;
    if (fd < 0) return;
    void *all = mmap(NULL, NUMBERS * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (all != MAP_FAILED) wrong = all;
    close(fd);
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int on_disk(int fd) {
    char link[64], path[4096];
    if (!disk) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strncmp(path, disk, strlen(disk)) == 0;
}

/* Counts, so that a test knows that something failed. */
static int fails(int error) {
    __sync_fetch_and_add(&wrong[FAILED], 1);
    errno = error;
    return -1;
}

/* Whether a file would have to grow on a disk without room. */
static int too_much(int fd, off_t end) {
    struct stat now;
    if (!wrong[FULL] || !on_disk(fd) || fstat(fd, &now)) return 0;
    return end > now.st_size;
}

static off_t sum(const struct iovec *parts, int count) {
    off_t all = 0;
    for (int at = 0; at < count; at++) all += parts[at].iov_len;
    return all;
}

ssize_t write(int fd, const void *from, size_t count) {
    REAL(write);
    if (wrong[FULL] && too_much(fd, lseek(fd, 0, SEEK_CUR) + (off_t)count)) return fails(ENOSPC);
    return real(fd, from, count);
}

ssize_t pwrite(int fd, const void *from, size_t count, off_t at) {
    REAL(pwrite);
    return too_much(fd, at + count) ? fails(ENOSPC) : real(fd, from, count, at);
}

ssize_t pwrite64(int fd, const void *from, size_t count, off64_t at) {
    REAL(pwrite64);
    return too_much(fd, at + count) ? fails(ENOSPC) : real(fd, from, count, at);
}

ssize_t pwritev(int fd, const struct iovec *from, int count, off_t at) {
    REAL(pwritev);
    return too_much(fd, at + sum(from, count)) ? fails(ENOSPC) : real(fd, from, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *from, int count, off64_t at) {
    REAL(pwritev64);
    return too_much(fd, at + sum(from, count)) ? fails(ENOSPC) : real(fd, from, count, at);
}

int ftruncate(int fd, off_t end) {
    REAL(ftruncate);
    return too_much(fd, end) ? fails(ENOSPC) : real(fd, end);
}

int ftruncate64(int fd, off64_t end) {
    REAL(ftruncate64);
    return too_much(fd, end) ? fails(ENOSPC) : real(fd, end);
}

int posix_fallocate(int fd, off_t at, off_t count) {
    REAL(posix_fallocate);
    return too_much(fd, at + count) ? (fails(ENOSPC), ENOSPC) : real(fd, at, count);
}

int posix_fallocate64(int fd, off64_t at, off64_t count) {
    REAL(posix_fallocate64);
    return too_much(fd, at + count) ? (fails(ENOSPC), ENOSPC) : real(fd, at, count);
}

/* A sync takes as long as the test says. */
static void sync_waits(int fd) {
    if (!wrong[SYNC_WAITS] || !on_disk(fd)) return;
    __sync_fetch_and_add(&wrong[WAITING], 1);
    while (wrong[SYNC_WAITS]) usleep(1000);
}

int fsync(int fd) {
    REAL(fsync);
    sync_waits(fd);
    return wrong[SYNC_FAILS] && on_disk(fd) ? fails(EIO) : real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    sync_waits(fd);
    return wrong[SYNC_FAILS] && on_disk(fd) ? fails(EIO) : real(fd);
}

ssize_t pread(int fd, void *to, size_t count, off_t at) {
    REAL(pread);
    return wrong[READ_FAILS] && on_disk(fd) ? fails(EIO) : real(fd, to, count, at);
}

ssize_t pread64(int fd, void *to, size_t count, off64_t at) {
    REAL(pread64);
    return wrong[READ_FAILS] && on_disk(fd) ? fails(EIO) : real(fd, to, count, at);
}

int clock_gettime(clockid_t which, struct timespec *now) {
    REAL(clock_gettime);
    int done = real(which, now);
    if (done == 0 && which == CLOCK_REALTIME) now->tv_sec += wrong[CLOCK_S];
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    REAL(gettimeofday);
    int done = real(now, zone);
    if (done == 0) now->tv_sec += wrong[CLOCK_S];
    return done;
}
