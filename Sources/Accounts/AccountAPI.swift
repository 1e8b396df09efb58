package import Store

/// The rules of one account API.
///
/// What the APIs have in common is implemented once, in extensions of this protocol in Identity/AccountMethods: each is
/// a method of `schema/account.json`. The requirements are what differs.
package protocol AccountAPI: SendableMetatype {
    /// The record type of its accounts.
    associatedtype Account: PasswordAccount
    /// The properties by which a request authenticates an account.
    associatedtype Credential: Sendable
    /// Its rules for single properties.
    associatedtype Rules: AccountRules

    /// The realm of its accounts.
    static var realm: Realm { get }

    /// Its error codes for the errors that all APIs have.
    static var errorCodes: AccountErrorCodes { get }

    /// The code that proves an account's address, and the mail that contains it.
    static var confirmation: (purpose: MailedCodes.Purpose, mail: MailKind) { get }

    /// The length of a session's token in hexadecimal digits.
    static var tokenDigits: Int { get }

    init(_ environment: Environment, _ settings: AccountSettings)

    /// The API itself, from the account APIs that a later phase gets.
    init(from apis: AccountAPIs)

    /// The store and every source of effects.
    var environment: Environment { get }
    /// The settings of the account APIs.
    var settings: AccountSettings { get }
    /// The open sessions of its accounts.
    var sessions: Sessions { get }
    /// The codes that it mails.
    var codes: MailedCodes { get }
    /// How its accounts sign in.
    var signIn: SignIn<Account> { get }

    /// The roles that its accounts have, one each; empty if they have none.
    static var roles: [String] { get }

    /// The account that sends a request.
    ///
    /// - Throws: the API's error for a wrong credential.
    func authenticated(_ credential: Credential, at now: Timestamp, in tx: Transaction) throws -> Account

    /// The session's token in a credential; nil if it is not a string.
    static func token(in credential: Credential) -> BearerToken?

    /// Adjusts what depends on the account's address, after the address was changed and proven.
    func emailChanged(of account: Account, in tx: Transaction) throws

    /// Deletes records that only this API has for an account whose own record is deleted.
    ///
    /// - Parameter limit: the maximum number of records to delete.
    /// - Returns: the number of deleted records. If it is less than `limit`, none remain.
    func deleteRecords(ofDeleted account: Int, limit: Int, in tx: Transaction) throws -> Int

    /// Deletes an account with everything that belongs only to it.
    ///
    /// - Parameter source: who deletes it.
    func deleteAll(
        of account: Account,
        by source: AuditTrail.Source,
        at now: Timestamp,
        in tx: Transaction
    ) throws

    /// Marks an account's email as proven, and does what depends on it.
    ///
    /// - Returns: the account, as it is stored then.
    func confirmed(
        _ account: Account,
        by source: AuditTrail.Source,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Account

    /// Visits the records that only this API has for an account, for an export of the account.
    func visitRecords(of account: Int, in tx: Transaction, _ visit: (any Record) throws -> Void) throws

    /// The properties of an imported account that the API has. The others must be blank.
    static var importedProperties: [ImportedAccount.Property] { get }

    /// The record of an imported account, which need not follow the rules yet. `insertImported` gives it its number.
    func record(of given: ImportedAccount, at now: Timestamp) -> Account

    /// Adds the record of an imported account, and the further records that every new account has.
    ///
    /// - Returns: the account, with its number.
    func insertImported(_ account: Account, at now: Timestamp, in tx: Transaction) throws -> Account

    /// Continues a job that a request or another process began, for one transaction. A job is a change of too many
    /// records for one transaction.
    ///
    /// - Returns: whether more work remains.
    func runJob() throws -> Bool
}

extension AccountAPI {
    /// For APIs whose accounts have only records that all APIs have.
    package func deleteRecords(ofDeleted account: Int, limit: Int, in tx: Transaction) throws -> Int { 0 }

    /// For APIs whose accounts have only records that all APIs have.
    package func deleteAll(
        of account: Account,
        by source: AuditTrail.Source,
        at now: Timestamp,
        in tx: Transaction
    ) throws {
        try delete(account, by: source, at: now, in: tx)
    }

    /// For APIs in which nothing else depends on the address.
    package func confirmed(
        _ account: Account,
        by source: AuditTrail.Source,
        at now: Timestamp,
        in tx: Transaction
    ) throws -> Account {
        var account = account
        account.proveEmail(account.email)
        try tx.update(account)
        try audit.record(.confirmed, of: account.id, by: source, at: now, in: tx)
        return account
    }

    /// For APIs whose accounts have only records that all APIs have.
    package func visitRecords(of account: Int, in tx: Transaction, _ visit: (any Record) throws -> Void) throws {}

    /// For APIs whose accounts have no roles.
    package static var roles: [String] { [] }

    /// For APIs in which nothing else depends on the address.
    package func emailChanged(of account: Account, in tx: Transaction) throws {}

    /// The rules for new passwords.
    var passwordPolicy: PasswordPolicy { settings.passwordPolicy }

    /// The audit trail of its accounts.
    var audit: AuditTrail { AuditTrail(Self.realm) }

    /// The addresses that its accounts had before, and that can be restored.
    var reversals: EmailReversals { EmailReversals(Self.realm) }

    /// A new token for a session.
    func newToken() -> SecretToken {
        SecretToken(bytes: Self.tokenDigits / 2, from: environment.random)
    }
}
