internal import Glibc

/// The system calls with which the store changes files or locks them. They are parameters so that a test can make any
/// of them fail.
///
/// Each returns what the system returns: -1, with `errno` set, if it fails.
package struct SystemCalls {
    /// pwrite(2): descriptor, bytes, offset.
    package var write: (Int32, UnsafeRawBufferPointer, Int) -> Int
    /// fdatasync(2).
    package var sync: (Int32) -> Int32
    /// ftruncate(2): descriptor, length.
    package var truncate: (Int32, Int) -> Int32
    /// flock(2): descriptor, operation.
    package var lock: (Int32, Int32) -> Int32
    /// fsync(2) of a directory.
    package var syncDirectory: (Int32) -> Int32
    /// renameat(2) in one directory: its descriptor, the old name and the new one.
    package var rename: (Int32, SystemString, SystemString) -> Int32
    /// unlinkat(2): the directory's descriptor, the name.
    package var unlink: (Int32, String) -> Int32

    /// The system's own calls.
    package static var real: SystemCalls {
        SystemCalls(
            write: { pwrite($0, $1.baseAddress, $1.count, $2) },
            sync: { fdatasync($0) },
            truncate: { ftruncate($0, $1) },
            lock: { flock($0, $1) },
            syncDirectory: { fsync($0) },
            rename: { renameat($0, $1.cString, $0, $2.cString) },
            unlink: { unlinkat($0, $1, 0) }
        )
    }
}

/// Repeats a system call while a signal interrupts it.
func retryingInterrupted<Value: FixedWidthInteger>(_ call: () -> Value) -> Value {
    while true {
        let value = call()
        if value != -1 || errno != EINTR { return value }
    }
}

extension StoreError {
    /// The error for a failed system call, from `errno`.
    ///
    /// - Parameter call: the call and its object, as in `open manifest.json`.
    static func failed(_ call: String) -> StoreError {
        switch errno {
        case ENOSPC, EDQUOT, EFBIG: .diskFull
        case EROFS: .readOnly
        case let code: .systemCall(name: call, errno: code, outcomeUnknown: false)
        }
    }
}
