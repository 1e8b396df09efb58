package import JSON

/// An error object of JSON-RPC 2.0 (§5.1).
package struct RPCError: Error, Equatable, Sendable {
    /// The error's number.
    package let code: Int
    /// One sentence for people.
    package let message: String
    /// What a program can act on; nil leaves the member out.
    package let data: JSONValue?

    package init(code: Int, message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    /// The text is no JSON.
    package static let parseError = RPCError(code: -32700, message: "Parse error")
    /// The text is no request.
    package static let invalidRequest = RPCError(code: -32600, message: "Invalid Request")
    /// There is no such method.
    package static let methodNotFound = RPCError(code: -32601, message: "Method not found")
    /// The params are not what the method takes.
    package static let invalidParams = RPCError(code: -32602, message: "Invalid params")
    /// A fault of the service.
    package static let internalError = RPCError(code: -32603, message: "Internal error")

    static let messageTooLong = invalidRequest.because("the message is longer than \(Limits.lineBytesMax) bytes")
    static let badHeader = invalidRequest.because("the header has no valid Content-Length")
    static let batchTooLong = invalidRequest.because("the batch has more than \(Limits.batchMessagesMax) messages")
    static let idInFlight = invalidRequest.because("a request with this id has not been answered yet")
    static let overloaded = RPCError(
        code: -32000,
        message: "Too many requests are waiting; read replies before sending more",
        data: ["errors": ["too_many_requests"]]
    )

    private func because(_ reason: String) -> RPCError {
        RPCError(code: code, message: "\(message): \(reason)", data: data)
    }

    /// Writes the error object.
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("code")
        writer.int(code)
        writer.member("message")
        writer.string(message)
        if let data {
            writer.member("data")
            data.write(to: &writer)
        }
        writer.endObject()
    }
}
