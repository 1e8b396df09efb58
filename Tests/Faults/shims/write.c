// Wraps pwrite(2):
//
//     WRITE=tear    call WRITE_NUMBER writes its first WRITE_BYTES bytes, and then the process is killed
//     WRITE=short   each call writes at most WRITE_BYTES bytes
//     WRITE=hide    a call that fails reports that it has written everything
//     WRITE=late    each call first waits up to WRITE_MICROSECONDS
//     WRITE=hold    call WRITE_NUMBER writes its byte count to the file WRITE_SIGN, waits a second, and then writes

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int calls;

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    ssize_t (*next)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");
    const char *mode = getenv("WRITE");
    const char *bound = getenv("WRITE_BYTES");
    const char *wanted = getenv("WRITE_NUMBER");
    size_t part = bound && (size_t)atol(bound) < count ? (size_t)atol(bound) : count;
    int is_wanted = wanted && atomic_fetch_add(&calls, 1) + 1 == atoi(wanted);
    if (strcmp(mode, "late") == 0) usleep((useconds_t)(rand() % atoi(getenv("WRITE_MICROSECONDS"))));
    if (strcmp(mode, "short") == 0) return next(descriptor, bytes, part, offset);
    if (strcmp(mode, "hide") == 0) {
        next(descriptor, bytes, count, offset);
        return (ssize_t)count;
    }
    if (is_wanted && strcmp(mode, "tear") == 0) {
        if (part > 0) next(descriptor, bytes, part, offset);
        kill(getpid(), SIGKILL);
    }
    if (is_wanted && strcmp(mode, "hold") == 0) {
        int sign = open(getenv("WRITE_SIGN"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        dprintf(sign, "%zu\n", count);
        close(sign);
        sleep(1);
    }
    return next(descriptor, bytes, count, offset);
}
