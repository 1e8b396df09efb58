internal import Platform
import Store

/// Checks whether a directory's file system supports what the store needs: reliable locks and syncs.
enum FileSystemTrust {
    /// - Throws: `StoreError.untrustedFileSystem`.
    static func check(_ directory: Directory) throws(StoreError) {
        let name: String?
        do throws(SystemError) {
            name = try directory.untrustedFileSystem()
        } catch {
            throw .failed("statfs \(directory.path)", error)
        }
        if let name { throw .untrustedFileSystem(name) }
    }
}
