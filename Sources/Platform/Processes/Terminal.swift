#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Questions to the person at the terminal that stdin is.
package enum Terminal {
    /// Reads a line, which is not shown; nil at the end of the input.
    package static func readHiddenLine() -> String? {
        var terminal = termios()
        tcgetattr(0, &terminal)
        var silent = terminal
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(0, TCSAFLUSH, &silent)
        defer { tcsetattr(0, TCSAFLUSH, &terminal) }
        return readLine()
    }
}
