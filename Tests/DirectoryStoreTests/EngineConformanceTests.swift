import JSON
import PosternTesting
import Testing

#if Postgres
    import PostgresStore
#endif

@testable import DirectoryStore
@testable import Store

/// Requirements that every engine must meet. Each test runs on each engine.
struct EngineConformanceTests {
    enum Kind: CaseIterable {
        case memory, directory
        /// A session that commits each transaction at once, runs every closure twice and fails commits at random.
        case session
        #if Postgres
            case postgres
        #endif

        /// Whether the numbers of a transaction that is undone are given again.
        var givesNumbersAgain: Bool {
            #if Postgres
                self != .postgres
            #else
                true
            #endif
        }
    }

    /// An engine and, if it has one, its directory, which is removed with it.
    struct Subject {
        let directory: TemporaryDirectory?
        let engine: any Engine
        let store: Store
        /// Opens the engine as the next process does.
        private let open: () throws -> any Engine

        init(_ kind: Kind) throws {
            directory = kind == .directory ? try TemporaryDirectory() : nil
            switch kind {
            case .memory:
                let engine = LocalEngine()
                open = { engine }
            case .directory: open = { [directory] in try directory?.open() ?? LocalEngine() }
            case .session:
                let memory = SharedMemory(seed: 1)
                open = { SharedMemorySession(memory) }
            #if Postgres
                case .postgres:
                    let database = try TestDatabase()
                    let names = StoreNames(collections: ["people", "notes"], counters: ["people", "a", "b"])
                    open = { try database.open(names).makeEngine() }
            #endif
            }
            engine = try open()
            store = Store(engine: engine)
        }

        /// The engine as the next process opens it. In memory, the same engine.
        func reopenedEngine() throws -> any Engine {
            if !(engine is LocalEngine && directory == nil) { store.close() }
            return try open()
        }

        /// The store as the next process opens it. In memory, the same store.
        func reopened() throws -> Store {
            engine is LocalEngine && directory == nil ? store : Store(engine: try reopenedEngine())
        }
    }

    @Test(arguments: Kind.allCases)
    func findsRecordsByKeyAndIndex(kind: Kind) throws {
        let subject = try Subject(kind)
        try subject.store.transact { tx in
            try tx.insert(Person(id: 1, name: "Ann", city: "Bonn"))
            try tx.insert(Person(id: 2, name: "Bob", city: "Bonn"))
            try tx.insert(Person(id: 3, name: "Cid", city: "Aachen"))
        }
        try subject.store.makeDurable()
        try subject.reopened().transact { tx throws in
            #expect(try tx.get(Person.self, Key(2))?.name == "Bob")
            #expect(try tx.get(Person.self, Key(4)) == nil)
            #expect(try tx.find(Person.byName, Key("Cid"))?.id == 3)
            #expect(try tx.find(Person.byName, Key("cid")) == nil)
            #expect(try tx.scan(Person.byCity).map(\.id) == [3, 1, 2])
            #expect(try tx.scan(Person.byCity, prefix: Key("Bonn")).map(\.id) == [1, 2])
            #expect(try tx.scan(Person.byCity, descending: true, limit: 2).map(\.id) == [2, 1])
            #expect(try tx.all(Person.self).map(\.id) == [1, 2, 3])
            #expect(try tx.count(Person.self) == 3)
        }
    }

    @Test(arguments: Kind.allCases)
    func updatesIndexesWithRecords(kind: Kind) throws {
        let subject = try Subject(kind)
        try subject.store.transact { try $0.insert(Person(id: 1, name: "Ann", city: "Bonn")) }
        try subject.store.transact { try $0.update(Person(id: 1, name: "Eve", city: "Ulm")) }
        try subject.store.transact { try $0.save(Person(id: 2, name: "Ann", city: nil)) }
        try subject.store.makeDurable()
        let store = try subject.reopened()
        try store.transact { tx in
            #expect(try tx.find(Person.byName, Key("Ann"))?.id == 2)
            #expect(try tx.find(Person.byName, Key("Eve"))?.id == 1)
            #expect(try tx.scan(Person.byCity).map(\.id) == [1])
            try tx.delete(Person.self, Key(1))
            try tx.delete(Person.self, Key(1))
            try tx.delete(Person.self, Key(2))
        }
        #expect(try store.statistics().entries == 0)
    }

