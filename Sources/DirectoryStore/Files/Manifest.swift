internal import JSON
internal import Platform
import Store

/// The manifest of a directory: it identifies the store, and names its current bases and journal.
///
/// It is one line of JSON in `manifest.json`, replaced as a whole by a rename:
///
///     {"format":1,"store":"0b5c…","epoch":1,"segment":null,"journal":"journal-1.jsonl","safe":381,
///      "c":"1a2b3c4d"}
///     {"format":1,"store":"0b5c…","epoch":2,"segment":{"file":"base-2.jsonl","bytes":8127,"crc":"5e6f7a8b","n":17},
///      "journal":"journal-2.jsonl","safe":912,"c":"9c0d1e2f"}
///     {"format":2,"store":"0b5c…","epoch":3,"segments":[{"file":"base-3.jsonl",…},{"file":"base-2.jsonl",…}],
///      "due":1764547200,"journal":"journal-3.jsonl","safe":381,"c":"2d3e4f5a"}
///
/// A segment is a sorted base: its length, the CRC-32C of all its bytes, and the number of transactions that it and the
/// bases below it include. `safe` is the number of bytes of the journal that were durable when the manifest was
/// written, and `c` is the CRC-32C of the line's bytes up to `,"c":`. `due` is there if there are several bases: the
/// Unix time at which all of them are to be merged.
///
/// Format 2 is for several bases, which a program that knows only format 1 must not open. A manifest with one base or
/// none is in format 1.
struct Manifest: Equatable {
    /// The latest format that this program reads and writes.
    static let format = 2
    static let fileName = "manifest.json"
    /// The name under which a manifest is written before it is renamed.
    static let temporaryName = "manifest.json.tmp"

    /// The store's UUID (RFC 9562), created when the directory was first used.
    let store: String
    /// The number of the current journal, counted from 1.
    let epoch: Int
    /// The sorted bases, the newest first; empty if there is none yet. An entry of a base hides that of an older one.
    let segments: [Segment]
    /// When all bases are to be merged, in Unix time, so that they no longer have what was deleted or replaced; nil if
    /// there are not several.
    let mergeDue: Int?
    /// How many bytes of the journal were durable when the manifest was written.
    let journalBytesSafe: Int

    /// The properties of a sorted base.
    struct Segment: Equatable {
        /// The epoch that began with it.
        let epoch: Int
        let bytes: Int
        /// The CRC-32C of all its bytes.
        let check: UInt32
        /// The number of transactions that it and the bases below it include.
        let transactions: Int

        /// The base's file name.
        var file: String { Manifest.baseName(of: epoch) }

        fileprivate func write(to writer: inout JSONWriter) {
            writer.beginObject()
            writer.property("file")
            writer.string(file)
            writer.property("bytes")
            writer.int(bytes)
            writer.property("crc")
            writer.string(check.hexText)
            writer.property("n")
            writer.int(transactions)
            writer.endObject()
        }

        /// The segment in a manifest. Errors in it are detected when the manifest is encoded again and compared.
        fileprivate init?(_ value: JSONValue) {
            guard let file = value["file"]?.string, let epoch = StoreFiles.epoch(of: file),
                let bytes = value["bytes"]?.int, let check = value["crc"]?.string,
                let transactions = value["n"]?.int, let crc = UInt32(check, radix: 16)
            else { return nil }
            self.init(epoch: epoch, bytes: bytes, check: crc, transactions: transactions)
        }

        init(epoch: Int, bytes: Int, check: UInt32, transactions: Int) {
            (self.epoch, self.bytes, self.check, self.transactions) = (epoch, bytes, check, transactions)
        }
    }

    /// The journal's file name.
    var journal: String { Self.journalName(of: epoch) }
    /// The names of the journal and the bases.
    var files: [String] { [journal] + segments.map(\.file) }
    /// The number of transactions in the bases.
    var transactions: Int { segments.first?.transactions ?? 0 }
    /// The bytes of all bases.
    var baseBytes: Int { segments.reduce(0) { $0 + $1.bytes } }
    /// The number of the format that the manifest is written in.
    private var writtenFormat: Int { segments.count > 1 ? 2 : 1 }

    /// The file name of an epoch's journal.
    static func journalName(of epoch: Int) -> String { "journal-\(epoch).jsonl" }
    /// The file name of an epoch's base.
    static func baseName(of epoch: Int) -> String { "base-\(epoch).jsonl" }

    /// The file's bytes.
    var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.property("format")
        writer.int(writtenFormat)
        writer.property("store")
        writer.string(store)
        writer.property("epoch")
        writer.int(epoch)
        if writtenFormat == 1 {
            writer.property("segment")
            if let segment = segments.first { segment.write(to: &writer) } else { writer.null() }
        } else {
            writer.property("segments")
            writer.beginArray()
            for segment in segments { segment.write(to: &writer) }
            writer.endArray()
            if let mergeDue {
                writer.property("due")
                writer.int(mergeDue)
            }
        }
        writer.property("journal")
        writer.string(journal)
        writer.property("safe")
        writer.int(journalBytesSafe)
        return SealedLine.seal(&writer)
    }

    init(store: String, epoch: Int, segments: [Segment], mergeDue: Int? = nil, journalBytesSafe: Int) {
        self.store = store
        self.epoch = epoch
        self.segments = segments
        self.mergeDue = mergeDue
        self.journalBytesSafe = journalBytesSafe
    }

    /// Parses the file's bytes.
    ///
    /// - Throws: `StoreError.newerFormat`; `StoreError.damaged` if `bytes` are not exactly what this type writes.
    init(parsing bytes: [UInt8]) throws(StoreError) {
        let line = try SealedLine(parsing: bytes, file: Self.fileName)
        self.init(
            store: line.store,
            epoch: line.epoch,
            segments: (line.value["segments"]?.array ?? [line.value["segment"] ?? .null]).compactMap { Segment($0) },
            mergeDue: line.value["due"]?.int,
            journalBytesSafe: line.value["safe"]?.int ?? 0
        )
        guard self.bytes == bytes else {
            throw .damaged(file: Self.fileName, offset: 0, reason: "line 1 has changed since it was written")
        }
    }
}
