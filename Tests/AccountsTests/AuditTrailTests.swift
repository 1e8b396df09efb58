import DirectoryStore
import PosternTesting
import Store
import Testing

@testable import Accounts

struct AuditTrailTests {
    private let store = Store(engine: LocalEngine())
    private let start = Timestamp(microseconds: 1_456_351_672_000_000)
    private let day = 86_400

    private func record(_ account: Int? = 1, _ realm: Realm = .care, after seconds: Int = 0) throws {
        let origin = try Origin(.value(OriginFields(ip: .value("192.0.2.7"), agent: .value("curl")))) { _, _ in
            AccountError(ErrorCode.Care.invalidClient)
        }
        try store.transact { tx in
            try AuditTrail(realm).record(
                .signedIn,
                of: account,
                by: .anonymous,
                from: origin,
                detail: EventDetail(session: 1),
                at: start.adding(seconds: seconds),
                in: tx
            )
        }
    }

    private func events(after seq: Int?, limit: Int = .max) throws -> [Int] {
        try store.transact { try AuditTrail.events(after: seq, limit: limit, in: $0).map(\.seq) }
    }

    private func events(of account: Int, after seq: Int?) throws -> [Int] {
        try store.transact { try AuditTrail.events(of: .care, account, after: seq, limit: .max, in: $0).map(\.seq) }
    }

    /// As an import of a store in a database may leave them.
    @Test func numbersImportedEventsAfterTheOthers() throws {
        try record()
        try store.transact { tx in
            var event = AuditTrail(.care).sample(.signedIn, of: 1, from: .unknown, at: start)
            event.seq = 0
            for _ in 0..<2 { try tx.insert(UnnumberedEvent(event, at: start)) }
        }
        #expect(try events(after: nil) == [1])
        let hasMore = try store.transact { try Sweep.run(at: start, audit: AuditBounds(), in: $0) }
        #expect(!hasMore)
        #expect(try events(after: nil) == [1, 2, 3])
        #expect(try events(of: 1, after: nil) == [1, 2, 3])
        #expect(try store.transact { try $0.all(UnnumberedEvent.self).isEmpty })
        try record()
        #expect(try events(after: 3) == [4])
    }

    private func sweep(_ bounds: AuditBounds, at time: Timestamp) throws {
        while try store.transact({ try AuditTrail.sweep(bounds, at: time, in: $0) }) {}
    }

    @Test func readsFromACursor() throws {
        #expect(try events(after: nil) == [])
        #expect(try events(after: 0) == [])
        for _ in 1...5 { try record() }
        #expect(try events(after: nil) == [1, 2, 3, 4, 5])
        #expect(try events(after: 0, limit: 2) == [1, 2])
        #expect(try events(after: 2, limit: 2) == [3, 4])
        #expect(try events(after: 5) == [])
        // A cursor ahead of the trail gets nothing yet.
        #expect(try events(after: 9) == [])
        #expect(try events(after: .max) == [])
    }

    @Test func readsTheEventsOfOneAccount() throws {
        try record(1)
        try record(2)
        try record(1, .sales)
        try record(nil)
        try record(1)
        #expect(try events(of: 1, after: nil) == [1, 5])
        #expect(try events(of: 1, after: 1) == [5])
        #expect(try events(of: 3, after: nil) == [])
    }

    @Test func erasesWhatAnAccountsEventsSay() throws {
        for account in [1, 2, 1] { try record(account) }
        try store.transact { tx in
            let erased = try AuditTrail(.care).erase(1, 0...9, limit: 1, in: tx)
            #expect(erased == (visited: 1, next: 2))
            #expect(try AuditTrail(.care).erase(1, erased.next...9, limit: 9, in: tx) == (visited: 1, next: 4))
            #expect(try AuditTrail(.care).erase(1, 4...9, limit: 9, in: tx) == (visited: 0, next: 4))
            let events = try tx.all(Event.self)
            #expect(events.map(\.ip) == [nil, "192.0.2.7", nil])
            #expect(events.map(\.agent) == [nil, "curl", nil])
            #expect(events.map { $0.detail?.session } == [nil, 1, nil])
            #expect(events.map(\.account) == [1, 2, 1])
        }
    }

    @Test func deletesOldEvents() throws {
        for hour in 0..<5 { try record(after: hour * 3_600) }
        try sweep(AuditBounds(days: 1), at: start.adding(seconds: day - 1))
        #expect(try events(after: nil) == [1, 2, 3, 4, 5])
        try sweep(AuditBounds(days: 1), at: start.adding(seconds: day + 3_600))
        #expect(try events(after: nil) == [3, 4, 5])
        #expect(try events(after: 2) == [3, 4, 5])
        #expect(throws: EventsGone.self) { try events(after: 1) }
        #expect(throws: EventsGone.self) { try events(of: 1, after: 0) }
        // The numbers go on after the whole trail was deleted.
        try sweep(AuditBounds(days: 1), at: start.adding(seconds: 9 * day))
        #expect(try events(after: nil) == [])
        #expect(throws: EventsGone.self) { try events(after: 4) }
        try record(after: 9 * day)
        #expect(try events(after: 5) == [6])
    }

