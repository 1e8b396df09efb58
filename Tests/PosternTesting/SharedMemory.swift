import Store
import Synchronization

/// A key space in memory that several engine sessions share, as the sessions of a database server do.
///
/// Transactions are serializable: a session works on a snapshot and records what it reads. Its commit fails if another
/// session has changed any of that in the meantime.
///
/// Each closure is run at least twice, and commits fail at random. Tests thus show that the code that uses an engine
/// relies only on what the `Engine` protocol promises.
package final class SharedMemory: Sendable {
    struct Entry {
        let key: StoreKey
        let bytes: [UInt8]
        /// The commit that wrote it.
        let commit: Int
    }

    private struct State {
        var entries: [Entry] = []
        var commits = 0
        var rerunCommits = 0
        var doubleCommits: [String] = []
        var effects: Set<String> = []
        var random: SplitMix
    }

    private let state: Mutex<State>

    /// - Parameter seed: decides which commits fail.
    package init(seed: UInt64) {
        state = Mutex(State(random: SplitMix(state: seed)))
    }

    /// How many commits failed and were run again, at random or because of a conflict.
    package var rerunCommits: Int { state.withLock { $0.rerunCommits } }

    /// The transactions that wrote in the same unit of work as an earlier one, which means that the unit is not atomic.
    /// Each is described by the keys that it wrote.
    package var doubleCommits: [String] { state.withLock { $0.doubleCommits } }

    /// What closures of transactions have done beyond reading and writing: the second run of a closure does it again,
    /// perhaps with another result.
    package var effectsInTransactions: Set<String> { state.withLock { $0.effects } }

    /// Records an effect that a session may not have within a transaction.
    package func recordEffectInTransaction(_ effect: String) {
        _ = state.withLock { $0.effects.insert(effect) }
    }

    /// All keys and values.
    package var contents: [(key: [UInt8], value: [UInt8])] {
        snapshot.map { ($0.key.bytes, $0.bytes) }
    }

    var snapshot: [Entry] { state.withLock { $0.entries } }

    func recordDoubleCommit(_ writes: [StoreKey: [UInt8]?]) {
        let keys = writes.keys.sorted().map { String(decoding: $0.bytes, as: UTF8.self) }
        state.withLock { $0.doubleCommits.append(keys.joined(separator: " ")) }
    }

    /// Commits `writes` if nothing that was read has changed; false if the transaction must be run again.
    func commit(_ writes: [StoreKey: [UInt8]?], ifUnchanged reads: Reads, since snapshot: [Entry]) -> Bool {
        state.withLock { state in
            let fails = !writes.isEmpty && Int.random(in: 0..<4, using: &state.random) == 0
            guard !fails, reads.areUnchanged(from: snapshot, to: state.entries) else {
                state.rerunCommits += 1
                return false
            }
            guard !writes.isEmpty else { return true }
            state.commits += 1
            for (key, bytes) in writes {
                let place = state.entries.place(of: key)
                let isThere = place < state.entries.count && state.entries[place].key == key
                let entry = bytes.map { Entry(key: key, bytes: $0, commit: state.commits) }
                state.entries.replaceSubrange(place..<(isThere ? place + 1 : place), with: entry.map { [$0] } ?? [])
            }
            return true
        }
    }

    /// The reads of a transaction: single keys, and ranges from a lower key up to, but not including, an upper key.
    struct Reads {
        var keys: Set<StoreKey> = []
        var ranges: [(lower: StoreKey, upper: StoreKey)] = []

        func areUnchanged(from before: [Entry], to after: [Entry]) -> Bool {
            keys.allSatisfy { before.entry(of: $0)?.commit == after.entry(of: $0)?.commit }
                && ranges.allSatisfy { range in
                    let (before, after) = (before.entries(range), after.entries(range))
                    return before.count == after.count
                        && zip(before, after).allSatisfy { $0.key == $1.key && $0.commit == $1.commit }
                }
        }
    }
}

extension [SharedMemory.Entry] {
    /// The index of a key, or the index at which it would be inserted.
    func place(of key: StoreKey) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func entry(of key: StoreKey) -> SharedMemory.Entry? {
        let place = place(of: key)
        return place < count && self[place].key == key ? self[place] : nil
    }

    func entries(_ range: (lower: StoreKey, upper: StoreKey)) -> ArraySlice<SharedMemory.Entry> {
        range.lower < range.upper ? self[place(of: range.lower)..<place(of: range.upper)] : []
    }
}
