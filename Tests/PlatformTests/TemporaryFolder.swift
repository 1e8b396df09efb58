import Foundation
import Platform

/// A temporary directory for one test. It is removed when the object is freed.
final class TemporaryFolder {
    let path = NSTemporaryDirectory() + "postern-platform-" + UUID().uuidString

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // If it cannot be removed, it stays in the system's temporary directory and does no harm.
        _ = try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of a file in it.
    func path(_ name: String) -> SystemString { SystemString(path + "/" + name) }

    /// Creates a file in it and returns the file's path.
    func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> SystemString {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
        return path(name)
    }
}

/// The error that a system call throws; nil if it succeeds.
func systemError(_ body: () throws(SystemError) -> Void) -> SystemError? {
    do throws(SystemError) {
        try body()
        return nil
    } catch {
        return error
    }
}
