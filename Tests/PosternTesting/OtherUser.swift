package import Foundation

/// The user `nobody`. A test runs the program as this user to see which files another user's process can use.
package enum OtherUser {
    /// Both the uid and the gid.
    package static let id: uid_t = 65534
    /// Whether the program can run as that user: that needs root,
    /// setpriv(1) and a build directory that others can enter.
    package static let isAvailable: Bool = {
        guard geteuid() == 0 else { return false }
        return (try? PosternProcess.run(["version"], shell: shell()))?.status == 0
    }()

    /// The shell command that starts the program as that user.
    ///
    /// - Parameter group: a supplementary group; nil for none.
    package static func shell(group: gid_t? = nil) -> String {
        let groups = group.map { "--groups \($0)" } ?? "--clear-groups"
        return "exec setpriv --reuid \(id) --regid \(id) \(groups) \"$@\""
    }
}

/// A file or directory as stat(2) describes it.
package struct FileState: Equatable {
    package let owner: uid_t
    package let group: gid_t
    package let mode: mode_t
    package let bytes: Int

    /// - Throws: `CocoaError.fileReadNoSuchFile` if the path does not exist.
    package init(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw CocoaError(.fileReadNoSuchFile) }
        (owner, group, mode) = (status.st_uid, status.st_gid, status.st_mode & 0o7777)
        bytes = Int(status.st_size)
    }
}

/// A tmpfs that is mounted while this object exists.
package final class TemporaryFileSystem {
    package let path: String

    /// - Parameter options: The options of tmpfs(5), such as `size=8m`.
    /// - Returns: nil if this process may not mount.
    package init?(at path: String, options: String) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard try Self.run("mount", "-t", "tmpfs", "-o", options, "none", path) else { return nil }
    }

    /// Remounts it with other options.
    package func change(_ options: String) throws -> Bool {
        try Self.run("mount", "-o", "remount,\(options)", path)
    }

    deinit {
        _ = try? Self.run("umount", "-l", path)
    }

    private static func run(_ command: String...) throws -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
