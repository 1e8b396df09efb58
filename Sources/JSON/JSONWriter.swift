/// Writes JSON text into a growing buffer, with commas where they belong.
///
///     writer.beginObject()
///     writer.member("id"); writer.int(7)
///     writer.member("name"); writer.string("Luke")
///     writer.endObject()                              → {"id":7,"name":"Luke"}
///
/// Whether a comma is due is told from the byte written last: none behind `{`, `[`, `:` or a line feed. Strings hold
/// no raw U+2028 or U+2029, so that readers which take those for line ends stay whole.
package struct JSONWriter {
    /// What has been written so far.
    package private(set) var bytes: [UInt8] = []

    /// How long a string is copied in one piece with its quotes.
    private static let shortBytesMax = 512

    package init(capacity: Int = 256) {
        bytes.reserveCapacity(capacity)
    }

    /// How much has been written, in bytes.
    package var count: Int { bytes.count }

    /// Takes back everything behind the first `count` bytes.
    package mutating func truncate(to count: Int) {
        bytes.removeSubrange(count...)
    }

    /// Gives away what has been written and starts anew.
    package mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    // MARK: Containers

    /// Starts an object.
    package mutating func beginObject() {
        separate()
        bytes.append(UInt8(ascii: "{"))
    }

    /// Ends an object.
    package mutating func endObject() {
        bytes.append(UInt8(ascii: "}"))
    }

    /// Starts an array.
    package mutating func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
    }

    /// Ends an array.
    package mutating func endArray() {
        bytes.append(UInt8(ascii: "]"))
    }

    /// Writes a member's name; its value comes next. The name must need no escapes.
    package mutating func member(_ name: StaticString) {
        separate()
        let text = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        append(UInt8(ascii: "\""), text, UInt8(ascii: "\""), UInt8(ascii: ":"))
    }

    /// Writes a member's name that is known only at run time; its value comes next.
    package mutating func member(named name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    // MARK: Values

    /// Writes a string, escaped as far as it must be.
    package mutating func string(_ value: String) {
        separate()
        var value = value
        value.withUTF8 { text in
            let text = UnsafeRawBufferPointer(text)
            guard text.count > Self.shortBytesMax || text.endOfPlainBytes(from: 0) < text.count else {
                return append(UInt8(ascii: "\""), text, UInt8(ascii: "\""))
            }
            bytes.append(UInt8(ascii: "\""))
            appendEscaped(text)
            bytes.append(UInt8(ascii: "\""))
        }
    }

    /// Writes a string that needs no escape, by its bytes.
    package mutating func plainString(_ text: UnsafeRawBufferPointer) {
        separate()
        append(UInt8(ascii: "\""), text, UInt8(ascii: "\""))
    }

    /// Writes a string, or `null` for nil.
    package mutating func string(_ value: String?) {
        if let value { string(value) } else { null() }
    }

    /// Writes an integer.
    package mutating func int(_ value: Int) {
        separate()
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { buffer in
            var index = buffer.count
            var magnitude = value.magnitude
            repeat {
                index -= 1
                buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10)
                magnitude /= 10
            } while magnitude > 0
            if value < 0 {
                index -= 1
                buffer[index] = UInt8(ascii: "-")
            }
            append(contentsOf: UnsafeRawBufferPointer(buffer), from: index, upTo: buffer.count)
        }
    }

    /// Writes an integer, or `null` for nil.
    package mutating func int(_ value: Int?) {
        if let value { int(value) } else { null() }
    }

    /// Writes `true` or `false`.
    package mutating func bool(_ value: Bool) {
        separate()
        literal(value ? "true" : "false")
    }

    /// Writes `null`.
    package mutating func null() {
        separate()
        literal("null")
    }

    /// Writes bytes that are one well-formed JSON value already.
    package mutating func raw(_ value: UnsafeRawBufferPointer) {
        separate()
        bytes.append(contentsOf: value)
    }

    /// Writes bytes that are one well-formed JSON value already.
    package mutating func raw(_ value: [UInt8]) {
        separate()
        bytes.append(contentsOf: value)
    }

    /// Writes bytes as they are, with no comma before them.
    package mutating func verbatim(_ text: some Sequence<UInt8>) {
        bytes.append(contentsOf: text)
    }

    /// Ends a line.
    package mutating func newline() {
        bytes.append(0x0A)
    }

    /// Writes bytes as they are, with no comma before them.
    package mutating func literal(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    // MARK: Bytes

    private mutating func separate() {
        switch bytes.last {
        case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"), 0x0A: break
        default: bytes.append(UInt8(ascii: ","))
        }
    }

    /// Appends a string's bytes, copying runs that need no escape in one go.
    private mutating func appendEscaped(_ text: UnsafeRawBufferPointer) {
        var runStart = 0
        var index = 0
        while true {
            index = text.endOfPlainBytes(from: index)
            guard index < text.count else { break }
            let byte = text[index]
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte != 0xE2 {
                index += 1
                continue
            }
            let isLineSeparator =
                byte == 0xE2 && index + 2 < text.count && text[index + 1] == 0x80 && text[index + 2] & 0xFE == 0xA8
            if byte == 0xE2, !isLineSeparator {
                index += 1
                continue
            }
            append(contentsOf: text, from: runStart, upTo: index)
            if isLineSeparator {
                literal(text[index + 2] == 0xA8 ? "\\u2028" : "\\u2029")
                index += 3
            } else {
                appendEscape(of: byte)
                index += 1
            }
            runStart = index
        }
        append(contentsOf: text, from: runStart, upTo: text.count)
    }

    /// Appends part of a buffer, as a buffer: a slice would be gone through byte by byte.
    private mutating func append(contentsOf text: UnsafeRawBufferPointer, from start: Int, upTo end: Int) {
        bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start..<end]))
    }

    /// Appends a few bytes at once, as each time that the array is asked costs more than they do.
    private mutating func append(_ before: UInt8, _ text: UnsafeRawBufferPointer, _ after: UInt8, _ last: UInt8? = nil)
    {
        withUnsafeTemporaryAllocation(byteCount: text.count + 3, alignment: 1) { piece in
            piece[0] = before
            UnsafeMutableRawBufferPointer(rebasing: piece[1...]).copyMemory(from: text)
            piece[text.count + 1] = after
            if let last { piece[text.count + 2] = last }
            append(contentsOf: UnsafeRawBufferPointer(piece), from: 0, upTo: text.count + (last == nil ? 2 : 3))
        }
    }

    private mutating func appendEscape(of byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): literal("\\\"")
        case UInt8(ascii: "\\"): literal("\\\\")
        case 0x08: literal("\\b")
        case 0x09: literal("\\t")
        case 0x0A: literal("\\n")
        case 0x0C: literal("\\f")
        case 0x0D: literal("\\r")
        default:
            literal("\\u00")
            bytes.append(Self.hexDigits[Int(byte >> 4)])
            bytes.append(Self.hexDigits[Int(byte & 0xF)])
        }
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)
}
