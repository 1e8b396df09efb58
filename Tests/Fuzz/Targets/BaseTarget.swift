@testable import Platform

@testable import JSON
@testable import DirectoryStore
@testable import Store

/// Reading a base: an intact base is changed (`Edits`) and searched.
///
/// The first byte of an input is a mode. If it is even, a lookup or a scan must return the stored entries or an
/// error, never anything else. If it is odd, every line gets a correct check, so that the parser behind the checks is
/// reached; then any result or error is allowed, but no crash.
enum BaseTarget {
    private struct Sample: Sendable {
        let path: String
        let manifest: Manifest
        let bytes: [UInt8]
        let entries: [(key: StoreKey, value: [UInt8])]
    }

    private static let sample: Sample = must { try makeSample() }
    private static let absent = ["", "a", "a/id/", "a/id/00", "k", "k/7x", "z", "é\"", "\u{10FFFF}"].map {
        StoreKey(bytes: Array($0.utf8))
    }

    static func run(_ input: [UInt8]) {
        guard input.count > 2 else { return }
        let isSealed = input[0] % 2 == 1
        var file = Edits(input.dropFirst(2)).applied(to: sample.bytes, keepsLength: true)
        if isSealed { file = sealed(file) }
        write(file, to: sample.path + "/" + sample.manifest.segments[0].file)
        do throws(StoreError) {
            let files = StoreFiles(directory: try Directory(SystemString(sample.path)), calls: .real)
            let bases = try Bases(files: try files.bases(of: sample.manifest))
            look(in: bases, startingAt: Int(input[1]), isSealed: isSealed)
        } catch {
            switch error {
            // A changed header may declare a later format.
            case .damaged, .newerFormat: break
            default: fail("\(error)")
            }
        }
    }

    private static func look(in base: Bases, startingAt start: Int, isSealed: Bool) {
        let count = sample.entries.count
        // Each key twice, because the second lookup uses the place that the first one kept.
        for turn in 0..<count * 2 {
            let (key, value) = sample.entries[(start + turn * 7) % count]
            guard let found = answer({ () throws(StoreError) in try base.value(of: key) }) else { continue }
            hold(isSealed || found?.bytes == value, "\(key.text) is \(found.map { shown($0.bytes) } ?? "absent")")
        }
        for key in absent {
            guard let found = answer({ () throws(StoreError) in try base.value(of: key) }) else { continue }
            hold(isSealed || found == nil, "\(key.text) is \(found.map { shown($0.bytes) } ?? "")")
        }
        for descending in [false, true] {
            scan(base, from: start % count, upTo: count - start / 3 % count, descending: descending, isSealed: isSealed)
        }
    }

    private static func scan(_ base: Bases, from: Int, upTo: Int, descending: Bool, isSealed: Bool) {
        guard from < upTo else { return }
        let upper = upTo < sample.entries.count ? sample.entries[upTo].key : StoreKey.end
        let found = answer { () throws(StoreError) in
            var cursor = try base.cursor(from: sample.entries[from].key, upTo: upper, descending: descending)
            var found: [(StoreKey, [UInt8])] = []
            while let entry = cursor.entry {
                found.append((entry.key, entry.value.bytes))
                hold(found.count <= sample.bytes.count, "a scan that does not end")
                try cursor.advance()
            }
            return found
        }
        guard !isSealed, let found else { return }
        let stored = Array(sample.entries[from..<upTo])
        let expected = descending ? stored.reversed() : stored
        hold(
            found.count == expected.count && zip(found, expected).allSatisfy { $0.0 == $1.key && $0.1 == $1.value },
            "a scan gives \(found.count) entries, or others than the \(expected.count) that were stored"
        )
    }

    /// The result of a read; nil if the file is refused as damaged.
    private static func answer<Value>(_ read: () throws(StoreError) -> Value) -> Value? {
        do throws(StoreError) {
            return try read()
        } catch {
            guard case .damaged = error else { fail("\(error)") }
            return nil
        }
    }

    private static func sealed(_ file: [UInt8]) -> [UInt8] {
        let header = FileHeader.base(0, of: sample.manifest)
        var result = header.bytes
        for place in Edits.lines(of: file) where place.lowerBound >= header.bytes.count {
            let content = file[place].dropLast(BaseFile.sealBytes + 1)
            guard place.count > BaseFile.sealBytes + 1 else {
                result += file[place]
                continue
            }
            result += content
            result += content.withUnsafeBytes { BaseFile.seal(of: $0, header.check, place.lowerBound) }
        }
        return Array(result.prefix(file.count)) + file.dropFirst(min(result.count, file.count))
    }

    private static func makeSample() throws -> Sample {
        let path = Scratch.path + "/base"
        let engine = try LocalEngine(directory: path, settings: .unsynced, log: { _ in })
        var entries: [String: String] = [:]
        for number in 0..<30 { entries["k/\(number * 3)"] = "{\"n\":\(number)}" }
        for number in 1...6 { entries["a/id/000000000\(number)"] = #"{"name":"foo\#(number)@bar.com"}"# }
        for key in ["c", "c\"", "c\\", "c\",\"0017", "\u{2028}", "é", "\u{1F600}"] { entries[key] = #""0017""# }
        entries["long"] = "\"" + String(repeating: "y", count: 700) + "\""
        try engine.stage(entries.map { ($0, $1) })
        try engine.makeDurable()
        hold(try engine.compact(), "the sample is not compacted")
        engine.close()
        let files = StoreFiles(directory: try Directory(SystemString(path)), calls: .real)
        guard let (manifest, _) = try files.manifest() else { fail("no manifest") }
        return Sample(
            path: path,
            manifest: manifest,
            bytes: contents(of: path + "/" + manifest.segments[0].file),
            entries: entries.map { (StoreKey(bytes: Array($0.utf8)), Array($1.utf8)) }.sorted { $0.0 < $1.0 }
        )
    }
}
