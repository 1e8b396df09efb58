#if canImport(Glibc) || canImport(Musl)
    internal import CLinux
#endif
#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The memory of this process as a whole.
package enum ProcessMemory {
    /// Keeps what is in memory, passwords among it, out of core dumps and from other processes of the same user.
    package static func forbidDumps() {
        #if canImport(Darwin)
            // Untested. Other processes of the same user cannot read it there without a privilege.
            var none = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(RLIMIT_CORE, &none)
        #else
            linux_forbid_core_dumps()
        #endif
    }

    /// Gives memory that is free back to the system, which the allocator would keep. It takes milliseconds.
    package static func releaseFree() {
        #if canImport(Darwin)
            // Untested.
            malloc_zone_pressure_relief(nil, 0)
        #else
            linux_release_free_memory()
        #endif
    }
}
