// What the system's library has and Swift's modules of it leave out, or declare differently for each library.
#include <limits.h>
#include <linux/futex.h>
#include <linux/stat.h>
#include <malloc.h>
#include <signal.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000 // <fcntl.h> has it where GNU extensions are asked for.
#endif

/// Keeps the memory of this process out of core dumps, and from processes of the same user: setrlimit(2), prctl(2).
static inline void linux_forbid_core_dumps(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/// Gives free memory back to the system: malloc_trim(3), which musl has not.
static inline void linux_release_free_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

/// pipe2(2).
static inline int linux_pipe2(int ends[2], int flags) {
    return (int)syscall(SYS_pipe2, ends, flags);
}

/// sched_getaffinity(2) of the calling thread: how many bytes of the mask were written, or -1.
static inline long linux_sched_getaffinity(void *mask, size_t bytes) {
    return syscall(SYS_sched_getaffinity, 0, bytes, mask);
}

/// statx(2) of an open file: its length and how many names it has, and nothing else is asked for; or -1.
static inline int linux_length_and_links(int descriptor, long *length, long *links) {
    struct statx status;
    if (syscall(SYS_statx, descriptor, "", AT_EMPTY_PATH, STATX_SIZE | STATX_NLINK, &status) != 0) return -1;
    *length = (long)status.stx_size;
    *links = (long)status.stx_nlink;
    return 0;
}

/// futex(2): waits until the word in shared memory is woken, no longer has the value, or the time is over.
static inline void linux_futex_wait(void *word, unsigned value, long nanoseconds) {
    struct timespec timeout = {0, nanoseconds};
    syscall(SYS_futex, word, FUTEX_WAIT, value, &timeout, NULL, 0);
}

/// futex(2): wakes all that wait for the word.
static inline void linux_futex_wake(void *word) {
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/// setpriority(2) of the calling thread: on Linux each thread has its own nice value, and 0 means the calling thread.
static inline void linux_set_thread_priority(int nice) {
    setpriority(PRIO_PROCESS, 0, nice);
}

/// The handler of sigaction(2), which is in a union.
static inline void (*linux_handler(const struct sigaction *action))(int) {
    return action->sa_handler;
}

static inline void linux_set_handler(struct sigaction *action, void (*handler)(int)) {
    action->sa_handler = handler;
}

/// The process id in the information of waitid(2), which is in a union.
static inline pid_t linux_child(const siginfo_t *information) {
    return information->si_pid;
}
