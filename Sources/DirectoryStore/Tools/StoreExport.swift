internal import JSON
package import Store

// An export is JSON Lines that a person can edit: a first line that describes it, the counters, every record with the
// name of its collection, and a last line. If the last line is missing, the export is incomplete. Index entries are
// left out; an import rebuilds them. The order of the lines does not matter, except for the last one.
//
//     {"export":1,"about":"…"}
//     {"counter":"care.users","value":17}
//     {"collection":"care.users","record":{"id":17,"email":"foo@bar.com"}}
//     {"end":true}

/// Writes the contents of a store as lines that can be edited.
package struct StoreExport {
    /// The version of the export format that this program writes and reads.
    static let form = 1

    /// Writes the lines of an export, each with its line feed.
    ///
    /// - Parameter line: called with each line, in order.
    /// - Throws: `StoreError`; what `line` throws.
    package static func write(_ source: some EntrySource, to line: ([UInt8]) throws -> Void) throws {
        var writer = JSONWriter()
        writer.beginObject()
        writer.property("export")
        writer.int(form)
        writer.property("about")
        writer.string(
            "Accounts exported from Postern, with password hashes and sessions: keep this as safe as the store."
        )
        writer.endObject()
        writer.newline()
        try line(writer.take())
        try source.forEachEntry { key, value in
            guard let pieces = key.pieces, pieces.index == StoreKey.recordIndex else { return }
            var writer = JSONWriter(capacity: value.bytes.count + 64)
            writer.beginObject()
            if pieces.collection == StoreKey.counters {
                writer.property("counter")
                writer.string(String(decoding: pieces.key, as: UTF8.self))
                writer.property("value")
            } else {
                writer.property("collection")
                writer.string(pieces.collection)
                writer.property("record")
            }
            writer.raw(value.bytes)
            writer.endObject()
            writer.newline()
            try line(writer.take())
        }
        try line(Array("{\"end\":true}\n".utf8))
    }
}
