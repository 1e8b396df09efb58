/// A JSON object with any properties, as text in its shortest form.
///
///     { "size": 1.50, "name": "Ren\u00e9\/" }    →    {"size":1.50,"name":"René/"}
///
/// It has no white space between tokens. Properties keep their order, and numbers their digits. Strings are escaped
/// only where `JSONWriter` escapes them, so two ways to escape a string give the same text.
package struct CompactObject: Equatable, Sendable {
    /// The text, in UTF-8.
    package let bytes: [UInt8]
    /// The nesting levels of objects and arrays. The object itself is one.
    package let depth: Int

    /// `{}`.
    package init() {
        bytes = Array("{}".utf8)
        depth = 1
    }

    /// Reads the next value.
    ///
    /// - Throws: `JSONError`, with the reason `typeMismatch` if the value is not an object, and `duplicateProperty` if
    ///   an object in it has two properties with the same name.
    package init(reading reader: inout JSONReader) throws(JSONError) {
        guard try reader.kind() == .object else { throw JSONError(.typeMismatch, at: reader.offset) }
        var writer = JSONWriter()
        depth = try writer.copy(from: &reader)
        bytes = writer.bytes
    }

    /// Writes the object.
    package func write(to writer: inout JSONWriter) {
        writer.raw(bytes)
    }
}

extension JSONWriter {
    /// Writes a reader's next value in its shortest form, and returns its nesting levels.
    fileprivate mutating func copy(from reader: inout JSONReader) throws(JSONError) -> Int {
        var depth = 0
        switch try reader.kind() {
        case .object:
            var names = PropertyNames()
            try reader.beginObject()
            beginObject()
            while let name = try reader.nextProperty() {
                try names.insert(name, from: reader)
                string(name)
                append(UInt8(ascii: ":"))
                depth = max(depth, try copy(from: &reader))
            }
            endObject()
            depth += 1
        case .array:
            try reader.beginArray()
            beginArray()
            while try reader.nextElement() { depth = max(depth, try copy(from: &reader)) }
            endArray()
            depth += 1
        case .string: string(try reader.text())
        case .number: raw(try reader.number().bytes)
        case .bool: bool(try reader.bool())
        case .null:
            try reader.null()
            null()
        }
        return depth
    }

    /// Writes a string that was read.
    private mutating func string(_ text: JSONText) {
        if text.hasEscapes { string(text.string) } else { string(text.bytes) }
    }
}
