internal import Platform
import Store

/// An exclusive lock on an open file, with flock(2). The file is only unlinked before there is a store.
///
/// The system releases the lock when its holder ends, even if the holder is killed. It belongs to the open file, so two
/// locks in one process exclude each other like two processes.
///
/// A store has three of them:
///
/// - `DirectoryLock`, on `lock`, orders all writes. A process waits for it.
/// - `CompactionLock`, on `lock.merging`, lets only one process compact at a time. No process waits for it.
/// - `SyncMarks`, on `lock.sync`, lets one process sync the journal for all. It only saves syncs: without it, each
///   process would make its own.
final class FileLock {
    /// The file that is locked.
    let file: File
    private let calls: any SystemCalls
    private(set) var isHeld = false

    init(on file: File, calls: any SystemCalls) {
        (self.file, self.calls) = (file, calls)
    }

    /// Takes the lock. Returns false if another process holds it.
    func takeIfFree() throws(StoreError) -> Bool {
        do throws(SystemError) {
            guard try calls.takeLockIfFree(of: file.descriptor) else { return false }
        } catch {
            throw .failed("flock \(file.name)", error)
        }
        isHeld = true
        return true
    }

    /// Takes the lock, and checks that the file still has its name: a lock on a file without that name excludes no
    /// process. Returns false if another process holds the lock.
    ///
    /// - Throws: `StoreError.damaged` if the file was removed or replaced. The lock is not held then.
    func takeIfFree(checkingNameIn directory: Directory) throws(StoreError) -> Bool {
        guard try takeIfFree() else { return false }
        do throws(StoreError) {
            if try file.stamp().isSameFile(as: directory.stamp(of: file.systemName)) { return true }
        } catch {
            release()
            throw error
        }
        release()
        throw .damaged(file: file.name, offset: 0, reason: "removed or replaced while it was in use")
    }

    func release() {
        guard isHeld else { return }
        isHeld = false
        calls.releaseLock(of: file.descriptor)
    }
}
