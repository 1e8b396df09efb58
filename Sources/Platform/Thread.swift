internal import CLinux
internal import Glibc

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

    /// Runs `body` on a new thread, which ends with it. Returns false,
    /// without running `body`, if no thread can be started.
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

    /// The number of processors that the calling thread may use. It can be lower than that of the machine.
    package static var processorCount: Int {
        // One bit per processor, for at most 8,192, the maximum that Linux can be built for.
        var mask = [UInt64](repeating: 0, count: 128)
        let written = mask.withUnsafeMutableBytes { linux_sched_getaffinity($0.baseAddress, $0.count) }
        guard written > 0 else { return max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
        return mask.reduce(0) { $0 + $1.nonzeroBitCount }
    }
}
