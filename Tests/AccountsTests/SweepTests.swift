import DirectoryStore
import Store
import Testing
import PosternTesting

@testable import Accounts

/// Deletes expired records, and corrects those that were dated by a clock that was ahead.
struct SweepTests {
    private let engine = ObservedEngine(LocalEngine())
    private let store: Store
    private let start = Timestamp(microseconds: 1_456_351_672_371_513)
    private let day = 86_400
    private let year = 365 * 86_400

    init() {
        store = Store(engine: engine)
    }

    private func sweep(at time: Timestamp) throws {
        while try store.transact({ try Sweep.run(at: time, audit: AuditBounds(), in: $0) }) {}
    }

    private func count<R: Record>(_ type: R.Type) throws -> Int { try store.transact { try $0.count(type) } }

    /// A server does not sweep a new store when it starts.
    @Test func aStoreIsEmptyUntilItHasARecord() throws {
        #expect(try store.transact { try $0.isEmpty })
        try store.transact { _ = try Lockout(.care).fail(1, at: start, in: $0) }
        #expect(try store.transact { try !$0.isEmpty })
        try store.transact { try Lockout(.care).deleteCount(of: 1, in: $0) }
        #expect(try store.transact { try $0.isEmpty })
    }

    /// Counts of failed sign-ins once stayed in the store permanently.
    @Test func deletesCountsOfFailuresOnceTheyHaveLapsed() throws {
        try store.transact { tx in
            for account in 1...3 { try Lockout(.care).fail(account, at: start, in: tx) }
            try Lockout(.operators, .passwordChange).fail(1, at: start.adding(seconds: day), in: tx)
        }
        try sweep(at: start.adding(seconds: day - 1))
        #expect(try count(PasswordFailures.self) == 4)
        try sweep(at: start.adding(seconds: day))
        #expect(try count(PasswordFailures.self) == 1)
    }

    @Test func deletesQuotasWhenTheyEnd() throws {
        try store.transact { tx in
            let address = try KeyedHash(of: "a@b.co", newKey: "00", in: tx)
            let cause = MailCause(.care, account: 7)
            let quotas = MailQuotas(.careInvitation, to: address, isSent: true, cause: cause)
            #expect(try quotas.admit(at: start, in: tx) == nil)
        }
        try sweep(at: start.adding(seconds: 3_599))
        #expect(try count(MailQuota.self) == 2)
        // The account's own quota lasts a day.
        try sweep(at: start.adding(seconds: 3_600))
        #expect(try count(MailQuota.self) == 1)
        try sweep(at: start.adding(seconds: day))
        #expect(try count(MailQuota.self) == 0)
    }

    @Test(arguments: MailedCodes.Purpose.allCases)
    func deletesCodesThatHaveExpired(purpose: MailedCodes.Purpose) throws {
        let realms = Realm.allCases
        try store.transact { tx in
            for realm in realms {
                _ = try MailedCodes(realm).issue(
                    purpose,
                    for: 1,
                    secret: "aa",
                    at: start,
                    in: tx
                )
            }
        }
        try sweep(at: start.adding(seconds: purpose.seconds - 1))
        #expect(try count(MailedCode.self) == realms.count)
        try sweep(at: start.adding(seconds: purpose.seconds))
        #expect(try count(MailedCode.self) == 0)
    }

    @Test func deletesInvitationsThatHaveExpired() throws {
        try insertInvitation(created: start, seconds: day)
        try sweep(at: start.adding(seconds: day - 1))
        #expect(try count(Invitation.self) == 1)
        try sweep(at: start.adding(seconds: day))
        #expect(try count(Invitation.self) == 0)
    }

    /// A sweep once read all invitations in one transaction.
    @Test func readsALimitedNumberOfInvitationsAtOnce() throws {
        let count = 3 * Limits.sweptRowsMax
        for id in 1...count { try insertInvitation(created: start, seconds: id % 2 == 0 ? day : year) }
        func run(at time: Timestamp) throws -> Bool {
            engine.visits = 0
            return try store.transact { try Sweep.run(at: time, audit: nil, in: $0) }
        }
        #expect(try !run(at: start.adding(seconds: day - 1)))
        #expect(engine.visits <= 2 * Limits.sweptRowsMax)
        #expect(try self.count(Invitation.self) == count)
        // Those that have expired are between the others.
        #expect(try run(at: start.adding(seconds: day)))
        #expect(engine.visits <= 2 * Limits.sweptRowsMax)
        #expect(try self.count(Invitation.self) == count - Limits.sweptRowsMax)
        try sweep(at: start.adding(seconds: day))
        #expect(try store.transact { try $0.all(Invitation.self).allSatisfy { $0.id % 2 == 1 } })
        #expect(try self.count(Invitation.self) == count / 2)
    }

    // MARK: After a clock that was ahead

    /// An invitation of a clock that was a year ahead was once valid for a year and a week.
    @Test func keepsTheLifetimeOfAnInvitation() throws {
        try insertInvitation(created: start.adding(seconds: year), seconds: day)
        try sweep(at: start)
        let invitation = try store.transact { try $0.get(Invitation.self, Key(1)) }
        #expect(invitation?.created == start)
        #expect(invitation?.expires == start.adding(seconds: day))
    }

    /// An invitation that is valid for years expires later than one of a clock that was ahead.
    @Test func findsAnInvitationOfAClockThatWasAheadBehindALongerOne() throws {
        try insertInvitation(created: start, seconds: 9 * year)
        try insertInvitation(created: start.adding(seconds: year), seconds: day)
        try sweep(at: start)
        let invitations = try store.transact { try $0.all(Invitation.self) }
        #expect(invitations.map(\.created) == [start, start])
        #expect(invitations.map(\.expires) == [start.adding(seconds: 9 * year), start.adding(seconds: day)])
    }

    /// A count lapses a day after its last failure. A clock that was ahead once delayed that by a year.
    @Test func lapsesCountsInADay() throws {
        try store.transact { tx in
            let ahead = start.adding(seconds: year)
            try Lockout(.care).fail(1, at: ahead, in: tx)
            let email = try SignInLockout.UnknownEmail("a@b.co", from: .unknown, newKey: "00", in: tx)
            try SignInLockout(.care).failUnknown(email, at: ahead, in: tx)
        }
        try sweep(at: start)
        #expect(try count(PasswordFailures.self) == 1 && count(UnknownFailures.self) == 1)
        try sweep(at: start.adding(seconds: day))
        #expect(try count(PasswordFailures.self) == 0 && count(UnknownFailures.self) == 0)
    }

    @Test func deletesQuotasThatEndTooLate() throws {
        try store.transact { tx in
            let address = try KeyedHash(of: "a@b.co", newKey: "00", in: tx)
            let quotas = MailQuotas(.careInvitation, to: address, isSent: true, cause: MailCause(.care, account: 7))
            #expect(try quotas.admit(at: start.adding(seconds: year), in: tx) == nil)
        }
        try sweep(at: start)
        #expect(try count(MailQuota.self) == 0)
    }

    private func insertInvitation(created: Timestamp, seconds: Int) throws {
        try store.transact { tx in
            let id = try tx.nextNumber(of: Invitation.self)
            try tx.insert(
                Invitation(
                    id: id,
                    hash: SecretToken.Hash(of: "code \(id)").text,
                    role: "admin",
                    usesLeft: 1,
                    created: created,
                    expires: created.adding(seconds: seconds)
                )
            )
        }
    }
}
