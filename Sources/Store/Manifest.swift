internal import Glibc
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

/// The first line of a journal, which binds it to its store and epoch and begins the chain of checks:
///
///     {"format":1,"store":"0b5c…","epoch":1,"about":"…","c":"1a2b3c4d"}
struct JournalHeader {
    /// The line's bytes, its line feed included.
    let bytes: [UInt8]
    /// The line's check, which the first transaction's continues.
    let check: UInt32

    /// The header of the journal that a manifest names.
    init(of manifest: Manifest) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("format")
        writer.int(Manifest.format)
        writer.member("store")
        writer.string(manifest.store)
        writer.member("epoch")
        writer.int(manifest.epoch)
        writer.member("about")
        writer.string(
            "A journal of Postern, one transaction a line: n its number, d the bytes of this file that were safe before "
                + "it, w the keys that it sets or, with null, removes, c a check. Do not edit; export and import instead."
        )
        check = writer.bytes.withUnsafeBytes { CRC32C.value(of: $0) }
        bytes = SealedLine.seal(&writer)
    }

    /// Checks that `bytes`, a journal's start, begin with the header that its manifest asks for.
    ///
    /// - Throws: `StoreError.newerFormat`, `StoreError.damaged`.
    func check(_ bytes: UnsafeRawBufferPointer, file: String) throws(StoreError) {
        if bytes.starts(with: self.bytes) { return }
        guard let end = bytes.prefix(Limits.headerBytesMax).firstIndex(of: 0x0A) else {
            throw .damaged(file: file, offset: 0, reason: "line 1, the header, is missing or cut short")
        }
        _ = try SealedLine(parsing: Array(bytes[...end]), file: file)
        throw .damaged(
            file: file,
            offset: 0,
            reason: "the header tells of another store or epoch than \(Manifest.fileName)"
        )
    }
}

/// A line of JSON that ends in the check of its other bytes: `…,"c":"1a2b3c4d"}` and a line feed.
struct SealedLine {
    let store: String
    let epoch: Int

    /// Ends the object that `writer` is in with its check.
    static func seal(_ writer: inout JSONWriter) -> [UInt8] {
        var bytes = writer.take()
        let check = bytes.withUnsafeBytes { CRC32C.value(of: $0) }
        bytes.append(contentsOf: #","c":""#.utf8)
        check.appendHex(to: &bytes)
        bytes.append(contentsOf: "\"}\n".utf8)
        return bytes
    }

    /// Reads the members that all such lines have, and checks the line.
    init(parsing bytes: [UInt8], file: String) throws(StoreError) {
        let fields = Self.fields(of: bytes)
        // A newer format may have another check, so it is asked for first.
        if let format = fields.format, format > Manifest.format { throw .newerFormat(format) }
        let sealed = bytes.withUnsafeBytes { bytes in
            let end = bytes.count - Self.sealBytes
            guard end > 0 else { return false }
            var seal: [UInt8] = Array(#","c":""#.utf8)
            CRC32C.value(of: UnsafeRawBufferPointer(rebasing: bytes[..<end])).appendHex(to: &seal)
            seal.append(contentsOf: "\"}\n".utf8)
            return bytes[end...].elementsEqual(seal)
        }
        guard sealed, let store = fields.store, let epoch = fields.epoch else {
            throw .damaged(
                file: file,
                offset: 0,
                reason: "line 1 \(bytes.withUnsafeBytes { LineFault.describing($0) })"
            )
        }
        self.store = store
        self.epoch = epoch
    }

    private static let sealBytes = 17

    private static func fields(of bytes: [UInt8]) -> (format: Int?, store: String?, epoch: Int?) {
        do {
            let value = try JSONValue(parsing: bytes)
            return (value["format"]?.int, value["store"]?.string, value["epoch"]?.int)
        } catch {
            return (nil, nil, nil)
        }
    }
}
