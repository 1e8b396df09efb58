internal import CLinux

/// The memory of this process as a whole.
package enum ProcessMemory {
    /// Keeps what is in memory, passwords among it, out of core dumps and from other processes of the same user.
    package static func forbidDumps() {
        linux_forbid_core_dumps()
    }

    /// Gives memory that is free back to the system, which the allocator would keep. It takes milliseconds.
    package static func releaseFree() {
        linux_release_free_memory()
    }
}
