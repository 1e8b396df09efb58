internal import Store

/// Committing a transaction.
extension PostgresEngine {
    /// Sends the writes and commits.
    ///
    /// - Returns: false if nothing was committed, and the transaction must be run again. If `view.fault` is set then,
    ///   `recover` must be called first.
    /// - Throws: `StoreError.outcomeUnknown`.
    func commit() throws(StoreError) -> Bool {
        guard let connection else { return false }
        // A transaction that has read nothing checks the format of the store before it writes.
        if view.progress == .notBegun {
            do throws(StoreError) {
                _ = try fetch([])
            } catch {
                guard view.fault != nil else { throw error }
                return false
            }
        }
        let id = CommitID(atMicroseconds: server.clock.microseconds)
        let group = view.statements + [Statements.mark(id.bytes), Statements.commit()]
        do throws(ServerFault) {
            let results = try run(group, on: connection, before: view.deadline)
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
