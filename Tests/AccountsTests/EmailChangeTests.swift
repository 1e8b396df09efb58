import DirectoryStore
import PosternTesting
import Store
import Testing

@testable import Accounts

/// Changes of the email, and the codes that restore an earlier address.
struct EmailChangeTests {
    private let time = DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513))
    private let environment: Environment
    private let password = Given.value(Password("password".utf8))
    private let threeDays = 3 * 86_400
    private var store: Store { environment.store }
    private var operators: Operators { Operators(environment) }

    init() {
        environment = Environment(
            store: Store(engine: LocalEngine()),
            time: time,
            random: SystemRandom(),
            hasher: Argon2idHasher(),
            outbox: Outbox(composer: SecretComposer())
        )
    }

    private func register(_ email: String) throws -> SessionFields {
        let person = PersonFields(firstName: .value("A"), lastName: .value("B"), email: .value(email))
        let signedIn = try operators.register(person: .value(person), password: password).finished(in: environment)
        try store.proveEmail(of: Operator.self, email)
        return SessionFields(userID: .value(signedIn.account.id), sessionID: .value(signedIn.session.bearer))
    }

    private func request(_ email: String, _ session: SessionFields, password: String = "password") throws {
        try operators.changeEmail(
            session,
            currentPassword: .value(Password(password.utf8)),
            email: .value(email)
        ).finished(in: environment)
    }

    private func confirm(_ code: String, _ session: SessionFields) throws -> String {
        try operators.confirmEmailChange(session, code: .value(code)).email
    }

    /// Changes the email, and returns the code that restores the previous one; nil if no code was mailed.
    @discardableResult
    private func change(_ email: String, _ session: SessionFields, password: String = "password") throws -> String? {
        try request(email, session, password: password)
        let before = try texts(.operatorsEmailChanged).count
        _ = try confirm(try #require(try texts(.operatorsEmailChange).last), session)
        return try texts(.operatorsEmailChanged).dropFirst(before).last
    }

    private func revert(_ code: String?, password: String = "the owner's") throws -> String {
        let code = Given.value(try #require(code))
        return try operators.revertEmailChange(code: code, password: .value(Password(password.utf8)))
            .finished(in: environment).email
    }

    /// The codes in the mails of a kind, the oldest first.
    private func texts(_ kind: MailKind) throws -> [String] {
        try store.transact { tx in
            try environment.outbox.all(in: tx).filter { $0.kind == kind.rawValue }.map { mail in
                try environment.outbox.text(of: mail, in: tx) ?? ""
            }
        }
    }

    private func advance(_ seconds: Int) { #expect(time.advance(seconds: seconds)) }

    private func count<R: Record>(_ type: R.Type) throws -> Int { try store.transact { try $0.all(type).count } }

    private let invalid = AccountError(ErrorCode.Operators.codeInvalid)
    private let taken = AccountError(ErrorCode.Operators.operatorExists)

    // MARK: Taking over and restoring

    /// The code of a later address ends with the use of an earlier one's, but not the other way round.
    @Test func anEarlierCodeEndsThoseOfLaterAddresses() throws {
        let session = try register("a@b.co")
        let a = try change("b@b.co", session)
        let b = try change("c@b.co", session)
        let c = try change("d@b.co", session)
        #expect(try revert(b) == "b@b.co")
        #expect(throws: invalid) { try revert(c) }
        #expect(throws: invalid) { try revert(b) }
        // The code of the earlier address is still valid.
        #expect(try revert(a) == "a@b.co")
        #expect(try count(EmailReversal.self) == 0)
    }

    @Test func aReversalSurvivesNewPasswordsAndResets() throws {
        let session = try register("a@b.co")
        let a = try change("thief@b.co", session)
        let token = try operators.changePassword(session, currentPassword: password, password: password)
            .finished(in: environment)
        try operators.resetPassword(email: .value("thief@b.co"))
        let reset = Given.value(try #require(try texts(.operatorsReset).last))
        try operators.completeReset(code: reset, password: password).finished(in: environment)
        #expect(try revert(a) == "a@b.co")
        let session2 = SessionFields(userID: session.userID, sessionID: .value(token.bearer))
        #expect(throws: AccountError(ErrorCode.Operators.authenticationFailed)) { try operators.account(session2) }
        let signedIn = try operators.signIn(email: .value("a@b.co"), password: .value(Password("the owner's".utf8)))
            .finished(in: environment)
        #expect(signedIn.account.id == 1)
    }

    /// Neither a pending change nor a reset code that went to the thief's address may survive.
    @Test func aReversalEndsEverythingElseThatIsOut() throws {
        let session = try register("a@b.co")
        let a = try change("thief@b.co", session)
        try request("other@b.co", session)
        let pending = try #require(try texts(.operatorsEmailChange).last)
        try operators.resetPassword(email: .value("thief@b.co"))
        let reset = Given.value(try #require(try texts(.operatorsReset).last))
        _ = try revert(a)
        #expect(try count(EmailChange.self) == 0)
        #expect(try count(MailedCode.self) == 0)
        #expect(throws: invalid) {
            try operators.completeReset(code: reset, password: password).finished(in: environment)
        }
        let owner = try operators.signIn(email: .value("a@b.co"), password: .value(Password("the owner's".utf8)))
            .finished(in: environment)
        let ownersSession = SessionFields(userID: .value(1), sessionID: .value(owner.session.bearer))
        #expect(throws: invalid) { try confirm(pending, ownersSession) }
    }

    @Test(arguments: [true, false])
    func aNewPasswordEndsAPendingChange(isReset: Bool) throws {
        let session = try register("a@b.co")
        try request("b@b.co", session)
        let pending = try #require(try texts(.operatorsEmailChange).last)
        if isReset {
            try operators.resetPassword(email: .value("a@b.co"))
            let code = Given.value(try #require(try texts(.operatorsReset).last))
            try operators.completeReset(code: code, password: password).finished(in: environment)
        } else {
            _ = try operators.changePassword(session, currentPassword: password, password: password)
                .finished(in: environment)
        }
        #expect(try count(EmailChange.self) == 0)
        let signedIn = try operators.signIn(email: .value("a@b.co"), password: password).finished(in: environment)
        let next = SessionFields(userID: .value(1), sessionID: .value(signedIn.session.bearer))
        #expect(throws: invalid) { try confirm(pending, next) }
    }

    @Test func aResetCodeThatWasMailedToTheEarlierAddressIsInvalid() throws {
        let session = try register("a@b.co")
        try operators.resetPassword(email: .value("a@b.co"))
        let code = Given.value(try #require(try texts(.operatorsReset).last))
        try change("b@b.co", session)
        #expect(throws: invalid) {
            try operators.completeReset(code: code, password: password).finished(in: environment)
        }
    }

    // MARK: Reservations

    @Test func theEarlierAddressIsReservedForThreeDays() throws {
        let (session, other) = (try register("A@b.co"), try register("other@b.co"))
        let a = try change("b@b.co", session)
        advance(threeDays - 1)
        #expect(throws: taken) { try register("a@B.co") }
        let mails = try texts(.operatorsEmailTaken).count
        try request("a@b.co", other)
        #expect(try texts(.operatorsEmailTaken).count == mails + 1)
        advance(1)
        #expect(throws: invalid) { try revert(a) }
        // Nothing has swept the reservation, but it has ended.
        #expect(try count(EmailReversal.self) == 1)
        let next = try register("a@b.co")
        // The next owner's own change replaces it.
        #expect(try change("z@b.co", next) != nil)
        #expect(try count(EmailReversal.self) == 1)
        #expect(throws: invalid) { try revert(a) }
    }

    @Test func theAccountItselfMayTakeItsAddressBack() throws {
        let session = try register("a@b.co")
        let a = try change("b@b.co", session)
        let b = try change("A@b.co", session)
        #expect(throws: invalid) { try revert(a) }
        #expect(try revert(b) == "b@b.co")
        // The address that is given up by a reversal is free at once.
        _ = try register("a@b.co")
    }

    /// Another spelling of the address is no other address, so there is nothing to restore.
    @Test func anotherSpellingLeavesNothingToRestore() throws {
        let session = try register("a@b.co")
        #expect(try change("A@B.co", session) == nil)
        #expect(try operators.account(session).email == "A@B.co")
        #expect(try count(EmailReversal.self) == 0)
    }

    @Test func anUnprovenAddressIsNotReserved() throws {
        let strict = Operators(environment, AccountSettings())
        let person = PersonFields(firstName: .value("A"), lastName: .value("B"), email: .value("a@b.co"))
        let apis = AccountAPIs(environment, AccountSettings())
        let signedIn = try strict.register(person: .value(person), password: password).finished(with: apis)
        let session = SessionFields(userID: .value(1), sessionID: .value(signedIn.session.bearer))
        #expect(try change("b@b.co", session) == nil)
        #expect(try texts(.operatorsEmailChangeRequested) == [])
        _ = try register("a@b.co")
    }

    // MARK: Races

    @Test func theFirstOfTwoConfirmationsGetsTheAddress() throws {
        let (one, two) = (try register("one@b.co"), try register("two@b.co"))
        try request("x@b.co", one)
        try request("x@b.co", two)
        let codes = try texts(.operatorsEmailChange)
        #expect(try confirm(codes[1], two) == "x@b.co")
        #expect(throws: taken) { try confirm(codes[0], one) }
        // The refusal has used nothing: once the address is free, the code works.
        try operators.delete(two, currentPassword: password).finished(in: environment)
        #expect(try confirm(codes[0], one) == "x@b.co")
    }

    @Test func aUsedCodeReturnsTheSameResultForADay() throws {
        let session = try register("a@b.co")
        try request("b@b.co", session)
        let code = try #require(try texts(.operatorsEmailChange).last)
        for _ in 1...3 { #expect(try confirm(code, session) == "b@b.co") }
        #expect(try texts(.operatorsEmailChanged).count == 1)
        advance(86_399)
        #expect(try confirm(code, session) == "b@b.co")
        advance(1)
        #expect(throws: invalid) { try confirm(code, session) }
    }

    @Test func aPendingChangeExpiresInADay() throws {
        let session = try register("a@b.co")
        try request("b@b.co", session)
        let code = try #require(try texts(.operatorsEmailChange).last)
        advance(86_400)
        #expect(throws: invalid) { try confirm(code, session) }
        #expect(try operators.account(session).email == "a@b.co")
    }

    // MARK: Secrecy

    /// The reply is the same too, so neither tells whether the address is taken.
    @Test func aTakenAddressCausesTheSameWrites() throws {
        _ = try register("taken@b.co")
        let (one, two) = (try register("one@b.co"), try register("two@b.co"))
        func counts() throws -> [Int] {
            [
                try count(MailedCode.self), try count(EmailChange.self), try count(OutboxMail.self),
                try count(OutboxText.self), try count(MailQuota.self),
            ]
        }
        let before = try counts()
        try request("free@b.co", one)
        let free = try counts()
        try request("taken@b.co", two)
        #expect(zip(free, before).map(-) == zip(try counts(), free).map(-))
        #expect(try texts(.operatorsEmailChange).count == 1)
        // No mail has the code that is stored.
        #expect(try texts(.operatorsEmailTaken) == [""])
    }

    @Test func aTakenAddressIsCountedLikeAFreeOne() throws {
        _ = try register("taken@b.co")
        let session = try register("one@b.co")
        for email in ["taken@b.co", "free@b.co"] {
            for _ in 1...Limits.mailsPerKindAndAddressMax { try request(email, session) }
            #expect(throws: AccountError(ErrorCode.Operators.tooManyMails, retryAfter: 3_600)) {
                try request(email, session)
            }
        }
    }

    // MARK: Limits and deletion

    @Test func aThiefCannotEndTheOwnersCodeByManyChanges() throws {
        let session = try register("a@b.co")
        let a = try change("b0@b.co", session)
        for number in 1..<Limits.emailReversalsMax {
            advance(1)
            try change("b\(number)@b.co", session)
        }
        let left = threeDays - Limits.emailReversalsMax + 1
        #expect(throws: AccountError(ErrorCode.Operators.tooManyEmailChanges, retryAfter: left)) {
            try request("c@b.co", session)
        }
        #expect(try revert(a) == "a@b.co")
        #expect(try count(EmailReversal.self) == 0)
    }

    @Test func deletingTheAccountDeletesItsAddresses() throws {
        let (session, other) = (try register("a@b.co"), try register("other@b.co"))
        try change("b@b.co", session)
        try request("c@b.co", session)
        let others = try change("d@b.co", other)
        try operators.delete(session, currentPassword: password).finished(in: environment)
        #expect(try count(EmailChange.self) == 0)
        #expect(try count(EmailReversal.self) == 1)
        let left = try store.transact { try environment.outbox.all(in: $0) }
        #expect(left.filter { $0.to == "a@b.co" } == [])
        #expect(left.filter { $0.to == "b@b.co" }.map(\.kind) == ["operators-account-deleted"])
        _ = try register("a@b.co")
        #expect(try revert(others) == "other@b.co")
    }

    @Test func sweepsWhatHasExpired() throws {
        let session = try register("a@b.co")
        try change("b@b.co", session)
        try request("c@b.co", session)
        func sweep() throws {
            while try store.transact({ try Sweep.run(at: time.now, audit: AuditBounds(), in: $0) }) {}
        }
        advance(86_399)
        try sweep()
        #expect(try count(EmailChange.self) == 1)
        advance(1)
        try sweep()
        #expect(try count(EmailChange.self) == 0)
        advance(2 * 86_400 - 1)
        try sweep()
        #expect(try count(EmailReversal.self) == 1)
        advance(1)
        try sweep()
        #expect(try count(EmailReversal.self) == 0)
    }

    /// A clock that was ahead would reserve the address for years.
    @Test func correctsAReservationOfAClockThatWasAhead() throws {
        let session = try register("a@b.co")
        try change("b@b.co", session)
        try store.transact { tx in
            var reversal = try #require(try tx.all(EmailReversal.self).first)
            reversal.expires = time.now.adding(seconds: 365 * 86_400)
            try tx.update(reversal)
        }
        while try store.transact({ try Sweep.run(at: time.now, audit: AuditBounds(), in: $0) }) {}
        advance(threeDays)
        _ = try register("a@b.co")
    }

    /// If the clock were set back, an expired code would be valid again.
    @Test func refusingAnExpiredCodeNamesTheReversalToDelete() throws {
        let session = try register("a@b.co")
        let a = try change("b@b.co", session)
        advance(threeDays)
        do {
            _ = try revert(a)
            Issue.record("an expired code was accepted")
        } catch let error as AccountError {
            #expect(error.expired == .reversal(Key(1)))
            var expired = ExpiredSecrets()
            expired.insert(try #require(error.expired))
            try expired.delete(in: store)
        }
        #expect(try count(EmailReversal.self) == 0)
    }

    // MARK: The other APIs

    @Test func reservesTheAddressInItsOwnAPIOnly() throws {
        let session = try register("a@b.co")
        try change("b@b.co", session)
        let care = Care(environment)
        _ = try care.register(
            email: .value("a@b.co"),
            password: password,
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent
        ).finished(in: environment)
    }
}
