#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// This process.
package enum CurrentProcess {
    /// Its number. The first process of a PID namespace has 1.
    package static var number: Int32 { getpid() }
    /// The number of the user that it acts for.
    package static var user: UInt32 { geteuid() }
    /// The number of the group that it acts for.
    package static var group: UInt32 { getegid() }
    /// Whether it acts for the superuser.
    package static var isPrivileged: Bool { geteuid() == 0 }

    /// Ends the process in an orderly way: what is buffered for stdout is written.
    package static func end(status: Int32) -> Never {
        exit(status)
    }

    /// Ends the process at once, with a text on stderr. It may be called in a signal handler.
    package static func endAtOnce(status: Int32, saying text: StaticString = "") -> Never {
        if text.utf8CodeUnitCount > 0 { _ = write(2, text.utf8Start, text.utf8CodeUnitCount) }
        _exit(status)
    }
}
