internal import CLibrary

/// This process.
package enum CurrentProcess {
    /// Its process id. It is 1 for the first process of a PID namespace.
    package static var number: Int32 { getpid() }
    /// Its effective user id.
    package static var user: UInt32 { geteuid() }
    /// Its effective group id.
    package static var group: UInt32 { getegid() }
    /// Whether its effective user is root.
    package static var isPrivileged: Bool { geteuid() == 0 }

    /// Ends the process after the text that is buffered for stdout is written: exit(3).
    package static func end(status: Int32) -> Never {
        exit(status)
    }

    /// Writes a text to stderr and ends the process at once: _exit(2). It is async-signal-safe.
    package static func endAtOnce(status: Int32, saying text: StaticString = "") -> Never {
        if text.utf8CodeUnitCount > 0 { _ = write(2, text.utf8Start, text.utf8CodeUnitCount) }
        _exit(status)
    }
}
