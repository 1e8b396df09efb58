internal import Platform
import Store

/// The lock that lets only one process compact a directory at a time. Its holder is the only one that creates or
/// removes the files of the next epoch. Reads and writes do not need it.
struct CompactionLock {
    static let fileName = "lock.merging"

    private let directory: Directory
    private let lock: FileLock

    /// Opens the lock's file, and creates it if it does not exist, without taking the lock.
    init(in directory: Directory, calls: any SystemCalls) throws(StoreError) {
        self.directory = directory
        lock = FileLock(on: try File(Self.fileName, in: directory, .creating, calls: calls), calls: calls)
    }

    /// Takes the lock. Returns false if it is already held, by another process or by this one.
    ///
    /// - Throws: `StoreError.damaged` if the lock's file was removed or replaced.
    func takeIfFree() throws(StoreError) -> Bool {
        try lock.takeIfFree(checkingNameIn: directory)
    }

    func release() {
        lock.release()
    }
}
