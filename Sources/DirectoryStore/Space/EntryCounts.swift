import Store

/// The number of entries of a space. Counting reads the whole space.
struct EntryCounts {
    /// Records, index entries and counters.
    private(set) var entries = 0
    /// The number of records of each collection that is not empty: its entries under the index `id`.
    private(set) var collections: [StoreStatistics.CollectionCount] = []

    init(of space: LayeredSpace) throws(StoreError) {
        var prefix: [UInt8] = []
        var records = 0
        try space.forEach { key, _ in
            entries += 1
            if records > 0, key.bytes.starts(with: prefix) {
                records += 1
            } else if let slash = key.bytes.firstIndex(of: UInt8(ascii: "/")),
                key.bytes[slash...].starts(with: "/id/".utf8)
            {
                close(prefix, records)
                prefix = Array(key.bytes[..<(slash + 4)])
                records = 1
            }
        }
        close(prefix, records)
    }

    private mutating func close(_ prefix: [UInt8], _ records: Int) {
        guard records > 0 else { return }
        collections.append(.init(name: String(decoding: prefix.dropLast(4), as: UTF8.self), records: records))
    }
}
