// Wraps fdatasync(2) and fsync(2):
//
//     SYNC=skip     they do nothing and succeed
//     SYNC=slow     fdatasync takes SYNC_MICROSECONDS longer
//     SYNC=fail     fdatasync fails with EIO from call SYNC_NUMBER on; with SYNC_HIDE it reports success
//
// SYNC_LOG names a file that gets a line for each call of fdatasync before it returns: its outcome, the file's inode,
// and the number of bytes in the file when the call began, without the tabs at its end.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int calls;

static int is_mode(const char *mode) {
    const char *wanted = getenv("SYNC");
    return wanted && strcmp(wanted, mode) == 0;
}

static off_t written(int descriptor, off_t end) {
    char byte = '\t';
    while (end > 0 && pread(descriptor, &byte, 1, end - 1) == 1 && byte == '\t') end--;
    return end;
}

static void report(const struct stat *status, off_t written, const char *outcome) {
    const char *path = getenv("SYNC_LOG");
    if (!path) return;
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dprintf(file, "%s %lu %ld\n", outcome, (unsigned long)status->st_ino, (long)written);
    close(file);
}

int fdatasync(int descriptor) {
    int (*next)(int) = dlsym(RTLD_NEXT, "fdatasync");
    int number = atomic_fetch_add(&calls, 1) + 1;
    struct stat status = {0};
    fstat(descriptor, &status);
    off_t bytes = getenv("SYNC_LOG") ? written(descriptor, status.st_size) : 0;
    if (is_mode("skip")) return 0;
    if (is_mode("slow")) usleep((useconds_t)atoi(getenv("SYNC_MICROSECONDS")));
    if (is_mode("fail") && number >= atoi(getenv("SYNC_NUMBER"))) {
        report(&status, bytes, "failed");
        if (getenv("SYNC_HIDE")) return 0;
        errno = EIO;
        return -1;
    }
    int outcome = next(descriptor);
    report(&status, bytes, "synced");
    return outcome;
}

int fsync(int descriptor) {
    int (*next)(int) = dlsym(RTLD_NEXT, "fsync");
    return is_mode("skip") ? 0 : next(descriptor);
}