    /// Two strings that Swift compares as equal have separate entries if their bytes differ.
    @Test(arguments: Kind.allCases)
    func movesAnIndexEntryWhenOnlyItsBytesChange(kind: Kind) throws {
        let (composed, decomposed) = ("Zo\u{EB}", "Zoe\u{308}")
        let store = try Subject(kind).store
        try store.transact { try $0.insert(Person(id: 1, name: composed, city: nil)) }
        try store.transact { try $0.update(Person(id: 1, name: decomposed, city: nil)) }
        let found = try store.transact { tx in
            try [composed, decomposed].map { try tx.find(Person.byName, Key($0))?.id }
        }
        #expect(found == [nil, 1])
    }

    @Test(arguments: Kind.allCases)
    func refusesDuplicatesAndMissingRecords(kind: Kind) throws {
        let store = try Subject(kind).store
        try store.transact { try $0.insert(Person(id: 1, name: "Ann", city: nil)) }
        func error(_ body: (Transaction) throws -> Void) -> StoreError? {
            storeError { try store.transact(body) }
        }
        #expect(error { try $0.insert(Person(id: 1, name: "Bob", city: nil)) } == .duplicate(index: "id"))
        #expect(error { try $0.insert(Person(id: 2, name: "Ann", city: nil)) } == .duplicate(index: "name"))
        #expect(
            error { try $0.update(Person(id: 2, name: "Bob", city: nil)) } == .missing(key: "people/id/0000000002")
        )
        // The refused transactions left none of their earlier writes.
        #expect(try store.statistics().entries == 2)
    }

    @Test(arguments: Kind.allCases)
    func rollsBackATransactionThatThrows(kind: Kind) throws {
        struct Refusal: Error {}
        let subject = try Subject(kind)
        try subject.store.transact { try $0.insert(Person(id: 1, name: "Ann", city: nil)) }
        #expect(throws: Refusal.self) {
            try subject.store.transact { tx in
                try tx.insert(Person(id: 2, name: "Bob", city: nil))
                try tx.delete(Person.self, Key(1))
                _ = try tx.next("people")
                throw Refusal()
            }
        }
        try subject.store.makeDurable()
        try subject.reopened().transact { tx throws in
            #expect(try tx.all(Person.self).map(\.id) == [1])
            #expect(try tx.next("people") >= 1)
            if kind.givesNumbersAgain { #expect(try tx.next("people") == 2) }
        }
    }

    /// A refused transaction's `keeping` closure runs after everything else in the transaction is undone,
    /// including the numbers that it took.
    @Test(arguments: Kind.allCases)
    func commitsTheKeepingClosureOfARefusedTransaction(kind: Kind) throws {
        struct Refused: Error {}
        let subject = try Subject(kind)
        try subject.store.write { try $0.insert(Person(id: 1, name: "Ann", city: nil)) }
        #expect(throws: Refused.self) {
            try subject.store.write { tx in
                try tx.insert(Person(id: 2, name: "Bob", city: nil))
                try tx.delete(Person.self, Key(1))
                _ = try tx.next("people")
                throw Refusal(Refused()) { tx in
                    #expect(try tx.all(Person.self).map(\.id) == [1])
                    try tx.insert(Person(id: try tx.next("people") + 2, name: "Bob", city: nil))
                }
            }
        }
        try subject.store.makeDurable()
        let kept = try subject.reopened().read { tx in try tx.all(Person.self).map(\.id) }
        #expect(kept.count == 2 && kept[0] == 1 && kept[1] >= 3)
        if kind.givesNumbersAgain { #expect(kept[1] == 3) }
    }

    /// If the `keeping` closure cannot be written, nothing is written.
    @Test(arguments: Kind.allCases)
    func writesNothingWhenTheKeepingClosureFails(kind: Kind) throws {
        struct Refused: Error {}
        let subject = try Subject(kind)
        try subject.store.write { try $0.insert(Person(id: 1, name: "Ann", city: nil)) }
        let error = storeError {
            try subject.store.write { _ in
                throw Refusal(Refused()) { tx in
                    try tx.delete(Person.self, Key(1))
                    try tx.update(Person(id: 1, name: "Bob", city: nil))
                }
            }
        }
        #expect(error == .missing(key: "people/id/0000000001"))
        #expect(try subject.store.read { try $0.all(Person.self).map(\.name) } == ["Ann"])
    }

    @Test(arguments: Kind.allCases)
    func refusesAWriteInARead(kind: Kind) throws {
        let subject = try Subject(kind)
        let ann = Person(id: 1, name: "Ann", city: nil)
        #expect(storeError { try subject.store.read { try $0.insert(ann) } } == .writeInRead)
        #expect(storeError { try subject.store.refusingWrites { try subject.store.write { _ in } } } == .writeInRead)
        try subject.store.write { try $0.insert(ann) }
        #expect(storeError { try subject.store.read { try $0.delete(Person.self, Key(1)) } } == .writeInRead)
        #expect(try subject.store.read { try $0.all(Person.self).map(\.name) } == ["Ann"])
    }

    @Test(arguments: [Kind.memory, .directory])
    func discardsOnlyStagedTransactions(kind: Kind) throws {
        let subject = try Subject(kind)
        try subject.store.transact { try $0.insert(Person(id: 1, name: "Ann", city: nil)) }
        try subject.store.makeDurable()
        try subject.store.transact { try $0.update(Person(id: 1, name: "Eve", city: nil)) }
        try subject.store.transact { try $0.insert(Person(id: 2, name: "Ann", city: nil)) }
        subject.store.discardStaged()
        try subject.store.makeDurable()
        #expect(try subject.store.statistics().transactions == 1)
        try subject.reopened().transact { tx throws in
            #expect(try tx.all(Person.self).map(\.name) == ["Ann"])
        }
    }

    @Test(arguments: Kind.allCases)
    func neverReturnsACounterValueTwice(kind: Kind) throws {
        let subject = try Subject(kind)
        let first = try subject.store.transact { tx in [try tx.next("a"), try tx.next("a"), try tx.next("b")] }
        try subject.store.makeDurable()
        let next = try subject.reopened().transact { tx in [try tx.next("a"), try tx.next("b")] }
        #expect(first == [1, 2, 1])
        // An engine may skip numbers.
        #expect(next[0] >= 3 && next[1] >= 2)
        if kind.givesNumbersAgain { #expect(next == [3, 2]) }
    }

    @Test(arguments: Kind.allCases)
    func storesAnyText(kind: Kind) throws {
        let subject = try Subject(kind)
        let texts = [
            "\u{2028}\u{2029}", "\0", "\"\\/%", "\r\n\t", "\u{1F600}é\u{301}", "", "null", "},\"c\":\"00000000\"}",
            "\u{FEFF}", "\u{FFFF}", "\u{10FFFF}", "\u{E2}\u{80}",
        ]
        try subject.store.transact { tx in
            for (id, text) in texts.enumerated() { try tx.insert(Person(id: id, name: text, city: text)) }
        }
        try subject.store.makeDurable()
        if let directory = subject.directory {
            let journal = try directory.text()
            #expect(
                !journal.unicodeScalars.contains { $0 == "\u{2028}" || $0 == "\u{2029}" || $0 == "\0" || $0 == "\r" }
            )
        }
        try subject.reopened().transact { tx throws in
            for (id, text) in texts.enumerated() {
                let person = try #require(try tx.find(Person.byName, Key(text)))
                #expect(person.id == id)
                #expect(person.name == text && person.city == text)
            }
        }
    }

    @Test(arguments: Kind.allCases)
    func acceptsARecordOfOneMebibyteAndNoLonger(kind: Kind) throws {
        let subject = try Subject(kind)
        let frame = Note(id: 1, text: "").bytes.count
        let longest = String(repeating: "x", count: Limits.valueBytesMax - frame)
        try subject.store.transact { try $0.insert(Note(id: 1, text: longest)) }
        try subject.store.makeDurable()
        #expect(
            storeError { try subject.store.transact { try $0.insert(Note(id: 2, text: longest + "x")) } }
                == .tooLarge(bytes: Note(id: 2, text: longest + "x").bytes.count)
        )
        let key = String(repeating: "k", count: Limits.keyBytesMax)
        let error = storeError {
            try subject.store.transact { try $0.insert(Person(id: 1, name: key, city: nil)) }
        }
        #expect(error == .tooLarge(bytes: "people/name/".utf8.count + key.utf8.count))
        try subject.reopened().transact { tx throws in
            #expect(try tx.get(Note.self, Key(1))?.text == longest)
            #expect(try tx.all(Note.self).count == 1)
            #expect(try tx.all(Person.self).isEmpty)
        }
    }

    @Test(arguments: Kind.allCases)
    func returnsPartsOfAnIndex(kind: Kind) throws {
        let subject = try Subject(kind)
        try subject.store.transact { tx in
            for id in 1...5 { try tx.insert(Person(id: id, name: "\(id)", city: id == 3 ? nil : "Bonn")) }
        }
        try subject.store.makeDurable()
        try subject.reopened().read { tx throws in
            tx.prefetch { announced in
                for id in [4, 9, 1] { announced.get(Person.self, Key(id)) }
            }
            #expect(try [4, 9, 1].map { try tx.get(Person.self, Key($0))?.id } == [4, nil, 1])
            #expect(try tx.scan(Person.byCity, offset: 1, limit: 2).map(\.id) == [2, 4])
            #expect(try tx.scan(Person.byCity, descending: true, offset: 3).map(\.id) == [1])
            #expect(try tx.scan(Person.byCity, offset: 4).isEmpty)
            #expect(try tx.scan(Person.byCity, limit: 0).isEmpty)
        }
    }

    @Test(arguments: Kind.allCases)
    func reportsAnIndexEntryWithoutItsRecord(kind: Kind) throws {
        let subject = try Subject(kind)
        try subject.store.transact { try $0.insert(Person(id: 1, name: "Ann", city: "Bonn")) }
        try subject.store.makeDurable()
        try subject.engine.write([("people/id/0000000001", nil)])
        let errors = [
            storeError { _ = try subject.store.read { try $0.scan(Person.byCity) } },
            storeError { _ = try subject.store.read { try $0.find(Person.byName, Key("Ann")) } },
        ]
        let reason = "an index entry without its record"
        #expect(errors[0] == .damaged(file: "people/city/Bonn/0000000001", offset: 0, reason: reason))
        #expect(errors[1] == .damaged(file: "people/name/Ann", offset: 0, reason: reason))
    }

    /// What transactions ask for is done once they are durable, and not if they are refused or undone.
    @Test(arguments: Kind.allCases)
    func hasFollowUpsOfDurableTransactionsOnly(kind: Kind) throws {
        struct Refused: Error {}
        let store = try Subject(kind).store
        let (mail, jobs) = (FollowUps(rawValue: 1), FollowUps(rawValue: 2))
        try store.write { tx in
            try tx.insert(Person(id: 1, name: "Ann", city: nil))
            tx.afterwards(mail)
        }
        #expect(!store.takeFollowUp(mail))
        try store.makeDurable()
        #expect(!store.takeFollowUp(jobs))
        #expect(store.takeFollowUp(mail))
        #expect(!store.takeFollowUp(mail))
        // A refused transaction asks only for what its kept part asks for.
        #expect(throws: Refused.self) {
            try store.write { tx in
                tx.afterwards(mail)
                throw Refusal(Refused()) { $0.afterwards(jobs) }
            }
        }
        #expect(throws: Refused.self) {
            try store.write { tx in
                tx.afterwards(mail)
                throw Refused()
            }
        }
        try store.makeDurable()
        #expect(!store.takeFollowUp(mail))
        #expect(store.takeFollowUp(jobs))
        try store.write { $0.afterwards(mail) }
        store.discardStaged()
        try store.makeDurable()
        #expect(!store.takeFollowUp(mail))
    }

    /// Random transactions, some refused and some discarded, compared with a dictionary.
    /// The directory is reopened now and then.
    @Test(arguments: Kind.allCases, [1, 2, 3] as [UInt64])
    func agreesWithADictionary(kind: Kind, seed: UInt64) throws {
        struct Refusal: Error {}
        var random = SplitMix(state: seed)
        let subject = try Subject(kind)
        var engine = subject.engine
        let commitsAtOnce = !(engine is LocalEngine)
        var durable: [String: String] = [:]
        var staged = durable
        for step in 0..<400 {
            var writes: [(String, String?)] = []
            for index in 0..<Int(random.next() % 6) {
                let value = random.next() % 3 == 0 ? nil : #"{"v":"\#(step).\#(index)"}"#
                writes.append(("k\(random.next() % 40)", value))
            }
            let isErasable = random.next() % 3 == 0
            if random.next() % 5 == 0 {
                #expect(throws: Refusal.self) {
                    try engine.write(writes, isErasable: isErasable, refusal: Refusal())
                }
            } else {
                try engine.write(writes, isErasable: isErasable)
                for (key, value) in writes { staged[key] = value }
            }
            switch random.next() % 6 {
            case 0 where !commitsAtOnce:
                engine.discardStaged()
                staged = durable
            case 1, 2, 3:
                try engine.makeDurable()
                durable = staged
            default: break
            }
            if kind != .memory, random.next() % 20 == 0 {
                engine.close()
                engine = try subject.reopenedEngine()
                if !commitsAtOnce { staged = durable }
            }
            #expect(try engine.entries() == staged, "step \(step)")
        }
        #expect(subject.directory?.warnings.isEmpty ?? true)
    }
}

