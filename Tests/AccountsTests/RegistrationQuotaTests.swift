import DirectoryStore
import Store
import Testing
import PosternTesting

@testable import Accounts

/// Registrations with an address that has received too many mails are refused with the time to wait,
/// and change nothing.
struct RegistrationQuotaTests {
    private let store = Store(engine: LocalEngine())
    private let time = DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513))
    private let environment: Environment

    init() throws {
        environment = Environment(
            store: store,
            time: time,
            random: SystemRandom(),
            hasher: Argon2idHasher(),
            outbox: Outbox(composer: SecretComposer())
        )
    }

    /// Sends five mails of a kind to an address, as registering and deleting accounts would.
    private func exhaust(_ kind: MailKind, _ text: String) throws {
        let address = try #require(EmailAddress(text))
        for _ in 1...5 {
            let mail = MailSecrets(environment.random)
            let seconds = try store.transact {
                try environment.outbox.admit(kind, to: address, mail, at: time.now, in: $0)
            }
            #expect(seconds == nil)
        }
        #expect(time.advance(seconds: 60))
    }

    @Test func areRefusedByOperators() throws {
        try exhaust(.operatorsConfirmation, "A@b.co")
        let person = PersonFields(firstName: .value("A"), lastName: .value("B"), email: .value("a@b.co"))
        func register(_ apis: AccountAPIs) throws -> Int {
            try apis.operators.register(person: .value(person), password: .value(Password("password".utf8)))
                .finished(with: apis).account.id
        }
        #expect(throws: AccountError(ErrorCode.Operators.tooManyMails, retryAfter: 3_540)) {
            try register(AccountAPIs(environment))
        }
        #expect(try store.transact { try $0.count(Operator.self) + $0.count(OutboxMail.self) } == 0)
        // Without mails there is nothing to wait for.
        #expect(try register(AccountAPIs(environment, AccountSettings(operatorsConfirmEmail: false))) == 1)
    }

    @Test func areRefusedBySales() throws {
        try exhaust(.salesVerification, "a@b.co")
        let sales = Sales(environment)
        let code = try sales.invite(.admin).referralCode
        let new = NewSalesUser(
            email: .value("a@b.co"),
            password: .value(Password("password".utf8)),
            referralCode: .value(code),
            name: .value(NameFields(first: .value("A"), last: .value("B"))),
            source: .value("IT")
        )
        #expect(throws: AccountError(ErrorCode.Sales.tooManyMails, retryAfter: 3_540)) {
            _ = try sales.create(.customer, new).finished(in: environment)
        }
        #expect(try store.transact { try $0.count(SalesUser.self) + $0.count(OutboxMail.self) } == 0)
        #expect(time.advance(seconds: 3_540))
        #expect(try sales.create(.customer, new).finished(in: environment).user.id == 1)
    }
}
