import JSON

/// Where the answer to one message goes: a message of its own, or a place in a batch's answer.
struct ReplyAddress {
    let id: UnsafeRawBufferPointer?
    let place: BatchPlace?
    /// Keeps what `id` points into.
    let chunk: Chunk

    init(id: UnsafeRawBufferPointer?, place: BatchPlace?, chunk: Chunk) {
        self.id = id
        self.place = place
        self.chunk = chunk
    }
}

/// A message's place in its batch.
struct BatchPlace {
    let batch: BatchReply
    let index: Int
}

/// The answer to a batch while its parts come in.
final class BatchReply {
    private var parts: [[UInt8]]
    private var missing: Int
    private var bytes = 0

    /// - Parameter count: how many messages the batch has.
    init(count: Int) {
        self.parts = [[UInt8]](repeating: [], count: count)
        self.missing = count
    }

    /// Whether its answer is so long that no further request of the batch is to be carried out.
    var isFull: Bool { bytes >= Limits.answerBytesMax }

    /// Puts a message's answer in its place, empty for one that gets none; true once all have come.
    func settle(_ part: [UInt8], at index: Int) -> Bool {
        parts[index] = part
        bytes += part.count
        missing -= 1
        return missing == 0
    }

    /// Takes back the answer at a place, to be done again.
    func takeBack(at index: Int) {
        bytes -= parts[index].count
        parts[index] = []
        missing += 1
    }

    /// How long the whole answer is; 0 where no message of the batch gets one.
    var answerBytes: Int {
        let answers = parts.count { !$0.isEmpty }
        // Brackets around them and commas between.
        return answers == 0 ? 0 : bytes + answers + 1
    }

    /// Writes the whole answer at the end of `output`. It keeps its parts, as the commit may fail and some be done again.
    func write(to output: inout JSONWriter) {
        output.reserve(answerBytes + 1)
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
    /// Writes the start of a response, up to its result. The id goes out byte for byte as it came.
    mutating func beginResponse(to id: UnsafeRawBufferPointer?) {
        beginEnvelope(of: id)
        literal(",\"result\":")
    }

    mutating func errorResponse(_ error: RPCError, to id: UnsafeRawBufferPointer?) {
        beginEnvelope(of: id)
        literal(",\"error\":")
        error.write(to: &self)
        endObject()
    }

    /// A response stands at the start of a line or of a part of a batch, so that no comma is due before it.
    private mutating func beginEnvelope(of id: UnsafeRawBufferPointer?) {
        literal("{\"jsonrpc\":\"2.0\",\"id\":")
        if let id { raw(id) } else { null() }
    }
}
