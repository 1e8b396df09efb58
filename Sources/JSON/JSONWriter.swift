import Platform

/// Writes JSON text into a growing buffer, with commas where they belong.
///
///     writer.beginObject()
///     writer.property("id"); writer.int(7)
///     writer.property("name"); writer.string("Luke")
///     writer.endObject()                              → {"id":7,"name":"Luke"}
///
/// The last written byte decides whether a comma is needed: none after `{`, `[`, `:` or a line feed. U+2028 and U+2029
/// are escaped in strings, because some readers treat them as line ends.
///
/// It manages its own memory. An array checks on each appended byte whether its storage is shared, and that check costs
/// more than the byte. So the writer cannot be copied, and its bytes are copied out.
package struct JSONWriter: ~Copyable {
    /// Only this writer has the address. The first `count` bytes are written; the others are never read.
    var memory: UnsafeMutableRawBufferPointer

    /// The number of written bytes.
    package internal(set) var count = 0

    /// The maximum of `count`. If a write would exceed it, all bytes after `keptCount` are dropped.
    var countMax = Int.max
    var keptCount = 0
    /// Whether bytes were dropped since `limit(toFurther:)`, so that the written bytes are not valid JSON.
    package internal(set) var isOverrun = false

    /// The size of the allocated memory in bytes.
    package var capacity: Int { memory.count }

    /// - Parameter capacity: the bytes to allocate at the start.
    package init(capacity: Int = 256) {
        memory = capacity == 0 ? .init(start: nil, count: 0) : .allocate(byteCount: capacity, alignment: 1)
    }

    deinit { memory.deallocate() }

    /// A copy of the written bytes.
    package var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

    /// Calls `body` with the written bytes.
    package func withUnsafeBytes<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        try body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    /// Removes all bytes after the first `count`.
    package mutating func truncate(to count: Int) {
        precondition(count <= self.count, "only what was written can be taken back")
        self.count = count
    }

    /// Limits the further bytes. A write past the limit sets `isOverrun`, and the writer drops and overwrites the bytes
    /// since this call. The caller must then remove them with `truncate(to:)`.
    package mutating func limit(toFurther bytesMax: Int) {
        keptCount = count
        countMax = count + bytesMax
        isOverrun = false
    }

    /// The further bytes that the limit of `limit(toFurther:)` allows.
    package var furtherBytesMax: Int { countMax - count }

    /// Drops the bytes that were written since `limit(toFurther:)`, for example if the rest is known to exceed the
    /// limit.
    package mutating func overrun() {
        isOverrun = true
        count = keptCount
    }

    /// Allocates memory for this many further bytes.
    package mutating func reserve(_ more: Int) {
        guard memory.count - count < more else { return }
        move(toCapacity: count + more)
    }

    /// Returns a copy of the written bytes, and removes them.
    package mutating func take() -> [UInt8] {
        defer { count = 0 }
        return bytes
    }

    // MARK: Containers

    /// Starts an object.
    package mutating func beginObject() {
        begin(UInt8(ascii: "{"))
    }

    /// Ends an object.
    package mutating func endObject() {
        append(UInt8(ascii: "}"))
    }

    /// Starts an array.
    package mutating func beginArray() {
        begin(UInt8(ascii: "["))
    }

    /// Ends an array.
    package mutating func endArray() {
        append(UInt8(ascii: "]"))
    }

    /// Writes a property name; the value must follow. The name must not need escapes.
    package mutating func property(_ name: StaticString) {
        write(bytesMax: name.utf8CodeUnitCount + 3) { end in
            end.put(UInt8(ascii: "\""))
            end.put(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
            end.put(UInt8(ascii: "\""))
            end.put(UInt8(ascii: ":"))
        }
    }

    /// Writes a property name that is known only at run time; the value must follow.
    package mutating func property(named name: String) {
        string(name)
        append(UInt8(ascii: ":"))
    }

    // MARK: Values

    /// Writes a string, with escapes where they are needed.
    package mutating func string(_ value: String) {
        // A string with contiguous storage is read in place, which avoids reference counting.
        guard value.utf8.withContiguousStorageIfAvailable({ string(UnsafeRawBufferPointer($0)) }) == nil else { return }
        var value = value
        value.withUTF8 { string(UnsafeRawBufferPointer($0)) }
    }

    /// Writes a string, given as UTF-8 bytes.
    package mutating func string(_ text: UnsafeRawBufferPointer) {
        guard text.endOfPlainBytes(from: 0) < text.count else { return plainString(text) }
        begin(UInt8(ascii: "\""))
        appendEscaped(text)
        append(UInt8(ascii: "\""))
    }

    /// Writes a string that needs no escapes, given as bytes.
    package mutating func plainString(_ text: UnsafeRawBufferPointer) {
        write(bytesMax: text.count + 2) { end in
            end.put(UInt8(ascii: "\""))
            end.put(text)
            end.put(UInt8(ascii: "\""))
        }
    }

    /// Writes a string, or `null` for nil.
    package mutating func string(_ value: String?) {
        if let value { string(value) } else { null() }
    }

    /// Writes an integer.
    package mutating func int(_ value: Int) {
        write(bytesMax: Self.intBytesMax) { end in
            var magnitude = value.magnitude
            if value < 0 { end.put(UInt8(ascii: "-")) }
            if magnitude < 100_000_000 {
                let digits = UInt32(magnitude).eightDigits
                // Leading zeros are not written, but the last digit is.
                let zeros = min(7, (digits ^ 0x3030_3030_3030_3030).trailingZeroBitCount / 8)
                end.put((digits >> (8 * zeros)).littleEndian, count: 8 - zeros)
                return
            }
            // The magnitude has at most 19 digits, so `bound` does not overflow.
            var (digits, bound) = (1, UInt(10))
            while magnitude >= bound {
                digits += 1
                bound *= 10
            }
            end.put(digits) { place in
                for index in (0..<digits).reversed() {
                    place[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: magnitude % 10)
                    magnitude /= 10
                }
            }
        }
    }

    /// Writes an integer, or `null` for nil.
    package mutating func int(_ value: Int?) {
        if let value { int(value) } else { null() }
    }

    /// Writes `true` or `false`.
    package mutating func bool(_ value: Bool) {
        word(value ? "true" : "false")
    }

    /// Writes `null`.
    package mutating func null() {
        word("null")
    }

    /// Writes bytes that already are one well-formed JSON value.
    package mutating func raw(_ value: UnsafeRawBufferPointer) {
        write(bytesMax: value.count) { $0.put(value) }
    }

    /// Writes bytes that already are one well-formed JSON value.
    package mutating func raw(_ value: [UInt8]) {
        value.withUnsafeBytes { raw($0) }
    }

    /// Writes bytes as they are, with no comma before them.
    package mutating func verbatim(_ text: [UInt8]) {
        text.withUnsafeBytes { append($0) }
    }

    /// Ends a line.
    package mutating func newline() {
        append(0x0A)
    }

    /// Writes bytes as they are, with no comma before them.
    package mutating func literal(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func word(_ text: StaticString) {
        raw(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a string's bytes. A run of bytes that need no escapes is copied at once.
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
            append(UnsafeRawBufferPointer(rebasing: text[runStart..<index]))
            if isLineSeparator {
                literal(text[index + 2] == 0xA8 ? "\\u2028" : "\\u2029")
                index += 3
            } else {
                appendEscape(of: byte)
                index += 1
            }
            runStart = index
        }
        append(UnsafeRawBufferPointer(rebasing: text[runStart...]))
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
            append((byte >> 4).hexDigit)
            append((byte & 0xF).hexDigit)
        }
    }

    /// A minus sign and nineteen digits. Eight bytes are written at once for a number of fewer digits.
    private static let intBytesMax = 20
}
