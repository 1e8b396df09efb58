internal import Glibc
internal import Platform
internal import Store

/// Puts each mail into a directory, as a file `2016-02-24T22:07:52.371513Z-<id>.eml` that is whole or not there.
///
/// The name is the mail's for good, so a mail that is delivered twice, as after a crash, is still one file. Files are
/// created exclusively and reached through the directory's descriptor, so that no link in the directory is followed.
struct DirectoryDriver: MailDriver {
    let path: SystemString

    func deliver(_ message: InternetMessage) throws(DeliveryFailure) {
        let directory = try openDirectory()
        defer { close(directory) }
        let identity = message.messageID.split(separator: "@").first ?? ""
        let name = "\(message.created)-\(identity).eml"
        let partial = ".\(identity).partial"
        // What a crash left of an earlier attempt. A link is removed, not what it leads to.
        unlinkat(directory, partial, 0)
        let descriptor = openat(directory, partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("open") }
        do throws(DeliveryFailure) {
            defer { close(descriptor) }
            try write(message.bytes, to: descriptor)
            guard renameat(directory, partial, directory, name) == 0 else { throw failure("rename") }
        } catch {
            // What was written may hold a code.
            unlinkat(directory, partial, 0)
            throw error
        }
        guard fsync(directory) == 0 else { throw failure("fsync") }
    }

    /// Writing a file is over soon enough.
    func cancel() {}

    private func openDirectory() throws(DeliveryFailure) -> Int32 {
        let isMade = mkdir(path.cString, 0o700) == 0
        guard isMade || errno == EEXIST else { throw failure("mkdir") }
        // The mode is set outright, as a umask may take too much; on a directory that was there it is its owner's choice.
        if isMade { guard chmod(path.cString, 0o700) == 0 else { throw failure("chmod") } }
        let descriptor = open(path.cString, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open") }
        return descriptor
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws(DeliveryFailure) {
        // A umask can take bits of the owner's own.
        guard fchmod(descriptor, 0o600) == 0 else { throw failure("fchmod") }
        if let error = bytes.withUnsafeBytes({ WholeWrite.run($0, to: descriptor) }) { throw failure("write", error) }
        guard fsync(descriptor) == 0 else { throw failure("fsync") }
    }

    private func failure(_ call: String, _ number: Int32 = errno) -> DeliveryFailure {
        DeliveryFailure("\(call) in the mail directory: \(String(cString: strerror(number)))")
    }
}
