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

/// Threads of the system's own, for work that blocks.
package enum Thread {
    private final class Start {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// What runs a body on a thread of its own, as `start` does, and says whether it could.
    package typealias Starter = @Sendable (_ body: @escaping @Sendable () -> Void) -> Bool

    /// Runs `body` on a new thread, which ends with it; false, with nothing run, where no thread is to be had.
    package static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let start = Unmanaged.passRetained(Start(body))
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            start.toOpaque()
        )
        guard status == 0 else {
            start.release()
            return false
        }
        #if canImport(Darwin)
            if let thread { pthread_detach(thread) }
        #else
            pthread_detach(thread)
        #endif
        return true
    }

    /// How many processors the calling thread may use, which can be fewer than the machine has.
    package static var processorCount: Int {
        #if !canImport(Darwin)
            // A bit a processor, for the 8,192 that Linux can be built for at the most.
            var mask = [UInt64](repeating: 0, count: 128)
            let written = mask.withUnsafeMutableBytes { linux_sched_getaffinity($0.baseAddress, $0.count) }
            if written > 0 { return mask.reduce(0) { $0 + $1.nonzeroBitCount } }
        #endif
        return max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// Lowers the priority of the calling thread for good, so that threads that answer requests go first.
    package static func lowerPriority() {
        #if canImport(Glibc)
            // On Linux a thread has a nice value of its own, and 0 names the calling thread.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        #elseif canImport(Musl)
            // Untested.
            setpriority(Int32(PRIO_PROCESS), 0, 10)
        #elseif canImport(Darwin)
            // Untested. setpriority(2) would lower the whole process there.
            pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0)
        #endif
    }

    /// Suspends the calling thread. A signal may end the wait early.
    package static func sleep(microseconds: Int) {
        usleep(useconds_t(microseconds))
    }

    /// Lets other threads run first.
    package static func yield() {
        sched_yield()
    }
}
