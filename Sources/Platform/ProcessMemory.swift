internal import CLinux

/// The memory of this process.
package enum ProcessMemory {
    /// Keeps the memory, which contains passwords, out of core dumps, and
    /// protects it from other processes of the same user.
    package static func forbidDumps() {
        linux_forbid_core_dumps()
    }

    /// Returns free memory, which the allocator would keep, to the system. It takes milliseconds.
    package static func releaseFree() {
        linux_release_free_memory()
    }
}
