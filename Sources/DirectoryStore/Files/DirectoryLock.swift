internal import Platform
import Store

/// The lock of a store's directory. It orders all writes: a process that holds it is the only one that appends to the
/// journal or replaces the manifest.
final class DirectoryLock {
    static let fileName = "lock"

    private let directory: Directory
    private let lock: FileLock
    private let calls: any SystemCalls
    /// Whether the lock's file was created when it was opened.
    let isNew: Bool
    /// While other processes hold the lock for long: the times of the first and of the last failed attempt.
    private var contention: (since: Int, last: Int)?

    /// Opens the lock's file, without taking the lock.
    ///
    /// - Parameter mode: `.creating`; or `.reading` for a process that cannot write to the directory, or must not.
    init(in directory: Directory, _ mode: File.Mode, calls: any SystemCalls) throws(StoreError) {
        (self.directory, self.calls) = (directory, calls)
        let file = try File(Self.fileName, in: directory, mode, calls: calls)
        lock = FileLock(on: file, calls: calls)
        isNew = file.isNew
    }

    /// Whether this object holds the lock.
    var isHeld: Bool { lock.isHeld }

    /// Takes the lock. If another process holds it for long, all calls share one wait: after the wait is over, later
    /// calls fail at once until the lock has been free.
    ///
    /// - Parameters:
    ///   - milliseconds: the length of the wait.
    ///   - blocks: whether to wait here. If not, the call waits at most `Limits.lockSpinMilliseconds`, and the
    ///     caller must retry.
    /// - Throws: `StoreError.busy` if the wait is over; `.locked` if the caller should retry; `.damaged` if the
    ///   lock's file was removed or replaced.
    func take(waitingMilliseconds milliseconds: Int, blocks: Bool = true) throws(StoreError) {
        if try takeIfFree() { return contention = nil }
        let now = calls.monotonicMilliseconds
        // If the attempts are far apart, the lock may have been free between them.
        if let last = contention?.last, now - last > milliseconds { contention = nil }
        let since = contention?.since ?? now
        let remaining = max(0, milliseconds - (now - since))
        let waitHere = blocks ? remaining : contention == nil ? min(remaining, Limits.lockSpinMilliseconds) : 0
        var wait = LockWait(milliseconds: waitHere, calls)
        while wait.next() {
            if try takeIfFree() { return contention = nil }
        }
        contention = (since, calls.monotonicMilliseconds)
        // There is time left, so the caller retries.
        guard waitHere == remaining else { throw .locked }
        throw .busy(holderText())
    }

    /// Takes the lock. Returns false if another process holds it.
    ///
    /// - Throws: `StoreError.damaged` if the lock's file was removed or replaced.
    func takeIfFree() throws(StoreError) -> Bool {
        try lock.takeIfFree(checkingNameIn: directory)
    }

    func release() {
        lock.release()
    }

    private func holderText() -> String {
        let holder = (try? lock.file.stamp()).flatMap { calls.lockHolder(of: $0) }.map { "process \($0)" }
        return "the directory \(directory.path) is in use by \(holder ?? "another process")"
    }
}

/// Waits for a lock that is normally held while one group of requests runs, microseconds to milliseconds: first without
/// sleep, then with longer and longer sleeps.
private struct LockWait {
    private var attempts = 0
    private let deadline: Int
    private let calls: any SystemCalls

    init(milliseconds: Int, _ calls: any SystemCalls) {
        self.calls = calls
        deadline = calls.monotonicMilliseconds + milliseconds
    }

    /// Waits briefly. Returns false if the deadline has passed.
    mutating func next() -> Bool {
        attempts += 1
        if attempts <= 20 {
            calls.yield()
            return true
        }
        guard calls.monotonicMilliseconds < deadline else { return false }
        calls.sleep(microseconds: min(2_000, 20 * (attempts - 20)))
        return true
    }
}

extension StoreError {
    /// The error for a process whose wait is over, and that has found each lock file removed by another process.
    ///
    /// - Parameter path: the directory.
    static func lockRemoved(in path: String) -> StoreError {
        .busy("the directory \(path) is in use by other processes, which remove its lock file")
    }
}
