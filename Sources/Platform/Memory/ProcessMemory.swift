internal import CLibrary

/// The memory of this process.
package enum ProcessMemory {
    /// Keeps the memory, which contains passwords, out of core dumps, and protects it from other processes of the same
    /// user.
    package static func forbidDumps() {
        #if canImport(Darwin)
            // Untested. On macOS, other processes of the same user need a privilege to read the memory.
            var none = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(RLIMIT_CORE, &none)
        #else
            linux_forbid_core_dumps()
        #endif
    }

    /// Returns free memory, which the allocator would keep, to the system. It takes milliseconds.
    package static func releaseFree() {
        #if canImport(Darwin)
            // Untested.
            malloc_zone_pressure_relief(nil, 0)
        #else
            linux_release_free_memory()
        #endif
    }
}
