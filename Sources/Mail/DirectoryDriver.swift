internal import Glibc
internal import Platform
internal import Store

/// Writes each mail to a file `2016-02-24T22:07:52.371513Z-<id>.eml` in a
/// directory. The file is complete or does not exist.
///
/// The name of a mail never changes, so a mail that is delivered twice, for example after a crash,
/// is still one file. Files are created with O_EXCL, relative to the directory's descriptor, so no
/// symbolic link in the directory is followed.
struct DirectoryDriver: MailDriver {
    let path: SystemString

    func deliver(_ message: InternetMessage) throws(DeliveryFailure) {
        let directory = try openDirectory()
        defer { close(directory) }
        let identity = message.messageID.split(separator: "@").first ?? ""
        let name = "\(message.created)-\(identity).eml"
        let partial = ".\(identity).partial"
        // Remove the partial file of an attempt that crashed. If it is a link, only the link is removed.
        unlinkat(directory, partial, 0)
        let descriptor = openat(directory, partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("open") }
        do throws(DeliveryFailure) {
            defer { close(descriptor) }
            try write(message.bytes, to: descriptor)
            guard renameat(directory, partial, directory, name) == 0 else { throw failure("rename") }
        } catch {
            // The partial file may contain a code.
            unlinkat(directory, partial, 0)
            throw error
        }
        guard fsync(directory) == 0 else { throw failure("fsync") }
    }

    /// Does nothing: writing a file takes little time.
    func cancel() {}

    private func openDirectory() throws(DeliveryFailure) -> Int32 {
        let isMade = mkdir(path.cString, 0o700) == 0
        guard isMade || errno == EEXIST else { throw failure("mkdir") }
        // Set the mode explicitly, because the umask may remove too many bits. An existing directory keeps its mode.
        if isMade { guard chmod(path.cString, 0o700) == 0 else { throw failure("chmod") } }
        let descriptor = open(path.cString, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open") }
        return descriptor
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws(DeliveryFailure) {
        // The umask can remove the owner's bits too.
        guard fchmod(descriptor, 0o600) == 0 else { throw failure("fchmod") }
        if let error = bytes.withUnsafeBytes({ WholeWrite.run($0, to: descriptor) }) { throw failure("write", error) }
        guard fsync(descriptor) == 0 else { throw failure("fsync") }
    }

    private func failure(_ call: String, _ number: Int32 = errno) -> DeliveryFailure {
        DeliveryFailure("\(call) in the mail directory: \(String(cString: strerror(number)))")
    }
}
