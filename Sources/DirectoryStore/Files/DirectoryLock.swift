internal import Platform
import Store

/// A lock that all processes of a directory share: flock(2) on a file that is never unlinked.
///
/// The system releases it when its holder ends, even if the holder is killed. It belongs to the open file, so two locks
/// in one process exclude each other like two processes.
final class DirectoryLock {
    /// The file of the directory lock, which orders all writes.
    static let fileName = "lock"
    /// The file of the lock that lets only one process compact at a time.
    static let compactionFileName = "lock.merging"

    private let directory: Directory
    private let file: File
    private let calls: SystemCalls
    private let isVital: Bool
    private(set) var isHeld = false
    /// Whether the file was created when the lock was opened.
    let isNew: Bool
    /// While other processes hold the lock for long: the times of the first and of the last failed attempt.
    private var contention: (since: Int, last: Int)?

    /// Opens the lock's file, without taking the lock.
    ///
    /// - Parameter isVital: whether the lock must exclude all other processes. If so, each `take` checks that the file
    ///   still has its name.
    init(
        _ name: String,
        in directory: Directory,
        readOnly: Bool,
        isVital: Bool = true,
        calls: SystemCalls
    ) throws(StoreError) {
        self.directory = directory
        self.isVital = isVital
        self.calls = calls
        file = try File(name, in: directory, readOnly ? .reading : .creating, calls: calls)
        isNew = file.isNew
    }

    /// Takes the lock. If another process holds it for long, all calls share one wait: after the wait is over, later
    /// calls fail at once until the lock has been free.
    ///
    /// - Parameters:
    ///   - milliseconds: the length of the wait.
    ///   - blocks: whether to wait here. If not, the call waits at most `Limits.lockSpinMilliseconds`, and the
    ///     caller must retry.
    /// - Throws: `StoreError.busy` if the wait is over; `.locked` if the caller should retry; `.damaged` if the file
    ///   was replaced, because a lock on a file without that name excludes no process.
    func take(waitingMilliseconds milliseconds: Int, blocks: Bool = true) throws(StoreError) {
        if try takeIfFree() { return contention = nil }
        let now = MonotonicClock.milliseconds
        // If the attempts are far apart, the lock may have been free between them.
        if let last = contention?.last, now - last > milliseconds { contention = nil }
        let since = contention?.since ?? now
        let patience = max(0, milliseconds - (now - since))
        let pause = contention == nil ? min(patience, Limits.lockSpinMilliseconds) : 0
        var wait = LockWait(milliseconds: blocks ? patience : pause)
        while wait.next() {
            if try takeIfFree() { return contention = nil }
        }
        contention = (since, MonotonicClock.milliseconds)
        guard blocks || patience == 0 || pause == patience else { throw .locked }
        throw .busy(holderText())
    }

    /// Takes the lock if no other process holds it.
    func takeIfFree() throws(StoreError) -> Bool {
        do throws(SystemError) {
            guard try calls.takeLockIfFree(of: file.descriptor) else { return false }
        } catch {
            throw .failed("flock \(file.name)", error)
        }
        isHeld = true
        guard isVital else { return true }
        do throws(StoreError) {
            if try file.stamp().isSameFile(as: directory.stamp(of: file.name)) { return true }
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

    private func holderText() -> String {
        let holder = (try? file.stamp()).flatMap { LockHolder.process(holding: $0) }.map { "process \($0)" }
        return "the directory \(directory.path) is in use by \(holder ?? "another process")"
    }
}

/// Waits for a lock that is normally held for microseconds: first without sleep, then with longer and longer sleeps.
private struct LockWait {
    private var attempts = 0
    private let deadline: Int

    init(milliseconds: Int) {
        deadline = MonotonicClock.milliseconds + milliseconds
    }

    /// Waits briefly. Returns false if the deadline has passed.
    mutating func next() -> Bool {
        attempts += 1
        if attempts <= 20 {
            Thread.yield()
            return true
        }
        guard MonotonicClock.milliseconds < deadline else { return false }
        Thread.sleep(microseconds: min(2_000, 20 * (attempts - 20)))
        return true
    }
}
