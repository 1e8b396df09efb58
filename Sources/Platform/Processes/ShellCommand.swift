internal import CLibrary

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
        #if canImport(Darwin)
            // Untested.
            var (actions, attributes): (posix_spawn_file_actions_t?, posix_spawnattr_t?) = (nil, nil)
        #else
            var (actions, attributes) = (posix_spawn_file_actions_t(), posix_spawnattr_t())
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.rawValue, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, errors.rawValue, 2)

        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A child would inherit the ignored and blocked signals of this process.
        var (defaults, none) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        sigemptyset(&defaults)
        for signal in [SIGPIPE, SIGXFSZ] { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
        )

        let words: [SystemString] = ["/bin/sh", "-c", text]
        var arguments = words.map { strdup($0.cString) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let status = posix_spawn(&process, "/bin/sh", &actions, &attributes, &arguments, ProcessEnvironment.entries)
        guard status == 0 else { throw SystemError(number: status) }
        return process
    }
}
