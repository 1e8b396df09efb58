internal import Store

/// Finding out whether a transaction was committed whose connection was lost meanwhile.
extension PostgresEngine {
    /// Decides the outcome of the transaction with that id. It inserts a row with the id of the transaction's mark, the
    /// *fence*. If that succeeds, the transaction can never commit, even if its last message still arrives: the mark
    /// would have the key of the fence. If the mark is there, the transaction was committed. If the transaction is
    /// still running, the insertion waits for it.
    ///
    /// - Returns: whether the transaction was committed.
    /// - Throws: `StoreError.outcomeUnknown` if no server could be asked in time, or if there is only a fence and the
    ///   mark may have been deleted before.
    func settle(_ id: CommitID) throws(StoreError) -> Bool {
        let deadline = server.clocks.milliseconds() + server.timeoutMilliseconds
        while true {
            var reason: String
            do {
                return try settle(id, before: deadline)
            } catch let fault as ServerFault {
                reason = fault.reason
                if case .refused(let error) = fault, !error.endsConnection {
                    connection?.post([Statements.rollback()])
                } else {
                    disconnect()
                }
            } catch StoreError.unavailable(let text, _) {
                reason = text
            } catch let error as StoreError {
                throw error
            } catch {
                reason = "\(error)"
            }
            guard server.clocks.milliseconds() < deadline else { throw .outcomeUnknown(reason) }
            server.clocks.pause(Self.pauseMicroseconds)
        }
    }

    private func settle(_ id: CommitID, before deadline: Int) throws -> Bool {
        let connection = try usableConnection(before: deadline)
        let rest = max(1, deadline - server.clocks.milliseconds())
        let group = [
            Statements.beginAlone(), Statements.settlingTimeout(Parameter.text("\(rest)")),
            Statements.fence(id.bytes), Statements.isFenced(id.bytes), Statements.touch(id.bytes), Statements.commit(),
        ]
        let results = try run(group, on: connection, before: deadline)
        guard results[5].command == "COMMIT", let isFenced = results[3].rows.first?.bool(0) else {
            throw ServerFault.refused(ServerError(state: ServerError.conflict, message: "the settlement was undone"))
        }
        guard !results[5].hasWarning else {
            throw StoreError.outcomeUnknown("no standby has confirmed what was settled")
        }
        // Only the transaction itself writes the mark, so an old one is as good as a new one.
        guard isFenced else { return true }
        guard !id.isForgotten(atMicroseconds: server.clock.microseconds) else {
            throw StoreError.outcomeUnknown("the mark of the transaction may have been deleted already")
        }
        return false
    }

    /// The pause between two attempts to settle.
    private static let pauseMicroseconds = 50_000
}
