import DirectoryStore
import PosternTesting
import Store
import Testing

@testable import Accounts

/// The deletion of an account with more records than one transaction deletes.
struct AccountDeletionTests {
    private let environment = Environment(
        store: Store(engine: LocalEngine()),
        time: DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513)),
        random: SystemRandom(),
        hasher: Argon2idHasher(),
        outbox: Outbox(composer: SecretComposer())
    )
    private let many = Limits.jobRecordsMax + 100
    private let password = Given.value(Password("password".utf8))
    private var store: Store { environment.store }
    private var operators: Operators { Operators(environment, AccountSettings(operatorsConfirmEmail: false)) }

    private func register(_ email: String) throws -> SessionFields {
        let person = PersonFields(firstName: .value("A"), lastName: .value("B"), email: .value(email))
        let signedIn = try operators.register(person: .value(person), password: password).finished(in: environment)
        try store.proveEmail(of: Operator.self, email)
        return SessionFields(userID: .value(signedIn.account.id), sessionID: .value(signedIn.session.bearer))
    }

    private func addClient(_ number: Int, of session: SessionFields) throws {
        let email = Given.value("client\(number)@b.co")
        let person = PersonFields(firstName: .value("C"), lastName: .value("D"), email: email)
        _ = try operators.createClient(
            session: session,
            .value(ClientFields(person: .value(person), address: .value("x")))
        )
    }

    private func count<R: Record>(_ type: R.Type) throws -> Int { try store.transact { try $0.all(type).count } }

    @Test func deletesManyClientsInSeveralTransactions() throws {
        let (session, other) = (try register("a@b.co"), try register("other@b.co"))
        for number in 0..<many { try addClient(number, of: session) }
        try addClient(0, of: other)
        try operators.delete(session, currentPassword: password).finished(in: environment)
        // No request finds the account, and its email is free, while clients remain.
        #expect(throws: AccountError(ErrorCode.Operators.authenticationFailed)) { try operators.account(session) }
        #expect(try count(Client.self) == many + 1)
        #expect(try count(AccountDeletion.self) == 1)
        let next = try register("a@b.co")
        try addClient(0, of: next)
        try store.makeDurable()
        #expect(store.takeFollowUp(.jobs))
        while try operators.runJob() {}
        #expect(try count(AccountDeletion.self) == 0)
        #expect(try operators.clients(session: next, provision: .value(0)).clients.map(\.id) == [many + 2])
        #expect(try operators.clients(session: other, provision: .value(0)).clients.map(\.id) == [many + 1])
        #expect(try count(Client.self) == 2)
    }

    /// The mails of an account that registers with the same address later stay.
    @Test func deletesTheMailsToTheAddressUpToTheDeletion() throws {
        let sales = Sales(environment)
        let code = try sales.invite(.admin).referralCode
        let key = try sales.create(
            .admin,
            NewSalesUser(
                email: .value("a@b.co"),
                password: password,
                referralCode: .value(code),
                name: .value(NameFields(first: .value("A"), last: .value("B")))
            )
        ).finished(in: environment).key
        try store.proveEmail(of: SalesUser.self, "a@b.co")
        let token = Given.value(try #require(key).bearer)
        let address = try #require(EmailAddress("a@b.co"))
        func post() throws {
            try store.transact { tx in
                try environment.outbox.post(
                    .salesReset,
                    of: nil,
                    to: address,
                    secret: "s",
                    messageID: "m",
                    goodFor: 3_600,
                    locale: nil,
                    at: environment.time.now,
                    in: tx
                )
            }
        }
        for _ in 0..<many { try post() }
        try sales.delete(token, currentPassword: password).finished(in: environment)
        // The notice of the deletion stays too.
        #expect(try count(OutboxMail.self) == 101)
        try post()
        while try sales.runJob() {}
        #expect(try count(OutboxMail.self) == 2)
        #expect(try count(OutboxText.self) == 2)
    }

    /// Mails name their account since this version; of an account's own address, older ones are deleted too.
    @Test func deletesTheMailsAboutTheAccountToAnyAddress() throws {
        let (session, other) = (try register("a@b.co"), try register("other@b.co"))
        func change(_ email: String, _ session: SessionFields) throws {
            try operators.changeEmail(session, currentPassword: password, email: .value(email))
                .finished(in: environment)
        }
        for email in ["first@b.co", "second@b.co"] { try change(email, session) }
        // A notice for the owner of a taken address is the owner's mail.
        try change("other@b.co", session)
        try change("third@b.co", other)
        try store.transact { tx in
            for (account, email) in [(nil, "a@b.co"), (nil, "x@b.co"), (2, "x@b.co")] {
                try environment.outbox.post(
                    .operatorsReset,
                    of: account,
                    to: try #require(EmailAddress(email)),
                    secret: "s",
                    messageID: "m",
                    goodFor: 3_600,
                    locale: nil,
                    at: environment.time.now,
                    in: tx
                )
            }
        }
        try operators.delete(session, currentPassword: password).finished(in: environment)
        let left = try store.transact { try environment.outbox.all(in: $0) }
        let texts = try store.transact { tx in try tx.all(OutboxText.self).map(\.id) }
        #expect(Set(left.map(\.to)) == ["other@b.co", "third@b.co", "x@b.co", "a@b.co"])
        // To the address itself, only the notice of the deletion is left.
        #expect(left.filter { $0.to == "a@b.co" }.map(\.kind) == [MailKind.operatorsAccountDeleted.rawValue])
        #expect(texts == left.map(\.id))
    }
}
