/// The rules of one account API.
package protocol AccountAPI {
    init(_ environment: Environment, _ settings: AccountSettings)

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
