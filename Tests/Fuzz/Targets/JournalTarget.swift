@testable import JSON
@testable import DirectoryStore
@testable import Store
@testable import Platform

/// Reading a journal.
///
/// The first byte of an input is a mode:
///
/// - 0: an intact journal is changed (`Edits`). If it opens, its entries are those after some prefix of its
///   transactions.
/// - 1: the same, and then every line gets a correct check, so that the parser behind the checks is reached.
/// - 2: the rest of the input is the journal's lines, which get correct checks.
///
/// In all modes: reading in two steps has the same result as reading at once.
enum JournalTarget {
    private struct Outcome: Equatable {
        var length: Int
        var entries: [[UInt8]: [UInt8]]
    }

    private struct Sample: Sendable {
        let manifest: Manifest
        let bytes: [UInt8]
        /// The entries after each line, by the offset of the line's end.
        let states: [Int: [[UInt8]: [UInt8]]]
    }

    private static let sample: Sample = must { try makeSample() }

    static func run(_ input: [UInt8]) {
        guard let mode = input.first else { return }
        let header = FileHeader.journal(of: sample.manifest)
        let journal: [UInt8] =
            switch mode % 3 {
            case 0: Edits(input.dropFirst()).applied(to: sample.bytes, keepsLength: false)
            case 1: sealed(Edits(input.dropFirst()).applied(to: sample.bytes, keepsLength: false), header)
            default: sealed(header.bytes + input.dropFirst(), header)
            }
        let whole = replayed(journal, header, stop: nil)
        let stop = journal.count > header.bytes.count ? Int(input.last ?? 0) : 0
        let stepwise = replayed(journal, header, stop: stop)
        hold(whole == stepwise, "at once \(described(whole)), in two steps \(described(stepwise))")
        guard mode % 3 == 0, let whole else { return }
        guard let state = sample.states[whole.length] else { fail("opened up to byte \(whole.length), inside a line") }
        hold(whole.entries == state, "the entries are wrong at byte \(whole.length)")
    }

    private static func described(_ outcome: Outcome?) -> String {
        outcome.map { "\($0.length) bytes, \($0.entries.count) entries" } ?? "refused"
    }

    /// The entries of a journal; nil if it is refused.
    ///
    /// - Parameter stop: The line, modulo the number of lines, at which the first of two reads ends.
    private static func replayed(_ journal: [UInt8], _ header: FileHeader, stop: Int?) -> Outcome? {
        journal.withUnsafeBytes { bytes in
            do {
                try header.check(bytes, file: "journal")
                var replay = JournalReplay(behind: header, file: "journal", durable: sample.manifest.journalBytesSafe)
                var space = LayeredSpace()
                if let stop {
                    let ends = Edits.lines(of: journal).map(\.upperBound).filter { $0 > replay.length }
                    if !ends.isEmpty, journal[ends[stop % ends.count] - 1] == 0x0A {
                        let part = bytes[replay.length..<ends[stop % ends.count]]
                        try replay.read(UnsafeRawBufferPointer(rebasing: part), isAll: false, into: &space)
                    }
                }
                try replay.read(UnsafeRawBufferPointer(rebasing: bytes[replay.length...]), into: &space)
                return Outcome(length: replay.length, entries: try entries(of: space))
            } catch is StoreError {
                return nil
            } catch {
                fail("\(error)")
            }
        }
    }

    private static func entries(of space: LayeredSpace) throws -> [[UInt8]: [UInt8]] {
        var entries: [[UInt8]: [UInt8]] = [:]
        try space.scan(from: StoreKey(bytes: []), upTo: .end, descending: false) { key, value in
            entries[key.bytes] = value.bytes
            return true
        }
        return entries
    }

    /// The journal with a correct check in each line, which continues that of the line before.
    private static func sealed(_ journal: [UInt8], _ header: FileHeader) -> [UInt8] {
        var check = header.check
        var result = header.bytes
        for place in Edits.lines(of: journal).dropFirst() {
            var line = Array(journal[place])
            let mark = Array(#","c":""#.utf8)
            let start = line.indices.first { line[$0...].starts(with: mark) }
            if let start, start + mark.count + 8 <= line.count {
                check = line[..<start].withUnsafeBytes { CRC32C.value(of: $0, after: check) }
                var text: [UInt8] = []
                check.appendHex(to: &text)
                line.replaceSubrange(start + mark.count..<start + mark.count + 8, with: text)
            }
            result += line
        }
        return result
    }

    // MARK: The sample

    /// Twelve transactions in groups of one to three, with values longer than a sector,
    /// values in slots, and erased slots.
    private static func makeSample() throws -> Sample {
        let path = Scratch.path + "/journal"
        let engine = try LocalEngine(directory: path, settings: .unsynced, log: { _ in })
        var model: [[UInt8]: [UInt8]] = [:]
        var history = [model]
        func stage(_ entries: [(String, String?)], isErasable: Bool = false) throws {
            try engine.stage(entries, isErasable: isErasable)
            for (key, value) in entries { model[Array(key.utf8)] = value.map { Array($0.utf8) } }
            history.append(model)
        }
        try stage([("a/id/1", #"{"name":"foo@bar.com"}"#), ("a/email/foo@bar.com", #""1""#)])
        try engine.makeDurable()
        try stage([("m/id/1", #"{"text":"Your code: 123456"}"#)], isErasable: true)
        try engine.makeDurable()
        try stage([("a/id/2", "\"" + String(repeating: "x", count: 1_300) + "\"")])
        try stage([("a/id/1", nil), ("a/email/foo@bar.com", nil)])
        try engine.makeDurable()
        try stage([("m/id/2", #""kept until the end""#)], isErasable: true)
        try stage([("m/id/1", nil)])
        try stage([("a/\u{2028}\"\\é", #""\u0000\"\\""#)])
        try engine.makeDurable()
        for number in 3...7 {
            try stage([("a/id/\(number)", "{\"n\":\(number)}"), ("c", "\(number)")])
            if number % 2 == 0 { try engine.makeDurable() }
        }
        try engine.makeDurable()
        engine.close()
        let files = StoreFiles(directory: try Directory(SystemString(path)), calls: .real)
        guard let (manifest, _) = try files.manifest() else { fail("no manifest") }
        let bytes = Array(JournalRoom.torn(contents(of: path + "/" + manifest.journal)[...]))
        let ends = Edits.lines(of: bytes).map(\.upperBound)
        hold(ends.count == history.count, "\(ends.count) lines, \(history.count) states")
        return Sample(
            manifest: manifest,
            bytes: bytes,
            states: Dictionary(uniqueKeysWithValues: zip(ends, history))
        )
    }
}
