internal import CLibrary

/// System threads, for work that blocks.
package enum Thread {
    private final class Start {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// A function like `start`, which runs a body on a new thread and returns whether the thread could be started.
    package typealias Starter = @Sendable (_ body: @escaping @Sendable () -> Void) -> Bool

    /// Runs `body` on a new thread, which ends with it. Returns false, without running `body`, if no thread can be
    /// started.
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

    /// The number of processors that the calling thread may use. It can be lower than that of the machine.
    package static var processorCount: Int {
        #if !canImport(Darwin)
            // One bit per processor, for at most 8,192, the maximum that Linux can be built for.
            var mask = [UInt64](repeating: 0, count: 128)
            let written = mask.withUnsafeMutableBytes { linux_sched_getaffinity($0.baseAddress, $0.count) }
            if written > 0 { return mask.reduce(0) { $0 + $1.nonzeroBitCount } }
        #endif
        return max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    /// Lowers the priority of the calling thread permanently, so that threads that answer requests run first.
    package static func lowerPriority() {
        #if canImport(Darwin)
            // Untested. On macOS, setpriority(2) would lower the priority of the whole process.
            pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0)
        #else
            linux_set_thread_priority(10)
        #endif
    }

    /// Suspends the calling thread. A signal may end the wait early.
    package static func sleep(microseconds: Int) {
        usleep(useconds_t(microseconds))
    }

    /// Lets other threads run: sched_yield(2).
    package static func yield() {
        sched_yield()
    }
}
