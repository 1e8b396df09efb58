internal import CLinux
internal import Glibc

/// Checks whether a directory's file system supports what the store needs: reliable locks and syncs.
enum FileSystemTrust {
    /// File systems on which a lock may not exclude other processes, or a sync may not make data durable: their names
    /// by the type number from statfs(2).
    private static let untrusted: [UInt32: String] = [
        0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x6573_5546: "FUSE",
        0x0102_1997: "9P", 0x5346_414F: "AFS", 0x7375_7245: "Coda",
    ]

    /// - Throws: `StoreError.untrustedFileSystem`.
    static func check(_ directory: Directory) throws(StoreError) {
        var status = statfs()
        guard fstatfs(directory.descriptor, &status) == 0 else { throw .failed("statfs \(directory.path)") }
        if let name = untrusted[UInt32(truncatingIfNeeded: status.f_type)] { throw .untrustedFileSystem(name) }
    }
}
