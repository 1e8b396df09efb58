/// A reply to a call.
struct Reply {
    let id: Int
    /// The result as JSON text, or the error.
    let outcome: Result<[UInt8], CallError>
}

/// A line that is not a JSON-RPC message.
struct ReplyFault: Error {
    let description: String

    init(description: String) {
        self.description = description
    }

    /// - Parameter what: what is wrong with the line.
    static func unexpected(_ what: String, _ line: UnsafeRawBufferPointer) -> ReplyFault {
        // A line with a brace may be part of a reply with a session, which must not be in an error message.
        guard !line.contains(UInt8(ascii: "{")) else {
            return ReplyFault(description: "What came from Postern \(what): \(line.count) bytes")
        }
        let start = String(decoding: line.prefix(200), as: UTF8.self)
        return ReplyFault(description: "What came from Postern \(what): \(start)\(line.count > 200 ? "…" : "")")
    }
}
