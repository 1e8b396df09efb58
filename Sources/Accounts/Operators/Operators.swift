package import Store

/// Field operators: they register, confirm their email, sign in, and keep a list of clients.
package struct Operators {
    /// An operator and the session that was opened just now.
    package struct SignedIn: Sendable {
        /// The operator.
        package let account: Operator
        /// The session, whose token is told this once.
        package let session: SecretToken
    }

    let environment: Environment
    /// Whether signing in asks for a confirmed email.
    let confirmsEmail: Bool
    let sessions: Sessions
    let codes: MailedCodes
    let signIn: SignIn<Operator>

    package init(_ environment: Environment, _ settings: AccountSettings = AccountSettings()) {
        self.environment = environment
        sessions = Sessions(.operators, perAccountMax: Limits.sessionsMax)
        codes = MailedCodes(.operators)
        let confirmsEmail = settings.operatorsConfirmEmail
        self.confirmsEmail = confirmsEmail
        self.signIn = SignIn(
            .operators,
            in: environment,
            sessions: sessions,
            refusals: .init(
                unknownEmail: ErrorCode.Operators.accountInvalidOrUnconfirmed,
                wrongPassword: ErrorCode.Operators.wrongPassword,
                locked: ErrorCode.Operators.tooManyAttempts
            ),
            // The document has signing in tell that there is no such account.
            hidesUnknown: false,
            mayEnter: { account, _ in account.isConfirmed || !confirmsEmail },
            ofAPI: \.operators.signIn
        )
    }

    /// The operator who sends a request.
    ///
    /// - Throws: `authentication_failed` where the number and the session are not a pair, `field_invalid` where one of
    ///   them has the wrong JSON type.
    func authenticated(_ given: SessionFields, at now: Timestamp, in tx: Transaction) throws -> Operator {
        try storedAccount(given, at: now, in: tx).record
    }

    /// The same, for what needs little of the operator.
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
        guard let id = given.userID.value, let token = given.sessionID.value,
            try sessions.account(holding: token, at: now, in: tx, orThrow: failed()) == id,
            let account = try tx.stored(Operator.self, Key(id))
        else { throw failed() }
        return account
    }

    func newSession() -> SecretToken {
        SecretToken(bytes: Limits.sessionIDDigits / 2, from: environment.random)
    }
}

extension Operator: PasswordAccount {
    package static let collection = Collection<Operator>(
        "operators",
        isNumbered: true,
        counters: [RecordCounter(Person.counter) { $0.person.id }],
        unique: [byEmail]
    )
    package static let byEmail = UniqueIndex<Operator>("email", steady: \.person.email) {
        Key($0.person.email.lowercased())
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
    /// A live client by its operator and its email. A deleted one reserves nothing.
    static let byEmail = UniqueIndex<Client>("email", steady: { $0.deleted == nil ? $0.person.email : "" }) { client in
        client.deleted == nil ? Key(client.operatorID, client.person.email.lowercased()) : nil
    }
    /// The deleted clients of an operator and an email, the latest last: creating one with the email revives it.
    static let byEmailOfDeleted = OrderedIndex<Client>("deleted email") { client in
        client.deleted.map { _ in Key(client.operatorID, client.person.email.lowercased(), client.id) }
    }
    /// The feed of an operator's changes.
    static let byChange = OrderedIndex<Client>("change") { Key($0.operatorID, $0.change) }

    package var key: Key { Key(id) }
}

extension Person {
    /// Numbers operators and clients alike.
    static let counter: Counter = "operators.persons"
}
