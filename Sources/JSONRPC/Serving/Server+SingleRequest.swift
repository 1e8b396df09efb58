package import JSON

extension Server {
    /// Executes one request on the calling thread, commits it, and returns the reply.
    package static func execute(_ request: JSONValue, by handler: any RequestHandler) -> JSONValue {
        var connection = Connection(handler: handler, pool: WorkPool {}, order: .inOrder, framing: .line)
        Array((request.text + "\n").utf8).withUnsafeBytes { connection.receive($0) }
        // Slow work may be pending, and a batch or a long reply may have left messages.
        while !connection.isIdle {
            connection.executeReadMessages()
            connection.resume()
        }
        do throws(JSONError) {
            return try JSONValue(parsing: connection.takeOutput())
        } catch {
            return .null
        }
    }
}
