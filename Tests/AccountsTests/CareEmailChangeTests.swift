import DirectoryStore
import PosternTesting
import Store
import Testing

@testable import Accounts

/// What becomes of shares when users change their emails.
struct CareEmailChangeTests {
    private let time = DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513))
    private let care: Care
    private let password = Given.value(Password("password".utf8))
    private let kim = PatientFields(
        firstName: .value("Kim"),
        lastName: .absent,
        birthdate: .absent,
        sex: .absent,
        phone: .absent
    )
    private var store: Store { care.environment.store }

    init() {
        care = Care(
            Environment(
                store: Store(engine: LocalEngine()),
                time: time,
                random: SystemRandom(),
                hasher: Argon2idHasher(),
                outbox: Outbox(composer: SecretComposer())
            )
        )
    }

    private func user(_ email: String, isProven: Bool = true) throws -> Given<BearerToken> {
        let user = try care.register(
            email: .value(email),
            password: password,
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent
        ).finished(in: care.environment)
        if isProven { try store.transact { try care.prove(user, at: time.now, in: $0) } }
        return .value(try care.signIn(email: .value(email), password: password).finished(in: care.environment).bearer)
    }

    private func code(_ kind: MailKind) throws -> String {
        try store.transact { tx in
            let mail = try #require(
                try care.environment.outbox.all(in: tx).last { $0.kind == kind.rawValue }
            )
            return try #require(try care.environment.outbox.text(of: mail, in: tx))
        }
    }

    private func change(_ token: Given<BearerToken>, to email: String) throws {
        try care.changeEmail(token, currentPassword: password, email: .value(email)).finished(in: care.environment)
        #expect(try care.confirmEmailChange(token, code: .value(code(.careEmailChange))).email == email)
    }

    private func share(_ patient: Int, of owner: Given<BearerToken>, with email: String, access: String = "read") throws
        -> CareShare
    {
        try care.share(
            owner,
            .value(patient),
            email: .value(email),
            access: .value(access),
            group: .value("family")
        )
    }

    private func emails(_ owner: Given<BearerToken>, _ patient: Int) throws -> [String] {
        try care.shares(owner, .value(patient)).map(\.email)
    }

    private func others(_ user: Given<BearerToken>) throws -> [Int] {
        try care.patients(user, limit: .value(0), offset: .absent).page.filter { !$0.isMe }.map(\.patient.id)
    }

    @Test func openShareThatWaitsForTheNewAddress() throws {
        let (owner, user) = (try user("owner@b.co"), try user("a@b.co"))
        let patient = try care.createPatient(owner, kim).patient.id
        #expect(try share(patient, of: owner, with: "new@b.co").user == nil)
        try change(user, to: "new@b.co")
        #expect(try others(user) == [patient])
        #expect(try emails(owner, patient) == ["owner@b.co", "new@b.co"])
    }

    /// An address that the user has not proven opened nothing, and does not when the user proves another.
    @Test func keepWaitingForAnAddressThatWasNotProven() throws {
        let (owner, user) = (try user("owner@b.co"), try user("a@b.co", isProven: false))
        let patient = try care.createPatient(owner, kim).patient.id
        _ = try share(patient, of: owner, with: "a@b.co")
        try change(user, to: "new@b.co")
        #expect(try others(user) == [])
        #expect(try emails(owner, patient) == ["owner@b.co", "a@b.co"])
        // The address was never the user's, so it is free, and the user who proves it has access.
        #expect(try others(try self.user("a@b.co")) == [patient])
    }

    @Test func showTheNewAddressAndAreFoundByIt() throws {
        let (owner, user) = (try user("owner@b.co"), try user("a@b.co"))
        let patient = try care.createPatient(owner, kim).patient.id
        let known = try share(patient, of: owner, with: "a@b.co")
        try change(user, to: "new@b.co")
        try change(owner, to: "boss@b.co")
        #expect(try emails(owner, patient) == ["boss@b.co", "new@b.co"])
        // A second share of one user would break the store's indexes.
        let raised = try share(patient, of: owner, with: "new@b.co", access: "write")
        #expect(raised.id == known.id && raised.email == "new@b.co")
        #expect(throws: AccountError(ErrorCode.Care.isOwner)) { try share(patient, of: owner, with: "boss@b.co") }
        #expect(try care.unshare(owner, .value(patient), shareID: .value(known.id)).email == "new@b.co")
        #expect(try others(user) == [])
    }

    /// An invitation to the earlier address gives its next owner access, and not the user who had it before.
    @Test func doNotPassToTheNextOwnerOfTheAddress() throws {
        let (owner, user) = (try user("owner@b.co"), try user("a@b.co"))
        let patient = try care.createPatient(owner, kim).patient.id
        let known = try share(patient, of: owner, with: "a@b.co")
        try change(user, to: "new@b.co")
        let waiting = try share(patient, of: owner, with: "a@b.co", access: "write")
        #expect(waiting.id != known.id && waiting.user == nil)
        #expect(try care.patient(user, .value(patient)).share.access == "read")
        #expect(time.advance(seconds: 3 * 86_400))
        let next = try self.user("a@b.co")
        #expect(try others(next) == [patient])
        #expect(try emails(owner, patient) == ["owner@b.co", "new@b.co", "a@b.co"])
    }

    /// Two users have exchanged their addresses; each share has the other one's.
    @Test func followUsersWhoExchangeTheirAddresses() throws {
        let (owner, one, two) = (try user("owner@b.co"), try user("one@b.co"), try user("two@b.co"))
        let patient = try care.createPatient(owner, kim).patient.id
        let ones = try share(patient, of: owner, with: "one@b.co")
        let twos = try share(patient, of: owner, with: "two@b.co")
        try change(one, to: "x@b.co")
        #expect(time.advance(seconds: 3 * 86_400))
        try change(two, to: "one@b.co")
        #expect(time.advance(seconds: 3 * 86_400))
        try change(one, to: "two@b.co")
        #expect(try share(patient, of: owner, with: "one@b.co", access: "write").id == twos.id)
        #expect(try share(patient, of: owner, with: "two@b.co").id == ones.id)
        #expect(try care.patient(two, .value(patient)).share.access == "write")
        #expect(try care.patient(one, .value(patient)).share.access == "read")
        #expect(try emails(owner, patient) == ["owner@b.co", "two@b.co", "one@b.co"])
    }

    @Test func openShareThatWasMadeBeforeTheAddressWasRestored() throws {
        let (owner, user) = (try user("owner@b.co"), try user("a@b.co"))
        let patient = try care.createPatient(owner, kim).patient.id
        try change(user, to: "thief@b.co")
        #expect(try share(patient, of: owner, with: "a@b.co").user == nil)
        let code = try code(.careEmailChanged)
        let restored = try care.revertEmailChange(code: .value(code), password: password)
            .finished(in: care.environment)
        #expect(restored.email == "a@b.co")
        let token = try care.signIn(email: .value("a@b.co"), password: password).finished(in: care.environment)
        #expect(try others(.value(token.bearer)) == [patient])
    }

    /// Claiming an invitation takes the user's address in the index, which an earlier owner's share may still have.
    @Test func canBeClaimedWithTheAddressThatAnotherUserHadBefore() throws {
        let (owner, user) = (try user("owner@b.co"), try user("a@b.co"))
        let patient = try care.createPatient(owner, kim).patient.id
        _ = try share(patient, of: owner, with: "a@b.co")
        try change(user, to: "new@b.co")
        #expect(time.advance(seconds: 3 * 86_400))
        let next = try self.user("a@b.co")
        _ = try share(patient, of: owner, with: "friend@b.co")
        #expect(try care.claim(next, code: .value(code(.careInvitation))).patient.id == patient)
        #expect(try emails(owner, patient) == ["owner@b.co", "new@b.co", "a@b.co"])
    }
}
