internal import Store
internal import Platform

/// Committing a transaction.
extension PostgresEngine {
    /// Sends the writes and commits.
    ///
    /// - Returns: false if nothing was committed: the transaction is to be run again, after `recover` if `view.fault`
    ///   says why.
    /// - Throws: `StoreError.outcomeUnknown`.
    func commit() throws(StoreError) -> Bool {
        guard let connection else { return false }
        let id = CommitID(atMicroseconds: server.clock.microseconds)
        let begins = !view.hasBegun
        let group = beginning + view.statements + [Statements.mark(id.bytes), Statements.commit()]
        let sent = SystemClock.microseconds
        do throws(ServerFault) {
            let results = try connection.run(group, before: view.deadline)
            if begins { try checkPrologue(results[1], sent: sent) }
            guard let last = results.last, last.command == "COMMIT" else {
                throw .refused(ServerError(state: ServerError.conflict, message: "the transaction was undone"))
            }
            guard last.hasWarning else { return true }
        } catch {
            view.fault = error
        }
        switch view.fault {
        case nil: throw .outcomeUnknown("the server has committed, but no standby has confirmed it")
        case .refused(let error) where error.state != Self.completionUnknown: return false
        case .newerFormat, .unusable: return false
        case .refused, .lost, .timedOut:
            disconnect()
            guard try settle(id) else {
                view.fault = nil
                return false
            }
            return true
        }
    }

    /// statement_completion_unknown
    private static let completionUnknown = "40003"
}
