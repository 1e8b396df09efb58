import CLibrary
import Foundation
import Platform
import Testing

@testable import DirectoryStore
@testable import Store

/// Compaction of a journal into its base while other engines use the directory.
struct CompactionTests {
    let directory: TemporaryDirectory
    let secret = #"{"text":"Your code: 271828"}"#

    init() throws {
        directory = try TemporaryDirectory()
    }

    private var filesOfEpochTwo: [String] { ["base-2.jsonl", "journal-2.jsonl", "manifest.json"] }

    @Test func removesTheFilesOfThePreviousEpoch() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"), ("b", "1"))
        try engine.commit(("b", nil), ("c", "1"))
        #expect(try engine.compact())
        #expect(try engine.entries() == ["a": "1", "c": "1"])
        #expect(try directory.names() == filesOfEpochTwo)
        #expect(try !directory.text(of: "base-2.jsonl").contains(#"["b""#))
        try engine.commit(("a", nil), ("d", "1"))
        #expect(try engine.compact())
        try engine.commit(("e", "1"))
        engine.close()
        #expect(try directory.open().entries() == ["c": "1", "d": "1", "e": "1"])
        #expect(
            try directory.names() == ["base-3.jsonl", "journal-3.jsonl", "manifest.json"]
        )
        #expect(directory.warnings.isEmpty)
    }

    @Test func isFollowedByAllEnginesOnTheDirectory() throws {
        let (first, second) = (try directory.open(), try directory.open())
        try first.commit(("a", "1"))
        #expect(try second.entries() == ["a": "1"])
        try second.makeDurable()
        #expect(try first.compact())
        #expect(try second.entries() == ["a": "1"])
        try second.commit(("b", "1"))
        #expect(try second.compact())
        try first.commit(("c", "1"))
        #expect(try second.entries() == ["a": "1", "b": "1", "c": "1"])
        #expect(try second.statistics().epoch == 3)
    }

    /// A transaction that began before the compaction and writes after it.
    @Test func mayEndDuringATransaction() throws {
        let (first, second) = (try directory.open(), try directory.open())
        try first.commit(("a", "1"))
        _ = try second.entries()
        #expect(try first.compact())
        try second.commit(("a", "2"))
        #expect(try first.entries() == ["a": "2"])
        #expect(try directory.names() == filesOfEpochTwo)
    }

    @Test func continuesTheTransactionCountAfterTheBase() throws {
        let engine = try directory.open()
        for number in 1...3 { try engine.commit(("a", "\(number)")) }
        #expect(try engine.compact())
        try engine.commit(("a", "4"))
        #expect(try engine.statistics().transactions == 4)
        engine.close()
        let statistics = try directory.open().statistics()
        #expect(statistics.transactions == 4 && statistics.entries == 1)
        #expect(statistics.baseBytes == (try directory.bytes(of: "base-2.jsonl").count))
    }

    // MARK: Values that can be erased

    @Test func keepsErasableValuesOutOfTheBase() throws {
        let engine = try directory.open()
        try engine.commit(("m/id/1", secret), ("m/id/2", secret), isErasable: true)
        try engine.commit(("a", "1"), ("m/id/2", nil))
        let old = open(directory.path + "/journal-1.jsonl", O_RDONLY)
        defer { close(old) }
        #expect(try engine.compact())
        #expect(try !directory.text(of: "base-2.jsonl").contains("271828"))
        #expect(try directory.text(of: "journal-2.jsonl").contains("271828"))
        // Another process may keep an unlinked file open for a long time.
        let before = FileHandle(fileDescriptor: old).readDataToEndOfFile()
        #expect(!before.isEmpty && !String(decoding: before, as: UTF8.self).contains("271828"))
        engine.close()
        let next = try directory.open()
        #expect(try next.entries() == ["a": "1", "m/id/1": secret])
        try next.commit(("m/id/1", nil))
        #expect(try !directory.contents().values.contains { String(decoding: $0, as: UTF8.self).contains("271828") })
        #expect(try next.compact())
        #expect(try next.entries() == ["a": "1"])
    }

    /// A record that cannot be erased replaces one that can, and the other way round.
    @Test func keepsEntriesWhoseErasabilityChanged() throws {
        let engine = try directory.open()
        try engine.commit(("a", secret), isErasable: true)
        try engine.commit(("b", "1"))
        try engine.commit(("a", "2"))
        try engine.commit(("b", secret), isErasable: true)
        for _ in 0..<2 {
            #expect(try engine.compact())
            #expect(try engine.entries() == ["a": "2", "b": secret])
        }
        try engine.commit(("b", nil))
        #expect(try engine.compact())
        engine.close()
        #expect(try directory.open().entries() == ["a": "2"])
    }

    // MARK: In the background

    private func openCompacting(at bytes: Int, calls: any SystemCalls = .real) throws -> LocalEngine {
        var settings = StoreSettings()
        settings.compactedJournalBytesMin = bytes
        settings.calls = calls
        return try LocalEngine(directory: directory.path, settings: settings, log: { _ in })
    }

    @Test func runsBesideReadersAndWriters() throws {
        let path = directory.path
        let threads = (0..<3).map { worker in
            let done = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                defer { done.signal() }
                do {
                    var settings = StoreSettings()
                    settings.compactedJournalBytesMin = 6_000
                    let engine = try LocalEngine(directory: path, settings: settings, log: { _ in })
                    for number in 0..<250 {
                        try engine.commit(("w\(worker)/\(number)", "\(number)"), ("last/\(worker)", "\(number)"))
                        let entries = try engine.entries()
                        #expect(entries.keys.count { $0.hasPrefix("w\(worker)/") } == number + 1)
                        #expect(entries["last/\(worker)"] == "\(number)")
                    }
                    engine.close()
                } catch {
                    Issue.record(error)
                }
            }
            return done
        }
        threads.forEach { $0.wait() }
        let engine = try directory.open()
        #expect(try engine.entries().count == 753)
        #expect(try #require(engine.statistics().epoch) > 3)
    }

    @Test func startsWhenTheJournalOutgrowsItsBase() throws {
        let engine = try openCompacting(at: 3_000)
        var count = 0
        while try engine.statistics().epoch == 1, count < 5_000 {
            try engine.commit(("k\(count)", #""\#(String(repeating: "x", count: 100))""#))
            count += 1
            usleep(200)
        }
        #expect(try #require(engine.statistics().epoch) > 1)
        #expect(try engine.entries().count == count)
        engine.close()
        #expect(try directory.open().entries().count == count)
    }

    /// If only short-lived processes use a directory, one of them waits for an overdue compaction before it ends.
    @Test func isAwaitedOnCloseOnceItIsOverdue() throws {
        for number in 0..<40 {
            let engine = try openCompacting(at: 2_000)
            try engine.commit(("k\(number)", #""\#(String(repeating: "x", count: 300))""#))
            engine.close()
        }
        let engine = try directory.open()
        #expect(try engine.entries().count == 40)
        #expect(try #require(engine.statistics().epoch) > 1)
    }

    /// Values that a compaction carries over are erased as thoroughly as those that it leaves behind.
    @Test func erasesValuesRemovedDuringTheCompaction() throws {
        let engine = try directory.open()
        try engine.commit(("m", secret), isErasable: true)
        let other = try directory.open()
        let (opened, space) = try StoreDirectory.open(directory.path, settings: StoreSettings(), log: { _ in })
        let source = try opened.compactionSource(space, merging: 0)
        try other.commit(("m", nil))
        guard case .done = Compaction(.real).run(source) else {
            Issue.record("it did not merge")
            return
        }
        #expect(try !directory.contents().values.contains { String(decoding: $0, as: UTF8.self).contains("271828") })
        #expect(try other.entries().isEmpty)
    }

    /// A long torn end is not read repeatedly.
    @Test func endsDespiteALongTornEnd() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        let (opened, space) = try StoreDirectory.open(directory.path, settings: StoreSettings(), log: { _ in })
        let source = try opened.compactionSource(space, merging: 0)
        let handle = try #require(FileHandle(forWritingAtPath: directory.path + "/journal-1.jsonl"))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(repeating: UInt8(ascii: "x"), count: 3 << 20))
        guard case .done = Compaction(.real).run(source) else {
            Issue.record("it did not merge")
            return
        }
        #expect(try engine.entries() == ["a": "1"])
        #expect(try directory.names().contains { $0.hasPrefix(".torn-1-") })
    }

    /// A compaction that reads without the lock may see only part of
    /// a line that is written into the journal's preallocated room.
    @Test func stopsAtALineThatIsNotWholeYet() throws {
        let journal = directory.path + "/journal-1.jsonl"
        func overwrite(at offset: Int, _ bytes: [UInt8]) {
            let descriptor = open(journal, O_WRONLY)
            defer { close(descriptor) }
            #expect(pwrite(descriptor, bytes, bytes.count, offset) == bytes.count)
        }
        let engine = try directory.open()
        var isCompacting = false
        var hidden: (offset: Int, bytes: [UInt8])?
        var settings = StoreSettings()
        let calls = ChangedCalls()
        settings.calls = calls
        calls.onLock = { [directory] descriptor, operation in
            if operation & LOCK_EX != 0, let (offset, bytes) = hidden {
                overwrite(at: offset, bytes)
                hidden = nil
            }
            let result = RealCalls.shared.lock(descriptor, operation)
            guard operation == LOCK_UN, isCompacting else { return result }
            isCompacting = false
            do {
                let offset = try directory.bytes().count
                try engine.commit(("c", "1"))
                hidden = (offset, Array(try directory.bytes()[offset..<offset + 8]))
                overwrite(at: offset, [UInt8](repeating: JournalRoom.filler, count: 8))
            } catch {
                Issue.record(error)
            }
            return result
        }
        let (opened, space) = try StoreDirectory.open(directory.path, settings: settings, log: { _ in })
        let source = try opened.compactionSource(space, merging: 0)
        let long = #""\#(String(repeating: "x", count: Limits.carriedBytes))""#
        try engine.commit(("a", long))
        try engine.commit(("b", "1"))
        isCompacting = true
        let outcome = Compaction(.real).run(source)
        guard case .done = outcome else {
            Issue.record("it did not merge: \(outcome)")
            return
        }
        #expect(!isCompacting)
        #expect(try engine.entries() == ["a": long, "b": "1", "c": "1"])
    }

    // MARK: Failures

    /// A compaction whose source was read before another compaction ended must not touch the other's files.
    @Test func isSkippedAfterAnotherCompaction() throws {
        var space = LayeredSpace()
        let (opened, found) = try StoreDirectory.open(directory.path, settings: StoreSettings(), log: { _ in })
        space = found
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        try opened.refresh(&space)
        let source = try opened.compactionSource(space, merging: 0)
        #expect(try engine.compact())
        try engine.commit(("b", "1"))
        guard case .skipped = Compaction(.real).run(source) else {
            Issue.record("it merged")
            return
        }
        #expect(try directory.open().entries() == ["a": "1", "b": "1"])
        #expect(try directory.names() == filesOfEpochTwo)
    }

    @Test func isSkippedDuringAnotherCompaction() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        let lock = open(directory.path + "/lock.merging", O_RDWR | O_CREAT, 0o600)
        defer { close(lock) }
        try #require(flock(lock, LOCK_EX) == 0)
        #expect(try !engine.compact())
        try engine.commit(("b", "1"))
        // The other compaction's files are not taken for orphans either.
        try directory.write([1], to: "base-2.jsonl")
        #expect(try directory.open().entries() == ["a": "1", "b": "1"])
        #expect(try directory.names().contains("base-2.jsonl"))
        flock(lock, LOCK_UN)
        #expect(try engine.compact())
        #expect(try engine.entries() == ["a": "1", "b": "1"])
    }

    @Test(arguments: [ENOSPC, EIO], Array(0..<12))
    func isAbandonedWhenTheDiskFails(code: Int32, call: Int) throws {
        let calls = ChangedCalls()
        var countdown = Int.max
        func fails() -> Bool {
            countdown -= 1
            errno = code
            return countdown == -1
        }
        calls.onWrite = { fails() ? -1 : RealCalls.shared.write($0, $1, $2) }
        calls.onSync = { fails() ? -1 : RealCalls.shared.sync($0) }
        let engine = try directory.open(calls: calls)
        try engine.commit(("a", "1"))
        try engine.commit(("m", secret), isErasable: true)
        countdown = call
        let error = storeError { _ = try engine.compact() }
        countdown = .max
        try engine.commit(("b", "1"))
        let expected = ["a": "1", "b": "1", "m": secret]
        #expect(try engine.entries() == expected)
        engine.close()
        let next = try directory.open()
        #expect(try next.entries() == expected)
        // Whether the compaction succeeded or not, no file of the other epoch remains.
        #expect(try directory.names().filter { $0.hasPrefix("base-") || $0.hasPrefix("journal-") }.count <= 2)
        if error != nil { #expect(try next.statistics().epoch == 1) }
        #expect(try next.compact())
        #expect(try next.entries() == expected)
    }

    /// A rename is not undone: files of an epoch that may be the current ones stay, whatever fails.
    @Test(arguments: ["rename", "sync", "unlink"])
    func losesNothingWhenItsLastStepsFail(call: String) throws {
        let calls = ChangedCalls()
        var hasRenamed = false
        var isFailing = false
        func fails(_ name: String) -> Bool {
            errno = EIO
            return isFailing && name == call && (name == "rename" || hasRenamed)
        }
        calls.onRename = { directory, name, newName in
            if fails("rename") { return -1 }
            hasRenamed = true
            return RealCalls.shared.rename(directory, name, newName)
        }
        calls.onSyncDirectory = { fails("sync") ? -1 : RealCalls.shared.syncDirectory($0) }
        calls.onUnlink = { fails("unlink") ? -1 : RealCalls.shared.unlink($0, $1) }
        let (engine, other) = (try directory.open(calls: calls), try directory.open())
        try engine.commit(("a", "1"))
        try engine.commit(("m", secret), isErasable: true)
        (hasRenamed, isFailing) = (false, true)
        let error = storeError { _ = try engine.compact() }
        #expect((error == nil) == (call == "unlink"))
        isFailing = false
        try other.commit(("b", "1"))
        if call == "sync" {
            // An engine that has seen a directory sync fail relies on nothing in that directory.
            #expect(storeError { _ = try engine.entries() } != nil)
        } else {
            #expect(try engine.entries() == ["a": "1", "b": "1", "m": secret])
            try engine.makeDurable()
        }
        engine.close()
        let next = try directory.open()
        #expect(try next.entries() == ["a": "1", "b": "1", "m": secret])
        #expect(try directory.names().count == (call == "rename" ? 2 : 3))
    }

    @Test func warnsOnceThatItWasAbandoned() throws {
        let calls = ChangedCalls()
        calls.onWrite = { descriptor, bytes, offset in
            guard String(decoding: bytes.prefix(300), as: UTF8.self).contains("sorted") else {
                return RealCalls.shared.write(descriptor, bytes, offset)
            }
            errno = ENOSPC
            return -1
        }
        var settings = StoreSettings()
        settings.compactedJournalBytesMin = 20_000
        settings.calls = calls
        var warnings: [String] = []
        let engine = try LocalEngine(directory: directory.path, settings: settings) { warnings.append($0) }
        for number in 0..<100 {
            try engine.commit(("k\(number)", #""\#(String(repeating: "x", count: 200))""#))
            usleep(1_000)
        }
        // On a busy machine the compaction's thread may not have run yet. A commit reports how it ended.
        for _ in 0..<10_000 where warnings.isEmpty {
            try engine.commit(("k0", "1"))
            usleep(1_000)
        }
        #expect(try engine.entries().count == 100)
        #expect(try engine.statistics().epoch == 1)
        #expect((1...4).contains(warnings.count))
        #expect(warnings.allSatisfy { $0.contains("the disk, or the quota on it, is full") })
        // A retry may be under way.
        engine.close()
        #expect(try directory.names() == ["journal-1.jsonl", "manifest.json"])
    }

    @Test func setsAsideATornEnd() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        let merging = try directory.open()
        _ = try merging.entries()
        try merging.makeDurable()
        let handle = try #require(FileHandle(forWritingAtPath: directory.path + "/journal-1.jsonl"))
        try handle.seekToEnd()
        try handle.write(contentsOf: Array(#"{"n":2,"#.utf8))
        #expect(try merging.compact())
        #expect(try engine.entries() == ["a": "1"])
        #expect(try directory.names().contains { $0.hasPrefix(".torn-1-") })
    }

    /// The files that a crash leaves at each stage, which no manifest names.
    @Test(arguments: [["base-2.jsonl"], ["base-2.jsonl", "journal-2.jsonl"], ["journal-1.jsonl"], ["base-1.jsonl"]])
    func removesOrphanedFiles(names: [String]) throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        let isAfter = names[0].contains("-1.")
        if isAfter { #expect(try engine.compact()) }
        engine.close()
        for name in names { try directory.write([1, 2, 3], to: name) }
        try directory.write([1], to: "manifest.json.tmp")
        #expect(try directory.open().entries() == ["a": "1"])
        let own = isAfter ? filesOfEpochTwo : ["journal-1.jsonl", "manifest.json"]
        #expect(try directory.names() == own)
    }

    /// A process that was killed after it renamed a manifest may not have synced the name. The next one must not wait
    /// for the end of a compaction to do so.
    @Test func installsTheManifestAgainWhileAnotherProcessCompacts() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        #expect(try engine.compact())
        engine.close()
        try directory.write([1, 2, 3], to: "journal-1.jsonl")
        let compacting = try FileDescriptor.open(SystemString(directory.path + "/lock.merging"), .reading)
        defer { compacting.close() }
        #expect(try RealCalls.shared.takeLockIfFree(of: compacting))
        let calls = ChangedCalls()
        var renamed: [String] = []
        calls.onRename = { directory, name, newName in
            renamed.append("\(newName)")
            return RealCalls.shared.rename(directory, name, newName)
        }
        #expect(try directory.open(calls: calls).entries() == ["a": "1"])
        #expect(renamed == ["manifest.json"])
        #expect(try directory.names().contains("journal-1.jsonl"))
    }

    /// Orphans that filled the disk once kept the store from being opened: a manifest was written before any was
    /// removed.
    @Test(arguments: ["base-9.jsonl", "base-1.jsonl"])
    func opensWithOrphansOnAFullDisk(orphan: String) throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        #expect(try engine.compact())
        engine.close()
        try directory.write([1, 2, 3], to: orphan)
        let disk = FailedWriteTests.Disk()
        (disk.writeError, disk.bytesUntilError) = (ENOSPC, 0)
        let full = try directory.open(calls: disk.calls)
        #expect(try full.entries() == ["a": "1"])
        // No manifest has named a file of a later epoch, so it is removed without a write.
        #expect(try directory.names().contains(orphan) == (orphan == "base-1.jsonl"))
        disk.writeError = nil
        try full.commit(("b", "2"))
        full.close()
        #expect(try directory.open().entries() == ["a": "1", "b": "2"])
        #expect(try directory.names() == filesOfEpochTwo)
    }
}
