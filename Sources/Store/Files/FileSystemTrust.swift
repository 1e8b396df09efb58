internal import Platform

/// Whether a directory's file system keeps the promises that the store rests on.
enum FileSystemTrust {
    /// - Throws: `StoreError.untrustedFileSystem`.
    static func check(_ directory: Directory) throws(StoreError) {
        let name: String?
        do throws(SystemError) {
            name = try FileSystem.untrustedName(of: directory.descriptor)
        } catch {
            throw .failed("statfs \(directory.path)", error)
        }
        if let name { throw .untrustedFileSystem(name) }
    }
}
