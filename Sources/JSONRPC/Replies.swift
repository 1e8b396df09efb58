import JSON

/// Where the answer to one message goes: a line of its own, or a place in a batch's answer.
struct ReplyAddress {
    let id: UnsafeRawBufferPointer?
    let batch: BatchReply?
    /// Keeps what `id` points into.
    let chunk: Chunk

    init(id: UnsafeRawBufferPointer?, batch: BatchReply?, chunk: Chunk) {
        self.id = id
        self.batch = batch
        self.chunk = chunk
    }
}

/// The answer to a batch while its parts come in.
final class BatchReply {
    private var parts: [[UInt8]?] = []
    private var missing: Int

    /// - Parameter count: how many messages the batch has.
    init(count: Int) {
        self.missing = count
    }

    /// Adds a message's answer, nil for one that gets none; true once all have come.
    func add(_ part: [UInt8]?) -> Bool {
        parts.append(part)
        missing -= 1
        return missing == 0
    }

    /// Takes back the part that came last, to be done again.
    func takeBackLast() {
        parts.removeLast()
        missing += 1
    }

    /// The whole answer; empty where no message of the batch gets one.
    func answer() -> [UInt8] {
        let answers = parts.compactMap { $0 }
        guard !answers.isEmpty else { return [] }
        var writer = JSONWriter()
        writer.beginArray()
        for answer in answers { writer.raw(answer) }
        writer.endArray()
        return writer.take()
    }
}

extension JSONWriter {
    /// Writes the start of a response, up to its result or error. The id goes out byte for byte as it came.
    mutating func beginResponse(to id: UnsafeRawBufferPointer?) {
        beginObject()
        literal("\"jsonrpc\":\"2.0\",\"id\":")
        if let id { raw(id) } else { null() }
    }

    mutating func errorResponse(_ error: RPCError, to id: UnsafeRawBufferPointer?) {
        beginResponse(to: id)
        member("error")
        error.write(to: &self)
        endObject()
    }
}
