import JSON

/// Where the reply to one message goes: a separate message, or a place in a batch's reply.
struct ReplyAddress {
    var id: UnsafeRawBufferPointer? { idOrNone.bytesOrNil }
    let place: BatchPlace?
    /// Owns the bytes that `id` points to.
    let chunk: Chunk
    private let idOrNone: UnsafeRawBufferPointer

    init(id: UnsafeRawBufferPointer?, place: BatchPlace?, chunk: Chunk) {
        idOrNone = id ?? .noBytes
        self.place = place
        self.chunk = chunk
    }
}

/// A message's place in its batch.
struct BatchPlace {
    let batch: BatchReply
    let index: Int
}

/// Collects the reply to a batch, part by part.
final class BatchReply {
    private var parts: [[UInt8]]
    private var missing: Int
    private var bytes = 0

    /// - Parameter count: the number of messages in the batch.
    init(count: Int) {
        self.parts = [[UInt8]](repeating: [], count: count)
        self.missing = count
    }

    /// Whether the reply is so long that no further request of the batch may be executed.
    var isFull: Bool { bytes >= Limits.answerBytesMax }

    /// Stores the reply to one message, empty if it gets none. Returns true if this was the last missing one.
    func settle(_ part: [UInt8], at index: Int) -> Bool {
        parts[index] = part
        bytes += part.count
        missing -= 1
        return missing == 0
    }

    /// Removes the reply to one message, because the message is executed again.
    func takeBack(at index: Int) {
        bytes -= parts[index].count
        parts[index] = []
        missing += 1
    }

    /// The length of the whole reply in bytes; 0 if no message of the batch gets a reply.
    var replyBytes: Int {
        let replies = parts.count { !$0.isEmpty }
        // Two brackets, and a comma between each two replies.
        return replies == 0 ? 0 : bytes + replies + 1
    }

    /// Appends the whole reply to `output`. The parts are kept, because the commit may fail and requests then run
    /// again.
    func write(to output: inout JSONWriter) {
        output.reserve(replyBytes + 1)
        output.literal("[")
        var isFirst = true
        for part in parts where !part.isEmpty {
            if !isFirst { output.literal(",") }
            isFirst = false
            output.verbatim(part)
        }
        output.literal("]")
    }
}

extension JSONWriter {
    /// Writes the start of a reply, up to its result. The id is written byte for byte as it was received.
    mutating func beginReply(to id: UnsafeRawBufferPointer?) {
        beginEnvelope(of: id)
        literal(",\"result\":")
    }

    mutating func errorReply(_ error: RPCError, to id: UnsafeRawBufferPointer?) {
        beginEnvelope(of: id)
        literal(",\"error\":")
        error.write(to: &self)
        endObject()
    }

    /// Writes the envelope up to the id. A reply starts a line or a part of a batch, so no comma goes before it.
    private mutating func beginEnvelope(of id: UnsafeRawBufferPointer?) {
        literal("{\"jsonrpc\":\"2.0\",\"id\":")
        if let id { raw(id) } else { null() }
    }
}
