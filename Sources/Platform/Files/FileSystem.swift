internal import CLibrary

/// The file system that a directory is on.
package enum FileSystem {
    /// The bytes that it has free for this user: statvfs(3).
    package static func freeBytes(of directory: FileDescriptor) throws(SystemError) -> Int {
        var status = statvfs()
        guard fstatvfs(directory.rawValue, &status) == 0 else { throw .last }
        return Int(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue
        )
    }

    /// The name of the file system if a lock on it may not exclude other processes, or a sync may not make data
    /// durable; nil for any other file system.
    package static func untrustedName(of directory: FileDescriptor) throws(SystemError) -> String? {
        var status = statfs()
        guard fstatfs(directory.rawValue, &status) == 0 else { throw .last }
        #if canImport(Darwin)
            // Untested. The names are those of mount(8).
            let name = withUnsafeBytes(of: &status.f_fstypename) { SystemString(bytes: $0).description }
            return ["nfs": "NFS", "smbfs": "SMB", "afpfs": "AFP", "macfuse": "FUSE", "webdav": "WebDAV"][name]
        #else
            return untrusted[UInt32(truncatingIfNeeded: status.f_type)]
        #endif
    }

    /// The names by the type number from statfs(2).
    private static let untrusted: [UInt32: String] = [
        0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x6573_5546: "FUSE",
        0x0102_1997: "9P", 0x5346_414F: "AFS", 0x7375_7245: "Coda",
    ]
}