/// A record with a unique and an ordered index.
struct Person: Record {
    static let byName = UniqueIndex<Person>("name", steady: \.name) { Key($0.name) }
    static let byCity = OrderedIndex<Person>("city") { person in person.city.map { Key($0, person.id) } }
    static let collection = Collection("people", isNumbered: true, unique: [byName], ordered: [byCity])

    var id: Int
    var name: String
    var city: String?

    var key: Key { Key(id) }

    init(id: Int, name: String, city: String?) {
        (self.id, self.name, self.city) = (id, name, city)
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        let value = try JSONValue(reading: &reader)
        guard let id = value["id"]?.int, let name = value["name"]?.string else {
            throw JSONError(.typeMismatch, at: reader.offset)
        }
        self.init(id: id, name: name, city: value["city"]?.string)
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.property("id")
        writer.int(id)
        writer.property("name")
        writer.string(name)
        writer.property("city")
        writer.string(city)
        writer.endObject()
    }
}

/// A record whose bytes are overwritten in the files after it is deleted.
struct Note: Record {
    static let collection = Collection<Note>("notes", isErasable: true)

    var id: Int
    var text: String

    var key: Key { Key(id) }

    init(id: Int, text: String) {
        (self.id, self.text) = (id, text)
    }

    init(reading reader: inout JSONReader) throws(JSONError) {
        let value = try JSONValue(reading: &reader)
        self.init(id: value["id"]?.int ?? 0, text: value["text"]?.string ?? "")
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.property("id")
        writer.int(id)
        writer.property("text")
        writer.string(text)
        writer.endObject()
    }
}

extension Record {
    /// The record's stored bytes.
    var bytes: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}
