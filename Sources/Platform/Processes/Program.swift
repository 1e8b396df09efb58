internal import CLibrary

/// A program, and the arguments and environment variables that it is started with.
package struct Program: Sendable {
    private let path: SystemString
    private let arguments: [SystemString]
    private let variables: [String: SystemString]
    private let removedVariables: [String]

    /// - Parameters:
    ///   - path: the path of the executable file.
    ///   - arguments: the arguments, without the program's name.
    ///   - variables: variables, by name, that are added to this process's environment for the program, or replace
    ///     variables of it.
    ///   - removedVariables: variables of this process's environment that the program does not get.
    package init(
        path: SystemString,
        arguments: [SystemString],
        variables: [String: SystemString] = [:],
        removing removedVariables: [String] = []
    ) {
        (self.path, self.arguments) = (path, arguments)
        (self.variables, self.removedVariables) = (variables, removedVariables)
    }

    /// Whether the file at a path is regular and this user may execute it.
    package static func isExecutable(at path: SystemString) -> Bool {
        do throws(SystemError) {
            return try FileStatus(at: path).kind == .regular && access(path.cString, X_OK) == 0
        } catch {
            return false
        }
    }

    /// The path of a program with a name: the first that this user may execute in the directories of `PATH`; nil if
    /// there is none.
    package static func path(of name: String) -> SystemString? {
        // The default of the shells, if the host has cleared the environment.
        let folders = ProcessEnvironment.value(of: "PATH") ?? "/usr/local/bin:/usr/bin:/bin"
        return folders.bytes.split(separator: UInt8(ascii: ":"))
            .map { SystemString(bytes: $0).appending(name) }
            .first(where: isExecutable)
    }

    /// Starts the program in its own process group: posix_spawn(3). Signals to the group reach all processes that the
    /// program starts, and Ctrl-C in a terminal does not reach it. No signal is blocked in it.
    ///
    /// A caller that waits for its end starts it in `ChildProcesses.start`.
    ///
    /// - Parameters:
    ///   - input: its stdin. This and the other descriptors are 3 or higher, so that none of them is replaced before it
    ///     is duplicated.
    ///   - output: its stdout; nil to discard what it writes.
    ///   - errors: its stderr.
    ///   - third: its descriptor 3; nil if it has none.
    ///   - signals: the signals that have their default action in it even if this process ignores them; nil for all.
    /// - Returns: its process id, which is also the id of its group.
    package func start(
        input: FileDescriptor,
        output: FileDescriptor?,
        errors: FileDescriptor,
        third: FileDescriptor? = nil,
        restoring signals: [Signal]? = nil
    ) throws(SystemError) -> Int32 {
        #if canImport(Darwin)
            // Untested.
            var (actions, attributes): (posix_spawn_file_actions_t?, posix_spawnattr_t?) = (nil, nil)
        #else
            var (actions, attributes) = (posix_spawn_file_actions_t(), posix_spawnattr_t())
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.rawValue, 0)
        if let output {
            posix_spawn_file_actions_adddup2(&actions, output.rawValue, 1)
        } else {
            posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, errors.rawValue, 2)
        // Last, because one of the others may have this number here.
        if let third { posix_spawn_file_actions_adddup2(&actions, third.rawValue, 3) }

        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A child would inherit the ignored and blocked signals of this process.
        var (defaults, none) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        if let signals {
            sigemptyset(&defaults)
            for signal in signals { sigaddset(&defaults, signal.number) }
        } else {
            sigfillset(&defaults)
        }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
        )

        var words = ([path] + arguments).map { strdup($0.cString) } + [nil]
        let added = variables.map { SystemString(bytes: Array("\($0.key)=".utf8) + $0.value.bytes) }
        var environment =
            ProcessEnvironment.copies(except: variables.keys + removedVariables) + added.map { strdup($0.cString) } + [
                nil
            ]
        defer { for word in words + environment { free(word) } }
        var process = pid_t()
        let status = posix_spawn(&process, path.cString, &actions, &attributes, &words, &environment)
        guard status == 0 else { throw SystemError(number: status) }
        return process
    }
}
