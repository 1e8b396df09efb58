import JSON

/// A request, as one line.
enum Request {
    /// - Parameter params: writes the member `params`, or nothing.
    static func line(id: Int, method: String, params: (inout JSONWriter) -> Void) throws(PosternError) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("jsonrpc")
        writer.string("2.0")
        writer.member("id")
        writer.int(id)
        writer.member("method")
        writer.string(method)
        params(&writer)
        writer.endObject()
        guard writer.count <= Limits.messageBytesMax else {
            throw .messageTooLong(bytes: writer.count, bytesMax: Limits.messageBytesMax)
        }
        writer.newline()
        return writer.take()
    }

    /// JSON text that the service can read, without line breaks, which can stand between its values alone.
    ///
    /// What it could not read it would answer without saying whose it was.
    static func oneLine(_ text: String) throws(PosternError) -> [UInt8] {
        let bytes = Array(text.utf8)
        do {
            // The request around them is a level as well.
            try bytes.readJSON(depthMax: Limits.nestingDepthMax - 1) { reader in try reader.skip() }
        } catch {
            // Not with the text itself, which may hold a password.
            let fault = error as? JSONError
            throw .malformedParams(fault.map { "\($0.reason) at byte \($0.offset)" } ?? "\(error)")
        }
        return bytes.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
    }
}
