package import JSON

/// An error object of JSON-RPC 2.0 (§5.1).
package struct RPCError: Error, Equatable, Sendable {
    /// A code that JSON-RPC reserves, -32768 to -32000, or one of the called API.
    package let code: Int
    /// One sentence for people.
    package let message: String
    /// Details that a program can evaluate; nil omits the property.
    package let data: JSONValue?

    /// Makes an error of an API or of the service. Those that JSON-RPC defines are constants.
    package init(code: Int, message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    /// The text is not JSON.
    package static let parseError = RPCError(code: -32700, message: "Parse error")
    /// The message is not a valid request.
    package static let invalidRequest = RPCError(code: -32600, message: "Invalid Request")
    /// There is no such method.
    package static let methodNotFound = RPCError(code: -32601, message: "Method not found")
    /// The params do not fit the method.
    package static let invalidParams = RPCError(code: -32602, message: "Invalid params")
    /// The service failed.
    package static let internalError = RPCError(code: -32603, message: "Internal error")

    /// A parse error that says at which byte the text is wrong, and how.
    ///
    /// - Parameter isLine: whether the text was read as one line, so that the line may be only a part of the message.
    static func malformed(_ error: JSONError, isLine: Bool) -> RPCError {
        let hint =
            switch error.reason {
            case .unexpectedEnd where isLine:
                "; each message is one line, so send JSON without line breaks, as jq -c prints it"
            case .unexpectedEnd where !isLine, .trailingBytes where !isLine, .invalidUTF8 where !isLine:
                "; Content-Length counts bytes"
            default: ""
            }
        return RPCError(
            code: parseError.code,
            message: "\(parseError.message) at byte \(error.offset): \(error.explanation)\(hint)"
        )
    }

    static let http = invalidRequest.because(
        "this is an HTTP request; Postern speaks JSON-RPC 2.0 on stdin and stdout, and the program that starts it serves HTTP"
    )
    static let noObject = invalidRequest.because("a message is an object, or an array of objects")
    static let emptyBatch = invalidRequest.because("a batch has at least one message")
    static let wrongID = invalidRequest.because("id must be a string, a number or null")
    static let wrongVersion = invalidRequest.because("jsonrpc must be \"2.0\"")
    static let noMethod = invalidRequest.because("method is missing")
    static let wrongMethod = invalidRequest.because("method must be a string that is not empty")
    static let wrongParams = invalidRequest.because("params must be an object")
    static let batchReplyTooLong = RPCError(
        code: -32000,
        message:
            "Not carried out: the answer to the batch is longer than \(Limits.answerBytesMax) bytes; send fewer requests in one batch",
        data: ["errors": ["answer_too_long"]]
    )
    /// The result is longer than one reply may be.
    package static let replyTooLong = RPCError(
        code: -32000,
        message: "The answer is longer than \(Limits.answerBytesMax) bytes; ask for less at a time",
        data: ["errors": ["answer_too_long"]]
    )
    static let messageTooLong = invalidRequest.because("the message is longer than \(Limits.lineBytesMax) bytes")
    static let badHeader = invalidRequest.because(
        "a message stands behind header lines, of which Content-Length has its bytes in digits, at most \(Limits.lineBytesMax)"
    )
    static let cutShort = parseError.because("the input ends within a message; Content-Length counts bytes")
    static let lengthTooLong = parseError.because(
        "Content-Length is too long, as it takes in headers of the next message; Content-Length counts bytes"
    )
    static let batchTooLong = invalidRequest.because("the batch has more than \(Limits.batchMessagesMax) messages")
    static let idInFlight = invalidRequest.because("a request with this id has not been answered yet")
    static let overloaded = RPCError(
        code: -32000,
        message: "Too many requests are waiting; read replies before sending more",
        data: ["errors": ["too_many_requests"]]
    )

    /// The error with a reason added to its standard message.
    package func because(_ reason: String) -> RPCError {
        RPCError(code: code, message: "\(message): \(reason)", data: data)
    }

    /// Writes the error object.
    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.property("code")
        writer.int(code)
        writer.property("message")
        writer.string(message)
        if let data {
            writer.property("data")
            data.write(to: &writer)
        }
        writer.endObject()
    }
}
