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
            let erased = try AuditTrail(.care).erase(1, from: 0, limit: 1, in: tx)
            #expect(erased == (visited: 1, next: 2))
            #expect(try AuditTrail(.care).erase(1, from: erased.next, limit: 9, in: tx) == (visited: 1, next: 4))
            #expect(try AuditTrail(.care).erase(1, from: 4, limit: 9, in: tx) == (visited: 0, next: 4))
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
}
