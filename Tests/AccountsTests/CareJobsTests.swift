import DirectoryStore
import PosternTesting
import Store
import Testing

@testable import Accounts

/// Deletions and takeovers with too many records for one transaction: all users see their result at once, and jobs do
/// the rest in several transactions.
struct CareJobsTests {
    private let time = DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513))
    private let environment: Environment
    private let care: Care
    /// More records than one transaction handles.
    private let many = Limits.jobRecordsMax + 100

    private let kim = PatientFields(
        firstName: .value("Kim"),
        lastName: .absent,
        birthdate: .absent,
        sex: .absent,
        phone: .absent
    )

    private var store: Store { environment.store }

    init() {
        (environment, care) = Self.onStore(Store(engine: LocalEngine()), time)
    }

    private static func onStore(_ store: Store, _ time: DeterministicTime) -> (Environment, Care) {
        let environment = Environment(
            store: store,
            time: time,
            random: SystemRandom(),
            hasher: Argon2idHasher(),
            outbox: Outbox(composer: SecretComposer())
        )
        // The notice of a deletion would be among the mails that remain.
        return (environment, Care(environment, AccountSettings(sendsNotices: false)))
    }

    /// Registers a user, by default with a proven address. Returns the user's token.
    private func user(_ care: Care, _ email: String, isProven: Bool = true) throws -> Given<BearerToken> {
        let user = try care.register(
            email: .value(email),
            password: .value(Password("password".utf8)),
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent
        ).finished(in: care.environment)
        if isProven {
            try care.environment.store.transact { try care.prove(user, at: care.environment.time.now, in: $0) }
        }
        return .value(
            try care.signIn(email: .value(email), password: .value(Password("password".utf8)))
                .finished(in: care.environment).bearer
        )
    }

    /// Creates patients of a user and shares each with an address.
    private func share(_ care: Care, _ count: Int, of owner: Given<BearerToken>, with email: String) throws {
        for _ in 0..<count {
            let patient = try care.createPatient(owner, kim).patient.id
            _ = try care.share(
                owner,
                .value(patient),
                email: .value(email),
                access: .value("read"),
                group: .value("family")
            )
        }
    }

    private func jobs(_ store: Store) throws -> Int { try store.transact { try $0.all(CareJob.self).count } }

    private func finish(_ care: Care) throws -> Int {
        var pieces = 1
        while try care.runJob() { pieces += 1 }
        return pieces
    }

    /// The patients that a user sees, except the one who is the user.
    private func others(_ user: Given<BearerToken>) throws -> [SeenPatient] {
        try care.patients(user, limit: .value(0), offset: .absent).page.filter { !$0.isMe }
    }

    @Test func aDeletedOwnersManyPatientsPassToTheHeirAtOnce() throws {
        let heir = try user(care, "heir@b.co")
        let owner = try user(care, "owner@b.co")
        try share(care, many, of: owner, with: "heir@b.co")
        _ = try care.delete(owner)

        #expect(try jobs(store) == 1)
        #expect(throws: AccountError(ErrorCode.Care.wrongEmailPassword)) {
            _ = try care.signIn(email: .value("owner@b.co"), password: .value(Password("password".utf8)))
                .finished(in: environment)
        }
        #expect(throws: AccountError(ErrorCode.Care.invalidAccessToken)) { try care.account(owner) }
        // The address is free, and the next user who registers with it keeps their own patient.
        let next = try user(care, "owner@b.co")
        func check() throws {
            let seen = try others(heir)
            #expect(seen.count == many)
            #expect(seen.allSatisfy { $0.creator == "heir@b.co" && $0.share.access == "write" && $0.share.isOwners })
            let page = try care.patients(heir, limit: .value(1), offset: .value(many))
            #expect(page.count == many + 1 && page.page.count == 1)
            #expect(try others(next).isEmpty)
            #expect(try care.patients(next, limit: .absent, offset: .absent).count == 1)
        }
        try check()
        // The new owner can change and share a patient whom the job has not passed on yet.
        let last = try #require(try others(heir).last).patient.id
        #expect(try care.shares(heir, .value(last)).map(\.email) == ["heir@b.co"])
        let shared = try care.share(
            heir,
            .value(last),
            email: .value("owner@b.co"),
            access: .value("read"),
            group: .value("anyone")
        )
        #expect(shared.user != nil)
        _ = try care.unshare(heir, .value(last), shareID: .value(shared.id))

        #expect(try finish(care) > 2)
        #expect(try jobs(store) == 0)
        try check()
        try store.transact { tx in
            // The owner had number 2: no record refers to it any more.
            let (shares, patients) = (try tx.all(CareShare.self), try tx.all(CarePatient.self))
            #expect(shares.allSatisfy { $0.user != 2 })
            #expect(patients.allSatisfy { $0.owner != 2 && $0.me != 2 })
        }
    }

    @Test func patientsWithoutAnotherUserAreDeletedInSeveralTransactions() throws {
        let owner = try user(care, "owner@b.co")
        try invite(many, to: 1, in: store)
        _ = try care.delete(owner)
        #expect(try jobs(store) == 1)
        _ = try finish(care)
        #expect(try jobs(store) == 0)
        let left = try store.transact { tx in
            try [tx.count(CareShare.self), tx.count(CarePatient.self), tx.count(OutboxMail.self)]
        }
        #expect(left == [0, 0, 0])
    }

    /// Such an invitation once made its holder the owner, until the job reached the patient.
    @Test func anInvitationToAPatientOfADeletedOwnerIsInvalid() throws {
        let owner = try user(care, "owner@b.co")
        let guest = try user(care, "guest@b.co")
        var last = 0
        for _ in 0..<many { last = try care.createPatient(owner, kim).patient.id }
        let code = try store.transact { tx in
            let id = try tx.nextNumber(of: CareShare.self)
            try tx.insert(CareShare.waiting(id, patient: last))
            return try care.codes.issue(
                .claim,
                for: id,
                secret: String(repeating: "a", count: 32),
                at: time.now,
                in: tx
            )
        }
        _ = try care.delete(owner)
        #expect(try jobs(store) == 1)
        #expect(throws: AccountError(ErrorCode.Care.invalidCode)) { try care.claim(guest, code: .value(code)) }
        _ = try finish(care)
        #expect(try store.transact { try $0.get(CarePatient.self, Key(last)) } == nil)
    }

    private func invite(_ count: Int, to patient: Int, in store: Store) throws {
        try store.transact { tx in
            for _ in 0..<count {
                try tx.insert(CareShare.waiting(try tx.nextNumber(of: CareShare.self), patient: patient))
            }
        }
    }

    /// Each transaction once scanned all remaining invitations of the patient for an heir.
    @Test func aPatientsInvitationsAreScannedOnce() throws {
        let engine = ObservedEngine(LocalEngine())
        let (environment, care) = Self.onStore(Store(engine: engine), time)
        let owner = try user(care, "owner@b.co")
        try invite(5 * many, to: 1, in: environment.store)
        _ = try care.delete(owner)
        var visits: [Int] = []
        var isDone = false
        while !isDone {
            engine.visits = 0
            isDone = try !care.runJob()
            visits.append(engine.visits)
        }
        #expect(visits.count > 5 && visits.allSatisfy { $0 < 2 * many }, "\(visits)")
        #expect(try environment.store.transact { try $0.count(CareShare.self) } == 0)
    }

    /// The list of a patient's shares once scanned all of them for each invitation, to find an heir.
    @Test func sharesAreListedInOnePassDuringTheOwnersDeletion() throws {
        let engine = ObservedEngine(LocalEngine())
        let (environment, care) = Self.onStore(Store(engine: engine), time)
        let owner = try user(care, "owner@b.co")
        let heir = try user(care, "heir@b.co")
        var last = 0
        for _ in 0..<many { last = try care.createPatient(owner, kim).patient.id }
        try invite(many, to: last, in: environment.store)
        _ = try care.share(
            owner,
            .value(last),
            email: .value("heir@b.co"),
            access: .value("write"),
            group: .value("family")
        )
        _ = try care.delete(owner)
        #expect(try jobs(environment.store) == 1)
        engine.visits = 0
        #expect(try care.shares(heir, .value(last)).count == many + 1)
        #expect(engine.visits < 4 * many, "\(engine.visits)")
    }

    /// The new invitation once kept the number of the first one, and so a takeover of the first sender ended it.
    @Test func anInvitationFromAnotherSenderGetsANewNumber() throws {
        let owner = try user(care, "owner@b.co")
        let friend = try user(care, "friend@b.co")
        func share(_ user: Given<BearerToken>, with email: String) throws -> Int {
            let (access, group) = (Given.value("write"), Given.value("family"))
            return try care.share(user, .value(1), email: .value(email), access: access, group: group).id
        }
        _ = try share(owner, with: "friend@b.co")
        let first = try share(owner, with: "new@b.co")
        #expect(try share(owner, with: "new@b.co") == first)
        let second = try share(friend, with: "new@b.co")
        #expect(second > first)
        #expect(try care.shares(owner, .value(1)).map(\.id).contains(first) == false)
        _ = try user(care, "new@b.co")
        #expect(try share(owner, with: "new@b.co") == second)
    }

    @Test func aDeletedPatientWithManySharesDisappearsAtOnce() throws {
        let owner = try user(care, "owner@b.co")
        let guest = try user(care, "guest@b.co")
        try invite(many, to: 1, in: store)
        _ = try care.share(
            owner,
            .value(1),
            email: .value("guest@b.co"),
            access: .value("write"),
            group: .value("family")
        )
        _ = try care.deletePatient(owner, .value(1))
        #expect(try jobs(store) == 1)
        #expect(throws: AccountError(ErrorCode.Care.invalidPatientID)) { try care.patient(guest, .value(1)) }
        #expect(try care.patients(guest, limit: .value(1), offset: .absent).count == 1)
        #expect(try care.patients(owner, limit: .value(0), offset: .absent).count == 0)
        #expect(try finish(care) > 0)
        #expect(try jobs(store) == 0)
        #expect(try store.transact { try $0.scan(CareShare.byPatient, prefix: Key(1)) }.isEmpty)
    }

    @Test func aTakeoverEndsManySharesAtOnceAndNoLaterShare() throws {
        let friend = try user(care, "friend@b.co")
        let squatter = try user(care, "dr@b.co", isProven: false)
        try share(care, many, of: squatter, with: "friend@b.co")
        #expect(try others(friend).count == many)
        _ = try care.resetPassword(email: .value("dr@b.co")).finished(in: environment)
        let text = try store.transact { tx in
            try environment.outbox.all(in: tx).last.flatMap { try environment.outbox.text(of: $0, in: tx) }
        }
        let password = try #require(text)
        let doctor = Given.value(
            try care.signIn(email: .value("dr@b.co"), password: .value(Password(password.utf8)))
                .finished(in: environment).bearer
        )
        #expect(try jobs(store) == 1)
        #expect(try others(friend).isEmpty)
        #expect(try care.patients(friend, limit: .value(1), offset: .absent).count == 1)
        // The doctor shares the last patient again, whose old share has not been removed yet.
        let last = try #require(try others(doctor).last).patient.id
        #expect(try care.shares(doctor, .value(last)).map(\.email) == ["dr@b.co"])
        #expect(throws: AccountError(ErrorCode.Care.invalidPatientID)) { try care.patient(friend, .value(last)) }
        _ = try care.share(
            doctor,
            .value(last),
            email: .value("friend@b.co"),
            access: .value("read"),
            group: .value("anyone")
        )
        #expect(try others(friend).map(\.patient.id) == [last])
        #expect(try finish(care) > 1)
        #expect(try jobs(store) == 0)
        #expect(try others(friend).map(\.patient.id) == [last])
        // One owner's share for each patient, and the new share.
        #expect(try store.transact { try $0.count(CareShare.self) } == many + 3)
    }

    @Test func manyWaitingSharesOpenInSeveralTransactions() throws {
        let owner = try user(care, "owner@b.co")
        let guest = try user(care, "guest@b.co", isProven: false)
        for _ in 0..<many {
            let patient = try care.createPatient(owner, kim).patient.id
            try store.transact { tx in
                var share = CareShare.waiting(try tx.nextNumber(of: CareShare.self), patient: patient)
                share.email = "Guest@b.co"
                try tx.insert(share)
            }
        }
        #expect(try others(guest).isEmpty)
        try store.transact { tx in
            let account = try #require(try tx.find(CareUser.byEmail, Key("guest@b.co")))
            try care.prove(account, at: environment.time.now, in: tx)
        }
        _ = try finish(care)
        #expect(try others(guest).count == many)
        #expect(try jobs(store) == 0)
    }

    /// A process that ends during a job leaves the rest to the next one.
    @Test func anotherProcessContinuesAJob() throws {
        let folder = TemporaryDirectory()
        func opened() throws -> Care {
            Self.onStore(Store(engine: try LocalEngine(directory: folder.path, log: { _ in })), time).1
        }
        let first = try opened()
        let owner = try user(first, "owner@b.co")
        let heir = try user(first, "heir@b.co")
        try share(first, many, of: owner, with: "heir@b.co")
        _ = try first.delete(owner)
        try first.environment.store.makeDurable()
        // Closed before another transaction of the job.
        first.environment.store.close()
        let second = try opened()
        #expect(try jobs(second.environment.store) == 1)
        #expect(try finish(second) > 1)
        #expect(try jobs(second.environment.store) == 0)
        #expect(try second.patients(heir, limit: .value(1), offset: .absent).count == many + 1)
    }
}
