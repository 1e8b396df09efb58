internal import JSON

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
