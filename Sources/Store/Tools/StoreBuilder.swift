internal import JSON

/// Puts a store together from its records alone: indexes are made anew, and what cannot be is told.
struct StoreBuilder {
    /// Why something was not taken.
    struct Refusal: Error {
        let reason: String
    }

    private let types: [String: RecordType]
    private(set) var space = LayeredSpace()
    private(set) var erasable: Set<StoreKey> = []
    private var counters: [String: Int] = [:]
    /// The greatest number among the records that a counter numbers.
    private var greatest: [String: Int] = [:]

    init(_ types: [RecordType]) {
        self.types = Dictionary(uniqueKeysWithValues: types.map { ($0.collection, $0) })
    }

    /// Adds a record of a collection.
    ///
    /// - Returns: where it stands.
    mutating func add(_ bytes: [UInt8], to collection: String) throws(Refusal) -> StoreKey {
        guard let type = types[collection] else { throw Refusal(reason: "there is no collection \(collection)") }
        let entry: RecordType.Entry
        do throws(JSONError) {
            entry = try type.entry(of: bytes)
        } catch {
            let reason =
                error.reason == .typeMismatch ? "a member is missing, or not of its type" : error.reason.rawValue
            throw Refusal(reason: "this is no record of \(collection): \(reason), at byte \(error.offset) of it")
        }
        for key in [entry.key] + entry.indexKeys where try taken(key) {
            throw Refusal(reason: "\(key.text) is taken by an earlier record")
        }
        space.set(StoredValue(bytes: entry.value), at: entry.key)
        for key in entry.indexKeys { space.set(StoredValue(bytes: entry.indexValue), at: key) }
        if type.isErasable { erasable.insert(entry.key) }
        if let counter = type.counter, let number = entry.key.recordNumber {
            greatest[counter] = max(number, greatest[counter] ?? 0)
        }
        return entry.key
    }

    /// Sets a counter, which must be set but once.
    mutating func setCounter(_ name: String, to value: Int) throws(Refusal) {
        guard counters.updateValue(value, forKey: name) == nil else {
            throw Refusal(reason: "the counter \(name) is set twice")
        }
        var writer = JSONWriter(capacity: 16)
        writer.int(value)
        space.set(StoredValue(bytes: writer.take()), at: .counter(name))
    }

    /// Collections whose counter would give a number out that a record has: with the least that it must be.
    var countersBehind: [(name: String, least: Int)] {
        greatest.filter { (counters[$0.key] ?? 0) < $0.value }.map { ($0.key, $0.value) }.sorted { $0.name < $1.name }
    }

    /// Sets counters that are behind.
    mutating func mendCounters() throws(Refusal) {
        for (name, least) in countersBehind {
            counters[name] = nil
            try setCounter(name, to: least)
        }
    }

    private func taken(_ key: StoreKey) throws(Refusal) -> Bool {
        do throws(StoreError) {
            return try space.value(of: key) != nil
        } catch {
            throw Refusal(reason: "\(error)")
        }
    }
}

extension StoreKey {
    /// Where a counter stands.
    static func counter(_ name: String) -> StoreKey {
        StoreKey(collection: counters, index: recordIndex, key: Key(name))
    }
}
