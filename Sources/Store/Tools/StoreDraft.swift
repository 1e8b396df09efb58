internal import Glibc
internal import Platform

/// A new store under construction, in a temporary directory beside its final path.
///
/// The temporary directory gets a random name and is created exclusively (mkdirat), so no link or file that another
/// user planted is ever followed or replaced. All files in it are created exclusively and accessed through the
/// directory's descriptor, and `discard()` removes only files that were created here. `publish()` renames the finished
/// directory, so the path has either the whole store or nothing.
final class StoreDraft {
    /// The temporary directory.
    let directory: Directory
    private let parent: Directory
    private let path: SystemString
    private let place: StorePlace
    private let temporaryName: SystemString
    private let calls: SystemCalls
    /// The files that were created in `directory`.
    private var created: [String] = []
    private var isOpen = true

    /// Creates the temporary directory, and any missing directories above it.
    ///
    /// - Throws: `StoreError.exists` if the path is taken and is not an empty directory; `.unnamed` if the path does
    ///   not end in a name.
    init(for path: SystemString, calls: SystemCalls) throws(StoreError) {
        place = StorePlace(path)
        try place.check()
        parent = try Directory(place.parent, calls: calls)
        temporaryName = SystemString(bytes: place.name.bytes + ".unfinished-\(UUIDText.random())".utf8)
        directory = try Self.make(temporaryName, in: parent, calls)
        (self.path, self.calls) = (path, calls)
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
        guard calls.rename(parent.descriptor, temporaryName, place.name) == 0 else {
            switch errno {
            case EEXIST, ENOTEMPTY, ENOTDIR: throw .exists("\(path)")
            default: throw .failed("rename \(temporaryName)")
            }
        }
        isOpen = false
        guard retryingInterrupted({ calls.syncDirectory(parent.descriptor) }) == 0 else {
            let name = "the store is complete at \(path), but a power cut may lose it: sync of the directory above it"
            throw .systemCall(name: name, errno: errno, outcomeUnknown: false)
        }
    }

    /// Removes the temporary directory and the files that were created in it. A directory that cannot be removed has a
    /// name that shows its purpose.
    func discard() {
        guard isOpen else { return }
        isOpen = false
        for name in created { _ = calls.unlink(directory.descriptor, name) }
        // If the name belongs to another directory now, the temporary directory was moved, and is not removed.
        var status = stat()
        guard fstatat(parent.descriptor, temporaryName.cString, &status, AT_SYMLINK_NOFOLLOW) == 0,
            directory.isSame(as: FileStamp(status))
        else { return }
        unlinkat(parent.descriptor, temporaryName.cString, AT_REMOVEDIR)
    }

    /// Creates a directory that only its owner can access, independent of the umask.
    private static func make(_ name: SystemString, in parent: Directory, _ calls: SystemCalls) throws(StoreError)
        -> Directory
    {
        guard mkdirat(parent.descriptor, name.cString, 0o700) == 0 else { throw parent.failure(of: "mkdir", "\(name)") }
        func open() -> Int32 {
            retryingInterrupted {
                openat(parent.descriptor, name.cString, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            }
        }
        var descriptor = open()
        // A umask can remove the owner's own permissions.
        if descriptor < 0, errno == EACCES, fchmodat(parent.descriptor, name.cString, 0o700, AT_SYMLINK_NOFOLLOW) == 0 {
            descriptor = open()
        }
        guard descriptor >= 0 else {
            let error = StoreError.failed("open \(name)")
            unlinkat(parent.descriptor, name.cString, AT_REMOVEDIR)
            throw error
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
            unlinkat(parent.descriptor, name.cString, AT_REMOVEDIR)
            throw error
        }
        return directory
    }
}
