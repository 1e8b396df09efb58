internal import Platform
import Store

/// A new store under construction, in a temporary directory beside its final path.
///
/// The temporary directory gets a random name and is created exclusively (mkdirat), so no link or file that another
/// user planted is ever followed or replaced. All files in it are created exclusively and accessed through the
/// directory's descriptor, and `discard()` removes only files that were created here. `publish()` renames the finished
/// directory, so the path has either the whole store or nothing.
final class StoreDraft {
    /// The UUID of the new store.
    let store: String
    /// The temporary directory.
    let directory: Directory
    private let parent: Directory
    private let path: SystemString
    private let place: StorePlace
    private let temporaryName: SystemString
    private let calls: any SystemCalls
    /// The files that were created in `directory`.
    private var created: [String] = []
    private var isOpen = true

    /// Creates the temporary directory, and any missing directories above it.
    ///
    /// - Throws: `StoreError.exists` if the path is taken and is not an empty directory; `.unnamed` if the path does
    ///   not end in a name.
    init(for path: SystemString, calls: any SystemCalls) throws(StoreError) {
        place = StorePlace(path, calls)
        try place.check()
        parent = try Directory(place.parent, calls: calls)
        temporaryName = SystemString(bytes: place.name.bytes + ".unfinished-\(calls.randomUUID())".utf8)
        directory = try Self.make(temporaryName, in: parent, calls)
        (self.path, self.calls, store) = (path, calls, calls.randomUUID())
    }

    deinit {
        discard()
    }

    /// Creates a file that only its owner can read.
    func newFile(_ name: String) throws(StoreError) -> File {
        let file = try File(name, in: directory, .new, calls: calls)
        created.append(name)
        return file
    }

    /// Creates a file without a name. The system frees it when it is closed, even if the process is killed.
    func scratchFile() throws(StoreError) -> File {
        let file = try newFile("scratch")
        try directory.unlink("scratch")
        created.removeLast()
        return file
    }

    /// Completes the store with its manifest and moves it to its path.
    ///
    /// - Throws: `StoreError.exists` if the path was taken in the meantime; `.systemCall` with a text that says so if
    ///   the store is at the path, but the sync of its name failed.
    func publish(_ manifest: Manifest) throws(StoreError) {
        let file = try newFile(Manifest.fileName)
        try file.write(manifest.bytes, at: 0)
        try file.sync()
        try directory.sync()
        do throws(SystemError) {
            try calls.renameEntry(temporaryName, to: place.name, in: parent.descriptor)
        } catch {
            switch error {
            case .fileExists, .directoryNotEmpty, .notDirectory: throw .exists("\(path)")
            default: throw .failed("rename \(temporaryName)", error)
            }
        }
        isOpen = false
        do throws(SystemError) {
            try calls.syncNames(of: parent.descriptor)
        } catch {
            let name = "the store at \(path) is complete, but a power failure may lose it: sync of its parent directory"
            throw .systemCall(name: name, error, outcomeUnknown: false)
        }
    }

    /// Removes the temporary directory and the files that were created in it. A directory that cannot be removed has a
    /// name that shows its purpose.
    func discard() {
        guard isOpen else { return }
        isOpen = false
        for name in created { _ = calls.unlink(directory.descriptor, name) }
        do throws(SystemError) {
            // If the name belongs to another directory now, the temporary directory was moved, and is not removed.
            guard directory.isSame(as: try calls.status(of: temporaryName, in: parent.descriptor).stamp) else { return }
            try calls.removeDirectory(temporaryName, in: parent.descriptor)
        } catch {
            return
        }
    }

    /// Creates a directory that only its owner can access, independent of the umask.
    private static func make(_ name: SystemString, in parent: Directory, _ calls: any SystemCalls) throws(StoreError)
        -> Directory
    {
        do throws(SystemError) {
            try calls.makeDirectory(name, in: parent.descriptor, mode: 0o700)
        } catch {
            throw parent.failure(of: "mkdir", "\(name)", error)
        }
        func open() throws(SystemError) -> FileDescriptor {
            try calls.open(name, in: parent.descriptor, .reading | .directory | .notFollowingLinks)
        }
        let descriptor: FileDescriptor
        do throws(SystemError) {
            do throws(SystemError) {
                descriptor = try open()
            } catch .permissionDenied {
                // A umask can remove the owner's own permissions.
                try calls.setMode(0o700, of: name, in: parent.descriptor)
                descriptor = try open()
            }
        } catch {
            remove(name, in: parent, calls)
            throw .failed("open \(name)", error)
        }
        let directory = Directory(
            adopting: descriptor,
            path: SystemString(bytes: parent.path.bytes + "/".utf8 + name.bytes),
            calls: calls
        )
        do throws(StoreError) {
            // In a directory that other users can write to, the name may belong to another directory now.
            guard directory.isOwn else { throw .exists("\(directory.path)") }
            try directory.restrict()
        } catch {
            remove(name, in: parent, calls)
            throw error
        }
        return directory
    }

    /// Removes an empty directory, if that is possible.
    private static func remove(_ name: SystemString, in parent: Directory, _ calls: any SystemCalls) {
        do throws(SystemError) {
            try calls.removeDirectory(name, in: parent.descriptor)
        } catch {
            // A temporary directory that remains does no harm; its name shows what it is.
        }
    }
}
