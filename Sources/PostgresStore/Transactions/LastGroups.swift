internal import Store
internal import Synchronization

/// Which groups of statements are likely the last of a transaction that only reads, as all threads of a process have
/// learned. Such a group brings COMMIT with it, so that the server gets one message instead of two.
///
/// A transaction that reads on after that is run again. Its group is then not taken for the last one for a while.
final class LastGroups: Sendable {
    /// What a group reads, and what those before it have read, as a hash: a wrong guess costs a run, and no more.
    typealias Kind = Int

    /// How often groups are not taken for the last one, by their kind.
    private let waits = Mutex<[Kind: Int]>([:])
    static let waitsOfWrongGuess = 64

    /// - Parameters:
    ///   - previous: the kind of the group before, 0 for the first one.
    ///   - announced: what the group reads because it was announced.
    ///   - statements: the other statements of the group.
    static func kind(after previous: Kind, reading announced: Prefetch, _ statements: [Statement]) -> Kind {
        var hasher = Hasher()
        hasher.combine(previous)
        // Other keys of an index are read for the same purpose, whatever their number.
        var index: ArraySlice<UInt8> = []
        for key in announced.keys where key.index != index {
            index = key.index
            hasher.combine(index)
        }
        for entry in announced.entries { hasher.combine(entry.key.index) }
        for scan in announced.scans { hasher.combine(scan.bounds.lower.index) }
        for statement in statements { hasher.combine(statement.prepared.name) }
        return hasher.finalize()
    }

    /// Whether the next group of a kind is likely the last of its transaction.
    func isLikelyLast(_ kind: Kind) -> Bool {
        waits.withLock { waits in
            guard let left = waits[kind] else { return true }
            waits[kind] = left > 1 ? left - 1 : nil
            return false
        }
    }

    /// Takes that a transaction has read on after a group that was taken for the last one.
    func noteWrongGuess(_ kind: Kind) { waits.withLock { $0[kind] = Self.waitsOfWrongGuess } }
}
