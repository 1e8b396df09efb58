internal import JSON
import Store

/// The first line of a journal or base. It binds the file to its store and epoch, and its checksum starts the checksums
/// of the file:
///
///     {"format":1,"store":"0b5c…","epoch":1,"n":0,"about":"…","c":"1a2b3c4d"}
struct FileHeader {
    /// The line's bytes, including its line feed.
    let bytes: [UInt8]
    /// The line's checksum, from which the checksums of the other lines continue.
    let check: UInt32
    /// The number of transactions before the file's own; for a base, the number of transactions that it includes.
    let transactions: Int
    /// The file name of the next older base that the store has too; nil if there is none, and for a journal.
    let below: String?
    /// The format of journals and bases.
    private static let format = 1

    /// The header of the journal that a manifest names.
    static func journal(of manifest: Manifest) -> FileHeader {
        journal(of: manifest.store, epoch: manifest.epoch, transactions: manifest.transactions)
    }

    /// The header of a store's journal, after the given number of transactions in its base.
    static func journal(of store: String, epoch: Int, transactions: Int) -> FileHeader {
        FileHeader(
            of: store,
            epoch: epoch,
            transactions: transactions,
            about:
                "A journal of Postern, one transaction a line: n its number, d the bytes of this file that were safe before "
                + "it, w the keys that it sets or, with null, removes, c a check. Do not edit; export and import instead."
        )
    }

    /// The header of a base that a manifest names.
    static func base(_ index: Int, of manifest: Manifest) -> FileHeader {
        let (segment, below) = (manifest.segments[index], manifest.segments.dropFirst(index + 1).first)
        return base(
            of: manifest.store,
            epoch: segment.epoch,
            transactions: segment.transactions,
            below: below?.epoch
        )
    }

    /// The header of a store's base, which includes the given number of transactions with the bases below it.
    ///
    /// - Parameter below: the epoch of the next older base that the store has too; nil if there is none. Without the
    ///   manifest it tells which bases belong together.
    static func base(of store: String, epoch: Int, transactions: Int, below: Int? = nil) -> FileHeader {
        FileHeader(
            of: store,
            epoch: epoch,
            transactions: transactions,
            below: below,
            about: below == nil ? aboutBase : aboutNewerBase
        )
    }

    /// The header that a journal's first line is.
    static func journal(_ line: SealedLine) -> FileHeader {
        journal(of: line.store, epoch: line.epoch, transactions: line.value["n"]?.int ?? 0)
    }

    /// The header that a base's first line is.
    static func base(_ line: SealedLine) -> FileHeader {
        base(
            of: line.store,
            epoch: line.epoch,
            transactions: line.value["n"]?.int ?? 0,
            below: line.value["below"]?.string.flatMap(StoreFiles.epoch(of:))
        )
    }

    private static let aboutBase =
        "What a store of Postern held after n transactions, sorted: key, value and check of an entry a line. The "
        + "journal has what came later. Do not edit; export and import instead."
    private static let aboutNewerBase =
        "What a store of Postern held after n transactions, sorted: key, value and check of an entry a line; null for a "
        + "removed key. The base named below has what this one does not set. Do not edit; export and import instead."

    private init(of store: String, epoch: Int, transactions: Int, below: Int? = nil, about: String) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.property("format")
        writer.int(Self.format)
        writer.property("store")
        writer.string(store)
        writer.property("epoch")
        writer.int(epoch)
        writer.property("n")
        writer.int(transactions)
        self.below = below.map(Manifest.baseName(of:))
        if let below = self.below {
            writer.property("below")
            writer.string(below)
        }
        writer.property("about")
        writer.string(about)
        self.transactions = transactions
        check = writer.withUnsafeBytes { CRC32C.value(of: $0) }
        bytes = SealedLine.seal(&writer)
    }

    /// Verifies that `bytes`, the start of a file, begin with this header.
    ///
    /// - Throws: `StoreError.newerFormat`, `StoreError.damaged`.
    func check(_ bytes: UnsafeRawBufferPointer, file: String) throws(StoreError) {
        if bytes.starts(with: self.bytes) { return }
        guard let end = bytes.prefix(Limits.headerBytesMax).firstIndex(of: 0x0A) else {
            throw .damaged(file: file, offset: 0, reason: "line 1, the header, is missing or truncated")
        }
        _ = try SealedLine(parsing: Array(bytes[...end]), file: file)
        throw .damaged(
            file: file,
            offset: 0,
            reason: "the header has another store or epoch than \(Manifest.fileName)"
        )
    }
}
