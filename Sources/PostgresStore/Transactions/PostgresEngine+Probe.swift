internal import Store

/// Probes of connections to a server that may not answer any more.
///
/// A server whose processes are stopped still acknowledges what is sent, so its connections do not end. Each connection
/// of a process would wait for the time-out of a request, one after the other. So once a request has timed out, an open
/// connection is used again only after it has answered a probe.
extension PostgresEngine {
    /// How long an open connection may take for a probe. A group that had less time says nothing about the server.
    private static let probeMilliseconds = 1_000

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
        let latest = server.clocks.milliseconds() + Self.probeMilliseconds
        guard lastAnswer < server.lastTimeout, latest <= deadline else { return true }
        do throws(ServerFault) {
            // A probe that times out does not count as a time-out of the server: while that is slow, each would cause
            // more.
            _ = try connection.run([Statements.probe()], before: latest)
            lastAnswer = server.clocks.milliseconds()
            return true
        } catch {
            disconnect()
            server.breaker.noteLoss()
            return false
        }
    }

    /// Runs a group of statements, and records when the server has answered or timed out.
    func run(
        _ group: [Statement],
        on connection: any ServerConnection,
        before deadline: Int?
    ) throws(ServerFault) -> [StatementResult] {
        let start = server.clocks.milliseconds()
        do throws(ServerFault) {
            let results = try connection.run(group, before: deadline)
            lastAnswer = server.clocks.milliseconds()
            return results
        } catch {
            if error == .timedOut, server.clocks.milliseconds() - start >= Self.probeMilliseconds {
                server.recordTimeout()
            }
            throw error
        }
    }
}
