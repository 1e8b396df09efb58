import DirectoryStore
import Store
import Testing
import PosternTesting

@testable import Accounts

/// Another process sets a lock while a password is verified, which takes milliseconds and happens outside of
/// transactions. The guess under way is then refused, right or wrong.
struct LockoutRaceTests {
    private let store = Store(engine: LocalEngine())
    private let time = DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513))
    private let hasher = InterruptedHasher()
    private let apis: AccountAPIs
    private let email = Given.value("a@b.co")
    private let password = Given.value(Password("password".utf8))

    init() {
        let environment = Environment(
            store: store,
            time: time,
            random: SystemRandom(),
            hasher: hasher,
            outbox: Outbox(composer: SecretComposer())
        )
        apis = AccountAPIs(environment, AccountSettings(operatorsConfirmEmail: false))
    }

    /// Makes another process record ten failures of account 1 while the next password is verified.
    private func lockMeanwhile(_ lockout: Lockout, isRight: Bool) {
        hasher.isRight = isRight
        hasher.meanwhile = { [store, time] in
            try store.transact { tx in
                for _ in 1...10 { try lockout.fail(1, at: time.now, in: tx) }
            }
        }
    }

    private func sessions() throws -> Int { try store.transact { try $0.count(Session.self) } }

    private func registered() throws -> (operators: Operators, session: SessionFields) {
        let operators = apis.operators
        let person = PersonFields(firstName: .value("A"), lastName: .value("B"), email: email)
        let session = try operators.register(person: .value(person), password: password).finished(with: apis).session
        return (operators, SessionFields(userID: .value(1), sessionID: .value(session.bearer)))
    }

    @Test(arguments: [false, true])
    func refusesAnOperatorsSignInUnderALock(isRight: Bool) throws {
        let operators = try registered().operators
        lockMeanwhile(Lockout(.operators), isRight: isRight)
        #expect(throws: AccountError(ErrorCode.Operators.tooManyAttempts, retryAfter: 3_600)) {
            _ = try operators.signIn(email: email, password: password).finished(with: apis)
        }
        #expect(try sessions() == 1)
    }

    /// A guess that was overtaken by another process's lock was once judged,
    /// and the right guess changed the password.
    @Test(arguments: [false, true])
    func refusesAPasswordChangeUnderALock(isRight: Bool) throws {
        let (operators, session) = try registered()
        let before = try store.transact { try $0.get(Operator.self, Key(1))?.passwordHash }
        lockMeanwhile(Lockout(.operators, .passwordChange), isRight: isRight)
        #expect(throws: AccountError(ErrorCode.Operators.tooManyAttempts, retryAfter: 3_600)) {
            try operators.changePassword(session, currentPassword: password, password: password).finished(with: apis)
        }
        #expect(try store.transact { try $0.get(Operator.self, Key(1))?.passwordHash } == before)
    }

    @Test(arguments: [false, true])
    func refusesACareSignInUnderALock(isRight: Bool) throws {
        let care = apis.care
        _ = try care.register(
            email: email,
            password: password,
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent
        ).finished(with: apis)
        lockMeanwhile(Lockout(.care), isRight: isRight)
        #expect(throws: AccountError(ErrorCode.Care.loginAttemptsExceeded, retryAfter: 3_600)) {
            _ = try care.signIn(email: email, password: password).finished(with: apis)
        }
        #expect(try sessions() == 0)
    }

    @Test(arguments: [false, true])
    func refusesASalesSignInUnderALock(isRight: Bool) throws {
        let sales = apis.sales
        let name = NameFields(first: .value("A"), last: .value("B"))
        let code = Given.value(try sales.invite(.admin).referralCode)
        let new = NewSalesUser(email: email, password: password, referralCode: code, name: .value(name))
        _ = try sales.create(.admin, new).finished(with: apis)
        lockMeanwhile(Lockout(.sales), isRight: isRight)
        #expect(throws: AccountError(ErrorCode.Sales.tooManyAttempts, retryAfter: 3_600)) {
            _ = try sales.authenticate(email: email, password: password).finished(with: apis)
        }
        #expect(try sessions() == 1)
    }

    /// A failure while the account is locked neither ends nor extends the lock.
    @Test func furtherFailuresDoNotChangeALock() throws {
        try store.transact { tx in
            let (lockout, later) = (Lockout(.care), time.now.adding(seconds: 600))
            for _ in 1...10 { try lockout.fail(1, at: time.now, in: tx) }
            for _ in 1...10 { try lockout.fail(1, at: later, in: tx) }
            #expect(try lockout.secondsLeft(for: 1, at: later, in: tx) == 3_000)
            let unknown = SignInLockout(.care)
            let email = try SignInLockout.UnknownEmail("a@b.co", from: .unknown, newKey: "00", in: tx)
            for _ in 1...10 { try unknown.failUnknown(email, at: time.now, in: tx) }
            for _ in 1...10 { try unknown.failUnknown(email, at: later, in: tx) }
            #expect(try unknown.secondsLeft(forUnknown: email, at: later, in: tx) == 3_000)
        }
    }

    /// An address without an account is locked in the same way,
    /// so a lock does not reveal whether there is an account.
    @Test func refusesASignInUnderALockOfAnUnknownAddress() throws {
        hasher.isRight = false
        hasher.meanwhile = { [store, time] in
            try store.transact { tx in
                let email = try SignInLockout.UnknownEmail("a@b.co", from: .unknown, newKey: "00", in: tx)
                for _ in 1...10 { try SignInLockout(.sales).failUnknown(email, at: time.now, in: tx) }
            }
        }
        #expect(throws: AccountError(ErrorCode.Sales.tooManyAttempts, retryAfter: 3_600)) {
            _ = try apis.sales.authenticate(email: email, password: password).finished(with: apis)
        }
    }
}

/// Runs `meanwhile` before it answers whether a password is right, to simulate another process.
private final class InterruptedHasher: PasswordHasher, @unchecked Sendable {
    // A test uses this object only from its own thread.
    var isRight = false
    var meanwhile: () throws -> Void = {}

    func hash(_ password: Password) -> PasswordHash { PasswordHash(text: "hash") }

    func verify(_ password: Password, against hash: PasswordHash) -> Bool {
        #expect(throws: Never.self) { try meanwhile() }
        meanwhile = {}
        return isRight
    }

    func needsRehash(_ hash: PasswordHash) -> Bool { false }

    var decoy: PasswordHash { PasswordHash(text: "decoy") }
}
