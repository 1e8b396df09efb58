import Foundation
import Platform
import Testing
import PosternTesting

@testable import Store

/// Several engines on one directory, as several processes have them.
struct SharedDirectoryTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func seesWhatOthersWereToldIsDone() throws {
        let (first, second) = (try directory.open(), try directory.open())
        try first.write([("a", "1")])
        try first.makeDurable()
        #expect(try second.entries() == ["a": "1"])
        try second.makeDurable()
        _ = try first.entries()
        try second.commit(("b", "2"), ("a", nil))
        #expect(try first.entries() == ["a": "1"], "not before its group of transactions ends")
        try first.makeDurable()
        #expect(try first.entries() == ["b": "2"])
    }

    /// A read earlier in the group saw less: the lock is taken, and the directory read, before the transaction is run.
    @Test func runsATransactionOnceOnWhatOthersHaveWritten() throws {
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

    @Test func letsGoOfTheLockWhateverComesOfATransaction() throws {
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

    @Test func givesEachNumberOnceToFourAtATime() throws {
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

    /// What another has written is on the disk before it is told of, though the other may have been killed before its
    /// sync.
    @Test func syncsWhatItReadsOfOthersUnlessTheyDid() throws {
        var calls = SystemCalls.real
        var syncs = 0
        calls.sync = {
            syncs += 1
            return SystemCalls.real.sync($0)
        }
        var failing = SystemCalls.real
        var fails = false
        failing.sync = { descriptor in
            errno = EIO
            return fails ? -1 : SystemCalls.real.sync(descriptor)
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

    /// What the shared marks tell may be from before a crash of the system, and of more than there is.
    @Test func trustsNoMarksThatItFinds() throws {
        try directory.open().commit(("a", "1"))
        try directory.write([UInt8](repeating: 0xFF, count: 24), to: "lock.sync")
        var calls = SystemCalls.real
        var syncs = 0
        calls.sync = {
            syncs += 1
            return SystemCalls.real.sync($0)
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

    @Test func setsAsideTheTornEndOfAnotherWhileItServes() throws {
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

    /// Two that know one line, and where it ends.
    private func twoInStep() throws -> (first: LocalEngine, second: LocalEngine, end: Int) {
        let (first, second) = (try directory.open(), try directory.open())
        try first.commit(("a", "1"))
        #expect(try second.entries() == ["a": "1"])
        try second.makeDurable()
        return (first, second, try directory.bytes().count)
    }

    /// Also where the hole is at the very place where room would be.
    @Test func refusesAHoleInPlaceOfWhatAnotherWasToldIsSafe() throws {
        let (first, second, start) = try twoInStep()
        for number in 1...20 { try first.commit(("b\(number)", "1")) }
        var bytes = try directory.rawBytes()
        for index in start..<(start / 512 + 2) * 512 { bytes[index] = JournalRoom.filler }
        let handle = try #require(FileHandle(forWritingAtPath: directory.path + "/journal-1.jsonl"))
        try handle.write(contentsOf: bytes)
        #expect(storeError { try second.commit(("c", "1")) }?.reason == "line 3 does not match its check")
        #expect(try directory.rawBytes() == bytes)
    }

    /// Also where it reads no further at first than to where the room seems to start.
    @Test func refusesAHoleInWhatAnotherWasToldIsSafe() throws {
        let (first, second, start) = try twoInStep()
        try first.commit(("b", #""\#(String(repeating: "x", count: 2 * Limits.newsBytes))""#))
        try first.commit(("c", "1"))
        var bytes = try directory.rawBytes()
        let sector = (start + Limits.newsBytes) / 512 * 512
        for index in sector - 512..<sector + 512 { bytes[index] = JournalRoom.filler }
        let handle = try #require(FileHandle(forWritingAtPath: directory.path + "/journal-1.jsonl"))
        try handle.write(contentsOf: bytes)
        #expect(storeError { _ = try second.entries() }?.reason == "line 3 does not match its check")
        #expect(try directory.rawBytes() == bytes)
    }

    @Test func refusesToGoOnWhereAnotherLeftDamage() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        let handle = try #require(FileHandle(forWritingAtPath: directory.path + "/journal-1.jsonl"))
        try handle.seek(toOffset: UInt64(directory.bytes().count))
        try handle.write(contentsOf: Array("{\"n\":2}\n".utf8))
        for _ in 0..<2 {
            #expect(storeError { _ = try engine.entries() }?.reason == "line 3 does not match its check")
        }
    }

    /// After a failed sync what was written is in doubt: whoever wrote it goes on reading for as long as nobody builds on
    /// it, and the next opener writes it once more.
    @Test func tellsNothingThatRestsOnAFailedSync() throws {
        var calls = SystemCalls.real
        var syncError: Int32?
        calls.sync = { descriptor in
            guard let syncError else { return SystemCalls.real.sync(descriptor) }
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
        calls = .real
        calls.write = { descriptor, bytes, offset in
            rewritten += String(decoding: bytes, as: UTF8.self).contains(#"["b",1]"#) ? 1 : 0
            return SystemCalls.real.write(descriptor, bytes, offset)
        }
        let second = try directory.open(calls: calls)
        #expect(rewritten == 1)
        #expect(try second.entries() == ["a": "1", "b": "1"])
        try second.commit(("c", "1"))
        #expect(storeError { _ = try first.entries() } != nil)
    }

    /// A long journal is read before the lock is taken, and what is added or erased meanwhile afterwards.
    @Test func readsALongJournalBesideAWriter() throws {
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

    /// What follows a merge settles what another process could not sync, as an opener does.
    @Test func settlesTheEpochThatItFollows() throws {
        var failing = SystemCalls.real
        var fails = false
        failing.sync = { descriptor in
            errno = EIO
            return fails ? -1 : SystemCalls.real.sync(descriptor)
        }
        var watched = SystemCalls.real
        var rewritten = 0
        watched.write = { descriptor, bytes, offset in
            rewritten += String(decoding: bytes, as: UTF8.self).contains(#"["b",1]"#) ? 1 : 0
            return SystemCalls.real.write(descriptor, bytes, offset)
        }
        let (first, second) = (try directory.open(calls: failing), try directory.open(calls: watched))
        try first.commit(("a", "1"))
        #expect(try first.merge())
        _ = try first.entries()
        try first.makeDurable()
        fails = true
        #expect(storeError { try first.commit(("b", "1")) } != nil)
        try second.commit(("c", "1"))
        #expect(rewritten == 1)
        #expect(try second.entries() == ["a": "1", "b": "1", "c": "1"])
    }

    /// A process that stands still in a sync holds up the others once, and no opener.
    @Test func waitsOnceForASyncThatStandsStill() throws {
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

    /// A read that came while others held the lock missed what was acknowledged before it, where a merge ended meanwhile.
    @Test func readsNoOldEpochWhereAMergeEndsWhileTheLockIsHeld() throws {
        let other = try directory.open()
        try other.commit(("a", "1"))
        var calls = SystemCalls.real
        var isHeld = false
        var meanwhile: (() throws -> Void)?
        calls.lock = { descriptor, operation in
            guard isHeld, operation & LOCK_EX != 0 else { return SystemCalls.real.lock(descriptor, operation) }
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
        // What the marks tell of is read without the lock.
        #expect(try look() == ["a": "2"])
        try other.commit(("a", "3"))
        meanwhile = {
            #expect(try other.merge())
            try other.commit(("b", "1"))
        }
        #expect(storeError { _ = try look() }?.isLockHeld == true)
        isHeld = false
        #expect(try look() == ["a": "3", "b": "1"])
    }

    /// Nor where a torn end finds no room, and opening goes on without it.
    @Test func trustsNoMarksWhereATornEndFindsNoRoom() throws {
        try directory.open().commit(("a", "1"))
        let torn = try directory.bytes() + Array(#"{"n":2,"#.utf8)
        try directory.write(torn)
        var marks = [UInt8](repeating: 0xFF, count: 24)
        // Of epoch 1: all of its forty-four bits' worth of bytes.
        (marks[5], marks[6], marks[7]) = (0x1F, 0, 0)
        marks.replaceSubrange(8..., with: [UInt8](repeating: 0, count: 16))
        try directory.write(marks, to: "lock.sync")
        var calls = SystemCalls.real
        var (isFull, syncs) = (true, 0)
        calls.write = { descriptor, bytes, offset in
            errno = ENOSPC
            // There is room where there are bytes already.
            return isFull && offset == 0 ? -1 : SystemCalls.real.write(descriptor, bytes, offset)
        }
        calls.sync = {
            syncs += 1
            return SystemCalls.real.sync($0)
        }
        let engine = try directory.open(calls: calls)
        #expect(try engine.entries() == ["a": "1"])
        (isFull, syncs) = (false, 0)
        try engine.commit(("b", "1"))
        // One for what is set aside, one for the cut, one to settle what there was, and one for the line.
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
    func refusesToGoOnInAnother(exchange: Exchange) throws {
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
                    == "replaced by that of another store, or of an earlier state, while it was in use"
            )
            #expect(storeError { _ = try engine.entries() } != nil)
        }
        #expect(try directory.contents() == before)
    }

    @Test func goesOnWhereTheManifestWasOnlyTouched() throws {
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
