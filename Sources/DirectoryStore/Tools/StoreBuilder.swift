internal import JSON
import Store

/// Builds a store from its records alone. Indexes are rebuilt, and records that cannot be added are reported.
struct StoreBuilder {
    /// Why a record or counter was not added.
    struct Refusal: Error {
        let reason: String
    }

    private let types: [String: RecordType]
    private(set) var space = LayeredSpace()
    private(set) var erasable: Set<StoreKey> = []
    /// The keys of the deleted records that have a substitute.
    private(set) var keysWithSubstitute: Set<StoreKey> = []
    private var counts: [StoreKey: Int] = [:]
    private var counters = CounterBounds()

    init(_ types: [RecordType]) {
        self.types = Dictionary(uniqueKeysWithValues: types.map { ($0.collection, $0) })
    }

    /// Adds a record of a collection.
    ///
    /// - Returns: the findings of the record's domain.
    mutating func add(_ bytes: [UInt8], to collection: String) throws(Refusal) -> RecordFindings {
        guard let type = types[collection] else {
            throw Refusal(reason: "there is no collection \(collection.shortened)")
        }
        let entry: RecordType.Entry
        do throws(JSONError) {
            entry = try type.entry(of: bytes)
        } catch {
            throw Refusal(reason: "this is not a record of \(collection): \(error.recordFault)")
        }
        guard let place = entry.place else {
            throw Refusal(reason: entry.findings.faults.map(\.description).joined(separator: "; "))
        }
        for key in [place.key] + place.indexKeys where try taken(key) {
            throw Refusal(reason: "\(key.text) already belongs to an earlier record")
        }
        space.set(StoredValue(bytes: entry.value), at: place.key)
        for key in place.indexKeys { space.set(StoredValue(bytes: place.indexValue), at: key) }
        for key in place.countKeys { counts[key, default: 0] += 1 }
        keysWithSubstitute.formUnion(entry.findings.keysWithSubstitute)
        if type.isErasable { erasable.insert(place.key) }
        counters.note(place.numbers)
        noteReferences(of: entry.findings)
        return entry.findings
    }

    /// Records the numbers of the records to which a record refers. If such a record is lost, its number must not be
    /// given to a new record, which would then own the data of the lost one.
    private mutating func noteReferences(of findings: RecordFindings) {
        for reference in findings.references {
            guard let number = reference.key.recordNumber, let collection = reference.key.pieces?.collection,
                let counter = types[collection]?.counter
            else { continue }
            counters.note([(counter, number)])
        }
    }

    /// Sets a counter. Each counter can be set only once.
    mutating func setCounter(_ name: String, to value: Int) throws(Refusal) {
        guard CounterBounds.values.contains(value) else {
            throw Refusal(reason: "\(value) is not a valid value of a counter")
        }
        guard counters.set(name, to: value) else { throw Refusal(reason: "the counter \(name) is set twice") }
        space.set(StoredValue(number: value), at: .counter(name))
    }

    /// The counters that would give a number again that a record has or refers to, and the minimum of each.
    var countersBehind: [(name: String, least: Int)] { counters.behind }

    /// Sets the counters that are too low.
    mutating func mendCounters() {
        for (name, least) in countersBehind {
            _ = counters.set(name, to: least)
            space.set(StoredValue(number: least), at: .counter(name))
        }
    }

    /// Sets the counts of indexes. It must be called after all records were added.
    mutating func setCounts() {
        for (key, count) in counts { space.set(StoredValue(number: count), at: key) }
    }

    private func taken(_ key: StoreKey) throws(Refusal) -> Bool {
        do throws(StoreError) {
            return try space.value(of: key) != nil
        } catch {
            throw Refusal(reason: "\(error)")
        }
    }
}
