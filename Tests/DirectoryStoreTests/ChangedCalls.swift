import Platform

/// The system's calls, of which a test can replace those that change files or lock them. A replacement returns -1, with
/// `errno` set, if it fails.
final class ChangedCalls: SystemCalls {
    var onWrite: (FileDescriptor, UnsafeRawBufferPointer, Int) -> Int = { RealCalls.shared.write($0, $1, $2) }
    var onSync: (FileDescriptor) -> Int32 = { RealCalls.shared.sync($0) }
    var onTruncate: (FileDescriptor, Int) -> Int32 = { RealCalls.shared.truncate($0, $1) }
    var onLock: (FileDescriptor, Int32) -> Int32 = { RealCalls.shared.lock($0, $1) }
    var onSyncDirectory: (FileDescriptor) -> Int32 = { RealCalls.shared.syncDirectory($0) }
    var onRename: (FileDescriptor, SystemString, SystemString) -> Int32 = { RealCalls.shared.rename($0, $1, $2) }
    var onUnlink: (FileDescriptor, String) -> Int32 = { RealCalls.shared.unlink($0, $1) }

    func write(_ file: FileDescriptor, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int {
        onWrite(file, bytes, offset)
    }

    func sync(_ file: FileDescriptor) -> Int32 { onSync(file) }

    func truncate(_ file: FileDescriptor, _ length: Int) -> Int32 { onTruncate(file, length) }

    func lock(_ file: FileDescriptor, _ operation: Int32) -> Int32 { onLock(file, operation) }

    func syncDirectory(_ directory: FileDescriptor) -> Int32 { onSyncDirectory(directory) }

    func rename(_ directory: FileDescriptor, _ name: SystemString, _ newName: SystemString) -> Int32 {
        onRename(directory, name, newName)
    }

    func unlink(_ directory: FileDescriptor, _ name: String) -> Int32 { onUnlink(directory, name) }
}
