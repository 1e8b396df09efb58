internal import Store

/// Connections to a server that does not answer any more.
///
/// A server whose processes are stopped still acknowledges what is sent, so its connections do not end. Each connection of a
/// process would wait for the time-out of a request, one after the other. So once a request has timed out, an open connection
/// is used again only after it has answered a short question.
extension PostgresEngine {
    /// The open connection, or a new one.
    ///
    /// - Throws: `StoreError.unavailable`.
    func usableConnection(before deadline: Int) throws(StoreError) -> any ServerConnection {
        if let connection, isAnswering(connection, before: deadline) { return connection }
        let new = try server.connect(before: deadline)
        (connection, lastAnswer) = (new, server.clocks.milliseconds())
        return new
    }

    private func isAnswering(_ connection: any ServerConnection, before deadline: Int) -> Bool {
        guard lastAnswer < server.lastSilence else { return true }
        let latest = min(deadline, server.clocks.milliseconds() + Self.questionMilliseconds)
        do throws(ServerFault) {
            _ = try run([Statements.question()], on: connection, before: latest)
            return true
        } catch {
            disconnect()
            server.breaker.noteLoss()
            return false
        }
    }

    /// How long an open connection may take for the question.
    private static let questionMilliseconds = 1_000

    /// Runs a group of statements, and notes whether the server has answered.
    func run(
        _ group: [Statement],
        on connection: any ServerConnection,
        before deadline: Int?
    ) throws(ServerFault) -> [StatementResult] {
        do throws(ServerFault) {
            let results = try connection.run(group, before: deadline)
            lastAnswer = server.clocks.milliseconds()
            return results
        } catch {
            if error == .timedOut { server.noteSilence() }
            throw error
        }
    }
}
