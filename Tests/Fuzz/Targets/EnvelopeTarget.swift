@testable import JSON
@testable import JSONRPC

/// Parsing messages. A message is a request, a notification or invalid exactly as JSON-RPC 2.0 says, and a connection
/// replies to each request once, with its own id.
enum EnvelopeTarget {
    static func run(_ input: [UInt8]) {
        let line = Array(input.prefix { $0 != 0x0A })
        // A byte order mark at the start of the stream is skipped.
        let text = line.starts(with: [0xEF, 0xBB, 0xBF]) ? line.dropFirst(3) : line[...]
        let expected = (try? JSONValue(parsing: text)).map(Reply.expected)
        let output = replies(to: line)
        guard let expected else {
            // A text of white space is a blank line; any other text that is not JSON gets one parse error.
            if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
                hold(output.isEmpty, "a blank line gets a reply: \(output)")
                return
            }
            return holdParseError(output)
        }
        switch expected {
        case .malformed: holdParseError(output)
        case .none: hold(output.isEmpty, "no reply is due: \(output.map(\.text))")
        case .one(let reply):
            hold(output.count == 1, "one reply is due: \(output.map(\.text))")
            reply.check(output[0])
        case .batch(let replies):
            guard output.count == 1, let parts = output[0].array else { fail("one batch is due: \(output)") }
            hold(parts.count == replies.count, "\(replies.count) replies are due: \(output[0].text)")
            for (part, reply) in zip(parts, replies) { reply.check(part) }
        }
    }

    private static func holdParseError(_ output: [JSONValue]) {
        hold(output.count == 1 && output[0]["error"]?["code"] == -32_700, "no parse error: \(output.map(\.text))")
        hold(output[0]["id"] == .null, "a parse error with an id: \(output[0].text)")
    }

    private static func replies(to line: [UInt8]) -> [JSONValue] {
        var connection = Connection(handler: Echo(), pool: WorkPool {}, order: .inOrder, framing: .line)
        line.withUnsafeBytes { connection.receive($0) }
        var output = connection.takeOutput()
        connection.receiveEnd()
        while !connection.isIdle {
            connection.executeReadMessages()
            output += connection.takeOutput()
        }
        output += connection.takeOutput()
        return output.split(separator: 0x0A).map { line in must { try JSONValue(parsing: line) } }
    }
}

/// The expected reply to a message, according to JSON-RPC 2.0 and the additional rules of the service.
private struct Reply {
    enum Expected {
        case malformed
        case none
        case one(Reply)
        case batch([Reply])
    }

    /// The id of the reply.
    let id: JSONValue
    let isError: Bool

    func check(_ reply: JSONValue) {
        hold(reply["jsonrpc"] == "2.0" && reply["id"] == id, "the id is not \(id.text): \(reply.text)")
        hold((reply["error"] != nil) == isError, "is an error: \(!isError) in \(reply.text)")
        hold((reply["result"] == nil) == isError, "has a result: \(isError) in \(reply.text)")
        if isError { hold(reply["error"]?["code"] == -32_600, "another error: \(reply.text)") }
    }

    static func expected(for value: JSONValue) -> Expected {
        guard let elements = value.array else {
            guard let parsed = parsed(value) else { return .malformed }
            return parsed.map { .one($0) } ?? .none
        }
        if elements.isEmpty || elements.count > Limits.batchMessagesMax {
            return .one(Reply(id: .null, isError: true))
        }
        var replies: [Reply] = []
        for element in elements {
            guard let parsed = parsed(element) else { return .malformed }
            if let parsed { replies.append(parsed) }
        }
        return replies.isEmpty ? .none : .batch(replies)
    }

    /// The reply to one message. The inner optional is nil if no reply is due,
    /// the outer one if the envelope has a duplicate property.
    private static func parsed(_ value: JSONValue) -> Reply?? {
        guard let properties = value.object else { return .some(Reply(id: .null, isError: true)) }
        guard Set(properties.map { Array($0.name.utf8) }).count == properties.count else { return nil }
        func property(_ name: String) -> JSONValue? {
            properties.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
        }
        let (id, method, params) = (property("id"), property("method"), property("params"))
        if method == nil, property("result") != nil || property("error") != nil { return .some(nil) }
        let isReadable =
            switch id {
            case .string, .number, .null: true
            default: false
            }
        let isStructured =
            switch params {
            case nil, .null, .array, .object: true
            default: false
            }
        let isValid =
            (id == nil || isReadable) && property("jsonrpc") == "2.0" && isStructured
            && method?.string.map { !$0.isEmpty } == true
        guard isValid else { return .some(Reply(id: isReadable ? id ?? .null : .null, isError: true)) }
        return .some(id.map { Reply(id: $0, isError: false) })
    }
}

/// A handler whose results are all null.
private final class Echo: RequestHandler {
    func execute(
        _ request: Request,
        from phase: (any RequestPhase)?,
        result: inout JSONWriter
    ) throws(RPCError) -> SlowWork? {
        result.null()
        return nil
    }

    func lookAhead(_ request: Request) -> SlowWork? { nil }
    func mayWait(_ request: Request) -> Bool { false }
    func cancelledID(by notification: Request) -> UnsafeRawBufferPointer? { nil }
    func endGroup() {}
    func needsStore(_ request: Request) -> Bool { true }

    func isCancellable(_ request: Request) -> Bool { false }
    func lane(of request: Request) -> Lane? { nil }
    func commit() throws(RPCError) {}
    func formatted(_ error: RPCError, for request: Request) -> RPCError { error }
    func writeFailure(_ error: RPCError, of request: Request, result: inout JSONWriter) throws(RPCError) { throw error }
    func rollback() {}
}
