internal import JSON

/// What a directory holds: which store it is and which journal is its current one.
///
/// It is one line of JSON in `manifest.json`, replaced as a whole by a rename:
///
///     {"format":1,"store":"0b5c…","epoch":1,"segment":null,"journal":"journal-1.jsonl","c":"1a2b3c4d"}
///
/// `segment` has the place of a sorted base, which this format does not have yet; `c` is the CRC-32C of the line's
/// bytes up to `,"c":`.
struct Manifest: Equatable {
    /// The format that this program reads and writes.
    static let format = 1
    static let fileName = "manifest.json"
    /// What a manifest is written to before it is renamed.
    static let temporaryName = "manifest.json.tmp"

    /// The store's UUID (RFC 9562), made when the directory was first used.
    let store: String
    /// Counts the journals that the store has had.
    let epoch: Int

    /// The journal's file name.
    var journal: String { "journal-\(epoch).jsonl" }

    /// The file's bytes.
    var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("format")
        writer.int(Self.format)
        writer.member("store")
        writer.string(store)
        writer.member("epoch")
        writer.int(epoch)
        writer.member("segment")
        writer.null()
        writer.member("journal")
        writer.string(journal)
        return SealedLine.seal(&writer)
    }

    init(store: String, epoch: Int) {
        self.store = store
        self.epoch = epoch
    }

    /// Reads the file's bytes.
    ///
    /// - Throws: `StoreError.newerFormat`; `StoreError.damaged` for anything that `bytes` would not give.
    init(parsing bytes: [UInt8]) throws(StoreError) {
        let line = try SealedLine(parsing: bytes, file: Self.fileName)
        self.init(store: line.store, epoch: line.epoch)
        guard self.bytes == bytes else {
            throw .damaged(file: Self.fileName, offset: 0, reason: "line 1 is not as it was written")
        }
    }

    /// A random UUID, version 4.
    static func randomStore() -> String {
        var generator = SystemRandomNumberGenerator()
        let high = generator.next() & ~0xF000 | 0x4000
        let low = generator.next() & ~(3 << 62) | 2 << 62
        let digits = [high, low].flatMap { word in
            var digits: [UInt8] = []
            UInt32(truncatingIfNeeded: word >> 32).appendHex(to: &digits)
            UInt32(truncatingIfNeeded: word).appendHex(to: &digits)
            return digits
        }
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
            .map { String(decoding: digits[$0], as: UTF8.self) }
            .joined(separator: "-")
    }
}
