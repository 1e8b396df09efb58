internal import Glibc

/// Puts each mail into a directory, as a file `2016-02-24T22:07:52.371513Z-<id>.eml` that is whole or not there.
///
/// The name is the mail's for good, so a mail that is delivered twice, as after a crash, is still one file.
struct DirectoryDriver: MailDriver {
    let path: String

    func deliver(_ message: InternetMessage) throws(DeliveryFailure) {
        // The modes are set outright, as a umask may take too much.
        if mkdir(path, 0o700) == 0 {
            guard chmod(path, 0o700) == 0 else { throw failure("chmod") }
        } else if errno != EEXIST {
            throw failure("mkdir")
        }
        let identity = message.messageID.split(separator: "@").first ?? ""
        let name = "\(path)/\(message.created)-\(identity).eml"
        let partial = "\(path)/.\(identity).partial"
        do throws(DeliveryFailure) {
            try write(message.bytes, to: partial)
        } catch {
            // What was written may hold a code.
            unlink(partial)
            throw error
        }
        guard rename(partial, name) == 0 else {
            let failure = failure("rename")
            unlink(partial)
            throw failure
        }
        try syncDirectory()
    }

    /// Writing a file is over soon enough.
    func cancel() {}

    private func write(_ bytes: [UInt8], to file: String) throws(DeliveryFailure) {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("open") }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else { throw failure("fchmod") }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("write") }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw failure("fsync") }
    }

    private func syncDirectory() throws(DeliveryFailure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("fsync") }
    }

    private func failure(_ call: String) -> DeliveryFailure {
        DeliveryFailure("\(call) in the mail directory: \(String(cString: strerror(errno)))")
    }
}
