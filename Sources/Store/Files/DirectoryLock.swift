internal import Platform

/// A lock on a directory that all its processes agree on: flock(2) on a file that is never unlinked.
///
/// The system frees it the moment its holder ends, however that ends. It belongs to the open file, so that two of them in
/// one process keep each other out like two processes.
final class DirectoryLock {
    /// The file whose lock orders all that processes write.
    static let fileName = "lock"
    /// The file whose lock keeps merging to one process at a time.
    static let mergingFileName = "lock.merging"

    private let directory: Directory
    private let file: File
    private let calls: SystemCalls
    private let isVital: Bool
    private(set) var isHeld = false
    /// Whether the file was made when the lock was opened.
    let isNew: Bool
    /// While others hold the lock for long: since when it was asked for in vain, and when last.
    private var contention: (since: Int, last: Int)?

    /// Opens the lock's file, without taking the lock.
    ///
    /// - Parameter isVital: whether nothing may go on without it. Then the file's name is looked at whenever the lock is
    ///   taken.
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

    /// Takes the lock, waiting for another holder for a while. All who ask while the same holder stands still share one
    /// wait: once it is over, the others are refused at once.
    ///
    /// - Parameters:
    ///   - milliseconds: how long the wait is.
    ///   - blocks: whether to wait here. If not, the caller is asked to try again, after a wait that is not noticed.
    /// - Throws: `StoreError.busy` where another still has it then; `.locked` where it is to be tried again; `.damaged`
    ///   where the file was exchanged, as a lock on a file without that name keeps no process out.
    func take(waitingMilliseconds milliseconds: Int, blocks: Bool = true) throws(StoreError) {
        if try takeIfFree() { return contention = nil }
        let now = MonotonicClock.milliseconds
        // Between tries that are far apart, the lock may have been free.
        if let last = contention?.last, now - last > milliseconds { contention = nil }
        let since = contention?.since ?? now
        let patience = max(0, milliseconds - (now - since))
        let pause = contention == nil ? min(patience, Limits.lockPauseMilliseconds) : 0
        var wait = LockWait(milliseconds: blocks ? patience : pause)
        while wait.next() {
            if try takeIfFree() { return contention = nil }
        }
        contention = (since, MonotonicClock.milliseconds)
        guard blocks || patience == 0 || pause == patience else { throw .locked }
        throw .busy(holderText())
    }

    /// Takes the lock, unless another has it.
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

/// How to wait for a lock that others hold for microseconds: at first without sleep, then longer and longer.
private struct LockWait {
    private var attempts = 0
    private let deadline: Int

    init(milliseconds: Int) {
        deadline = MonotonicClock.milliseconds + milliseconds
    }

    /// Waits a little; false once it has been enough.
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

/// Who holds a lock, as proc(5) has it.
private enum LockHolder {
    /// The process that holds the flock of a file; nil where the system does not tell.
    ///
    /// A line of /proc/locks: `1: FLOCK  ADVISORY  WRITE 4711 fe:00:1837 0 EOF`, the inode behind the device.
    static func process(holding file: FileStamp) -> Int? {
        let text: [UInt8]
        do throws(SystemError) {
            let locks = try FileDescriptor.open("/proc/locks", .reading)
            defer { locks.close() }
            text = try locks.contents(bytesMax: .max)
        } catch {
            return nil
        }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 5, words[1] == "FLOCK", words[5].hasSuffix(":\(file.inode)") else { continue }
            return Int(words[4])
        }
        return nil
    }
}
