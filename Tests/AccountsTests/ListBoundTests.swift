import DirectoryStore
import Store
import Testing
import PosternTesting

@testable import Accounts

/// Reads of a long list stop as soon as the reply is certain to be too long. Once, the whole list was built first.
struct ListBoundTests {
    private let engine: ObservedEngine
    private let environment: Environment

    init() {
        engine = ObservedEngine(LocalEngine())
        environment = Environment(
            store: Store(engine: engine),
            time: DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513)),
            random: SystemRandom(),
            hasher: Argon2idHasher(),
            outbox: Outbox(composer: SecretComposer())
        )
    }

    private static let count = 2 * Limits.clientsPerScanMax + 10
    private static let patient = PatientFields(
        firstName: .value("P"),
        lastName: .absent,
        birthdate: .absent,
        sex: .absent,
        phone: .absent
    )

    /// Makes an operator with clients, and deletes the fifth client.
    private func operatorWithClients(_ operators: Operators) throws -> SessionFields {
        let person = PersonFields(firstName: .value("A"), lastName: .value("B"), email: .value("a@b.co"))
        let signedIn = try operators.register(person: .value(person), password: .value(Password("password".utf8)))
            .finished(in: environment)
        let session = SessionFields(userID: .value(signedIn.account.id), sessionID: .value(signedIn.session.bearer))
        for number in 1...Self.count {
            let email = Given.value("c\(number)@b.co")
            let person = PersonFields(firstName: .value("C"), lastName: .value("D"), email: email)
            let fields = ClientFields(person: .value(person), address: .value("Theed"))
            _ = try operators.createClient(session: session, .value(fields))
        }
        _ = try operators.deleteClient(session: session, id: .value(5))
        return session
    }

    @Test func readsAllClientsInPagesMostRecentlyChangedFirst() throws {
        let operators = Operators(environment, AccountSettings(operatorsConfirmEmail: false))
        let session = try operatorWithClients(operators)
        func ids(from provision: Int) throws -> [Int] {
            try operators.clients(session: session, provision: .value(provision)).clients.map(\.id)
        }
        #expect(try ids(from: 0) == (1...Self.count).reversed().filter { $0 != 5 })
        #expect(try ids(from: 1) == [5] + (1...Self.count).reversed().filter { $0 != 5 })
        #expect(try ids(from: 11) == [5] + (11...Self.count).reversed())
        #expect(try ids(from: Self.count + 1) == [5])
    }

    @Test func stopsReadingClientsPastTheBound() throws {
        let operators = Operators(environment, AccountSettings(operatorsConfirmEmail: false))
        let session = try operatorWithClients(operators)
        func count(limit: Given<Int>, bytesMax: Int) throws -> Int {
            try operators.clients(session: session, provision: .value(0), limit: limit, replyBytesMax: bytesMax)
                .clients.count
        }
        for limit in [Given<Int>.absent, .value(Self.count)] {
            engine.visits = 0
            #expect(throws: ReplyTooLong.self) { try count(limit: limit, bytesMax: 128 * Limits.clientsPerScanMax) }
            #expect(engine.visits < Self.count, "\(engine.visits)")
            #expect(try count(limit: limit, bytesMax: 1_000 * Self.count) == Self.count - 1)
        }
        // The limit is not checked for a short list: the length of its reply is.
        #expect(try count(limit: .value(3), bytesMax: 1) == 3)
    }

    /// Registers a care user. Returns the user's token.
    private func signedIn(_ care: Care) throws -> Given<BearerToken> {
        _ = try care.register(
            email: .value("a@b.co"),
            password: .value(Password("password".utf8)),
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent
        ).finished(in: environment)
        return .value(
            try care.signIn(email: .value("a@b.co"), password: .value(Password("password".utf8)))
                .finished(in: environment).bearer
        )
    }

    @Test func stopsReadingTooManyPatients() throws {
        let care = Care(environment)
        let token = try signedIn(care)
        for _ in 1...Self.count { _ = try care.createPatient(token, Self.patient) }
        func count(limit: Int, bytesMax: Int) throws -> Int {
            try care.patients(token, limit: .value(limit), offset: .value(0), replyBytesMax: bytesMax).page.count
        }
        for limit in [0, Self.count] {
            engine.visits = 0
            let bytesMax = Limits.patientReplyBytesMin * Self.count / 2
            #expect(throws: ReplyTooLong.self) { try count(limit: limit, bytesMax: bytesMax) }
            #expect(engine.visits < Self.count, "\(engine.visits)")
        }
        #expect(try count(limit: 3, bytesMax: 1_000) == 3)
        #expect(try count(limit: 0, bytesMax: 1_000 * Self.count) >= Self.count)
    }

    @Test func stopsReadingTooManyShares() throws {
        let care = Care(environment)
        let token = try signedIn(care)
        let patient = try care.createPatient(token, Self.patient).patient.id
        try environment.store.transact { tx in
            for _ in 1...Self.count {
                let id = try tx.nextNumber(of: CareShare.self)
                try tx.insert(CareShare.waiting(id, patient: patient))
            }
        }
        func count(bytesMax: Int) throws -> Int {
            try care.shares(token, .value(patient), replyBytesMax: bytesMax).count
        }
        engine.visits = 0
        #expect(throws: ReplyTooLong.self) { try count(bytesMax: Limits.shareReplyBytesMin * Self.count / 2) }
        #expect(engine.visits < Self.count, "\(engine.visits)")
        #expect(try count(bytesMax: 1_000 * Self.count) == Self.count + 1)
    }
}

extension CareShare {
    /// A waiting invitation of a version that did not store the maker.
    static func waiting(_ id: Int, patient: Int) -> CareShare {
        CareShare(
            id: id,
            patient: patient,
            email: "x\(id)@b.co",
            user: nil,
            access: "read",
            group: "anyone",
            maker: nil
        )
    }
}
