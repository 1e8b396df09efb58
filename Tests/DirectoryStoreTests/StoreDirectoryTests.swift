import Foundation
import Platform
import Testing

@testable import DirectoryStore
@testable import Store

struct StoreDirectoryTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    // MARK: Durability

    @Test func keepsDurableTransactions() throws {
        let engine = try directory.open()
        try engine.commit(("a/id/1", #"{"x":1}"#), ("a/id/2", #"{"x":2}"#))
        try engine.commit(("a/id/1", nil), ("a/name/ü \"\\", #""2""#))
        engine.close()
        let reopened = try directory.open()
        #expect(try reopened.entries() == ["a/id/2": #"{"x":2}"#, "a/name/ü \"\\": #""2""#])
        #expect(directory.warnings.isEmpty)
    }

    @Test func losesStagedTransactions() throws {
        let engine = try directory.open()
        try engine.commit(("a/id/1", "{}"))
        try engine.write([("a/id/2", "{}")])
        engine.close()
        #expect(try directory.open().entries() == ["a/id/1": "{}"])
    }

    @Test func writesLinesThatPeopleCanRead() throws {
        let engine = try directory.open()
        try engine.write([("a/id/1", #"{"x":1}"#)])
        try engine.write([("a/id/1", nil)])
        try engine.makeDurable()
        let lines = try directory.text().split(separator: "\n")
        let header = lines[0].utf8.count + 1
        #expect(lines.count == 3)
        #expect(lines[1].hasPrefix(#"{"n":1,"d":\#(header),"w":[["a/id/1",{"x":1}]],"c":""#))
        #expect(lines[2].hasPrefix(#"{"n":2,"d":\#(header),"w":[["a/id/1",null]],"c":""#))
        for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
        _ = try JSONSerialization.jsonObject(with: Data(try directory.bytes(of: "manifest.json")))
        #expect(try directory.names() == ["journal-1.jsonl", "manifest.json"])
    }

    @Test func reportsStatistics() throws {
        let engine = try directory.open()
        try engine.commit(("b/id/1", "{}"), ("a/id/1", "{}"), ("a/id/2", "{}"), ("a/name/x", #""1""#))
        let statistics = try engine.statistics()
        #expect(statistics.kind == "directory")
        #expect(statistics.directory == directory.path)
        #expect(statistics.epoch == 1)
        #expect(try directory.text().contains(try #require(statistics.store)))
        #expect(statistics.transactions == 1)
        #expect(statistics.journalBytes == (try directory.bytes().count))
        #expect(statistics.durableBytes == statistics.journalBytes)
        #expect(statistics.entries == 4)
        #expect(statistics.collections == [.init(name: "a", records: 2), .init(name: "b", records: 1)])
    }

    // MARK: Permissions and locks

    @Test(arguments: [true, false])
    func deniesOtherUsersAccessToExistingFiles(isOurs: Bool) throws {
        try directory.open().close()
        try directory.remove("manifest.json")
        if !isOurs { try directory.write([], to: "somebody's own") }
        for name in ["", "lock", "journal-1.jsonl"] { chmod(directory.path + "/" + name, 0o755) }
        try directory.open().close()
        #expect(try directory.mode() == (isOurs ? 0o700 : 0o755))
        for name in ["lock", "manifest.json", "journal-1.jsonl"] { #expect(try directory.mode(of: name) == 0o600) }
    }

    @Test func makesTheDirectoriesAbove() throws {
        let path = directory.root + "/x/y/z/"
        try LocalEngine(directory: path, log: { _ in }).commit(("a", "1"))
        #expect(try LocalEngine(directory: path, log: { _ in }).entries() == ["a": "1"])
        var status = stat()
        #expect(stat(directory.root + "/x/y", &status) == 0 && status.st_mode & 0o777 == 0o700)
    }

    @Test func namesTheProcessThatHoldsTheLock() throws {
        let engine = try directory.open(lockWaitMilliseconds: 30)
        try engine.commit(("a", "1"))
        let lock = open(directory.path + "/lock", O_RDONLY)
        defer { close(lock) }
        try #require(flock(lock, LOCK_EX) == 0)
        let busy = StoreError.busy("the directory \(directory.path) is in use by process \(getpid())")
        #expect(storeError { _ = try directory.open(lockWaitMilliseconds: 30) } == busy)
        #expect(storeError { try engine.commit(("b", "1")) } == busy)
        // Entries that are known to be the latest can still be read.
        #expect(try engine.entries() == ["a": "1"])
        flock(lock, LOCK_UN)
        try engine.commit(("b", "1"))
        #expect(try engine.entries() == ["a": "1", "b": "1"])
    }

    @Test(arguments: [true, false])
    func refusesWritesWhenItsLockFileIsRemovedOrReplaced(isReplaced: Bool) throws {
        let engine = try directory.open()
        try directory.remove("lock")
        if isReplaced { try directory.write([], to: "lock") }
        #expect(
            storeError { try engine.commit(("a", "1")) }
                == .damaged(file: "lock", offset: 0, reason: "removed or replaced while it was in use")
        )
        #expect(try directory.open().entries().isEmpty)
    }

    /// Other processes that cannot create the store remove the lock's file, one after the other.
    @Test(arguments: [20, Int.max])
    func opensALockFileAgainUntilItsWaitIsOver(removals: Int) throws {
        let calls = ChangedCalls()
        var removed = 0
        calls.onLock = { [directory] descriptor, operation in
            if removed < removals, operation & LOCK_EX != 0, unlink(directory.path + "/lock") == 0 { removed += 1 }
            return RealCalls.shared.lock(descriptor, operation)
        }
        guard removals < .max else {
            let busy = StoreError.lockRemoved(in: directory.path)
            return #expect(storeError { _ = try directory.open(calls: calls, lockWaitMilliseconds: 30) } == busy)
        }
        try directory.open(calls: calls).commit(("a", "1"))
        #expect(try directory.open().entries() == ["a": "1"])
        #expect(removed == removals)
    }

    @Test func refusesAFileInPlaceOfTheDirectory() throws {
        try Data().write(to: URL(fileURLWithPath: directory.path))
        #expect(
            storeError { _ = try directory.open() }
                == .systemCall(name: "open \(directory.path)", .notDirectory, outcomeUnknown: false)
        )
    }

    // MARK: A crash in the first use

    /// The stage of the first use at which the process crashed, which determines the files that are left.
    enum Stage: CaseIterable {
        case directory, lock, emptyJournal, halfAHeader, nulHeader, wholeHeader
        case emptyManifest, halfAManifest, manifestNotRenamed
    }

    @Test(arguments: Stage.allCases)
    func opensAsEmptyAfterACrashInTheFirstUse(stage: Stage) throws {
        do { try directory.open().close() }
        let (journal, manifest) = (try directory.bytes(), try directory.bytes(of: "manifest.json"))
        try directory.remove("manifest.json")
        switch stage {
        case .directory:
            try directory.remove("journal-1.jsonl")
            try directory.remove("lock")
        case .lock: try directory.remove("journal-1.jsonl")
        case .emptyJournal: try directory.write([])
        case .halfAHeader: try directory.write(journal[..<40])
        case .nulHeader: try directory.write(journal.map { _ in 0 })
        case .wholeHeader: break
        case .emptyManifest: try directory.write([], to: "manifest.json.tmp")
        case .halfAManifest: try directory.write(manifest[..<20], to: "manifest.json.tmp")
        case .manifestNotRenamed: try directory.write(manifest, to: "manifest.json.tmp")
        }
        let engine = try directory.open()
        #expect(try engine.entries().isEmpty)
        try engine.commit(("a", "1"))
        engine.close()
        #expect(try directory.open().entries() == ["a": "1"])
        #expect(try directory.names() == ["journal-1.jsonl", "manifest.json"])
    }

    @Test func removesAnOrphanedManifest() throws {
        try directory.open().commit(("a", "1"))
        try directory.write([1, 2, 3], to: "manifest.json.tmp")
        #expect(try directory.open().entries() == ["a": "1"])
        #expect(try directory.names() == ["journal-1.jsonl", "manifest.json"])
    }

    // MARK: Lost or replaced files

    @Test(arguments: ["journal-1.jsonl", "journal-2.jsonl", "base-1.jsonl"])
    func refusesToStartEmptyWithoutTheManifest(name: String) throws {
        try directory.open().commit(("a", "1"))
        let journal = try directory.bytes()
        try directory.remove("manifest.json")
        try directory.remove("journal-1.jsonl")
        try directory.write(journal, to: name)
        let before = try directory.contents()
        #expect(
            storeError { _ = try directory.open() }
                == .damaged(file: "manifest.json", offset: 0, reason: "missing, though there is \(name)")
        )
        #expect(try directory.contents() == before)
    }

    @Test func refusesWithoutTheJournal() throws {
        try directory.open().close()
        try directory.remove("journal-1.jsonl")
        #expect(
            storeError { _ = try directory.open() }
                == .damaged(file: "journal-1.jsonl", offset: 0, reason: "missing, though manifest.json names it")
        )
    }

    @Test func refusesTheJournalOfAnotherStore() throws {
        let other = try TemporaryDirectory()
        try other.open().commit(("a", "1"))
        try directory.open().commit(("a", "2"))
        try directory.write(try other.bytes())
        #expect(
            storeError { _ = try directory.open() }
                == .damaged(
                    file: "journal-1.jsonl",
                    offset: 0,
                    reason: "the header has another store or epoch than manifest.json"
                )
        )
    }

    @Test func refusesTheJournalOfAnotherEpoch() throws {
        try directory.open().commit(("a", "1"))
        let store = try Manifest(parsing: try directory.bytes(of: "manifest.json")).store
        let later = Manifest(store: store, epoch: 2, segments: [], journalBytesSafe: 0)
        try directory.write(later.bytes, to: "manifest.json")
        try directory.write(try directory.bytes(), to: "journal-2.jsonl")
        let error = storeError { _ = try directory.open() }
        #expect(error?.reason == "the header has another store or epoch than manifest.json")
    }

    @Test func refusesANewerFormatWithoutChangingIt() throws {
        try directory.open().commit(("a", "1"))
        let manifest = try directory.text(of: "manifest.json")
        let newer = manifest.replacing(#""format":1,"#, with: #""format":3,"is":"new","#)
        try directory.write(newer.utf8, to: "manifest.json")
        try directory.write([1], to: "manifest.json.tmp")
        let before = try directory.contents()
        #expect(storeError { _ = try directory.open() } == .newerFormat(3))
        #expect(try directory.contents() == before)
    }

    /// A damaged digit once stopped `postern salvage`, which refuses a newer format.
    @Test(arguments: [2, 9, 31])
    func doesNotTakeADamagedDigitForANewerFormat(format: Int) throws {
        try directory.open().commit(("a", "1"))
        let manifest = try directory.text(of: "manifest.json")
        try directory.write(manifest.replacing(#""format":1"#, with: "\"format\":\(format)").utf8, to: "manifest.json")
        let isDamaged = if case .damaged = storeError({ _ = try directory.open() }) { true } else { false }
        #expect(isDamaged)
    }

    @Test func refusesAManifestWithAnyByteChanged() throws {
        try directory.open().commit(("a", "1"))
        let manifest = try directory.bytes(of: "manifest.json")
        for index in manifest.indices {
            var changed = manifest
            changed[index] ^= 1
            try directory.write(changed, to: "manifest.json")
            #expect(storeError { _ = try directory.open() } != nil, "byte \(index)")
            try directory.write(manifest[..<index], to: "manifest.json")
            #expect(storeError { _ = try directory.open() } != nil, "cut at \(index)")
        }
    }
}
