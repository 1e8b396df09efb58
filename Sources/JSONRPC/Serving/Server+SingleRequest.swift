package import JSON

extension Server {
    /// Executes one request on the calling thread, commits it, and returns the reply.
    package static func execute(_ request: JSONValue, by handler: any RequestHandler) -> JSONValue {
        var connection = Connection(handler: handler, pool: WorkPool {}, order: .inOrder, framing: .line)
        Array((request.text + "\n").utf8).withUnsafeBytes { connection.receive($0) }
        while !connection.isIdle {
            connection.takeBacklog()
            connection.resume()
        }
        do throws(JSONError) {
            return try JSONValue(parsing: connection.takeOutput())
        } catch {
            return .null
        }
    }
}