    @Test func keepsALimitedNumberOfEvents() throws {
        let count = 2 * Limits.sweptRowsMax + 10
        for _ in 0..<count { try record() }
        try sweep(AuditBounds(eventsMax: 3), at: start)
        #expect(try events(after: nil) == [count - 2, count - 1, count])
        #expect(throws: EventsGone.self) { try events(after: count - 4) }
        #expect(try events(after: count - 3).count == 3)
    }

    /// Events that a clock which was ahead had dated once kept all later ones in the trail.
    @Test func deletesAnEventWithAFutureDateWithTheOldOneAfterIt() throws {
        try record(after: 400 * day)
        for hour in 0..<3 { try record(after: hour * 3_600) }
        try sweep(AuditBounds(days: 1), at: start.adding(seconds: day - 1))
        #expect(try events(after: nil) == [1, 2, 3, 4])
        try sweep(AuditBounds(days: 1), at: start.adding(seconds: day))
        #expect(try events(after: nil) == [3, 4])
        #expect(throws: EventsGone.self) { try events(after: 1) }
    }

    /// A mail that was not delivered before its code expired once left no event.
    @Test func aMailThatExpiresLeavesAnEvent() throws {
        let outbox = Outbox(composer: SecretComposer())
        try store.transact { tx in
            try outbox.post(
                .careConfirmation,
                of: 7,
                to: try #require(EmailAddress("a@b.co")),
                secret: "s",
                messageID: "m",
                goodFor: 60,
                locale: nil,
                at: start,
                in: tx
            )
            _ = try outbox.sweep(at: start.adding(seconds: 59), in: tx)
            #expect(try tx.all(Event.self).isEmpty)
            // Later its record is deleted, which is no event.
            for seconds in [60, 61, 60 + Limits.outboxRecordSeconds] {
                _ = try outbox.sweep(at: start.adding(seconds: seconds), in: tx)
            }
            let events = try tx.all(Event.self)
            #expect(events.map(\.kind) == [EventKind.mailFailed.rawValue])
            #expect(events.first?.account == 7 && events.first?.detail?.mail == 1)
            #expect(try tx.count(OutboxMail.self) == 0)
        }
    }

    // MARK: Emails without an account

    /// Records a failed sign-in with an email that has no account, and returns whether it left an event.
    private func recordUnknown(_ bounds: AuditBounds) throws -> Bool {
        try store.transact { tx in
            let before = try tx.count(Event.self)
            try AuditTrail(.sales).recordUnknown(
                .signInFailed,
                by: .anonymous,
                from: .unknown,
                bounds,
                at: start,
                in: tx
            )
            return try tx.count(Event.self) > before
        }
    }

    /// A flood of invented emails once pushed all other events out of the trail.
    @Test func aFloodOfInventedEmailsLeavesTheEventsOfAccounts() throws {
        let bounds = AuditBounds(eventsMax: 80)
        for _ in 1...40 { try record(1) }
        var stored = 0
        for _ in 1...10_000 where try recordUnknown(bounds) { stored += 1 }
        // 80 numbers ahead, of which each event uses 8 and gives back one.
        #expect(stored == 12)
        try sweep(bounds, at: start)
        #expect(try events(of: 1, after: nil) == Array(1...40))
        // The numbers have no gap: what was left out has none.
        #expect(try events(after: 40) == Array(41...52))
    }

    @Test func emailsWithoutAnAccountHaveAQuarterOfTheTrail() throws {
        let bounds = AuditBounds(eventsMax: 80)
        for _ in 1...100 {
            try record(1)
            for _ in 1...5 { _ = try recordUnknown(bounds) }
            try sweep(bounds, at: start)
            let unknown = try store.transact { try $0.all(Event.self).filter { $0.account == nil }.count }
            #expect(unknown <= 20)
        }
        let known = try store.transact { try $0.all(Event.self).filter { $0.account != nil }.count }
        #expect(known >= 60)
        // The share recovers when the flood has ended.
        for _ in 1...80 { try record(1) }
        #expect(try recordUnknown(bounds))
    }

    /// An event that is left out still causes a write of its length.
    @Test func whatIsLeftOutIsPadded() throws {
        let bounds = AuditBounds(eventsMax: 8)
        var paddings: Set<Int> = []
        while try recordUnknown(bounds) {}
        for _ in 1...3 {
            #expect(try !recordUnknown(bounds))
            paddings.insert(
                try store.transact { try $0.all(UnknownEvents.self).map(\.padding.utf8.count).reduce(0, +) }
            )
        }
        let event = AuditTrail(.sales).sample(.signInFailed, of: nil, from: .unknown, at: start)
        #expect(try paddings == [store.transact { $0.insertionBytes(of: event) }])
        #expect(try count(UnknownEvents.self) == 1)
    }

    private func count<R: Record>(_ type: R.Type) throws -> Int { try store.transact { try $0.count(type) } }
}
