internal import CLibrary

/// Reads input from the terminal on stdin.
package enum Terminal {
    /// Reads a line without echo; nil at the end of the input.
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
