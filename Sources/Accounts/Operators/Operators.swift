package import Store

/// The operators API: field operators register, confirm their email, sign in, and keep a list of clients.
package struct Operators: MailedCodeAPI {
    package typealias Account = Operator
    package typealias Credential = SessionFields
    package typealias Rules = OperatorRules

    /// An operator and its new session.
    package struct SignedIn: Sendable {
        /// The operator.
        package let account: Operator
        /// The session's token, which is returned only this once.
        package let session: SecretToken
    }

    package static let realm = Realm.operators
    package static let tokenDigits = Limits.sessionIDDigits
    package static let codeParam = "code"
    package static let confirmation = (purpose: MailedCodes.Purpose.confirm, mail: MailKind.operatorsConfirmation)
    package static let resetMail = MailKind.operatorsReset
    package static let errorCodes = AccountErrorCodes(
        sessionNotFound: ErrorCode.Operators.sessionNotFound,
        wrongPassword: ErrorCode.Operators.wrongPassword,
        locked: ErrorCode.Operators.tooManyAttempts,
        emailTaken: ErrorCode.Operators.operatorExists,
        codeInvalid: ErrorCode.Operators.codeInvalid,
        tooManyMails: ErrorCode.Operators.tooManyMails,
        tooManyEmailChanges: ErrorCode.Operators.tooManyEmailChanges
    )

    package let environment: Environment
    package let settings: AccountSettings
    package let sessions: Sessions
    package let codes: MailedCodes
    package let signIn: SignIn<Operator>

    package init(_ environment: Environment, _ settings: AccountSettings = AccountSettings()) {
        self.environment = environment
        self.settings = settings
        sessions = Sessions(.operators, perAccountMax: Limits.sessionsMax, uses: environment.sessionUses)
        codes = MailedCodes(.operators)
        let confirmsEmail = settings.operatorsConfirmEmail
        self.signIn = SignIn(
            .operators,
            in: environment,
            settings,
            sessions: sessions,
            refusals: .init(
                unknownEmail: ErrorCode.Operators.accountInvalidOrUnconfirmed,
                wrongPassword: ErrorCode.Operators.wrongPassword,
                disabled: ErrorCode.Operators.accountInvalidOrUnconfirmed,
                locked: ErrorCode.Operators.tooManyAttempts
            ),
            // The document lets the sign-in reveal that an account does not exist.
            hidesUnknown: false,
            mayEnter: { account, _ in account.isConfirmed || !confirmsEmail },
            ofAPI: \.operators.signIn
        )
    }

    package init(from apis: AccountAPIs) { self = apis.operators }

    /// The operator who sends a request.
    ///
    /// - Throws: `authentication_failed` if the session is not open or not the operator's; `field_invalid` if `user_id`
    ///   or `session_id` has the wrong JSON type.
    package func authenticated(_ given: SessionFields, at now: Timestamp, in tx: Transaction) throws -> Operator {
        try storedAccount(given, at: now, in: tx).record
    }

    /// Like `authenticated`, but returns the stored object, for rules that read few of its fields.
    func storedAccount(
        _ given: SessionFields,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> StoredRecord<Operator> {
        func failed() -> AccountError {
            if given.userID.expectedType != nil { return OperatorRules.invalid(given.userID, "user_id") }
            if given.sessionID.expectedType != nil { return OperatorRules.invalid(given.sessionID, "session_id") }
            return AccountError(ErrorCode.Operators.authenticationFailed)
        }
        tx.prefetch { announced in
            if let id = given.userID.value, Key.numbers.contains(id) { announced.get(Operator.self, Key(id)) }
        }
        guard let id = given.userID.value, let token = given.sessionID.value,
            try sessions.account(holding: token, at: now, in: tx, orThrow: failed()) == id,
            let account = try tx.stored(Operator.self, at: id)
        else { throw failed() }
        return account
    }

    /// Whether signing in requires a confirmed email.
    var confirmsEmail: Bool { settings.operatorsConfirmEmail }

    package static func token(in credential: SessionFields) -> BearerToken? { credential.sessionID.value }

    /// Deletes the operator's clients.
    package func deleteRecords(ofDeleted account: Int, limit: Int, in tx: Transaction) throws -> Int {
        let clients = try tx.scan(Client.byChange, prefix: Key(account), limit: limit)
        for client in clients { try tx.delete(Client.self, client.key) }
        return clients.count
    }

    /// Visits the operator's clients, deleted ones too, in the order of their last changes.
    package func visitRecords(
        of account: Int,
        in tx: Transaction,
        _ visit: (any Record) throws -> Void
    ) throws {
        var next = 0
        while true {
            let page = try tx.scan(
                Client.byChange,
                prefix: Key(account),
                from: Key(account, next),
                limit: Limits.jobRecordsMax
            )
            for client in page { try visit(client) }
            guard page.count == Limits.jobRecordsMax, let last = page.last else { return }
            next = last.change + 1
        }
    }
}

extension Operator: PasswordAccount {
    package static let collection = Collection<Operator>(
        "operators",
        isNumbered: true,
        counters: [RecordCounter(Person.counter) { $0.person.id }],
        unique: [byEmail]
    )
    package var email: String { person.email }
    package var names: [String] { [person.firstName, person.lastName] }

    package static let byEmail = UniqueIndex<Operator>("email", steady: \.person.email) {
        Key($0.person.email.lowercased())
    }

    /// Earlier versions confirmed an email without a code only with `--no-email-confirmation`, and kept no record of
    /// it.
    package var isEmailProven: Bool { isProven ?? isConfirmed }

    package mutating func proveEmail(_ address: String) {
        person.email = address
        (isConfirmed, isProven) = (true, true)
    }

    package var key: Key { Key(id) }
}

extension Client: Record {
    package static let collection = Collection<Client>(
        "operators.clients",
        isNumbered: true,
        counters: [RecordCounter(Person.counter) { $0.person.id }],
        unique: [byEmail],
        ordered: [byChange, byEmailOfDeleted]
    )
    /// A live client by its operator and its email. A deleted client does not reserve its email.
    static let byEmail = UniqueIndex<Client>("email", steady: { $0.deleted == nil ? $0.person.email : "" }) { client in
        client.deleted == nil ? Key(client.operatorID, client.person.email.lowercased()) : nil
    }
    /// The deleted clients by operator and email, the highest number last. Creating a client with the email restores
    /// that one.
    static let byEmailOfDeleted = OrderedIndex<Client>("deleted email") { client in
        client.deleted.map { _ in Key(client.operatorID, client.person.email.lowercased(), client.id) }
    }
    /// The change feed of an operator.
    static let byChange = OrderedIndex<Client>("change") { Key($0.operatorID, $0.change) }

    package var key: Key { Key(id) }
}

extension Person {
    /// Numbers the persons of operators and of clients.
    static let counter: Counter = "operators.persons"
}
