@testable import DirectoryStore
@testable import Store
import Testing
import PosternTesting

@testable import Accounts

/// Stores of the previous version.
struct EarlierFormsTests {
    private let engine = LocalEngine()
    private let store: Store
    private let now = Timestamp(microseconds: 1_456_351_672_000_000)

    init() {
        store = Store(engine: engine)
    }

    private func client(_ id: Int, _ email: String, isDeleted: Bool = false) -> Client {
        Client(
            id: id,
            operatorID: 1,
            created: now,
            person: Person(id: id, created: now, firstName: "C", lastName: "D", email: email),
            address: "E",
            change: id,
            deleted: isDeleted ? now : nil
        )
    }

    /// The previous version had deleted clients in the index by email, and no index of deleted clients.
    private func insertDeletedAsBefore(_ numbers: ClosedRange<Int>) throws {
        try store.transact { tx in
            for id in numbers { try tx.insert(client(id, "c\(id)@b.co", isDeleted: true)) }
        }
        try engine.write { tx in
            for id in numbers {
                let deleted = Client.collection.prefix(ofIndex: Client.byEmailOfDeleted.name)
                try tx.remove(StoreKey(prefix: deleted, Key(1, "c\(id)@b.co", id)))
                let live = StoreKey(
                    prefix: Client.collection.prefix(ofIndex: Client.byEmail.name),
                    Key(1, "c\(id)@b.co")
                )
                try tx.put(ValueWriter().entry(pointingAt: Key(id)), at: live, isErasable: false)
            }
        }
        try store.makeDurable()
    }

    /// Creating a client with the email of a deleted one failed with -32603.
    @Test func freesTheEmailsOfDeletedClientsInSeveralTransactions() throws {
        let count = Store.updatedRecordsMax + 1
        try insertDeletedAsBefore(1...count)
        try store.transact { try $0.insert(client(count + 1, "live@b.co")) }
        #expect(throws: StoreError.duplicate(index: "email")) {
            try store.transact { try $0.insert(client(count + 2, "c7@b.co")) }
        }
        try EarlierForms.update(store, newKey: { "0f" })
        try store.transact { tx in
            try tx.insert(client(count + 2, "c7@b.co"))
            #expect(try tx.scan(Client.byEmailOfDeleted).count == count)
            #expect(try tx.find(Client.byEmail, Key(1, "live@b.co"))?.id == count + 1)
            #expect(try tx.find(Client.byEmail, Key(1, "c\(count)@b.co")) == nil)
        }
    }

    /// A large store that was imported, so that it had no key, was read as a whole at each start.
    @Test func readsALargeStoreOnce() throws {
        try store.transact { tx in
            for id in 1...Store.updatedRecordsMax + 1 { try tx.insert(client(id, "c\(id)@b.co")) }
        }
        try store.makeDurable()
        try EarlierForms.update(store, newKey: { "0f" })
        #expect(try store.read(HashKey.stored)?.secret == "0f")
        try EarlierForms.update(store) {
            Issue.record("the store has a key")
            return ""
        }
    }

    /// The previous version found expired invitations by reading all of them, so it had no index by time.
    @Test func sweepsInvitationsThatWereInNoIndexByTime() throws {
        let count = Store.updatedRecordsMax + 1
        try store.transact { tx in for id in 1...count { try tx.insert(invitation(id, seconds: id)) } }
        try engine.write { tx in
            for id in 1...count {
                for (index, seconds) in [(Invitation.byExpiry, now.seconds + id), (Invitation.byCreation, now.seconds)]
                {
                    let prefix = Invitation.collection.prefix(ofIndex: index.name)
                    try tx.remove(StoreKey(prefix: prefix, Key(seconds, id)))
                }
            }
        }
        try store.makeDurable()
        func sweep() throws {
            while try store.transact({ try Sweep.run(at: now.adding(seconds: 100), audit: nil, in: $0) }) {}
            try store.makeDurable()
        }
        try sweep()
        #expect(try store.transact { try $0.count(Invitation.self) } == count)
        try store.makeDurable()
        try EarlierForms.update(store, newKey: { "0f" })
        try sweep()
        #expect(try store.transact { try $0.all(Invitation.self).map(\.id) } == Array(101...count))
        #expect(try store.transact { try $0.scan(Invitation.byCreation).count } == count - 100)
    }

    private func invitation(_ id: Int, seconds: Int) -> Invitation {
        Invitation(
            id: id,
            hash: "hash \(id)",
            role: "admin",
            usesLeft: 1,
            created: now,
            expires: now.adding(seconds: seconds)
        )
    }

    /// An update does not change a store in the current form.
    @Test func doesNotChangeACurrentStore() throws {
        try store.transact { tx in
            try tx.insert(client(1, "a@b.co"))
            try tx.insert(client(2, "b@b.co", isDeleted: true))
            try tx.insert(invitation(1, seconds: 60))
        }
        try store.makeDurable()
        let before = try entries()
        try EarlierForms.update(store, newKey: { "0f" })
        #expect(try entries() == before)
    }

    private func entries() throws -> [StoreKey] {
        try engine.read { tx in
            var keys: [StoreKey] = []
            try tx.scan(from: StoreKey(bytes: []), upTo: StoreKey(bytes: [0xFF]), descending: false, limit: .max) {
                key,
                _ in
                keys.append(key)
                return true
            }
            return keys
        }
    }
}
