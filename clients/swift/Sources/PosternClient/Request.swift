import JSON

/// A request, as one line.
enum Request {
    /// - Parameter params: writes the property `params`, or nothing.
    static func line(id: Int, method: String, params: (inout JSONWriter) -> Void) throws(PosternError) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.property("jsonrpc")
        writer.string("2.0")
        writer.property("id")
        writer.int(id)
        writer.property("method")
        writer.string(method)
        params(&writer)
        writer.endObject()
        guard writer.count <= Limits.messageBytesMax else {
            throw .messageTooLong(bytes: writer.count, bytesMax: Limits.messageBytesMax)
        }
        writer.newline()
        return writer.take()
    }

    /// The text as JSON on one line. In JSON, line breaks can only be between tokens, and are replaced by spaces.
    ///
    /// It throws if the service could not parse the text, because the service replies to such a request without its id.
    static func oneLine(_ text: String) throws(PosternError) -> [UInt8] {
        let bytes = Array(text.utf8)
        do {
            // The request object is one more level.
            try bytes.readJSON(depthMax: Limits.nestingDepthMax - 1) { reader in try reader.skip() }
        } catch {
            // The error does not contain the text, which may contain a password.
            let fault = error as? JSONError
            throw .malformedParams(fault.map { "\($0.reason) at byte \($0.offset)" } ?? "\(error)")
        }
        return bytes.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
    }
}
