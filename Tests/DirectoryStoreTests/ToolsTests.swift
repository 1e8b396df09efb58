import Foundation
import JSON
import Platform
import Testing
import PosternTesting

@testable import DirectoryStore
@testable import Store

/// The commands that check, copy and repair a whole store.
struct ToolsTests {
    private static let types = [RecordType(Person.self), RecordType(Note.self), RecordType(Visit.self)]
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Makes a store with records of every kind, in its base and in its journal, and closes it.
    private func makeStore() throws {
        let engine = try directory.open()
        let store = Store(engine: engine)
        for id in 1...5 {
            try store.transact { tx in
                let number = try tx.nextNumber(of: Person.self)
                try tx.insert(Person(id: number, name: "foo\(id)", city: id % 2 == 0 ? "Bonn" : nil))
                try tx.insert(Note(id: id, text: "note \(id)"))
            }
            try store.makeDurable()
            if id == 3 { #expect(try engine.compact()) }
        }
        try store.transact { tx in
            try tx.delete(Note.self, Key(2))
            try tx.update(Person(id: 2, name: "Bob \"\\\u{2028}/%", city: "Ulm"))
        }
        try store.makeDurable()
        store.close()
    }

    private func check(_ path: String? = nil) throws -> StoreCheck.Report {
        try StoreCheck.run(path ?? directory.path, types: Self.types, progress: { _ in })
    }

    private func salvage() throws -> (StoreSalvage.Report, [String: String]) {
        let destination = directory.root + "/saved"
        _ = try? FileManager.default.removeItem(atPath: destination)
        let report = try StoreSalvage.run(directory.path, to: destination, types: Self.types, progress: { _ in })
        #expect(try check(destination).faults.isEmpty)
        return (report, try LocalEngine(directory: destination, log: { _ in }).entries())
    }

    private func entries() throws -> [String: String] { try directory.open().entries() }

    // MARK: Check

    @Test func findsNothingWrongWithASoundStore() throws {
        try makeStore()
        let before = try directory.contents()
        let report = try check()
        #expect(report.faults.isEmpty && report.notes.isEmpty)
        #expect(report.transactions == 6)
        #expect(try report.entries == entries().count)
        #expect(try directory.contents() == before)
    }

    @Test func findsAnyByteChangedInAnyFile() throws {
        try makeStore()
        for name in ["manifest.json", "base-2.jsonl", "journal-2.jsonl"] {
            let bytes = try directory.bytes(of: name)
            // A change in the blanks of an erased value loses nothing.
            let erased = bytes.indices.filter { bytes[$0...].starts(with: [0x20, 0x20]) }.flatMap { [$0, $0 + 1] }
            for index in bytes.indices where !erased.contains(index) {
                var changed = bytes
                changed[index] ^= 1
                try directory.write(changed, to: name)
                #expect(try !check().faults.isEmpty, "byte \(index) of \(name)")
            }
            try directory.write(bytes, to: name)
        }
        #expect(try check().faults.isEmpty)
    }

    @Test func reportsEachDamagedLineOfABase() throws {
        try makeStore()
        var bytes = try directory.bytes(of: "base-2.jsonl")
        let lines = bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
        for line in [1, 3] { bytes[lines[line] + 4] ^= 1 }
        try directory.write(bytes, to: "base-2.jsonl")
        #expect(
            try check().faults
                == [1, 3].map {
                    "base-2.jsonl is damaged at byte \(lines[$0]): line \($0 + 2) does not match its checksum"
                }
        )
    }

