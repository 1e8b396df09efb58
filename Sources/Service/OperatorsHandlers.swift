import Accounts
import JSONRPC

/// The handlers of the methods of `operators`.
struct OperatorsHandlers {
    let operators: Operators

    func register(_ params: OperatorsWire.RegisterParams) throws -> Progress<Operators.SignedIn> {
        try operators.register(
            person: params.user.map { PersonFields($0) },
            password: params.password,
            client: params.client.map { $0.fields },
            locale: params.locale
        )
    }

    func signin(_ params: OperatorsWire.SigninParams) throws -> Progress<Operators.SignedIn> {
        try operators.signIn(
            email: params.email,
            password: params.password,
            lifetime: SessionLifetimeFields(seconds: params.sessionSeconds, idleSeconds: params.idleSeconds),
            client: params.client.map { $0.fields }
        )
    }

    func clientCreate(_ params: OperatorsWire.ClientCreateParams) throws -> OperatorsWire.Client {
        let session = SessionFields(userID: params.userID, sessionID: params.sessionID)
        let client = params.client.map { ClientFields($0) }
        return OperatorsWire.Client(try operators.createClient(session: session, client))
    }

    func clientsGet(_ params: OperatorsWire.ClientsGetParams) throws -> OperatorsWire.ClientList {
        let list = try operators.clients(
            session: SessionFields(userID: params.userID, sessionID: params.sessionID),
            provision: params.provision,
            limit: params.limit,
            replyBytesMax: JSONRPC.Limits.answerBytesMax
        )
        return OperatorsWire.ClientList(clients: list.clients.map { OperatorsWire.Client($0) }, provision: list.next)
    }

    func clientUpdate(_ params: OperatorsWire.ClientUpdateParams) throws -> OperatorsWire.Client {
        let session = SessionFields(userID: params.userID, sessionID: params.sessionID)
        let client = params.client.map { ClientFields($0) }
        return OperatorsWire.Client(try operators.updateClient(session: session, id: params.clientID, client))
    }

    func clientDelete(_ params: OperatorsWire.ClientDeleteParams) throws -> OperatorsWire.Client {
        OperatorsWire.Client(
            try operators.deleteClient(
                session: SessionFields(userID: params.userID, sessionID: params.sessionID),
                id: params.clientID
            )
        )
    }

    func confirmEmail(_ params: OperatorsWire.ConfirmEmailParams) throws -> OperatorsWire.ConfirmedEmail {
        OperatorsWire.ConfirmedEmail(email: try operators.confirmEmail(code: params.code))
    }

    func resendConfirmation(_ params: OperatorsWire.ResendConfirmationParams) throws {
        try operators.resendConfirmation(email: params.email, client: params.client.map { $0.fields })
    }

    func signout(_ params: OperatorsWire.SignoutParams) throws {
        try operators.signOut(SessionFields(userID: params.userID, sessionID: params.sessionID))
    }

    func update(_ params: OperatorsWire.UpdateParams) throws -> OperatorsWire.Account {
        OperatorsWire.Account(
            try operators.update(
                session: SessionFields(userID: params.userID, sessionID: params.sessionID),
                params.user.map { PersonFields(firstName: $0.firstName, lastName: $0.lastName, email: .absent) }
            )
        )
    }

    func resetPassword(_ params: OperatorsWire.ResetPasswordParams) throws {
        try operators.resetPassword(email: params.email, client: params.client.map { $0.fields })
    }

    func completeReset(_ params: OperatorsWire.CompleteResetParams) throws -> Progress<Void> {
        try operators.completeReset(
            code: params.code,
            password: params.password,
            client: params.client.map { $0.fields }
        )
    }
}

extension PersonFields {
    fileprivate init(_ input: OperatorsWire.PersonInput) {
        self.init(firstName: input.firstName, lastName: input.lastName, email: input.email)
    }
}

extension ClientFields {
    fileprivate init(_ input: OperatorsWire.ClientInput) {
        self.init(person: input.user.map { PersonFields($0) }, address: input.address)
    }
}

extension OperatorsWire.Person {
    fileprivate init(_ person: Person) {
        self.init(
            id: person.id,
            created: person.created,
            firstName: person.firstName,
            lastName: person.lastName,
            email: person.email
        )
    }
}

extension OperatorsWire.Operator {
    init(_ signedIn: Operators.SignedIn) {
        self.init(
            id: signedIn.account.id,
            created: signedIn.account.created,
            user: OperatorsWire.Person(signedIn.account.person),
            sessionID: signedIn.session.text
        )
    }
}

extension OperatorsWire.Account {
    init(_ account: Operator) {
        self.init(
            id: account.id,
            created: account.created,
            user: OperatorsWire.Person(account.person),
            emailConfirmed: account.isConfirmed,
            locale: account.locale
        )
    }
}

extension OperatorsWire.SessionCredential {
    init(_ session: SecretToken) {
        self.init(sessionID: session.text)
    }
}

extension OperatorsWire.Client {
    fileprivate init(_ client: Client) {
        self.init(
            id: client.id,
            created: client.created,
            user: OperatorsWire.Person(client.person),
            address: client.address,
            deleted: client.deleted
        )
    }
}
