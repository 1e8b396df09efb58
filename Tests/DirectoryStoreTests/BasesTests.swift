import Platform
import PosternTesting
import Testing

@testable import DirectoryStore
@testable import Store

/// A store with several bases.
struct BasesTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Compacts the journal and the newest `count` bases into a new base.
    private func compact(merging count: Int = 0) throws {
        let (opened, space) = try StoreDirectory.open(directory.path, settings: StoreSettings(), log: { _ in })
        let outcome = Compaction(.real).run(try opened.compactionSource(space, merging: count))
        guard case .done = outcome else {
            Issue.record("it did not compact: \(outcome)")
            return
        }
    }

    private func manifest() throws -> Manifest {
        try Manifest(parsing: try directory.bytes(of: "manifest.json"))
    }

    /// Makes the bases 2 to 4. The newest one removes `b`, and the one below it replaces `a`.
    private func makeThreeBases() throws -> LocalEngine {
        let engine = try directory.open()
        try engine.commit(("a", "1"), ("b", "1"), ("c", "1"))
        try compact()
        try engine.commit(("a", "2"), ("d", "2"))
        try compact()
        try engine.commit(("b", nil), ("e", "3"))
        try compact()
        return engine
    }

    private let entries = ["a": "2", "c": "1", "d": "2", "e": "3"]

    @Test func aNewerBaseHidesEntriesOfOlderOnes() throws {
        let engine = try makeThreeBases()
        #expect(try manifest().segments.map(\.epoch) == [4, 3, 2])
        #expect(try engine.entries() == entries)
        engine.close()
        #expect(try directory.open().entries() == entries)
        #expect(try directory.text(of: "base-4.jsonl").contains(#"["b",null,""#))
        #expect(try directory.text(of: "manifest.json").hasPrefix(#"{"format":2,"#))
    }

    /// A compaction writes no removal of a key that no older base has.
    @Test func aRemovalIsWrittenOnlyIfAnOlderBaseHasItsKey() throws {
        let engine = try directory.open()
        try engine.commit(("a", "1"), ("b", "1"))
        try compact()
        try engine.commit(("c", "1"))
        try compact()
        try engine.commit(("b", nil), ("c", nil), ("d", nil))
        try engine.commit(("e", "1"), ("f", "1"))
        try engine.commit(("f", nil))
        try compact(merging: 1)
        let base = try directory.text(of: "base-4.jsonl")
        #expect(base.contains(#"["b",null,""#) && base.contains(#"["e",1,""#))
        #expect(["c", "d", "f"].allSatisfy { !base.contains(#"["\#($0)""#) })
        #expect(try engine.entries() == ["a": "1", "e": "1"])
    }

    /// A removal stays as long as an older base may have its key.
    @Test func aCompactionOfSomeBasesKeepsRemovals() throws {
        let engine = try makeThreeBases()
        try compact(merging: 2)
        #expect(try manifest().segments.map(\.epoch) == [5, 2])
        #expect(try directory.text(of: "base-5.jsonl").contains(#"["b",null,""#))
        #expect(try engine.entries() == entries)
        #expect(try directory.names() == ["base-2.jsonl", "base-5.jsonl", "journal-5.jsonl", "manifest.json"])
    }

    @Test func aCompactionOfAllBasesLeavesNothingOfRemovedKeys() throws {
        let engine = try makeThreeBases()
        #expect(try engine.compact())
        #expect(try engine.entries() == entries)
        #expect(try manifest().segments.map(\.epoch) == [5])
        #expect(try !directory.text(of: "base-5.jsonl").contains(#"["b""#))
        #expect(try directory.text(of: "manifest.json").hasPrefix(#"{"format":1,"#))
        #expect(try directory.names() == ["base-5.jsonl", "journal-5.jsonl", "manifest.json"])
    }

    @Test func aRemovedKeyCanBeInsertedAgain() throws {
        let engine = try makeThreeBases()
        try engine.commit(("b", "4"))
        try compact()
        #expect(try engine.entries()["b"] == "4")
        try engine.commit(("b", nil))
        #expect(try engine.entries()["b"] == nil)
    }

    /// Any sequence of writes, compactions of any bases, and openings gives what a dictionary would.
    @Test(arguments: Array(1...12) as [UInt64])
    func agreesWithADictionary(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var expected: [String: String] = [:]
        var engine = try directory.open()
        for step in 0..<400 {
            switch Int.random(in: 0..<40, using: &random) {
            case 0...1:
                let count = Int.random(in: 0...(try manifest().segments.count), using: &random)
                try compact(merging: count)
            case 2:
                engine.close()
                engine = try directory.open()
            default:
                let key = "k/\(Int.random(in: 0..<60, using: &random))"
                let value = Int.random(in: 0..<3, using: &random) == 0 ? nil : "\(step)"
                try engine.commit((key, value))
                expected[key] = value
            }
            if step % 20 == 0 { try compare(engine, with: expected, &random) }
        }
        try compare(engine, with: expected, &random)
        engine.close()
        #expect(try directory.open().entries() == expected)
    }

    /// Compares lookups of all keys, and scans of a range in both directions.
    private func compare(
        _ engine: LocalEngine,
        with expected: [String: String],
        _ random: inout SplitMix
    ) throws {
        func key(_ number: Int) -> StoreKey { StoreKey(bytes: Array("k/\(number)".utf8)) }
        let bounds = [key(Int.random(in: 0..<60, using: &random)), key(Int.random(in: 0..<60, using: &random))].sorted()
        try engine.read { tx in
            for number in 0..<60 {
                let found = try tx.value(of: key(number)).map { String(decoding: $0.bytes, as: UTF8.self) }
                #expect(found == expected["k/\(number)"])
            }
            for descending in [false, true] {
                var found: [String] = []
                try tx.scan(from: bounds[0], upTo: bounds[1], descending: descending, limit: .max) { key, value in
                    found.append("\(key.text)=\(String(decoding: value.bytes, as: UTF8.self))")
                    return true
                }
                let keys = expected.keys.map { StoreKey(bytes: Array($0.utf8)) }.sorted().filter {
                    bounds[0] <= $0 && $0 < bounds[1]
                }
                let ordered = descending ? keys.reversed() : keys
                #expect(found == ordered.map { "\($0.text)=\(expected[$0.text] ?? "")" })
            }
        }
        try engine.makeDurable()
    }

    /// However much is written, there are few bases.
    @Test func keepsFewBases() throws {
        var settings = StoreSettings()
        settings.compactedJournalBytesMin = 1_000
        let engine = try LocalEngine(directory: directory.path, settings: settings, log: { _ in })
        var most = 0
        for number in 0..<600 {
            try engine.commit(("k\(number)", #""\#(String(repeating: "x", count: 200))""#))
            engine.catchUp()
            most = max(most, try manifest().segments.count)
        }
        #expect((2...6).contains(most))
        #expect(try engine.entries().count == 600)
    }

    /// What is written during a compaction gets a base of its own if it is much. The secret stays in the journal.
    @Test func writesABaseOfWhatIsWrittenMeanwhile() throws {
        var settings = StoreSettings()
        settings.compactedJournalBytesMin = 1_000
        settings.personalCollections = { [Collection<Note>("people")] }
        let engine = try directory.open()
        try engine.commit(("a", "1"), ("people/id/0000000001", "1"))
        try engine.commit(("secret", "1"), isErasable: true)
        try engine.commit(("gone", "1"), isErasable: true)
        let (opened, space) = try StoreDirectory.open(directory.path, settings: settings, log: { _ in })
        let source = try opened.compactionSource(space, merging: 0)
        for number in 0..<50 { try engine.commit(("k\(number)", "1234567890")) }
        try engine.commit(("a", "2"), ("people/id/0000000001", nil))
        try engine.commit(("secret", "2"), isErasable: true)
        try engine.commit(("gone", nil))
        let entries = try engine.entries()
        guard case .done = Compaction(.real).run(source) else {
            Issue.record("it did not compact")
            return
        }
        let manifest = try manifest()
        #expect(manifest.epoch == 3 && manifest.segments.map(\.epoch) == [3, 2])
        #expect(manifest.segments.map(\.transactions) == [55, 2])
        let age = RealCalls.shared.unixSeconds + settings.erasureSeconds - (try #require(manifest.mergeDue))
        #expect((0..<60).contains(age))
        #expect(try directory.names() == ["base-2.jsonl", "base-3.jsonl", "journal-3.jsonl", "manifest.json"])
        let base = try directory.text(of: "base-3.jsonl")
        #expect(base.contains(#"["a",2,""#) && base.contains(#"["people/id/0000000001",null,""#))
        #expect(!base.contains("secret") && !base.contains("gone"))
        #expect(try directory.bytes(of: "journal-3.jsonl").count < 1_000)
        #expect(try engine.entries() == entries)
        engine.close()
        #expect(try directory.open().entries() == entries)
    }

    /// A compaction that is cancelled after such a base leaves nothing.
    @Test func leavesNothingOfALaterBase() throws {
        final class NoJournal: SystemCalls {
            func open(
                _ name: SystemString,
                in directory: FileDescriptor?,
                _ options: OpenOptions
            ) throws(SystemError) -> FileDescriptor {
                if "\(name)" == "journal-3.jsonl" { throw .noSpace }
                return try RealCalls.shared.open(name, in: directory, options)
            }
        }
        var settings = StoreSettings()
        (settings.compactedJournalBytesMin, settings.calls) = (1_000, NoJournal())
        let engine = try directory.open()
        try engine.commit(("a", "1"))
        let (opened, space) = try StoreDirectory.open(directory.path, settings: settings, log: { _ in })
        let source = try opened.compactionSource(space, merging: 0)
        for number in 0..<50 { try engine.commit(("k\(number)", "1234567890")) }
        guard case .failed(.diskFull) = Compaction(settings.calls).run(source) else {
            Issue.record("it did not fail")
            return
        }
        #expect(try directory.names() == ["journal-1.jsonl", "manifest.json"])
        #expect(try engine.entries().count == 51)
    }

    // MARK: Deleted personal data

    /// A base may keep personal data that were deleted; a later compaction removes them, even if each epoch is short.
    @Test func deletedPersonalDataLeaveAllBases() throws {
        let secret = "271828"
        var settings = StoreSettings()
        settings.personalCollections = { [Collection<Note>("people")] }
        func text() throws -> String {
            try directory.contents().values.map { String(decoding: $0, as: UTF8.self) }.joined()
        }
        let engine = try LocalEngine(directory: directory.path, settings: settings, log: { _ in })
        try engine.commit(("people/id/0000000001", #"{"secret":"\#(secret)"}"#))
        try compact()
        try engine.commit(("people/id/0000000001", nil))
        let (opened, space) = try StoreDirectory.open(directory.path, settings: settings, log: { _ in })
        _ = Compaction(.real).run(try opened.compactionSource(space, merging: 0))
        #expect(try text().contains(secret))
        let due = try #require(try manifest().mergeDue)
        #expect((1...settings.erasureSeconds).contains(due - RealCalls.shared.unixSeconds))
        // The next epoch keeps the time, though nothing was deleted in it.
        try engine.commit(("a", "1"))
        try compact()
        #expect(try manifest().mergeDue == due)
        engine.close()
        #expect(try text().contains(secret))
        try openAndClose(secondsLater: settings.erasureSeconds)
        #expect(try !text().contains(secret))
        #expect(try manifest().mergeDue == nil && manifest().segments.count == 1)
    }

    /// What was deleted or replaced, even if it is not known to be personal data, leaves all bases within a day.
    @Test func allBasesAreMergedEachDay() throws {
        let secret = "271828"
        func text() throws -> String {
            try directory.contents().values.map { String(decoding: $0, as: UTF8.self) }.joined()
        }
        let engine = try directory.open()
        try engine.commit(("a", #""\#(secret)""#), ("b", "1"))
        try compact()
        #expect(try manifest().mergeDue == nil)
        try engine.commit(("a", "2"))
        try compact()
        let due = try #require(try manifest().mergeDue)
        #expect((86_000...86_400).contains(due - RealCalls.shared.unixSeconds))
        engine.close()
        try openAndClose(secondsLater: 86_000 - 3_600)
        #expect(try text().contains(secret))
        try openAndClose(secondsLater: 86_400)
        #expect(try !text().contains(secret))
        #expect(try manifest().segments.count == 1)
    }

    /// If the clock was set back, a time that is further ahead than it can be is treated as past.
    @Test func allBasesAreMergedAfterTheClockWasSetBack() throws {
        let engine = try makeThreeBases()
        engine.close()
        try openAndClose(secondsLater: -100)
        #expect(try manifest().segments.count == 1)
        #expect(try directory.open().entries() == entries)
    }

    /// Opens and closes the store as a process does whose clock is ahead by some seconds.
    private func openAndClose(secondsLater seconds: Int) throws {
        final class LaterCalls: SystemCalls {
            let seconds: Int
            init(_ seconds: Int) { self.seconds = seconds }
            var unixSeconds: Int { RealCalls.shared.unixSeconds + seconds }
        }
        var settings = StoreSettings()
        settings.calls = LaterCalls(seconds)
        try LocalEngine(directory: directory.path, settings: settings, log: { _ in }).close()
    }

    /// Without room to merge all bases, which an erasure needs, the journal is compacted all the same.
    @Test func compactsWhileAnErasureLacksRoom() throws {
        final class LittleRoom: SystemCalls {
            func freeBytes(of directory: FileDescriptor) throws(SystemError) -> Int { 90_000 }
        }
        var settings = StoreSettings()
        settings.personalCollections = { [Collection<Note>("people")] }
        try directory.open().commit(
            ("people/id/0000000001", "1"),
            ("k", #""\#(String(repeating: "x", count: 100_000))""#)
        )
        try compact()
        (settings.erasureSeconds, settings.compactedJournalBytesMin) = (1, 1_000)
        settings.calls = LittleRoom()
        let engine = try LocalEngine(directory: directory.path, settings: settings, log: { _ in })
        try engine.commit(("people/id/0000000001", nil))
        RealCalls.shared.sleep(microseconds: 2_100_000)
        for number in 0..<60 {
            try engine.commit(("k\(number)", #""\#(String(repeating: "x", count: 200))""#))
            engine.catchUp()
        }
        engine.close()
        // How many there are depends on when the compactions ran.
        #expect(try manifest().segments.count > 1)
        #expect(try manifest().mergeDue != nil)
    }

    // MARK: Damage

    @Test(arguments: [2, 3, 4])
    func refusesDamageInAnyBase(epoch: Int) throws {
        try makeThreeBases().close()
        let name = "base-\(epoch).jsonl"
        let bytes = try directory.bytes(of: name)
        var changed = bytes
        changed[bytes.count - 20] ^= 1
        try directory.write(changed, to: name)
        #expect(storeError { _ = try directory.open() }?.reason != nil)
        try directory.write(bytes, to: name)
        #expect(try directory.open().entries() == entries)
        try directory.remove(name)
        #expect(
            storeError { _ = try directory.open() }
                == .damaged(file: name, offset: 0, reason: "missing, though manifest.json names it")
        )
    }

    /// A base of an earlier epoch is no orphan if the manifest names it.
    @Test func removesOrphansOnly() throws {
        try makeThreeBases().close()
        for name in ["base-1.jsonl", "journal-3.jsonl", "base-5.jsonl"] { try directory.write([1], to: name) }
        let engine = try directory.open()
        #expect(try engine.entries() == entries)
        engine.close()
        let names = ["base-2.jsonl", "base-3.jsonl", "base-4.jsonl", "journal-4.jsonl", "manifest.json"]
        #expect(try directory.names() == names)
    }
}
