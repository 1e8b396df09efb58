import Foundation
import Platform
import Testing
import PosternTesting

@testable import DirectoryStore
@testable import Store

/// When a compaction starts automatically.
struct CompactionTriggerTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func open(compactedAt bytes: Int = 1 << 40, erasureSeconds: Int = 3_600) throws -> LocalEngine {
        var settings = StoreSettings()
        settings.compactedJournalBytesMin = bytes
        settings.erasureSeconds = erasureSeconds
        settings.personalCollections = { [Note.collection] }
        return try LocalEngine(directory: directory.path, settings: settings, log: { _ in })
    }

    /// Waits for a compaction that may have started, and returns the epoch.
    private func epoch(of engine: LocalEngine, from first: Int = 1, after milliseconds: Int) throws -> Int? {
        for _ in 0..<milliseconds / 5 {
            _ = try engine.entries()
            try engine.makeDurable()
            if try engine.statistics().epoch != first { break }
            usleep(5_000)
        }
        return try engine.statistics().epoch
    }

    /// A caller that writes without pauses once outran the compaction, so that its journal and its memory kept growing.
    @Test func doesNotFallBehindACallerThatCatchesUp() throws {
        let engine = try open(compactedAt: 10_000)
        let text = #""\#(String(repeating: "x", count: 200))""#
        var longest = 0
        for number in 0..<1_000 {
            try engine.commit(("k\(number % 10)", text))
            engine.catchUp()
            longest = max(longest, try engine.statistics().journalBytes)
        }
        // A compaction starts at 10,000 bytes and is overdue at 20,000. The lines that follow its start are copied.
        #expect((10_000..<40_000).contains(longest))
        #expect(try engine.statistics().epoch ?? 0 > 5)
        engine.close()
    }

    // MARK: Values that a compaction cannot remove

    /// A new journal starts with all erasable values. The bytes of twenty thousand unsent mails once counted as
    /// growth, so every sixth write compacted, for days.
    @Test func erasableValuesDoNotCountAsGrowth() throws {
        let engine = try open(compactedAt: 100_000)
        let text = #""\#(String(repeating: "x", count: 200))""#
        try engine.write((0..<20_000).map { ("mails/id/\($0)", text) }, isErasable: true)
        try engine.makeDurable()
        #expect(try engine.compact())
        let epoch = try #require(try engine.statistics().epoch)
        #expect(try engine.statistics().journalBytes > 4_000_000)
        for number in 0..<300 {
            try engine.commit(("k\(number)", text))
            if number % 20 == 0 { usleep(2_000) }
        }
        usleep(50_000)
        _ = try engine.entries()
        #expect(try engine.statistics().epoch == epoch, "60,000 bytes are less than an eighth of the erasable values")
        engine.close()
        #expect(try directory.open().statistics().epoch == epoch)
    }

    @Test func compactsWhenNewLinesExceedAnEighthOfTheErasableValues() throws {
        let engine = try open(compactedAt: 10_000)
        let text = #""\#(String(repeating: "x", count: 200))""#
        try engine.write((0..<1_000).map { ("mails/id/\($0)", text) }, isErasable: true)
        try engine.makeDurable()
        #expect(try engine.compact())
        let epoch = try #require(try engine.statistics().epoch)
        var writes = 0
        while try engine.statistics().epoch == epoch, writes < 1_000 {
            try engine.commit(("k\(writes)", text))
            writes += 1
            usleep(500)
        }
        #expect((100..<1_000).contains(writes), "after about 28,000 bytes")
    }

    /// What is written during a compaction is carried to the new journal. It once counted as what a compaction cannot
    /// move, so a journal that started long stayed so.
    @Test func compactsAJournalThatStartedLong() throws {
        let writer = try open()
        try writer.commit(("a", "1"))
        let (opened, space) = try StoreDirectory.open(directory.path, settings: StoreSettings(), log: { _ in })
        let source = try opened.compactionSource(space, merging: 0)
        let text = #""\#(String(repeating: "x", count: 200))""#
        for number in 0..<100 { try writer.commit(("k\(number)", text)) }
        guard case .done = Compaction(.real).run(source) else {
            Issue.record("it did not compact")
            return
        }
        #expect(try writer.entries().count == 101)
        #expect(try writer.statistics().epoch == 2 && writer.statistics().journalBytes > 20_000)
        writer.close()
        let next = try open(compactedAt: 10_000)
        try next.commit(("b", "1"))
        next.close()
        let statistics = try directory.open().statistics()
        #expect(statistics.epoch == 3 && statistics.journalBytes < 1_000)
    }

    /// After a failure, a compaction waits until the journal is longer, but not once another process has compacted.
    @Test func aNewEpochForgetsThatAnEarlierOneFailed() throws {
        final class Disk: SystemCalls {
            /// Only one thread asks.
            nonisolated(unsafe) var free = 0
            func freeBytes(of directory: FileDescriptor) throws(SystemError) -> Int { free }
        }
        let disk = Disk()
        var settings = StoreSettings()
        (settings.compactedJournalBytesMin, settings.calls) = (10_000, disk)
        let engine = try LocalEngine(directory: directory.path, settings: settings, log: { _ in })
        func writeJournal(of bytes: Int) throws {
            repeat { try engine.commit(("k", "1234567890")) } while try engine.statistics().journalBytes < bytes
        }
        try writeJournal(of: 11_000)
        #expect(try open().compact())
        disk.free = .max / 2
        // The journal is shorter than the one that could not be compacted.
        try writeJournal(of: 10_500)
        #expect(try epoch(of: engine, from: 2, after: 5_000) == 3)
    }

    // MARK: Deleted personal data

    private func addAndDelete(_ engine: LocalEngine) throws {
        let store = Store(engine: engine)
        try store.transact { try $0.insert(Note(id: 1, text: "271828")) }
        try store.makeDurable()
        try store.transact { try $0.delete(Note.self, Key(1)) }
        try store.makeDurable()
    }

    @Test func aDeletionCausesACompactionOnceTheEpochIsOld() throws {
        let engine = try open(erasureSeconds: 0)
        try addAndDelete(engine)
        #expect(try epoch(of: engine, after: 5_000) == 2)
        #expect(engine.maintain() == nil, "no maintenance is due")
    }

    @Test func aDeletionWaitsWhileTheEpochIsYoung() throws {
        let engine = try open()
        try addAndDelete(engine)
        #expect(engine.maintain() == Limits.maintenanceMilliseconds)
        #expect(try epoch(of: engine, after: 200) == 1)
        engine.close()
        #expect(try directory.open().statistics().epoch == 1)
    }

    @Test func anUpdateCausesNoCompaction() throws {
        let engine = try open(erasureSeconds: 0)
        let store = Store(engine: engine)
        try store.transact { try $0.insert(Note(id: 1, text: "271828")) }
        try store.makeDurable()
        try store.transact { try $0.update(Note(id: 1, text: "314159")) }
        try store.makeDurable()
        #expect(engine.maintain() == nil)
        #expect(try epoch(of: engine, after: 200) == 1)
    }

    /// The process that deleted the record ended before the epoch was old.
    @Test func aDeletionCausesACompactionWhenTheStoreIsNextOpened() throws {
        let first = try open()
        try addAndDelete(first)
        first.close()
        let engine = try open(erasureSeconds: 0)
        #expect(engine.maintain() == Limits.maintenanceMilliseconds)
        #expect(try epoch(of: engine, after: 5_000) == 2)
        engine.close()
        try #require(try directory.names() == ["base-2.jsonl", "journal-2.jsonl", "manifest.json"])
    }

    @Test func aDeletionCausesACompactionByAnotherProcess() throws {
        let other = try open(erasureSeconds: 0)
        #expect(other.maintain() == nil)
        let engine = try open()
        try addAndDelete(engine)
        _ = try other.entries()
        try other.makeDurable()
        #expect(other.maintain() == Limits.maintenanceMilliseconds)
        #expect(try epoch(of: other, after: 5_000) == 2)
        try engine.commit(("a", "1"))
        #expect(engine.maintain() == nil, "the other engine has compacted")
    }

    /// A short-lived process, such as `postern call`.
    @Test func aDeletionCausesACompactionByAShortLivedProcess() throws {
        let engine = try open()
        try addAndDelete(engine)
        engine.close()
        try open(erasureSeconds: 0).close()
        #expect(try directory.names() == ["base-2.jsonl", "journal-2.jsonl", "manifest.json"])
    }
}