    @Test func reportsATornEndWithoutChangingIt() throws {
        try makeStore()
        let torn = try directory.bytes(of: "journal-2.jsonl") + Array(#"{"n":9,"#.utf8)
        try directory.write(torn, to: "journal-2.jsonl")
        let report = try check()
        #expect(report.faults.isEmpty)
        #expect(report.notes == ["journal-2.jsonl ends with an incomplete write, at byte \(torn.count - 7)"])
        #expect(try directory.bytes(of: "journal-2.jsonl") == torn)
    }

    /// Entries that are intact but contradict one another.
    @Test(arguments: [
        ("people/id/0000000009", #"{"id":9,"name":"x","city":null}"#, "the index entry people/name/x is missing"),
        ("people/id/0000000009", #"{"id":8,"name":"x","city":null}"#, "should be people/id/0000000008"),
        ("people/id/0000000009", "[]", "cannot be read"),
        ("people/name/x", #""0000000009""#, "the record of the index entry is missing"),
        ("people/name/x", #""0000000001""#, "the index entry does not match its record"),
        ("people/name/x", "7", "the index entry does not name a record"),
        ("planets/id/0000000001", "{}", "there is no such collection"),
        ("counters/id/people", #""5""#, "the counter is not a whole number"),
        ("counters/id/people", "4", "must be at least 5"),
        ("x", "1", "this is not a valid key"),
        ("counters/id/people", "9999999999", "9999999999 is not a valid value of a counter"),
        ("visits/id/0000000001", #"{"id":1,"person":9}"#, "person: there is no record people/id/0000000009"),
        ("visits/id/0000000001", #"{"id":-1,"person":1}"#, "id: -1 is not between 1 and 9999999999"),
    ])
    func findsEntriesThatDoNotFit(key: String, value: String, fault: String) throws {
        try makeStore()
        let engine = try directory.open()
        try engine.commit((key, value))
        engine.close()
        let faults = try check().faults
        let isReported = faults.contains {
            ($0.hasPrefix("\(key): ") || $0.hasPrefix("the counter ")) && $0.contains(fault)
        }
        #expect(isReported, "\(faults)")
    }

    @Test func worksBesideAServer() throws {
        try makeStore()
        let engine = try directory.open()
        try engine.write([("people/x/y", "1")])
        let lock = StoreSettings.waiting(milliseconds: 20)
        #expect(
            storeError {
                _ = try StoreCheck.run(directory.path, types: Self.types, settings: lock, progress: { _ in })
            } == .busy("the directory \(directory.path) is in use by process \(getpid())")
        )
        engine.discardStaged()
        #expect(try check().faults.isEmpty)
    }

    @Test func doesNotCreateAMissingStore() throws {
        #expect(storeError { _ = try check() } == .noStore(directory.path))
        try FileManager.default.createDirectory(atPath: directory.path, withIntermediateDirectories: false)
        #expect(storeError { _ = try check() } == .noStore(directory.path))
        #expect(try directory.names().isEmpty)
    }

    // MARK: Back up

    @Test func backsUpTheCurrentEntriesWhileOthersWrite() throws {
        try makeStore()
        let (engine, other) = (try directory.open(), try directory.open())
        let expected = try engine.entries()
        try engine.makeDurable()
        var isFirst = true
        try engine.backUp(to: directory.root + "/copy") { _ in
            guard isFirst else { return }
            isFirst = false
            try? other.commit(("people/x/y", "1"))
        }
        try other.commit(("people/x/z", "1"))
        let copy = try LocalEngine(directory: directory.root + "/copy", log: { _ in })
        #expect(try copy.entries() == expected)
        #expect(try copy.statistics().transactions == 6)
        #expect(try copy.statistics().store != engine.statistics().store)
        #expect(try check(directory.root + "/copy").faults.isEmpty)
        // Erasable values can be erased in the copy too.
        try copy.commit(("notes/id/0000000001", nil))
        copy.close()
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.root + "/copy")
        for name in names {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: directory.root + "/copy/" + name))
            #expect(bytes.range(of: Data("note 1".utf8)) == nil)
        }
    }

    @Test func doesNotWriteIntoADirectoryWithFiles() throws {
        try makeStore()
        let engine = try directory.open()
        let place = directory.root + "/place"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        try Data([1]).write(to: URL(fileURLWithPath: place + "/mine"))
        #expect(storeError { try engine.backUp(to: place, progress: { _ in }) } == .exists(place))
        try FileManager.default.removeItem(atPath: place + "/mine")
        try engine.backUp(to: place, progress: { _ in })
        #expect(try LocalEngine(directory: place, log: { _ in }).entries() == engine.entries())
    }

    @Test(arguments: Array(0..<9))
    func removesABackupThatFailed(call: Int) throws {
        try makeStore()
        var settings = StoreSettings()
        let calls = ChangedCalls()
        settings.calls = calls
        var countdown = Int.max
        calls.onWrite = { descriptor, bytes, offset in
            countdown -= 1
            errno = ENOSPC
            return countdown == -1 ? -1 : RealCalls.shared.write(descriptor, bytes, offset)
        }
        calls.onSync = { descriptor in
            countdown -= 1
            errno = EIO
            return countdown == -1 ? -1 : RealCalls.shared.sync(descriptor)
        }
        let engine = try LocalEngine(directory: directory.path, settings: settings, log: { _ in })
        countdown = call
        let error = storeError { try engine.backUp(to: directory.root + "/copy", progress: { _ in }) }
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.root).sorted()
        #expect(names == (error == nil ? ["copy", "data"] : ["data"]))
        #expect(error != nil || call >= 6)
    }

    /// The message "Nothing is there then" was wrong when the sync of the parent directory failed after the rename.
    @Test func saysThatABackupIsCompleteWhenOnlyItsDirectorySyncFails() throws {
        try makeStore()
        var settings = StoreSettings()
        let calls = ChangedCalls()
        settings.calls = calls
        var fails = false
        let root = directory.root
        calls.onSyncDirectory = { descriptor in
            errno = EIO
            return fails && FileManager.default.fileExists(atPath: root + "/copy") ? -1 : 0
        }
        let engine = try LocalEngine(directory: directory.path, settings: settings, log: { _ in })
        fails = true
        let error = storeError { try engine.backUp(to: root + "/copy", progress: { _ in }) }
        engine.close()
        let text = error.map { "\($0)" } ?? ""
        #expect(
            text.hasPrefix("the store at \(root)/copy is complete, but a power failure may lose it: sync of "),
            "\(text)"
        )
        #expect(try check(root + "/copy").faults.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: root).sorted() == ["copy", "data"])
    }

    // MARK: Export and import

    private func export() throws -> String {
        let engine = try directory.open()
        var bytes: [UInt8] = []
        try StoreExport.write(engine) { bytes += $0 }
        engine.close()
        return String(decoding: bytes, as: UTF8.self)
    }

    private var place: String { directory.root + "/imported" }

    private func importing(_ text: some Sequence<UInt8>) throws -> StoreImport {
        let incoming = try StoreImport(Self.types, to: place)
        for line in Array(text).split(separator: 0x0A, omittingEmptySubsequences: false) { try incoming.take(line) }
        let isWritten = try incoming.finish(progress: { _ in })
        #expect(isWritten == incoming.faults.isEmpty)
        #expect(FileManager.default.fileExists(atPath: place) == isWritten)
        return incoming
    }

    @Test func importsWhatItExported() throws {
        try makeStore()
        let text = try export()
        #expect(text.contains(#"{"counter":"people","value":5}"#))
        #expect(text.contains(#"{"collection":"people","record":{"id":1,"name":"foo1","city":null}}"#))
        // The same export in another order, with empty lines and CR LF, as an editor on another system may save it.
        let lines = text.split(separator: "\n").map(String.init)
        let edited =
            "\u{FEFF}"
            + ([lines[0]] + lines[1...].dropLast().reversed() + [lines[lines.count - 1]]).joined(separator: "\r\n\r\n")
            + "\r\n"
        for text in [text, edited] {
            let incoming = try importing(text.utf8)
            #expect(incoming.faults.isEmpty)
            #expect(incoming.records == 9)
            #expect(try LocalEngine(directory: place, log: { _ in }).entries() == entries())
            #expect(try check(place).faults.isEmpty)
            try FileManager.default.removeItem(atPath: place)
        }
    }

    @Test(arguments: [
        (#"{"collection":"people","record":{"id":1,"#, "not JSON: the text ends"),
        ("PK", "not JSON: expected a JSON value at byte 0"),
        (#"{"collection":"planets","record":{}}"#, "there is no collection planets"),
        (
            #"{"collection":"people","record":{"id":1,"name":"b","city":null}}"#,
            "people/id/0000000001 already belongs to the record of line 2"
        ),
        (
            #"{"collection":"people","record":{"id":2,"name":"a","city":null}}"#,
            "people/name/a already belongs to the record of line 2"
        ),
        (#"{"collection":"people","record":{"id":2,"name":"b","citty":"x"}}"#, "the property citty is unknown"),
        (
            #"{"collection":"people","record":{"id":2,"name":"b","name":"c"}}"#,
            "the property name is unknown or occurs twice"
        ),
        (#"{"collection":"people","record":[]}"#, "this is not a record of people"),
        (#"{"collection":"people","record":{},"record":{}}"#, "the property record occurs twice"),
        (#"{"counter":"people","value":"7"}"#, "a counter has a whole number"),
        // The import accepted it, and each export then wrote it under another name.
        (#"{"counter":"a/b","value":1}"#, "there is no counter a/b"),
        (#"{"counter":"visits","value":-1}"#, "a counter has a whole number"),
        (#"{"counter":"visits","value":9999999999}"#, "a counter has a whole number"),
        (#"{"counter":"people","value":3}"#, "the counter people is set twice"),
        (#"{"export":2}"#, "newer version"),
        (#"{"records":[]}"#, "neither a counter"),
        ("[]", "neither a counter"),
        // Numbers that no key has, and a reference to a missing record.
        (#"{"collection":"visits","record":{"id":-1,"person":1}}"#, "visits: id: -1 is not between"),
        (#"{"collection":"visits","record":{"id":10000000000,"person":1}}"#, "visits: id: 10000000000 is not between"),
        (#"{"collection":"visits","record":{"id":1,"person":9}}"#, "person: there is no record people/id/0000000009"),
        (
            #"{"collection":"visits","record":{"id":7,"person":1}}"#,
            "person: id of people/id/0000000001 must be at least 7"
        ),
    ])
    func refusesAnInvalidLine(line: String, reason: String) throws {
        let incoming = try importing(
            #"""
            {"counter":"people","value":2}
            {"collection":"people","record":{"id":1,"name":"a","city":"x"}}

            \#(line)
            {"end":true}
            """#.utf8
        )
        #expect(incoming.faults.map(\.line) == [4])
        #expect(incoming.faults.first?.reason.contains(reason) == true, "\(incoming.faults)")
    }

    @Test func refusesInvalidTextAndCountersThatAreBehind() throws {
        let text =
            Array(#"{"collection":"people","record":{"id":3,"name":"a"#.utf8) + [0xFF] + Array(#""}}"#.utf8) + [0x0A]
            + Array(#"{"collection":"people","record":{"id":7,"name":"b","city":null}}"#.utf8)
        let incoming = try importing(text)
        #expect(incoming.faultCount == 3)
        #expect(incoming.faults[1].line == nil && incoming.faults[1].reason.contains("the export is incomplete"))
        #expect(incoming.faults[0].line == 1)
        #expect(
            incoming.faults[2]
                == .init(
                    line: nil,
                    reason: "the counter people must be at least 7, the greatest number among its records"
                )
        )
    }

    @Test func keepsOnlyTheFaultsThatAreShown() throws {
        let incoming = try importing(String(repeating: "x\n", count: 1_000).utf8)
        #expect(incoming.faults.count == Limits.faultsReportedMax && incoming.faultCount == 1_001)
    }

    // MARK: Symbolic links planted by an attacker

    /// The temporary name of a copy must not be predictable, and a link under that name must not be removed.
    @Test func followsNoSymbolicLinkWhenItWritesACopy() throws {
        try makeStore()
        let before = try directory.contents()
        let engine = try directory.open()
        let planted = directory.root + "/copy"
        for name in ["copy.unfinished-\(getpid())", "copy"] {
            try FileManager.default.createSymbolicLink(
                atPath: directory.root + "/" + name,
                withDestinationPath: directory.path
            )
        }
        #expect(storeError { try engine.backUp(to: planted, progress: { _ in }) } == .exists(planted))
        #expect(storeError { _ = try StoreImport(Self.types, to: planted) } == .exists(planted))
        engine.close()
        #expect(
            storeError {
                _ = try StoreSalvage.run(directory.path, to: planted, types: Self.types, progress: { _ in })
            } == .exists(planted)
        )
        try FileManager.default.removeItem(atPath: planted)
        let other = try directory.open()
        try other.backUp(to: planted, progress: { _ in })
        other.close()
        #expect(try directory.contents() == before)
        #expect(try check(planted).faults.isEmpty)
    }

    @Test func removesOnlyItsOwnFiles() throws {
        try makeStore()
        var settings = StoreSettings()
        let calls = ChangedCalls()
        settings.calls = calls
        let root = directory.root
        var isFirst = true
        // Another process creates the destination while the copy is written.
        calls.onSync = { descriptor in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
            if isFirst, names.contains(where: { $0.hasPrefix("copy.unfinished-") }) {
                isFirst = false
                try? FileManager.default.createDirectory(atPath: root + "/copy", withIntermediateDirectories: false)
                _ = FileManager.default.createFile(atPath: root + "/copy/mine", contents: nil)
            }
            return RealCalls.shared.sync(descriptor)
        }
        let engine = try LocalEngine(directory: directory.path, settings: settings, log: { _ in })
        #expect(storeError { try engine.backUp(to: root + "/copy", progress: { _ in }) } == .exists(root + "/copy"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: root).sorted() == ["copy", "data"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/copy") == ["mine"])
        #expect(!isFirst, "the destination was not created")
    }

    /// A foreign file in the directory under construction stays,
    /// and so does a directory that replaced it under its name.
    @Test(arguments: [false, true])
    func leavesForeignFilesInPlace(isMoved: Bool) throws {
        try makeStore()
        let root = directory.root
        var draft = ""
        var settings = StoreSettings()
        let calls = ChangedCalls()
        settings.calls = calls
        calls.onSync = { descriptor in
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
            guard draft.isEmpty, let name = names.first(where: { $0.hasPrefix("copy.unfinished-") }) else {
                return RealCalls.shared.sync(descriptor)
            }
            draft = "\(root)/\(name)"
            if isMoved {
                rename(draft, root + "/moved")
                mkdir(draft, 0o700)
            } else {
                _ = FileManager.default.createFile(atPath: draft + "/mine", contents: nil)
            }
            errno = EIO
            return -1
        }
        let engine = try LocalEngine(directory: directory.path, settings: settings, log: { _ in })
        #expect(storeError { try engine.backUp(to: root + "/copy", progress: { _ in }) } != nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: draft) == (isMoved ? [] : ["mine"]))
    }

    // MARK: Salvage

    @Test func savesAllRecordsOfAnUndamagedStore() throws {
        try makeStore()
        let (report, saved) = try salvage()
        #expect(report.losses.isEmpty && report.records == 9)
        #expect(try saved == entries())
    }

    /// One changed byte costs at most the line that it is in.
    @Test(arguments: ["base-2.jsonl", "journal-2.jsonl", "manifest.json"])
    func losesAtMostOneLineToAChangedByteAndReportsIt(name: String) throws {
        try makeStore()
        let all = try entries()
        let bytes = try directory.bytes(of: name)
        for index in stride(from: 0, to: bytes.count, by: 3) {
            var changed = bytes
            changed[index] ^= 0x11
            try directory.write(changed, to: name)
            let (report, saved) = try salvage()
            // A damaged header costs no entry, nor does a damaged check if the next line confirms the line.
            #expect(saved == all || !report.losses.isEmpty, "byte \(index)")
            let records = saved.filter { $0.key.contains("/id/") }
            // Each saved record is as it was written, though perhaps by an earlier transaction.
            for (key, value) in records where key.hasPrefix("people/id/") && key != "people/id/0000000002" {
                #expect(value == all[key], "byte \(index): \(key)")
            }
            let lost = all.keys.filter { $0.contains("/id/") && saved[$0] == nil }
            // The first line has three notes, which the compaction carried over.
            #expect(lost.count <= 4, "byte \(index): \(lost)")
        }
    }

    /// Inserted or removed bytes cost the lines that they are in, and no line after them.
    @Test(arguments: ["base-2.jsonl", "journal-2.jsonl"])
    func keepsEveryIntactLineAfterInsertedOrRemovedBytes(name: String) throws {
        try makeStore()
        let all = try entries()
        let bytes = try directory.bytes(of: name)
        let inserted = [Array("0123456789".utf8), Array("01234\n6789".utf8), [0, 0, 0]]
        for index in stride(from: 0, to: bytes.count, by: 7) {
            var variants = inserted.map { bytes[..<index] + $0 + bytes[index...] }
            variants.append(bytes[..<index] + bytes[min(index + 10, bytes.count)...])
            for changed in variants {
                try directory.write(changed, to: name)
                let (report, saved) = try salvage()
                #expect(!report.losses.isEmpty, "byte \(index)")
                let records = all.keys.filter { $0.contains("/id/") }
                let lost = records.filter { saved[$0] != all[$0] }
                // Ten bytes are in at most two lines. One journal line has three notes, and later lines change
                // records of earlier lines.
                #expect(lost.count <= (name == "base-2.jsonl" ? 2 : 5), "byte \(index): \(lost)")
            }
        }
    }

    /// Salvage lost the whole base after the place of the change.
    @Test(arguments: [-10, 10])
    func keepsALongBaseAfterInsertedOrRemovedBytes(change: Int) throws {
        let engine = try directory.open()
        let store = Store(engine: engine)
        try store.transact { tx in
            for _ in 1...100 {
                let id = try tx.nextNumber(of: Person.self)
                try tx.insert(Person(id: id, name: "foo\(id)", city: "Bonn"))
            }
        }
        try store.makeDurable()
        #expect(try engine.compact())
        store.close()
        let all = try entries()
        let bytes = try directory.bytes(of: "base-2.jsonl")
        for index in [bytes.count / 10, bytes.count / 2, bytes.count - 200] {
            let behind = bytes[(change < 0 ? index - change : index)...]
            let inserted = [UInt8](repeating: UInt8(ascii: "x"), count: max(0, change))
            try directory.write(bytes[..<index] + inserted + behind, to: "base-2.jsonl")
            let (report, saved) = try salvage()
            #expect(report.losses.contains { $0.contains("10 bytes were") })
            let lost = all.keys.filter { $0.contains("/id/") && saved[$0] != all[$0] }
            // The bytes are in at most two lines.
            #expect(lost.count <= 2, "byte \(index): \(lost)")
        }
    }

    /// The next line proves that a line is intact if only the line's own check is damaged.
    @Test func savesALineWhenOnlyItsCheckIsDamaged() throws {
        try makeStore()
        let all = try entries()
        var bytes = try directory.bytes(of: "journal-2.jsonl")
        let mark = Array(#","c":""#.utf8)
        let checks = bytes.indices.filter { bytes[$0...].starts(with: mark) }
        bytes[checks[2] + mark.count] ^= 1
        try directory.write(bytes, to: "journal-2.jsonl")
        let (report, saved) = try salvage()
        #expect(report.losses.isEmpty)
        #expect(saved == all)
    }

    /// The program ended with a fault at such a line.
    @Test func savesALineThatLacksItsCheck() throws {
        try makeStore()
        let all = try entries()
        var bytes = try directory.bytes(of: "journal-2.jsonl")
        let mark = Array(#","c":""#.utf8)
        let checks = bytes.indices.filter { bytes[$0...].starts(with: mark) }
        bytes.removeSubrange(checks[2]..<(bytes[checks[2]...].firstIndex(of: 0x0A) ?? bytes.count))
        try directory.write(bytes, to: "journal-2.jsonl")
        let (_, saved) = try salvage()
        // The value in its slot was behind the check.
        #expect(all.keys.filter { $0.contains("/id/") && saved[$0] != all[$0] } == ["notes/id/0000000004"])
    }

    /// Salvage lost all erasable values after the place of the change.
    @Test func savesTheOtherErasableValuesOfALineWithInsertedBytes() throws {
        try makeStore()
        let all = try entries()
        let bytes = try directory.bytes(of: "journal-2.jsonl")
        let text = Array(#""note 1""#.utf8)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: text) }) + 3
        try directory.write(bytes[..<place] + Array("xyz".utf8) + bytes[place...], to: "journal-2.jsonl")
        let (report, saved) = try salvage()
        #expect(!report.losses.isEmpty)
        #expect(all.keys.filter { $0.contains("/id/") && saved[$0] != all[$0] } == ["notes/id/0000000001"])
    }

    /// Without the header no line of the journal was saved.
    @Test func savesTheJournalWithoutAManifestAndAHeader() throws {
        try makeStore()
        let all = try entries()
        var bytes = try directory.bytes(of: "journal-2.jsonl")
        let end = try #require(bytes.firstIndex(of: 0x0A))
        for index in 0..<end { bytes[index] = UInt8(ascii: "x") }
        try directory.write(bytes, to: "journal-2.jsonl")
        try directory.remove("manifest.json")
        let (report, saved) = try salvage()
        #expect(report.losses.contains("journal-2.jsonl: the header is lost"))
        #expect(report.losses.contains { $0.contains("cannot be verified") })
        #expect(all.keys.filter { $0.contains("/id/") && saved[$0] != all[$0] }.isEmpty)
    }

    @Test func savesTheJournalWithoutAManifestOrABase() throws {
        try makeStore()
        try directory.remove("manifest.json")
        #expect(
            try salvage().1
                == {
                    try directory.write([], to: "manifest.json")
                    return try salvage().1
                }()
        )
        try directory.remove("base-2.jsonl")
        let (report, rest) = try salvage()
        #expect(rest.keys.contains("people/id/0000000005") && rest["counters/id/people"] == "5")
        #expect(!report.losses.isEmpty)
    }
}

/// A record with rules: it needs another record whose number is at least its own.
private struct Visit: Record {
    static let collection = Collection<Visit>("visits")

    let id: Int
    let person: Int

    var key: Key { Key(id) }

    init(reading reader: inout JSONReader) throws(JSONError) {
        let value = try JSONValue(reading: &reader)
        (id, person) = (value["id"]?.int ?? 0, value["person"]?.int ?? 0)
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.property("id")
        writer.int(id)
        writer.property("person")
        writer.int(person)
        writer.endObject()
    }

    func validate(into findings: inout RecordFindings) {
        findings.check("id", id)
        findings.require("person", Person.self, person, least: ("id", id))
    }
}

extension StoreSettings {
    static func waiting(milliseconds: Int) -> StoreSettings {
        var settings = StoreSettings()
        settings.lockWaitMilliseconds = milliseconds
        return settings
    }
}
