import Foundation
import Platform
import Testing
import PosternTesting

@testable import DirectoryStore
@testable import Store

/// Several engines on one directory, as several processes open it.
struct SharedDirectoryTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func readsWhatOtherEnginesHaveMadeDurable() throws {
        let (first, second) = (try directory.open(), try directory.open())
        try first.write([("a", "1")])
        try first.makeDurable()
        #expect(try second.entries() == ["a": "1"])
        try second.makeDurable()
        _ = try first.entries()
        try second.commit(("b", "2"), ("a", nil))
        #expect(try first.entries() == ["a": "1"], "not before the other's group commit")
        try first.makeDurable()
        #expect(try first.entries() == ["b": "2"])
    }

    /// The engine takes the lock and reads the directory before it runs the transaction: an earlier read in the same
    /// group returned older values.
    @Test func runsATransactionOnceOnTheLatestValues() throws {
        let (first, second) = (try directory.open(), try directory.open())
        try first.commit(("n", "1"))
        _ = try second.entries()
        try first.commit(("n", "2"))
        var seen: [String] = []
        try second.write { transaction in
            let key = StoreKey(bytes: Array("n".utf8))
            let value = try #require(try transaction.value(of: key))
            seen.append(String(decoding: value.bytes, as: UTF8.self))
            try transaction.put(StoredValue(bytes: Array("3".utf8)), at: key, isErasable: false)
        }
        try second.makeDurable()
        #expect(seen == ["2"])
        #expect(try first.entries() == ["n": "3"])
    }

    @Test func releasesTheLockAfterAThrowACommitAndADiscard() throws {
        struct Refusal: Error {}
        let (first, second) = (try directory.open(), try directory.open(lockWaitMilliseconds: 30))
        #expect(throws: Refusal.self) { try first.write([("a", "1")], refusal: Refusal()) }
        try first.makeDurable()
        try second.commit(("b", "1"))
        try first.write([("a", "1")])
        #expect(storeError { try second.commit(("b", "2")) } != nil)
        first.discardStaged()
        try second.commit(("b", "2"))
        #expect(try first.entries() == ["b": "2"])
    }

    @Test func givesEachNumberOnceToFourConcurrentThreads() throws {
        let path = directory.path
        let numbers = Numbers()
        let threads = (0..<4).map { _ in
            let done = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                defer { done.signal() }
                do {
                    let store = Store(engine: try LocalEngine(directory: path, log: { _ in }))
                    for _ in 0..<150 {
                        let number = try store.transact { try $0.next("n") }
                        try store.makeDurable()
                        numbers.add(number)
                    }
                } catch {
                    Issue.record(error)
                }
            }
            return done
        }
        threads.forEach { $0.wait() }
        #expect(numbers.all.sorted() == Array(1...600))
    }

    /// An engine returns another process's transaction only once it is synced:
    /// the other process may have been killed before its own sync.
    @Test func syncsTransactionsOfOthersThatAreNotSyncedYet() throws {
        let calls = ChangedCalls()
        var syncs = 0
        calls.onSync = {
            syncs += 1
            return RealCalls.shared.sync($0)
        }
        let failing = ChangedCalls()
        var fails = false
        failing.onSync = { descriptor in
            errno = EIO
            return fails ? -1 : RealCalls.shared.sync(descriptor)
        }
        let (first, second) = (try directory.open(calls: failing), try directory.open(calls: calls))
        syncs = 0
        try first.commit(("a", "1"))
        #expect(try second.entries() == ["a": "1"])
        try second.makeDurable()
        #expect(syncs == 0)
        fails = true
        #expect(storeError { try first.commit(("b", "1")) } != nil)
        #expect(try second.entries() == ["a": "1", "b": "1"])
        try second.makeDurable()
        #expect(syncs == 1)
        _ = try second.entries()
        try second.makeDurable()
        #expect(syncs == 1)
    }

    /// The shared marks in `lock.sync` may be left from before a
    /// system crash and claim more synced bytes than the files have.
    @Test func doesNotTrustMarksLeftInTheSyncFile() throws {
        try directory.open().commit(("a", "1"))
        try directory.write([UInt8](repeating: 0xFF, count: 24), to: "lock.sync")
        let calls = ChangedCalls()
        var syncs = 0
        calls.onSync = {
            syncs += 1
            return RealCalls.shared.sync($0)
        }
        let engine = try directory.open(calls: calls)
        syncs = 0
        try engine.commit(("b", "1"))
        #expect(syncs == 1)
        try directory.remove("lock.sync")
        let other = try directory.open(calls: calls)
        syncs = 0
        for number in 1...3 {
            try engine.commit(("a", "\(number)"))
            try other.commit(("b", "\(number)"))
        }
        #expect(syncs >= 6)
    }

    @Test func setsAsideATornEndThatAppearsWhileTheStoreIsOpen() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        let torn = Array(#"{"n":2,"d""#.utf8)
        let handle = try #require(FileHandle(forWritingAtPath: directory.path + "/journal-1.jsonl"))
        let length = try directory.bytes().count
        try handle.seek(toOffset: UInt64(length))
        try handle.write(contentsOf: torn)
        try engine.commit(("b", "1"))
        #expect(try engine.entries() == ["a": "1", "b": "1"])
        #expect(try directory.bytes(of: ".torn-1-\(length)") == torn)
        #expect(directory.warnings.count == 1)
        #expect(try directory.open().entries() == ["a": "1", "b": "1"])
    }

    /// Two engines that have both read one line, and the offset where it ends.
    private func twoInStep() throws -> (first: LocalEngine, second: LocalEngine, end: Int) {
        let (first, second) = (try directory.open(), try directory.open())
        try first.commit(("a", "1"))
        #expect(try second.entries() == ["a": "1"])
        try second.makeDurable()
        return (first, second, try directory.bytes().count)
    }

    /// The hole starts exactly where the preallocated room would start.
    @Test func refusesAHoleThatReplacesAcknowledgedLines() throws {
        let (first, second, start) = try twoInStep()
        for number in 1...20 { try first.commit(("b\(number)", "1")) }
        var bytes = try directory.rawBytes()
        for index in start..<(start / 512 + 2) * 512 { bytes[index] = JournalRoom.filler }
        let handle = try #require(FileHandle(forWritingAtPath: directory.path + "/journal-1.jsonl"))
        try handle.write(contentsOf: bytes)
        #expect(storeError { try second.commit(("c", "1")) }?.reason == "line 3 does not match its checksum")
        #expect(try directory.rawBytes() == bytes)
    }

    /// The first read ends where the preallocated room seems to start, before the hole's end.
    @Test func refusesAHoleInsideAcknowledgedLines() throws {
        let (first, second, start) = try twoInStep()
        try first.commit(("b", #""\#(String(repeating: "x", count: 2 * Limits.newsBytes))""#))
        try first.commit(("c", "1"))
        var bytes = try directory.rawBytes()
        let sector = (start + Limits.newsBytes) / 512 * 512
        for index in sector - 512..<sector + 512 { bytes[index] = JournalRoom.filler }
        let handle = try #require(FileHandle(forWritingAtPath: directory.path + "/journal-1.jsonl"))
        try handle.write(contentsOf: bytes)
        #expect(storeError { _ = try second.entries() }?.reason == "line 3 does not match its checksum")
        #expect(try directory.rawBytes() == bytes)
    }

    @Test func refusesDamageThatAnotherProcessWrote() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        let handle = try #require(FileHandle(forWritingAtPath: directory.path + "/journal-1.jsonl"))
        try handle.seek(toOffset: UInt64(directory.bytes().count))
        try handle.write(contentsOf: Array("{\"n\":2}\n".utf8))
        for _ in 0..<2 {
            #expect(storeError { _ = try engine.entries() }?.reason == "line 3 does not match its checksum")
        }
    }

    /// After a failed sync, it is unknown whether the lines are on the disk. The engine that wrote them still answers
    /// reads until another process builds on them. The next process that opens the store writes them again.
    @Test func returnsNothingThatDependsOnAFailedSync() throws {
        let calls = ChangedCalls()
        var syncError: Int32?
        calls.onSync = { descriptor in
            guard let syncError else { return RealCalls.shared.sync(descriptor) }
            errno = syncError
            return -1
        }
        let first = try directory.open(calls: calls)
        try first.commit(("a", "1"))
        syncError = EIO
        #expect(storeError { try first.commit(("b", "1")) } != nil)
        #expect(try first.entries() == ["a": "1"])
        try first.makeDurable()
        var rewritten = 0
        let counted = ChangedCalls()
        counted.onWrite = { descriptor, bytes, offset in
            rewritten += String(decoding: bytes, as: UTF8.self).contains(#"["b",1]"#) ? 1 : 0
            return RealCalls.shared.write(descriptor, bytes, offset)
        }
        let second = try directory.open(calls: counted)
        #expect(rewritten == 1)
        #expect(try second.entries() == ["a": "1", "b": "1"])
        // It does not have the transaction that the other one has made durable.
        #expect(storeError { _ = try first.entries() } != nil)
        try second.commit(("c", "1"))
        #expect(storeError { _ = try first.entries() } != nil)
    }

    /// After the failed sync of another process, the system may drop the lines that were not synced. The journal could
    /// not be read any more if a line followed the gap.
    @Test func writesNothingAfterLinesThatTheSystemHasDropped() throws {
        let calls = ChangedCalls()
        let (first, second) = (try directory.open(calls: calls), try directory.open())
        try second.commit(("a", "1"))
        let durable = try directory.rawBytes()
        var found: [String: String]?
        calls.onSync = { _ in
            found = try? second.entries()
            errno = EIO
            return -1
        }
        #expect(storeError { try first.commit(("b", "1")) } != nil)
        #expect(found == ["a": "1", "b": "1"])
        try directory.write(durable)
        #expect(
            storeError { try second.commit(("c", "1")) }?.reason == "the last line has changed since it was written"
        )
        #expect(try directory.open().entries() == ["a": "1"])
    }

    /// A process that finds lines after a failed sync of another one makes them durable before it writes.
    @Test func settlesTheJournalAfterAFailedSyncOfAnotherProcess() throws {
        let calls = ChangedCalls()
        let (first, second) = (try directory.open(calls: calls), try directory.open())
        try second.commit(("a", "1"))
        calls.onSync = { _ in
            errno = EIO
            return -1
        }
        #expect(storeError { try first.commit(("b", "1")) } != nil)
        let durable = try directory.bytes().count
        try second.commit(("c", "1"))
        // The line of the second process declares the line of the first one durable.
        #expect(try directory.text(of: "journal-1.jsonl").contains(#""n":3,"d":\#(durable),"#))
    }

    /// A process that cannot create a store removes its lock file, for which another process may wait.
    @Test func createsTheStoreThatAnotherProcessCouldNotCreate() throws {
        let calls = ChangedCalls()
        let path = directory.path
        let opened = Mailbox<Bool>()
        var isFirst = true
        calls.onWrite = { _, _, _ in
            if isFirst {
                isFirst = false
                let isStarted = Thread.start {
                    opened.post(storeError { _ = try LocalEngine(directory: path, log: { _ in }) } == nil)
                }
                #expect(isStarted)
                // Long enough for the other process to wait for the lock.
                Thread.sleep(microseconds: 100_000)
            }
            errno = ENOSPC
            return -1
        }
        #expect(storeError { _ = try directory.open(calls: calls) } == .diskFull)
        #expect(opened.take())
    }

    /// The engine reads a long journal before it takes the lock, and then,
    /// under the lock, what was added or erased meanwhile.
    @Test func opensALongJournalWhileAnotherEngineWrites() throws {
        let engine = try directory.open()
        let value = #""\#(String(repeating: "x", count: 2_000))""#
        try engine.commit(("m", #""secret""#), isErasable: true)
        for number in 0..<700 { try engine.commit(("k\(number % 50)", value), ("n", "\(number)")) }
        try engine.commit(("m", nil))
        let path = directory.path
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            defer { done.signal() }
            do {
                for _ in 0..<20 {
                    let entries = try LocalEngine(directory: path, log: { _ in }).entries()
                    #expect(entries.count == 51 && entries["m"] == nil)
                }
            } catch {
                Issue.record(error)
            }
        }
        var number = 700
        while done.wait(timeout: .now()) == .timedOut {
            try engine.commit(("n", "\(number)"))
            number += 1
        }
        #expect(try directory.open().entries() == engine.entries())
        #expect(directory.warnings.isEmpty)
    }

    /// An engine that follows a compaction settles lines that another process could not sync,
    /// as an engine that opens the store does.
    @Test func settlesUnsyncedLinesOfTheEpochItFollows() throws {
        let failing = ChangedCalls()
        var fails = false
        failing.onSync = { descriptor in
            errno = EIO
            return fails ? -1 : RealCalls.shared.sync(descriptor)
        }
        let watched = ChangedCalls()
        var rewritten = 0
        watched.onWrite = { descriptor, bytes, offset in
            rewritten += String(decoding: bytes, as: UTF8.self).contains(#"["b",1]"#) ? 1 : 0
            return RealCalls.shared.write(descriptor, bytes, offset)
        }
        let (first, second) = (try directory.open(calls: failing), try directory.open(calls: watched))
        try first.commit(("a", "1"))
        #expect(try first.compact())
        _ = try first.entries()
        try first.makeDurable()
        fails = true
        #expect(storeError { try first.commit(("b", "1")) } != nil)
        try second.commit(("c", "1"))
        #expect(rewritten == 1)
        #expect(try second.entries() == ["a": "1", "b": "1", "c": "1"])
    }

    /// A process that hangs in a sync delays each other process once, and delays no open.
    @Test func waitsOnceForASyncThatHangs() throws {
        let engine = try directory.open()
        let lock = open(directory.path + "/lock.sync", O_RDWR)
        defer { close(lock) }
        try #require(flock(lock, LOCK_EX) == 0)
        let start = ContinuousClock.now
        for number in 0..<5 { try engine.commit(("n", "\(number)")) }
        _ = try directory.open().entries()
        #expect(ContinuousClock.now - start < .seconds(3))
        flock(lock, LOCK_UN)
        try engine.commit(("n", "5"))
        #expect(try directory.open().entries() == ["n": "5"])
    }

    /// Calls that run `meanwhile`, once it is set, in the next sync, and then sync or fail.
    private final class SlowSync {
        var meanwhile: (() throws -> Void)?
        var syncs = 0

        func calls(failing: Bool) -> any SystemCalls {
            let calls = ChangedCalls()
            calls.onSync = { [self] descriptor in
                syncs += 1
                guard let run = meanwhile else { return RealCalls.shared.sync(descriptor) }
                meanwhile = nil
                do {
                    try run()
                } catch {
                    Issue.record(error)
                }
                errno = EIO
                return failing ? -1 : RealCalls.shared.sync(descriptor)
            }
            return calls
        }
    }

    /// A process syncs for itself while another one hangs in a sync. When that sync fails at last, its process does not
    /// answer without the lines that the first one has acknowledged.
    @Test func isBehindIfAnotherHasSyncedItsLinesDuringItsOwnFailedSync() throws {
        let (other, slow) = (try directory.open(), SlowSync())
        let engine = try directory.open(calls: slow.calls(failing: true))
        try engine.commit(("a", "1"))
        slow.meanwhile = {
            #expect(try other.entries() == ["a": "2"])
            try other.makeDurable()
        }
        #expect(storeError { try engine.commit(("a", "2")) } != nil)
        #expect(storeError { _ = try engine.entries() } != nil)
    }

    /// A slow sync does not lower the mark that a later one has stored.
    @Test func keepsTheMarkOfALaterSync() throws {
        let (other, slow) = (try directory.open(), SlowSync())
        let engine = try directory.open(calls: slow.calls(failing: false))
        try engine.commit(("a", "1"))
        slow.meanwhile = { try other.commit(("b", "1")) }
        try engine.commit(("a", "2"))
        slow.syncs = 0
        #expect(try engine.entries() == ["a": "2", "b": "1"])
        try engine.makeDurable()
        #expect(slow.syncs == 0)
    }

    /// A read during another process's lock missed acknowledged lines if a compaction ended meanwhile.
    @Test func doesNotReadAnOldEpochWhenACompactionEndsWhileTheLockIsHeld() throws {
        let other = try directory.open()
        try other.commit(("a", "1"))
        let calls = ChangedCalls()
        var isHeld = false
        var meanwhile: (() throws -> Void)?
        calls.onLock = { descriptor, operation in
            guard isHeld, operation & LOCK_EX != 0 else { return RealCalls.shared.lock(descriptor, operation) }
            do {
                try meanwhile?()
            } catch {
                Issue.record(error)
            }
            meanwhile = nil
            errno = EWOULDBLOCK
            return -1
        }
        let reader = try directory.open(calls: calls, lockWaitMilliseconds: 20)
        func look() throws -> [String: String] {
            reader.discardStaged()
            return try reader.entries()
        }
        #expect(try look() == ["a": "1"])
        try other.commit(("a", "2"))
        isHeld = true
        // Lines that the marks declare synced are read without the lock.
        #expect(try look() == ["a": "2"])
        try other.commit(("a", "3"))
        meanwhile = {
            #expect(try other.compact())
            try other.commit(("b", "1"))
        }
        #expect(storeError { _ = try look() }?.isLockHeld == true)
        isHeld = false
        #expect(try look() == ["a": "3", "b": "1"])
    }

    /// The marks are not trusted either if a torn end cannot be set aside for lack of space,
    /// and opening goes on without it.
    @Test func doesNotTrustMarksWhenThereIsNoSpaceForATornEnd() throws {
        try directory.open().commit(("a", "1"))
        let torn = try directory.bytes() + Array(#"{"n":2,"#.utf8)
        try directory.write(torn)
        var marks = [UInt8](repeating: 0xFF, count: 24)
        // Epoch 1, and the largest byte count that forty-four bits hold.
        (marks[5], marks[6], marks[7]) = (0x1F, 0, 0)
        marks.replaceSubrange(8..., with: [UInt8](repeating: 0, count: 16))
        try directory.write(marks, to: "lock.sync")
        let calls = ChangedCalls()
        var (isFull, syncs) = (true, 0)
        calls.onWrite = { descriptor, bytes, offset in
            errno = ENOSPC
            // The disk is full for new bytes only; existing bytes can be overwritten.
            return isFull && offset == 0 ? -1 : RealCalls.shared.write(descriptor, bytes, offset)
        }
        calls.onSync = {
            syncs += 1
            return RealCalls.shared.sync($0)
        }
        let engine = try directory.open(calls: calls)
        #expect(try engine.entries() == ["a": "1"])
        (isFull, syncs) = (false, 0)
        try engine.commit(("b", "1"))
        // One sync for the copy of the torn end, one for the truncation,
        // one to settle the existing lines, and one for the new line.
        #expect(syncs == 4)
    }

    // MARK: The directory itself

    @Test func noticesThatTheDirectoryWasMovedAway() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        try FileManager.default.moveItem(atPath: directory.path, toPath: directory.root + "/elsewhere")
        let reason = "moved or removed while it was in use"
        #expect(storeError { _ = try engine.entries() }?.reason == reason)
        #expect(storeError { try engine.commit(("b", "1")) }?.reason == reason)
        try FileManager.default.moveItem(atPath: directory.root + "/elsewhere", toPath: directory.path)
        try engine.commit(("b", "1"))
    }

    enum Exchange: CaseIterable {
        case otherStore, earlierCopy, otherManifest
    }

    @Test(arguments: Exchange.allCases)
    func refusesToContinueInAReplacedDirectory(exchange: Exchange) throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        let files = FileManager.default
        switch exchange {
        case .otherStore:
            try files.moveItem(atPath: directory.path, toPath: directory.root + "/old")
            try directory.open().commit(("x", "1"))
        case .earlierCopy:
            try files.copyItem(atPath: directory.path, toPath: directory.root + "/copy")
            try engine.commit(("b", "1"))
            try files.moveItem(atPath: directory.path, toPath: directory.root + "/old")
            try files.moveItem(atPath: directory.root + "/copy", toPath: directory.path)
        case .otherManifest:
            let other = try TemporaryDirectory()
            try other.open().commit(("x", "1"))
            try directory.write(try other.bytes(of: "manifest.json"), to: "manifest.json")
        }
        let before = try directory.contents()
        for _ in 0..<2 {
            #expect(
                storeError { try engine.commit(("c", "1")) }?.reason
                    == "replaced by an earlier manifest, or by that of another store, while it was in use"
            )
            #expect(storeError { _ = try engine.entries() } != nil)
        }
        #expect(try directory.contents() == before)
    }

    @Test func continuesWhenTheManifestIsRewrittenUnchanged() throws {
        let engine = try directory.open()
        try directory.write(try directory.bytes(of: "manifest.json"), to: "manifest.json")
        chmod(directory.path + "/manifest.json", 0o640)
        try engine.commit(("a", "1"))
        #expect(try engine.entries() == ["a": "1"])
    }
}

/// Numbers that several threads add to.
private final class Numbers: @unchecked Sendable {
    private let lock = NSLock()
    private var numbers: [Int] = []

    func add(_ number: Int) { lock.withLock { numbers.append(number) } }

    var all: [Int] { lock.withLock { numbers } }
}
