internal import JSON
internal import Platform
import Store

/// The manifest of a directory: it identifies the store, and names its current base and journal.
///
/// It is one line of JSON in `manifest.json`, replaced as a whole by a rename:
///
///     {"format":1,"store":"0b5c…","epoch":1,"segment":null,"journal":"journal-1.jsonl","safe":381,
///      "c":"1a2b3c4d"}
///     {"format":1,"store":"0b5c…","epoch":2,"segment":{"file":"base-2.jsonl","bytes":8127,"crc":"5e6f7a8b","n":17},
///      "journal":"journal-2.jsonl","safe":912,"c":"9c0d1e2f"}
///
/// `segment` is the sorted base: its length, the CRC-32C of all its bytes, and the number of transactions that it
/// includes. `safe` is the number of bytes of the journal that were durable when the manifest was written, and `c` is
/// the CRC-32C of the line's bytes up to `,"c":`.
struct Manifest: Equatable {
    /// The format that this program reads and writes.
    static let format = 1
    static let fileName = "manifest.json"
    /// The name under which a manifest is written before it is renamed.
    static let temporaryName = "manifest.json.tmp"

    /// The store's UUID (RFC 9562), created when the directory was first used.
    let store: String
    /// The number of the current journal, counted from 1.
    let epoch: Int
    /// The sorted base; nil if there is none yet.
    let segment: Segment?
    /// How many bytes of the journal were durable when the manifest was written.
    let journalBytesSafe: Int

    /// The properties of a sorted base.
    struct Segment: Equatable {
        let bytes: Int
        /// The CRC-32C of all its bytes.
        let check: UInt32
        /// The number of transactions that it includes.
        let transactions: Int
    }

    /// The journal's file name.
    var journal: String { Self.journalName(of: epoch) }
    /// The file name of the sorted base, if there is one.
    var base: String { Self.baseName(of: epoch) }

    /// The file name of an epoch's journal.
    static func journalName(of epoch: Int) -> String { "journal-\(epoch).jsonl" }
    /// The file name of an epoch's base.
    static func baseName(of epoch: Int) -> String { "base-\(epoch).jsonl" }

    /// The file's bytes.
    var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.property("format")
        writer.int(Self.format)
        writer.property("store")
        writer.string(store)
        writer.property("epoch")
        writer.int(epoch)
        writer.property("segment")
        if let segment {
            writer.beginObject()
            writer.property("file")
            writer.string(base)
            writer.property("bytes")
            writer.int(segment.bytes)
            writer.property("crc")
            writer.string(segment.check.hexText)
            writer.property("n")
            writer.int(segment.transactions)
            writer.endObject()
        } else {
            writer.null()
        }
        writer.property("journal")
        writer.string(journal)
        writer.property("safe")
        writer.int(journalBytesSafe)
        return SealedLine.seal(&writer)
    }

    init(store: String, epoch: Int, segment: Segment?, journalBytesSafe: Int) {
        self.store = store
        self.epoch = epoch
        self.segment = segment
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
            segment: Self.segment(in: line.value),
            journalBytesSafe: line.value["safe"]?.int ?? 0
        )
        guard self.bytes == bytes else {
            throw .damaged(file: Self.fileName, offset: 0, reason: "line 1 has changed since it was written")
        }
    }

    /// The segment in a manifest. Errors in it are detected when the manifest is encoded again and compared.
    private static func segment(in value: JSONValue) -> Segment? {
        guard let segment = value["segment"], let bytes = segment["bytes"]?.int, let check = segment["crc"]?.string,
            let transactions = segment["n"]?.int, let crc = UInt32(check, radix: 16)
        else { return nil }
        return Segment(bytes: bytes, check: crc, transactions: transactions)
    }
}
