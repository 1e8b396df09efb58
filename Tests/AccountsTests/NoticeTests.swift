import DirectoryStore
import PosternTesting
import Store
import Testing

@testable import Accounts

/// Mails that tell the owner of an account of an event.
struct NoticeTests {
    private let time = DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513))
    private let environment: Environment
    private let password = Given.value(Password("password".utf8))
    private var store: Store { environment.store }

    init() {
        environment = Environment(
            store: Store(engine: LocalEngine()),
            time: time,
            random: SystemRandom(),
            hasher: Argon2idHasher(),
            outbox: Outbox(composer: SecretComposer())
        )
    }

    private func apis(sendsNotices: Bool = true) -> AccountAPIs {
        AccountAPIs(environment, AccountSettings(operatorsConfirmEmail: false, sendsNotices: sendsNotices))
    }

    private func register(_ email: String, _ apis: AccountAPIs) throws -> SessionFields {
        let person = PersonFields(firstName: .value("A"), lastName: .value("B"), email: .value(email))
        let signedIn = try apis.operators.register(person: .value(person), password: password).finished(with: apis)
        try store.proveEmail(of: Operator.self, email)
        return SessionFields(userID: .value(signedIn.account.id), sessionID: .value(signedIn.session.bearer))
    }

    private func changePassword(_ session: SessionFields, _ apis: AccountAPIs) throws -> SessionFields {
        let token = try apis.operators.changePassword(session, currentPassword: password, password: password)
            .finished(with: apis)
        return SessionFields(userID: session.userID, sessionID: .value(token.bearer))
    }

    /// Signs in with a wrong password, ten times.
    private func lock(_ email: String, in apis: AccountAPIs) throws {
        for _ in 1...Limits.failedSignInsMax {
            #expect(throws: AccountError.self) {
                try apis.sales.authenticate(email: .value(email), password: .value(Password("guess".utf8)))
                    .finished(with: apis)
            }
        }
    }

    private func registerSales(_ email: String, _ apis: AccountAPIs) throws {
        let code = try apis.sales.invite(.admin).referralCode
        let new = NewSalesUser(
            email: .value(email),
            password: password,
            referralCode: .value(code),
            name: .value(NameFields(first: .value("A"), last: .value("B")))
        )
        _ = try apis.sales.create(.admin, new).finished(with: apis)
        try store.proveEmail(of: SalesUser.self, email)
    }

    private func mails(_ kind: MailKind) throws -> [OutboxMail] {
        try store.transact { tx in try environment.outbox.all(in: tx).filter { $0.kind == kind.rawValue } }
    }

    private func count<R: Record>(_ type: R.Type) throws -> Int { try store.transact { try $0.all(type).count } }

    @Test func goToTheAddressWhenThePasswordChanges() throws {
        let apis = apis()
        _ = try changePassword(try register("A@b.co", apis), apis)
        #expect(try mails(.operatorsPasswordChanged).map(\.to) == ["A@b.co"])
    }

    /// The change must not fail, or a stranger who causes mails could prevent it.
    @Test func areLeftOutWhereTheQuotaIsReached() throws {
        let apis = apis()
        var session = try register("a@b.co", apis)
        for _ in 0..<Limits.mailsPerKindAndAddressMax + 2 { session = try changePassword(session, apis) }
        #expect(try mails(.operatorsPasswordChanged).count == Limits.mailsPerKindAndAddressMax)
        #expect(try apis.operators.account(session).email == "a@b.co")
    }

    @Test func areNotSentForAHostThatSendsItsOwn() throws {
        let apis = apis(sendsNotices: false)
        let session = try changePassword(try register("a@b.co", apis), apis)
        try registerSales("b@b.co", apis)
        try lock("b@b.co", in: apis)
        try apis.operators.changeEmail(session, currentPassword: password, email: .value("c@b.co"))
            .finished(with: apis)
        #expect(try store.transact { try environment.outbox.all(in: $0).map(\.kind) } == ["operators-email-change"])
        try apis.operators.delete(session, currentPassword: password).finished(with: apis)
        #expect(try count(OutboxMail.self) == 0)
    }

    /// A stranger registers with somebody's address, and must not cause notices to it.
    @Test func doNotGoToAnAddressThatIsNotProven() throws {
        let apis = apis()
        let care = apis.care
        let email = Given.value("a@b.co")
        _ = try care.register(
            email: email,
            password: password,
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent
        ).finished(with: apis)
        let token = try care.signIn(email: email, password: password).finished(with: apis)
        for _ in 1...Limits.failedSignInsMax {
            #expect(throws: AccountError.self) {
                try care.signIn(email: email, password: .value(Password("guess".utf8))).finished(with: apis)
            }
        }
        _ = try care.delete(.value(token.bearer))
        #expect(try store.transact { try environment.outbox.all(in: $0).map(\.kind) } == [])
        // The lock has written as much as for a proven address.
        #expect(try count(DecoyMail.self) == 1)
    }

    @Test func tellOfALockOnce() throws {
        let apis = apis()
        try registerSales("a@b.co", apis)
        try lock("A@b.co", in: apis)
        try lock("A@b.co", in: apis)
        #expect(try mails(.salesSignInLocked).map(\.to) == ["a@b.co"])
        #expect(time.advance(seconds: Limits.lockoutSeconds))
        try lock("a@b.co", in: apis)
        #expect(try mails(.salesSignInLocked).count == 2)
    }

    /// If only the lock of an account wrote a mail, the time of the tenth reply would reveal the account.
    @Test func causeTheSameWorkForAnEmailWithoutAnAccount() throws {
        let apis = apis()
        try registerSales("a@b.co", apis)
        try lock("a@b.co", in: apis)
        let known = try count(MailQuota.self)
        try store.makeDurable()
        _ = store.takeFollowUp(.mail)
        try lock("b@b.co", in: apis)
        try store.makeDurable()
        #expect(try mails(.salesSignInLocked).map(\.to) == ["a@b.co"])
        #expect(try count(DecoyMail.self) == 1)
        #expect(try count(MailQuota.self) == known + 1)
        #expect(store.takeFollowUp(.mail))
    }

    /// The notice of a deletion is the last place in the store that has the address.
    @Test(arguments: [true, false])
    func ofADeletionLeaveNoAddress(isDelivered: Bool) throws {
        let apis = apis()
        let session = try register("a@b.co", apis)
        try apis.operators.delete(session, currentPassword: password).finished(with: apis)
        let mail = try #require(try mails(.operatorsAccountDeleted).first)
        #expect(mail.to == "a@b.co")
        try store.transact { tx in
            if isDelivered {
                try environment.outbox.markDelivered(mail.id, at: time.now, in: tx)
            } else {
                let later = time.now.adding(seconds: Limits.noticeSeconds)
                _ = try environment.outbox.sweep(at: later, in: tx)
            }
        }
        #expect(try count(OutboxMail.self) == 0)
        #expect(try count(OutboxText.self) == 0)
        // Deleting this record is what leads to the compaction.
        #expect(try count(DeletionNotice.self) == 0)
        #expect(RecordTypes.personal.contains { $0 === DeletionNotice.collection })
    }

    /// Another account with the address is deleted before the first notice is sent.
    @Test func ofAnEarlierDeletionEndWithTheNextOne() throws {
        let apis = apis()
        for _ in 1...2 {
            let session = try register("a@b.co", apis)
            try apis.operators.delete(session, currentPassword: password).finished(with: apis)
        }
        #expect(try mails(.operatorsAccountDeleted).count == 1)
        #expect(try count(DeletionNotice.self) == 1)
    }
}
