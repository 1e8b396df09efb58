package import JSON

extension Server {
    /// Carries out one request on the calling thread, commits it, and returns the response.
    package static func answer(to request: JSONValue, by handler: any RequestHandler) -> JSONValue {
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
