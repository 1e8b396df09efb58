internal import CLinux
internal import Glibc

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
        var thread = pthread_t()
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
        pthread_detach(thread)
        return true
    }

    /// How many processors the calling thread may use, which can be fewer than the machine has.
    package static var processorCount: Int {
        // A bit a processor, for the 8,192 that Linux can be built for at the most.
        var mask = [UInt64](repeating: 0, count: 128)
        let written = mask.withUnsafeMutableBytes { linux_sched_getaffinity($0.baseAddress, $0.count) }
        guard written > 0 else { return max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
        return mask.reduce(0) { $0 + $1.nonzeroBitCount }
    }
}
