internal import Store

/// Which groups of statements are likely the last of a transaction that only reads. Such a group brings COMMIT with it, so
/// that the server gets one message instead of two.
///
/// A transaction that reads on after that is run again. Its group is then not taken for the last one for a while.
struct LastGroups {
    /// What a group reads, and what those before it have read, as a hash: a wrong guess costs a run, and no more.
    typealias Kind = Int

    /// How often groups are not taken for the last one, by their kind.
    private var waits: [Kind: Int] = [:]
    private static let waitsOfWrongGuess = 64

    /// - Parameters:
    ///   - previous: the kind of the group before, 0 for the first one.
    ///   - announced: what the group reads because it was announced.
    ///   - statements: the other statements of the group.
    static func kind(after previous: Kind, reading announced: Prefetch, _ statements: [Statement]) -> Kind {
        var hasher = Hasher()
        hasher.combine(previous)
        for key in announced.keys { combine(key, into: &hasher) }
        for entry in announced.entries { combine(entry.key, into: &hasher) }
        for scan in announced.scans { combine(scan.bounds.lower, into: &hasher) }
        for statement in statements { hasher.combine(statement.prepared.name) }
        return hasher.finalize()
    }

    /// Only the collection and the index: other keys of them are read for the same purpose.
    private static func combine(_ key: StoreKey, into hasher: inout Hasher) {
        key.bytes.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0.prefix(key.indexBytes))) }
    }

    /// Whether the next group of a kind is likely the last of its transaction.
    mutating func isLikelyLast(_ kind: Kind) -> Bool {
        guard let left = waits[kind] else { return true }
        waits[kind] = left > 1 ? left - 1 : nil
        return false
    }

    /// Takes that a transaction has read on after a group that was taken for the last one.
    mutating func noteWrongGuess(_ kind: Kind) { waits[kind] = Self.waitsOfWrongGuess }
}
