import JSON
import PosternTesting
import Testing

@testable import DirectoryStore
@testable import Store

/// A counted index keeps the number of its records for each first key component, whatever changes the index.
struct CountedIndexTests {
    private static let types = [RecordType(Stay.self)]
    private static let cities = ["Bonn", "Ulm", "Ulm/Söflingen", "A%"]

    /// Compares all counts with the records.
    private func expectTrueCounts(in store: Store) throws {
        try store.transact { tx in
            let stays = try tx.all(Stay.self)
            for city in Self.cities {
                let count = try tx.count(Stay.byCity, prefix: Key(city))
                #expect(count == stays.filter { $0.city == city }.count, "\(city)")
            }
        }
    }

    /// The count entries in the store.
    private func kept(_ engine: LocalEngine) throws -> [String: String] {
        try engine.entries().filter { $0.key.hasPrefix("stays/city-count/") }
    }

    @Test(arguments: EngineConformanceTests.Kind.allCases, [1, 2, 3] as [UInt64])
    func countsCorrectlyAfterAnyChanges(kind: EngineConformanceTests.Kind, seed: UInt64) throws {
        let subject = try EngineConformanceTests.Subject(kind)
        var store = subject.store
        var random = SplitMix(state: seed)
        for step in 1...300 {
            let id = Int.random(in: 1...20, using: &random)
            let stay = Stay(id: id, city: Bool.random(using: &random) ? Self.cities.randomElement(using: &random) : nil)
            let isRolledBack = Int.random(in: 0..<4, using: &random) == 0
            do {
                try store.transact { tx in
                    if Bool.random(using: &random) { try tx.save(stay) } else { try tx.delete(Stay.self, Key(id)) }
                    if isRolledBack { throw StoreError.missing(key: "rolled back") }
                }
            } catch StoreError.missing(key: "rolled back") {
                #expect(isRolledBack)
            }
            if step % 7 == 0 { store.discardStaged() } else if step % 3 == 0 { try store.makeDurable() }
            if step % 50 == 0 {
                try store.makeDurable()
                store = try subject.reopened()
            }
            try expectTrueCounts(in: store)
        }
    }

    /// Two engines write in turns, with compactions in between.
    @Test func countsCorrectlyWhenOthersWriteAndCompact() throws {
        let directory = try TemporaryDirectory()
        let engines = [try directory.open(), try directory.open()]
        let stores = engines.map { Store(engine: $0) }
        for id in 1...60 {
            let store = stores[id % 2]
            try store.transact { try $0.insert(Stay(id: id, city: Self.cities[id % 3])) }
            if id % 4 == 0 { try store.transact { try $0.delete(Stay.self, Key(id - 3)) } }
            try store.makeDurable()
            if id % 20 == 0 { #expect(try engines[0].compact()) }
            for store in stores {
                try expectTrueCounts(in: store)
                try store.makeDurable()
            }
        }
        stores.forEach { $0.close() }
        #expect(try StoreCheck.run(directory.path, types: Self.types, progress: { _ in }).faults.isEmpty)
    }

    /// An earlier version left the store without counts.
    @Test func countsRecordsWhenNoCountIsStored() throws {
        let directory = try TemporaryDirectory()
        let engine = try directory.open()
        let store = Store(engine: engine)
        func forgetCounts() throws {
            try engine.write { tx in
                for city in Self.cities {
                    try tx.remove(StoreKey(collection: "stays", index: "city-count", key: Key(city)))
                }
            }
        }
        try store.transact { tx in for id in 1...10 { try tx.insert(Stay(id: id, city: Self.cities[id % 2])) } }
        try forgetCounts()
        try expectTrueCounts(in: store)
        // The next change stores the counts.
        try store.transact { try $0.insert(Stay(id: 11, city: "Bonn")) }
        try store.transact { try $0.delete(Stay.self, Key(1)) }
        try expectTrueCounts(in: store)
        #expect(try kept(engine) == ["stays/city-count/Bonn": "6", "stays/city-count/Ulm": "4"])
        // The update of the store stores them too.
        try forgetCounts()
        try store.makeDurable()
        try store.correctEntries(of: Stay.self)
        #expect(try kept(engine) == ["stays/city-count/Bonn": "6", "stays/city-count/Ulm": "4"])
        try expectTrueCounts(in: store)
    }

    @Test func checkFindsAWrongCount() throws {
        let directory = try TemporaryDirectory()
        let engine = try directory.open()
        let store = Store(engine: engine)
        try store.transact { try $0.insert(Stay(id: 1, city: "Bonn")) }
        try engine.write { tx in
            let key = StoreKey(collection: "stays", index: "city-count", key: Key("Bonn"))
            try tx.put(StoredValue(bytes: Array("2".utf8)), at: key, isErasable: false)
        }
        try store.makeDurable()
        store.close()
        let report = try StoreCheck.run(directory.path, types: Self.types, progress: { _ in })
        #expect(report.faults.count == 1 && report.faults[0].contains("stays/city-count/Bonn: this is not 1, "))
        // Salvage writes the correct count.
        let saved = directory.root + "/saved"
        _ = try StoreSalvage.run(directory.path, to: saved, types: Self.types, progress: { _ in })
        #expect(try kept(LocalEngine(directory: saved, log: { _ in })) == ["stays/city-count/Bonn": "1"])
    }

    @Test func importStoresCounts() throws {
        let directory = try TemporaryDirectory()
        let place = directory.root + "/imported"
        let incoming = try StoreImport(Self.types, to: place)
        for id in 1...30 {
            let city = Self.cities[id % 3].replacing("/", with: "\\/")
            try incoming.take(Array(#"{"collection":"stays","record":{"id":\#(id),"city":"\#(city)"}}"#.utf8)[...])
        }
        try incoming.take(Array(#"{"end":true}"#.utf8)[...])
        #expect(try incoming.finish(progress: { _ in }), "\(incoming.faults)")
        #expect(try StoreCheck.run(place, types: Self.types, progress: { _ in }).faults.isEmpty)
        let engine = try LocalEngine(directory: place, log: { _ in })
        #expect(
            try kept(engine) == [
                "stays/city-count/Bonn": "10", "stays/city-count/Ulm": "10", "stays/city-count/Ulm%2FSöflingen": "10",
            ]
        )
        try expectTrueCounts(in: Store(engine: engine))
    }
}

/// A record with a counted index.
private struct Stay: Record {
    static let byCity = OrderedIndex<Stay>("city", isCounted: true) { stay in stay.city.map { Key($0, stay.id) } }
    static let collection = Collection<Stay>("stays", ordered: [byCity])

    let id: Int
    let city: String?

    var key: Key { Key(id) }

    init(id: Int, city: String?) {
        (self.id, self.city) = (id, city)
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        let value = try JSONValue(reading: &reader)
        self.init(id: value["id"]?.int ?? 0, city: value["city"]?.string)
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.property("id")
        writer.int(id)
        writer.property("city")
        writer.string(city)
        writer.endObject()
    }
}
