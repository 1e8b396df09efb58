import Platform
import PosternTesting
import Testing

@testable import DirectoryStore
@testable import Store

/// Salvage of a damaged store with several bases.
struct SalvagedBasesTests {
    private static let types = [RecordType(Person.self)]
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Makes the bases 2 to 4: the first has three people, the second renames the first of them, and the third deletes
    /// the second of them. A fourth person is in the journal.
    private func makeStore() throws {
        try change { tx in
            for _ in 1...3 {
                let id = try tx.nextNumber(of: Person.self)
                try tx.insert(Person(id: id, name: "old\(id)", city: nil))
            }
        }
        try compact()
        try change { tx in try tx.update(Person(id: 1, name: "new1", city: nil)) }
        try compact()
        try change { tx in try tx.delete(Person.self, Key(2)) }
        try compact()
        try change { tx in
            try tx.insert(Person(id: try tx.nextNumber(of: Person.self), name: "new4", city: nil))
        }
    }

    private func change(_ body: (Transaction) throws -> Void) throws {
        let store = Store(engine: try directory.open())
        try store.transact(body)
        try store.makeDurable()
        store.close()
    }

    /// Compacts the journal into a new base, and keeps the others.
    private func compact() throws {
        let (opened, space) = try StoreDirectory.open(directory.path, settings: StoreSettings(), log: { _ in })
        let outcome = Compaction(.real).run(try opened.compactionSource(space, merging: 0))
        guard case .done = outcome else { throw StoreError.locked }
    }

    /// Salvages the store.
    ///
    /// - Returns: what the report says, and the names of the people that were saved, by their numbers.
    private func salvage() throws -> (losses: [String], names: [Int: String]) {
        let destination = directory.root + "/saved"
        let report = try StoreSalvage.run(directory.path, to: destination, types: Self.types, progress: { _ in })
        let store = Store(engine: try LocalEngine(directory: destination, log: { _ in }))
        let people = try store.read { tx in try tx.all(Person.self, limit: 10) }
        return (report.losses, Dictionary(uniqueKeysWithValues: people.map { ($0.id, $0.name) }))
    }

    /// Changes the last byte of a text in a file.
    private func damage(_ name: String, at text: String) throws {
        var bytes = try directory.bytes(of: name)
        let start = try #require(bytes.indices.first { bytes[$0...].starts(with: text.utf8) })
        bytes[start + text.utf8.count - 1] ^= 1
        try directory.write(bytes, to: name)
    }

    @Test func savesAllRecordsOfAnUndamagedStore() throws {
        try makeStore()
        let (losses, names) = try salvage()
        #expect(losses.isEmpty)
        #expect(names == [1: "new1", 3: "old3", 4: "new4"])
    }

    /// Without the manifest, the headers tell which bases belong together.
    @Test func findsTheBasesWithoutTheManifest() throws {
        try makeStore()
        try directory.remove("manifest.json")
        let (losses, names) = try salvage()
        #expect(losses == ["manifest.json is missing"])
        #expect(names == [1: "new1", 3: "old3", 4: "new4"])
    }

    /// If a line of a newer base is lost, the value in an older one is used, and the report says so.
    @Test func reportsThatAnOlderValueIsUsed() throws {
        try makeStore()
        try damage("base-3.jsonl", at: "new1")
        let (losses, names) = try salvage()
        let loss = try #require(losses.first { $0.hasPrefix("base-3.jsonl at byte ") })
        #expect(
            loss.hasSuffix("a line is lost, with the key people/id/0000000001; the value in an older base is used")
        )
        #expect(names[1] == "old1")
    }

    /// A removed record is there again if the line of its removal is lost.
    @Test func reportsThatARemovalIsLost() throws {
        try makeStore()
        try damage("base-4.jsonl", at: #"people/id/0000000002",null"#)
        let (losses, names) = try salvage()
        #expect(losses.contains { $0.hasPrefix("base-4.jsonl at byte ") && $0.hasSuffix("an older base is used") })
        #expect(names == [1: "new1", 2: "old2", 3: "old3", 4: "new4"])
    }

    /// If the key of a lost line is damaged, it is not known whether an older base has a value.
    @Test func reportsThatAnOlderValueMayBeUsed() throws {
        try makeStore()
        try damage("base-3.jsonl", at: "people/id/0000000001")
        let (losses, _) = try salvage()
        #expect(losses.contains { $0.contains("if an older base has a value of its key, that is used") })
    }

    /// Without the manifest and the header of a base, the next older base follows.
    @Test(arguments: [3, 4])
    func goesOnBehindADamagedHeader(epoch: Int) throws {
        try makeStore()
        try directory.remove("manifest.json")
        try damage("base-\(epoch).jsonl", at: "\"store")
        let (losses, names) = try salvage()
        #expect(losses.contains("base-\(epoch).jsonl: the header is lost"))
        #expect(losses.contains { $0.hasSuffix("without the header; the values in older bases are used") })
        #expect(names[3] == "old3" && names[4] == "new4")
        #expect(names[1] == (epoch == 3 ? "old1" : "new1"))
        #expect(names[2] == (epoch == 4 ? "old2" : nil))
    }

    /// Without the manifest and a base, the next older base follows.
    @Test(arguments: [3, 4])
    func goesOnBehindAMissingBase(epoch: Int) throws {
        try makeStore()
        try directory.remove("manifest.json")
        try directory.remove("base-\(epoch).jsonl")
        let (losses, names) = try salvage()
        #expect(losses.contains("base-\(epoch).jsonl is missing"))
        #expect(names[3] == "old3" && names[4] == "new4")
    }
}
