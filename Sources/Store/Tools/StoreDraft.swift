internal import Glibc
internal import Platform

/// A new store under construction, in a directory of its own beside the path it will get.
///
/// The directory gets a random name and is created exclusively (mkdirat), so no link or file that another user planted is
/// ever followed or replaced. Everything in it is created exclusively and reached through the directory's descriptor, and
/// `discard()` removes only what was created here. `publish()` renames the finished directory: the path holds all of the
/// store or nothing.
final class StoreDraft {
    /// The directory under construction.
    let directory: Directory
    private let parent: Directory
    private let path: SystemString
    private let place: StorePlace
    private let temporaryName: SystemString
    private let calls: SystemCalls
    /// The files that were created in `directory`.
    private var created: [String] = []
    private var isOpen = true

    /// Creates the directory under construction, and the directories above it where they are missing.
    ///
    /// - Throws: `StoreError.exists` if the path holds anything but an empty directory, `StoreError.unnamed` if it ends in no
    ///   name.
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

    /// Creates a file, which is readable by its owner alone.
    func newFile(_ name: String) throws(StoreError) -> File {
        let file = try File(name, in: directory, .new, calls: calls)
        created.append(name)
        return file
    }

    /// Creates a file without a name: the system frees it when it is closed, however the process ends.
    func scratchFile() throws(StoreError) -> File {
        let file = try newFile("scratch")
        try directory.unlink("scratch")
        created.removeLast()
        return file
    }

    /// Completes the store with its manifest and moves it to its path.
    ///
    /// - Throws: `StoreError.exists` if something was put at the path meanwhile. `StoreError.systemCall` with a text that says
    ///   so where the store is at the path, but the sync of its name failed.
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

    /// Removes the directory under construction with the files that were created in it. What cannot be removed keeps a
    /// name that says what it is.
    func discard() {
        guard isOpen else { return }
        isOpen = false
        for name in created { _ = calls.unlink(directory.descriptor, name) }
        // If the name is another directory's by now, this one has been moved, and is left alone.
        var status = stat()
        guard fstatat(parent.descriptor, temporaryName.cString, &status, AT_SYMLINK_NOFOLLOW) == 0,
            directory.isSame(as: FileStamp(status))
        else { return }
        unlinkat(parent.descriptor, temporaryName.cString, AT_REMOVEDIR)
    }

    /// Creates a directory that only its owner can use, whatever the umask.
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
        // A umask can take the owner's own bits.
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
            // In a directory that others can write to, another directory may have been moved to the name.
            guard directory.isOwn else { throw .exists("\(directory.path)") }
            try directory.restrict()
        } catch {
            unlinkat(parent.descriptor, name.cString, AT_REMOVEDIR)
            throw error
        }
        return directory
    }
}
