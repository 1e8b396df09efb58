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

    /// JSON text without line breaks, which can stand between its values alone.
    static func oneLine(_ text: String) throws(PosternError) -> [UInt8] {
        let bytes = Array(text.utf8)
        do {
            try bytes.readJSON { reader in try reader.skip() }
        } catch {
            throw .malformedParams(String(text.prefix(200)))
        }
        return bytes.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
    }
}
