import DirectoryStore
import Platform
import Store

/// A new file that only its owner can read, or stdout.
final class OutputFile {
    private let path: SystemString
    private let descriptor: FileDescriptor
    private let isOwned: Bool

    static var standardOutput: OutputFile { OutputFile(descriptor: .standardOutput) }

    /// Creates a file. It fails if the path exists, also as a symbolic link, and in the directory of a store.
    init(creating path: SystemString) throws(CommandError) {
        do throws(StoreError) {
            try OtherFiles.check(path)
        } catch {
            throw .store(error)
        }
        do throws(SystemError) {
            descriptor = try .open(path, .writing | .creating | .notFollowingLinks)
        } catch {
            throw Self.failure(path, error)
        }
        (self.path, isOwned) = (path, true)
        do throws(SystemError) {
            // A umask can remove permissions of the owner.
            try descriptor.setMode(0o600)
        } catch {
            throw Self.failure(path, error)
        }
    }

    private init(descriptor: FileDescriptor) {
        (path, self.descriptor, isOwned) = ("stdout", descriptor, false)
    }

    deinit {
        if isOwned { descriptor.close() }
    }

    /// Whether it is a regular file that other users can read.
    var isReadableByOthers: Bool {
        do throws(SystemError) {
            let status = try FileStatus(of: descriptor)
            return status.kind == .regular && status.permissions & 0o077 != 0
        } catch {
            return false
        }
    }

    func write(_ bytes: [UInt8]) throws(CommandError) {
        if let error = bytes.withUnsafeBytes({ WholeWrite.run($0, to: descriptor) }) {
            throw Self.failure(path, error)
        }
    }

    /// Syncs a file that was created (fsync).
    func finish() throws(CommandError) {
        guard isOwned else { return }
        do throws(SystemError) {
            try descriptor.sync()
        } catch {
            throw Self.failure(path, error)
        }
    }

    /// Removes a file that was created and could not be completed.
    func discard() {
        guard isOwned else { return }
        do throws(SystemError) {
            try DirectoryEntries.unlink(path)
        } catch {
            // Ignored: the caller reports the error that made the file incomplete.
        }
    }

    private static func failure(_ path: SystemString, _ error: SystemError) -> CommandError {
        .failed("\(path): \(error)")
    }
}
