/// How a process ended.
package enum ProcessEnd: Hashable, Sendable {
    /// It exited with this code.
    case exit(code: Int32)
    /// This signal ended it.
    case signal(Signal)
    /// Its status could not be read: another part of this process took it, or this process ignores SIGCHLD.
    case unknown

    /// Decodes a status of wait(2): the low seven bits are the signal that ended the process; bits 8 to 15 are the exit
    /// code.
    init(status: Int32) {
        let signal = status & 0x7F
        self = signal == 0 ? .exit(code: status >> 8 & 0xFF) : .signal(Signal(number: signal))
    }
}
