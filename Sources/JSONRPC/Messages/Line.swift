import JSON

/// The parsed content of one frame.
enum Line {
    case message(Message)
    case batch([Message])
    case malformed(RPCError)

    /// Parses a frame's bytes, which are in `chunk`.
    ///
    /// - Parameter isLine: whether the bytes are one line, and not a message after headers.
    init(_ bytes: UnsafeRawBufferPointer, in chunk: Chunk, isLine: Bool) {
        var reader = JSONReader(bytes, depthMax: Limits.nestingDepthMax)
        do throws(JSONError) {
            if case .array = try reader.kind() {
                self = try Line(batch: &reader, in: chunk)
            } else {
                let message = try Message(reading: &reader, in: chunk)
                try reader.finish()
                self = .message(message)
            }
        } catch {
            self = .malformed(
                HeaderSyntax.isHTTPRequestLine(bytes) ? .http : .malformed(error, isLine: isLine)
            )
        }
    }

    private init(batch reader: inout JSONReader, in chunk: Chunk) throws(JSONError) {
        var messages: [Message] = []
        var count = 0
        try reader.beginArray()
        while try reader.nextElement() {
            count += 1
            // Messages past the limit are only checked to be JSON.
            if count > Limits.batchMessagesMax {
                try reader.skip()
            } else {
                messages.append(try Message(reading: &reader, in: chunk))
            }
        }
        try reader.finish()
        if count == 0 {
            self = .message(.invalid(.emptyBatch, id: nil))
        } else if count > Limits.batchMessagesMax {
            self = .message(.invalid(.batchTooLong, id: nil))
        } else {
            self = .batch(messages)
        }
    }
}
