package import Store

/// The rules of one account API.
package protocol AccountAPI {
    init(_ environment: Environment, _ settings: AccountSettings)

    /// The properties of an imported account that the API has. The others must be blank.
    static var importedProperties: [ImportedAccount.Property] { get }

    /// Checks an account from the export of another program, or adds it to the store: the same records as for a new
    /// account, but no mail and no session. Each property must follow the rules of requests.
    ///
    /// - Parameter adds: whether the account is added, in one transaction, if nothing is wrong.
    /// - Returns: what is wrong, by property; empty if nothing is.
    func importAccount(_ given: ImportedAccount, adds: Bool) throws -> [RecordFindings.Fault]

    /// Continues a job that a request or another process began, for one transaction. A job is a change of too many
    /// records for one transaction.
    ///
    /// - Returns: whether more work remains.
    func runJob() throws -> Bool
}

extension AccountAPI {
    /// For APIs without jobs.
    package func runJob() throws -> Bool { false }
}
