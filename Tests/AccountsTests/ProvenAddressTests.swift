import DirectoryStore
import PosternTesting
import Store
import Testing

@testable import Accounts

/// What rests on an address needs a code that was mailed to it and used. Accounts that may sign in without one, such as
/// operators with `--no-email-confirmation` and sales staff, once counted as proven: the owner of a mistyped address
/// could take the account over with the code that restores the address.
struct ProvenAddressTests {
    private let environment: Environment
    private let password = Given.value(Password("password".utf8))
    private var store: Store { environment.store }
    private var operators: Operators { Operators(environment, AccountSettings(operatorsConfirmEmail: false)) }
    private var sales: Sales { Sales(environment) }
    private var care: Care { Care(environment) }

    init() {
        environment = Environment(
            store: Store(engine: LocalEngine()),
            time: DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_371_513)),
            random: SystemRandom(),
            hasher: Argon2idHasher(),
            outbox: Outbox(composer: SecretComposer())
        )
    }

    /// An operator, who may sign in without a confirmed email.
    private func registerOperator() throws -> SessionFields {
        let person = PersonFields(firstName: .value("A"), lastName: .value("B"), email: .value("typo@b.co"))
        let signedIn = try operators.register(person: .value(person), password: password).finished(in: environment)
        return SessionFields(userID: .value(signedIn.account.id), sessionID: .value(signedIn.session.bearer))
    }

    /// A member of the staff, who is verified from the start.
    private func createInternal() throws -> Given<BearerToken> {
        let new = NewSalesUser(
            email: .value("typo@b.co"),
            password: password,
            referralCode: .value(try sales.invite(.admin).referralCode),
            name: .value(NameFields(first: .value("A"), last: .value("B")))
        )
        let key = try sales.create(.admin, new).finished(in: environment).key
        return .value(try #require(key).bearer)
    }

    private func registerUser() throws -> Given<BearerToken> {
        _ = try care.register(
            email: .value("typo@b.co"),
            password: password,
            role: .value("user"),
            firstName: .absent,
            lastName: .absent,
            phone: .absent
        ).finished(in: environment)
        return .value(try care.signIn(email: .value("typo@b.co"), password: password).finished(in: environment).bearer)
    }

    private func secrets(_ kind: MailKind) throws -> [String] {
        try store.transact { tx in
            try environment.outbox.all(in: tx).filter { $0.kind == kind.rawValue }.map { mail in
                try environment.outbox.text(of: mail, in: tx) ?? ""
            }
        }
    }

    /// Changes the email of an account whose address is not proven, and checks that nothing rests on that address.
    private func changeUnprovenEmail<API: AccountAPI>(_ api: API, _ credential: API.Credential) throws {
        #expect(try !api.account(credential).isEmailProven)
        try api.changeEmail(credential, currentPassword: password, email: .value("right@b.co"))
            .finished(in: environment)
        let code = try #require(try secrets(API.realm.mails.emailChange).last)
        _ = try api.confirmEmailChange(credential, code: .value(code))
        #expect(try secrets(API.realm.mails.emailChangeRequested).isEmpty)
        #expect(try secrets(API.realm.mails.emailChanged).isEmpty)
        #expect(try store.transact { try $0.count(EmailReversal.self) } == 0)
        let typo = try #require(EmailAddress("typo@b.co"))
        #expect(try store.transact { try !api.isTaken(typo, at: environment.time.now, in: $0) })
        // The code has proven the new address, which is reserved when it changes.
        #expect(try api.account(credential).isEmailProven)
        try api.changeEmail(credential, currentPassword: password, email: .value("next@b.co"))
            .finished(in: environment)
        #expect(try secrets(API.realm.mails.emailChangeRequested).count == 1)
        let next = try #require(try secrets(API.realm.mails.emailChange).last)
        _ = try api.confirmEmailChange(credential, code: .value(next))
        #expect(try secrets(API.realm.mails.emailChanged).count == 1)
    }

    @Test func anOperatorWithoutConfirmationHasNothingToRestore() throws {
        try changeUnprovenEmail(operators, try registerOperator())
    }

    @Test func aMemberOfTheStaffHasNothingToRestore() throws {
        try changeUnprovenEmail(sales, try createInternal())
    }

    @Test func aUserWithoutConfirmationHasNothingToRestore() throws {
        try changeUnprovenEmail(care, try registerUser())
    }

    /// They may sign in, but still get a code if they ask for one.
    @Test func aCodeProvesTheAddressOfWhoNeedsNone() throws {
        let (session, key) = (try registerOperator(), try createInternal())
        try operators.resendConfirmation(email: .value("typo@b.co"))
        try sales.resendConfirmation(email: .value("typo@b.co"))
        _ = try operators.confirmEmail(code: .value(try #require(try secrets(.operatorsConfirmation).last)))
        _ = try sales.confirmEmail(code: .value(try #require(try secrets(.salesVerification).last)))
        #expect(try operators.account(session).isEmailProven && sales.account(key).isEmailProven)
        // Then there is nothing more to mail.
        try operators.resendConfirmation(email: .value("typo@b.co"))
        try sales.resendConfirmation(email: .value("typo@b.co"))
        #expect(try secrets(.operatorsConfirmation).count == 1 && secrets(.salesVerification).count == 1)
        let kinds = try store.transact { try $0.all(Event.self).map(\.kind) }
        #expect(kinds.filter { $0 == EventKind.confirmed.rawValue }.count == 2)
    }

    @Test func aCompletedResetProvesTheAddress() throws {
        _ = (try registerOperator(), try createInternal())
        try operators.resetPassword(email: .value("typo@b.co"))
        try sales.resetPassword(email: .value("typo@b.co"))
        let resets = (try secrets(.operatorsReset).last, try secrets(.salesReset).last)
        try operators.completeReset(code: .value(try #require(resets.0)), password: password).finished(in: environment)
        try sales.completeReset(code: .value(try #require(resets.1)), password: password).finished(in: environment)
        let proven = try store.transact { tx in
            (try tx.all(Operator.self).map(\.isEmailProven), try tx.all(SalesUser.self).map(\.isEmailProven))
        }
        #expect(proven == ([true], [true]))
        // The notice of the new password goes to the address, which is proven now.
        #expect(try secrets(.operatorsPasswordChanged).count == 1 && secrets(.salesPasswordChanged).count == 1)
    }

    /// A changed password is no proof, so no notice goes to the address.
    @Test func aChangedPasswordProvesNothing() throws {
        let (session, key) = (try registerOperator(), try createInternal())
        _ = try operators.changePassword(session, currentPassword: password, password: password)
            .finished(in: environment)
        _ = try sales.changePassword(key, currentPassword: password, password: password).finished(in: environment)
        #expect(try secrets(.operatorsPasswordChanged).isEmpty && secrets(.salesPasswordChanged).isEmpty)
    }

    /// Records of earlier versions do not say whether a code was used.
    @Test func earlierRecordsCountAsProvenIfTheyNeededACodeToSignIn() throws {
        let (_, _) = (try registerOperator(), try createInternal())
        try store.transact { tx in
            var account = try #require(try tx.all(Operator.self).first)
            account.isProven = nil
            #expect(account.isEmailProven)
            account.isConfirmed = false
            #expect(!account.isEmailProven)
            var user = try #require(try tx.all(SalesUser.self).first)
            user.isProven = nil
            #expect(!user.isEmailProven)
            user.role = SalesRole.customer.rawValue
            #expect(user.isEmailProven)
            user.isVerified = false
            #expect(!user.isEmailProven)
        }
    }
}
