/// A command that a shell runs: `/bin/sh -c COMMAND`.
package struct ShellCommand {
    private let text: SystemString

    /// - Parameter text: the command.
    package init(_ text: SystemString) {
        self.text = text
    }

    /// Starts the command in its own process group, so that all processes it starts can be ended with it. No signal is
    /// blocked in it, and its stdout is discarded.
    ///
    /// - Parameters:
    ///   - input: its stdin.
    ///   - errors: its stderr.
    /// - Returns: its process id, which is also the id of its group.
    package func start(reading input: FileDescriptor, writingErrors errors: FileDescriptor) throws(SystemError) -> Int32
    {
        // The signals that this process ignores. Others keep the action that this process was started with.
        try Program(path: "/bin/sh", arguments: ["-c", text])
            .start(input: input, output: nil, errors: errors, restoring: [.brokenPipe, .fileTooLarge])
    }
}
