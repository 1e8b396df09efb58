import JSON

/// A reply to a call.
struct Reply {
    let id: Int
    /// The result as JSON text, or the error.
    let outcome: Result<[UInt8], CallError>
}

/// A line that is not a JSON-RPC reply.
struct ReplyFault: Error {
    let description: String
}

extension Reply {
    /// Parses a line.
    init(_ line: UnsafeRawBufferPointer) throws(ReplyFault) {
        var id: Int?
        var result: [UInt8]?
        var error: JSONValue?
        do throws(JSONError) {
            var reader = JSONReader(line)
            try reader.beginObject()
            while let name = try reader.nextProperty() {
                if name.equals("id"), try reader.kind() == .number {
                    id = try reader.number().int
                } else if name.equals("result") {
                    result = Array(try reader.raw())
                } else if name.equals("error") {
                    error = try JSONValue(reading: &reader)
                } else {
                    try reader.skip()
                }
            }
            try reader.finish()
        } catch {
            throw Self.fault("is no JSON object", line)
        }
        if id == nil, let error = error.flatMap(CallError.init) {
            throw ReplyFault(description: "Postern could not read a request: \(error)")
        }
        guard let id else { throw Self.fault("answers no call", line) }
        switch (result, error) {
        case (let result?, nil): self.init(id: id, outcome: .success(result))
        case (nil, let error?):
            guard let error = CallError(error) else { throw Self.fault("has an error without code or message", line) }
            self.init(id: id, outcome: .failure(error))
        default: throw Self.fault("has neither result nor error, or both", line)
        }
    }

    private static func fault(_ what: String, _ line: UnsafeRawBufferPointer) -> ReplyFault {
        // A line with a brace may be part of a reply with a session, which must not be in an error message.
        guard !line.contains(UInt8(ascii: "{")) else {
            return ReplyFault(description: "What came from Postern \(what): \(line.count) bytes")
        }
        let start = String(decoding: line.prefix(200), as: UTF8.self)
        return ReplyFault(description: "What came from Postern \(what): \(start)\(line.count > 200 ? "…" : "")")
    }
}
