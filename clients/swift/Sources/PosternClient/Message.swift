import JSON

/// A line of the process's output.
enum Message {
    case reply(Reply)
    case sentByProcess(HostMessage)

    /// Parses a line.
    init(_ line: UnsafeRawBufferPointer) throws(ReplyFault) {
        var parts = Parts()
        do throws(JSONError) {
            var reader = JSONReader(line)
            try parts.read(&reader)
            try reader.finish()
        } catch {
            throw .unexpected("is no JSON object", line)
        }
        if let method = parts.method {
            self = .sentByProcess(HostMessage(id: parts.id, method: method, params: parts.params))
        } else {
            self = .reply(try parts.reply(line))
        }
    }
}

/// A request or notification that the process sends on its own.
struct HostMessage: Sendable {
    /// The id as JSON text; nil for a notification.
    let id: [UInt8]?
    let method: String
    /// The params as JSON text; nil if they are absent.
    let params: [UInt8]?
}

/// The properties of a message.
private struct Parts {
    var id: [UInt8]?
    var number: Int?
    var method: String?
    var params: [UInt8]?
    var result: [UInt8]?
    var error: JSONValue?

    mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        try reader.beginObject()
        while let name = try reader.nextProperty() {
            if name.equals("id") {
                if try reader.kind() == .number {
                    number = try reader.number().int
                } else {
                    id = Array(try reader.raw())
                }
            } else if name.equals("result") {
                result = Array(try reader.raw())
            } else if name.equals("error") {
                error = try JSONValue(reading: &reader)
            } else if name.equals("method") {
                method = try reader.text().string
            } else if name.equals("params") {
                params = Array(try reader.raw())
            } else {
                try reader.skip()
            }
        }
        if let number { id = Array("\(number)".utf8) }
    }

    func reply(_ line: UnsafeRawBufferPointer) throws(ReplyFault) -> Reply {
        if number == nil, let error = error.flatMap(CallError.init) {
            throw ReplyFault(description: "Postern could not read a request: \(error)")
        }
        guard let number else { throw .unexpected("answers no call", line) }
        switch (result, error) {
        case (let result?, nil): return Reply(id: number, outcome: .success(result))
        case (nil, let error?):
            guard let error = CallError(error) else { throw .unexpected("has an error without code or message", line) }
            return Reply(id: number, outcome: .failure(error))
        default: throw .unexpected("has neither result nor error, or both", line)
        }
    }
}
