internal import Store
internal import Synchronization

/// Which groups of statements are likely the last of a transaction that only reads, as all threads of a process have
/// learned. Such a group brings COMMIT with it, so that the server gets one message instead of two.
///
/// A transaction that reads on after that is run again, without guesses. A kind of group after which transactions read
/// on is taken for the last one only if it was the last for a while.
final class LastGroups: Sendable {
    /// What a group reads, and what those before it have read, as a hash: a wrong guess costs a run, and no more.
    typealias Kind = Int

    /// How often a kind of group must still be the last before it is taken for it; no number for one that is.
    private let waits = Mutex<[Kind: Int]>([:])
    static let waitsMax = 64
    /// How many groups of a transaction are looked at. Scans of many pages have more.
    static let depth = 4

    /// - Parameters:
    ///   - previous: the kind of the group before; nil for the first one.
    ///   - announced: what the group reads because it was announced.
    ///   - statements: the other statements of the group.
    static func kind(after previous: Kind?, reading announced: Prefetch, _ statements: [Statement]) -> Kind {
        var hasher = Hasher()
        hasher.combine(previous)
        // Groups that differ only in how many keys of an index they read are of the same kind.
        var last: ArraySlice<UInt8> = []
        for index in announced.keys.lazy.map(\.index) where index != last {
            hasher.combine(index)
            last = index
        }
        for entry in announced.entries { hasher.combine(entry.key.index) }
        for scan in announced.scans { hasher.combine(scan.bounds.lower.index) }
        for statement in statements { hasher.combine(statement.prepared.name) }
        return hasher.finalize()
    }

    /// Whether a group of a kind that is about to be sent is likely the last of its transaction.
    func isLikelyLast(_ kind: Kind) -> Bool {
        waits.withLock { waits in
            guard let left = waits[kind] else { return true }
            waits[kind] = left > 1 ? left - 1 : nil
            return false
        }
    }

    /// Takes that a transaction has read on after a group of a kind.
    func noteContinuation(after kind: Kind) { waits.withLock { $0[kind] = Self.waitsMax } }
}
