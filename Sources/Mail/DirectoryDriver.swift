internal import Platform

/// Writes each mail to a file `2016-02-24T22:07:52.371513Z-<id>.eml` in a directory. The file is complete or does not
/// exist.
///
/// The name of a mail never changes, so a mail that is delivered twice, for example after a crash, is still one file.
/// Files are created with O_EXCL, relative to the directory's descriptor, so no symbolic link in the directory is
/// followed.
struct DirectoryDriver: MailDriver {
    let path: SystemString

    func deliver(_ message: InternetMessage) throws(DeliveryFailure) {
        let directory = try openDirectory()
        defer { directory.close() }
        let identity = message.messageID.split(separator: "@").first ?? ""
        let name = "\(message.created)-\(identity).eml"
        let partial = ".\(identity).partial"
        // Remove the partial file of an attempt that crashed. If it is a link, only the link is removed.
        unlink(partial, in: directory)
        let descriptor = try attempt("open") { () throws(SystemError) in
            try directory.open(partial, .writing | .creating | .notFollowingLinks)
        }
        do throws(DeliveryFailure) {
            defer { descriptor.close() }
            try write(message.bytes, to: descriptor)
            try attempt("rename") { () throws(SystemError) in
                try DirectoryEntries.rename(partial, to: name, in: directory)
            }
        } catch {
            // The partial file may contain a code.
            unlink(partial, in: directory)
            throw error
        }
        try attempt("fsync") { () throws(SystemError) in try directory.sync() }
    }

    /// Does nothing: writing a file takes little time.
    func cancel() {}

    private func openDirectory() throws(DeliveryFailure) -> FileDescriptor {
        let isMade = try attempt("mkdir") { () throws(SystemError) in
            do throws(SystemError) {
                try DirectoryEntries.makeDirectory(path, mode: 0o700)
                return true
            } catch .fileExists {
                return false
            }
        }
        // Set the mode explicitly, because the umask may remove too many bits. An existing directory keeps its mode.
        if isMade { try attempt("chmod") { () throws(SystemError) in try DirectoryEntries.setMode(0o700, of: path) } }
        return try attempt("open") { () throws(SystemError) in try FileDescriptor.open(path, .reading | .directory) }
    }

    private func write(_ bytes: [UInt8], to descriptor: FileDescriptor) throws(DeliveryFailure) {
        // The umask can remove the owner's bits too.
        try attempt("fchmod") { () throws(SystemError) in try descriptor.setMode(0o600) }
        if let error = bytes.withUnsafeBytes({ WholeWrite.run($0, to: descriptor) }) { throw failure("write", error) }
        try attempt("fsync") { () throws(SystemError) in try descriptor.sync() }
    }

    /// Removes a file if it exists.
    private func unlink(_ name: String, in directory: FileDescriptor) {
        do throws(SystemError) {
            try DirectoryEntries.unlink(name, in: directory)
        } catch {
            // If the file still exists, creating it fails and reports the reason.
        }
    }

    private func attempt<Value>(
        _ call: String,
        _ body: () throws(SystemError) -> Value
    ) throws(DeliveryFailure) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw failure(call, error)
        }
    }

    private func failure(_ call: String, _ error: SystemError) -> DeliveryFailure {
        DeliveryFailure("\(call) in the mail directory: \(error)")
    }
}
