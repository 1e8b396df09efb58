// What the system's library has and Swift's Glibc module leaves out.
#include <stddef.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/// pipe2(2).
static inline int linux_pipe2(int ends[2], int flags) {
    return (int)syscall(SYS_pipe2, ends, flags);
}

/// sched_getaffinity(2) of the calling thread: how many bytes of the mask were written, or -1.
static inline long linux_sched_getaffinity(void *mask, size_t bytes) {
    return syscall(SYS_sched_getaffinity, 0, bytes, mask);
}
