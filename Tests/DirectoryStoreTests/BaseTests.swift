import PosternTesting
import Platform
import Testing

@testable import DirectoryStore
@testable import Store

/// The sorted base file.
struct BaseTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Makes a base of entries by a compaction, and closes the engine.
    private func makeBase(_ entries: [String: String]) throws {
        let engine = try directory.open()
        try engine.write(entries.map { ($0, $1) })
        try engine.makeDurable()
        #expect(try engine.compact())
        engine.close()
    }

    private func base() throws -> Bases {
        let files = StoreFiles(directory: try Directory(directory.path), calls: .real)
        let (manifest, _) = try #require(try files.manifest())
        return try Bases(files: try files.bases(of: manifest))
    }

    private func key(_ text: String) -> StoreKey { StoreKey(bytes: Array(text.utf8)) }

    @Test func writesLinesThatPeopleCanRead() throws {
        try makeBase(["b/id/1": #"{"x":1}"#, "a/id/1": #"{"y":"\"],"}"#])
        let lines = try directory.text(of: "base-2.jsonl").split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix(#"{"format":1,"store":""#))
        #expect(lines[1].hasPrefix(#"["a/id/1",{"y":"\"],"},""#) && lines[1].hasSuffix(#""]"#))
        #expect(lines[2].hasPrefix(#"["b/id/1",{"x":1},""#))
        #expect(try directory.names() == ["base-2.jsonl", "journal-2.jsonl", "manifest.json"])
        for name in try directory.names() { #expect(try directory.mode(of: name) == 0o600) }
    }

    @Test func writesOnlyAHeaderForAnEmptyStore() throws {
        try makeBase([:])
        #expect(try directory.open().entries().isEmpty)
        #expect(try base().value(of: key("a")) == nil)
    }

    /// Finds every key and no other, whatever the number of entries and the length of their lines.
    @Test(arguments: [1, 2, 3, 7, 500, 3000])
    func findsEachKeyAndNoOther(count: Int) throws {
        var entries: [String: String] = [:]
        for number in 0..<count {
            let length = number % 97 == 5 ? 6000 : number * 7 % 60
            entries["k/\(number * 2)"] = "\"\(String(repeating: "x", count: length))\""
        }
        try makeBase(entries)
        let base = try base()
        // Three times: the second lookup starts where the search before it ended, and the third uses the kept places.
        for _ in 0..<3 {
            for number in 0..<count {
                let found = try base.value(of: key("k/\(number * 2)"))
                #expect(found.map { String(decoding: $0.bytes, as: UTF8.self) } == entries["k/\(number * 2)"])
                #expect(try base.value(of: key("k/\(number * 2 + 1)")) == nil)
            }
        }
        for missing in ["", "a", "k", "k/", "k/00", "z", "k/9999999"] {
            #expect(try base.value(of: key(missing)) == nil)
        }
    }

    /// Keys that contain the bytes that end a key in a line, and those that follow it.
    @Test func findsKeysWithQuotesAndBackslashes() throws {
        let keys = ["c", "c\"", "c\"x", "c\\", "c\\\"", "c\",\"0017", "c!", "c#"]
        try makeBase(Dictionary(uniqueKeysWithValues: keys.map { ($0, #""0017""#) }))
        let base = try base()
        for name in keys { #expect(try base.value(of: key(name)) != nil, "\(name)") }
        for absent in ["c\",\"0017\",", "c!\",\"0017", "c\",\"001", "c\\\\", "c\"\"", "c\\\",", "c\",", "c\"!"] {
            #expect(try base.value(of: key(absent)) == nil, "\(absent)")
        }
    }

    /// Random transactions, some compacted into a base at once, compared with a dictionary.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func agreesWithADictionary(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var engine = try directory.open()
        var model: [String: String] = [:]
        for step in 0..<150 {
            var writes: [(String, String?)] = []
            for index in 0..<Int(random.next() % 8) {
                let text = ["\"", "\\", "\u{2028}", "é", "\u{1F600}", "", "k"][Int(random.next() % 7)]
                let value = random.next() % 3 == 0 ? nil : #"{"v":"\#(step).\#(index)"}"#
                writes.append(("\(text)\(random.next() % 60)", value))
            }
            try engine.write(writes, isErasable: random.next() % 4 == 0)
            try engine.makeDurable()
            for (key, value) in writes { model[key] = value }
            if random.next() % 9 == 0 { #expect(try engine.compact()) }
            if random.next() % 20 == 0 {
                engine.close()
                engine = try directory.open()
            }
            #expect(try engine.entries() == model, "step \(step)")
            try compareScan(of: engine, with: model, &random)
            try engine.makeDurable()
        }
        #expect(directory.warnings.isEmpty)
    }

    private func compareScan(of engine: LocalEngine, with model: [String: String], _ random: inout SplitMix) throws {
        let bounds = [key("\(random.next() % 70)"), key("k\(random.next() % 70)")].sorted()
        let descending = random.next() % 2 == 0
        let limit = Int(random.next() % 10) + 1
        var found: [String] = []
        try engine.read { transaction in
            try transaction.scan(from: bounds[0], upTo: bounds[1], descending: descending, limit: .max) { key, value in
                found.append("\(key.text)=\(String(decoding: value.bytes, as: UTF8.self))")
                return found.count < limit
            }
        }
        let inside = model.filter { key($0.key) >= bounds[0] && key($0.key) < bounds[1] }
            .sorted { key($0.key) < key($1.key) }
        let ordered = descending ? inside.reversed() : inside
        #expect(found == ordered.prefix(limit).map { "\($0.key)=\($0.value)" })
    }

    // MARK: Damage

    private static let sample = Dictionary(
        uniqueKeysWithValues: (1...8).map { ("a/id/\($0)", #"{"name":"foo\#($0)@bar.com"}"#) }
    )

    @Test func refusesAnyByteChanged() throws {
        try makeBase(Self.sample)
        let bytes = try directory.bytes(of: "base-2.jsonl")
        for index in bytes.indices {
            for change in [1, 0x20, 0x80, bytes[index], bytes[index] ^ 0x0A] as [UInt8] where change != 0 {
                var changed = bytes
                changed[index] ^= change
                try directory.write(changed, to: "base-2.jsonl")
                guard case .damaged(let file, let offset, _) = storeError({ _ = try directory.open() }) else {
                    Issue.record("byte \(index) changed by \(change) went unnoticed")
                    continue
                }
                #expect(file == "base-2.jsonl" && offset <= index)
            }
        }
    }

    /// Lines that opening does not read are checked when they are looked up: the answer is right, or an error.
    @Test func givesNoWrongAnswerWhicheverByteIsChanged() throws {
        try makeBase(Self.sample)
        let bytes = try directory.bytes(of: "base-2.jsonl")
        let header = try #require(bytes.firstIndex(of: 0x0A)) + 1
        let absent = ["a", "a/id/0", "a/id/4x", "a/id/9"]
        for index in header..<bytes.count {
            for change in [1, 4, 0x80, bytes[index] ^ 0x0A, bytes[index] ^ UInt8(ascii: "\\")] where change != 0 {
                var changed = bytes
                changed[index] ^= change
                try directory.write(changed, to: "base-2.jsonl")
                let base = try base()
                var errors = 0
                for (name, value) in Array(Self.sample) + Array(Self.sample) {
                    do {
                        let found = try base.value(of: key(name))
                        #expect(found.map { String(decoding: $0.bytes, as: UTF8.self) } == value, "byte \(index)")
                    } catch {
                        errors += 1
                    }
                }
                #expect(errors > 0)
                for name in absent {
                    do { #expect(try base.value(of: key(name)) == nil) } catch {}
                }
                let scanned = storeError {
                    var cursor = try base.cursor(from: key(""), upTo: .end, descending: change == 1)
                    while cursor.entry != nil { try cursor.advance() }
                }
                #expect(scanned != nil, "byte \(index)")
            }
        }
    }

    @Test func refusesAnyOtherLength() throws {
        try makeBase(Self.sample)
        let bytes = try directory.bytes(of: "base-2.jsonl")
        for length in bytes.indices {
            try directory.write(bytes[..<length], to: "base-2.jsonl")
            #expect(storeError { _ = try directory.open() }?.reason?.hasPrefix("has \(length) bytes, but") == true)
        }
        try directory.write(bytes + [0x0A], to: "base-2.jsonl")
        #expect(storeError { _ = try directory.open() } != nil)
        try directory.remove("base-2.jsonl")
        #expect(
            storeError { _ = try directory.open() }
                == .damaged(file: "base-2.jsonl", offset: 0, reason: "missing, though manifest.json names it")
        )
    }

    @Test func refusesTheBaseOfAnotherStoreOrEpoch() throws {
        try makeBase(Self.sample)
        let other = try TemporaryDirectory()
        let engine = try other.open()
        try engine.write(Self.sample.map { ($0, $1) })
        try engine.makeDurable()
        #expect(try engine.compact())
        try directory.write(try other.bytes(of: "base-2.jsonl"), to: "base-2.jsonl")
        #expect(
            storeError { _ = try directory.open() }?.reason
                == "the header has another store or epoch than manifest.json"
        )
    }

    /// Lines that match their checks, but that no compaction would write.
    @Test(arguments: [
        (["a", "b", "b"], "line 4 has the same key as the line before"), (["a", "c", "b"], "line 4 is out of order"),
    ])
    func refusesDuplicateOrUnorderedLines(keys: [String], reason: String) throws {
        try makeBase([:])
        let (manifest, _) = try #require(
            try StoreFiles(directory: try Directory(directory.path), calls: .real).manifest()
        )
        let header = FileHeader.base(0, of: manifest)
        var bytes = header.bytes
        for key in keys {
            let line = Array(#"["\#(key)",1"#.utf8)
            let seal = line.withUnsafeBytes { BaseFile.seal(of: $0, header.check, bytes.count) }
            bytes += line + seal
        }
        try directory.write(bytes, to: "base-2.jsonl")
        let segment = Manifest.Segment(epoch: 2, bytes: bytes.count, check: 0, transactions: 0)
        let later = Manifest(
            store: manifest.store,
            epoch: 2,
            segments: [segment],
            journalBytesSafe: manifest.journalBytesSafe
        )
        try directory.write(later.bytes, to: "manifest.json")
        #expect(storeError { _ = try directory.open() }?.reason == reason)
    }
}
