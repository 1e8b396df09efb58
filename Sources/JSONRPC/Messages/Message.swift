import JSON

/// A parsed message.
enum Message {
    case request(Request)
    /// Not a valid request. The reply is the error, with this id; nil if none could be read.
    case invalid(RPCError, id: UnsafeRawBufferPointer?)
    /// A response. It is ignored unless it answers a request that the server has sent.
    case response(Response)
}

extension Message {
    /// Reads one message.
    ///
    /// - Throws: `JSONError` if it is not JSON, or if its envelope has a property twice, which makes it ambiguous.
    init(reading reader: inout JSONReader, in chunk: Chunk) throws(JSONError) {
        guard case .object = try reader.kind() else {
            try reader.skip()
            self = .invalid(.noObject, id: nil)
            return
        }
        self = try Envelope(reading: &reader).message()
    }
}
