/// Reads JSON text from left to right, strictly as RFC 8259 has it, without building a tree.
///
///     {"id": 7, "tags": ["a", "b"]}
///     beginObject
///      nextMember → "id"      number → 7
///      nextMember → "tags"    beginArray
///                              nextElement → true   text → "a"
///                              nextElement → true   text → "b"
///                              nextElement → false
///      nextMember → nil
///     finish
///
/// Refused: trailing commas, comments, leading zeros, control characters in strings, invalid UTF-8, lone surrogate
/// escapes, a byte order mark, nesting past the bound, anything behind the value. Duplicate member names are let
/// through, as RFC 8259 §4 leaves them to the application; the caller sees each.
///
/// The reader borrows its bytes and must not outlive them; so must no `JSONText` or `JSONNumber` that it hands out.
package struct JSONReader {
    // Every access to `base` is at an index that was compared with `count` just before.
    let base: UnsafePointer<UInt8>
    let count: Int
    private let depthMax: Int
    private var depth = 0
    /// Whether a value has just ended, so that a further one in the same container needs a comma.
    var afterValue = false

    /// The next byte to read, counted from the start of the text.
    package internal(set) var offset = 0

    /// The type of a value, told from its first byte.
    package enum Kind: Equatable, Sendable {
        case object, array, string, number, bool, null
    }

    /// - Parameters:
    ///   - bytes: the text; they must stay where they are for as long as the reader and what it hands out are used.
    ///   - depthMax: how many objects and arrays may stand within each other.
    package init(_ bytes: UnsafeRawBufferPointer, depthMax: Int = 128) {
        // An empty buffer may have no address; nothing is read through this stand-in, as `count` is 0.
        self.base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress ?? Self.emptyText
        self.count = bytes.count
        self.depthMax = depthMax
    }

    private static var emptyText: UnsafePointer<UInt8> { ("" as StaticString).utf8Start }

    // MARK: Values

    /// The type of the value that comes next.
    package mutating func kind() throws(JSONError) -> Kind {
        switch try peek() {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw JSONError(.unexpectedByte, at: offset, expected: .value)
        }
    }

    /// Reads a string.
    package mutating func text() throws(JSONError) -> JSONText {
        try enter(UInt8(ascii: "\""))
        let start = offset
        let end = UnsafeRawBufferPointer(start: base, count: count).endOfPlainBytes(from: start)
        // Most strings are plain to their end.
        guard end < count, base[end] == UInt8(ascii: "\"") else { return try text(from: start, plainUpTo: end) }
        offset = end + 1
        afterValue = true
        return JSONText(bytes: UnsafeRawBufferPointer(start: base + start, count: end - start), hasEscapes: false)
    }

    /// Reads a string to its end, from its first byte that is not plain on.
    private mutating func text(from start: Int, plainUpTo end: Int) throws(JSONError) -> JSONText {
        offset = end
        var hasEscapes = false
        while true {
            guard offset < count else { throw JSONError(.unexpectedEnd, at: offset) }
            let byte = base[offset]
            if byte == UInt8(ascii: "\"") {
                break
            } else if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try skipEscape()
            } else if byte < 0x20 {
                throw JSONError(.controlCharacter, at: offset)
            } else if byte < 0x80 {
                offset += 1
            } else {
                try skipMultibyteScalar(lead: byte)
            }
            offset = UnsafeRawBufferPointer(start: base, count: count).endOfPlainBytes(from: offset)
        }
        let bytes = UnsafeRawBufferPointer(start: base + start, count: offset - start)
        offset += 1
        afterValue = true
        return JSONText(bytes: bytes, hasEscapes: hasEscapes)
    }

    /// Reads a number.
    package mutating func number() throws(JSONError) -> JSONNumber {
        guard case .number = try kind() else { throw JSONError(.typeMismatch, at: offset) }
        let start = offset
        try skipNumber()
        return JSONNumber(bytes: UnsafeRawBufferPointer(start: base + start, count: offset - start))
    }

    /// Reads `true` or `false`.
    package mutating func bool() throws(JSONError) -> Bool {
        guard try kind() == .bool else { throw JSONError(.typeMismatch, at: offset) }
        let value = base[offset] == UInt8(ascii: "t")
        try skipWord(value ? "true" : "false")
        return value
    }

    /// Reads `null`.
    package mutating func null() throws(JSONError) {
        guard try kind() == .null else { throw JSONError(.typeMismatch, at: offset) }
        try skipWord("null")
    }

    /// Reads past the next value, whatever it is, checking all of it.
    package mutating func skip() throws(JSONError) {
        switch try peek() {
        case UInt8(ascii: "\""): _ = try text()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
        case UInt8(ascii: "{"):
            try beginObject()
            while try nextMember() != nil { try skip() }
        case UInt8(ascii: "["):
            try beginArray()
            while try nextElement() { try skip() }
        case UInt8(ascii: "t"): try skipWord("true")
        case UInt8(ascii: "f"): try skipWord("false")
        case UInt8(ascii: "n"): try skipWord("null")
        default: throw JSONError(.unexpectedByte, at: offset, expected: .value)
        }
    }

    /// Reads past the next value as `skip()` does, and throws where an object in it has two members of one name.
    package mutating func skipUnique() throws(JSONError) {
        switch try peek() {
        case UInt8(ascii: "{"):
            var names = MemberNames()
            try beginObject()
            while let name = try nextMember() {
                try names.insert(name, from: self)
                try skipUnique()
            }
        case UInt8(ascii: "["):
            try beginArray()
            while try nextElement() { try skipUnique() }
        default: try skip()
        }
    }

    /// Where a string that was read from this text begins: the offset of its opening quote.
    package func place(of text: JSONText) -> Int {
        // An empty string has an address as well, as it stands within the text.
        text.bytes.baseAddress.map { $0 - UnsafeRawPointer(base) - 1 } ?? offset
    }

    /// Reads past the next value and gives its bytes as they were written.
    package mutating func raw() throws(JSONError) -> UnsafeRawBufferPointer {
        skipWhitespace()
        let start = offset
        try skip()
        return UnsafeRawBufferPointer(start: base + start, count: offset - start)
    }

    /// Checks that nothing but white space is left.
    package mutating func finish() throws(JSONError) {
        skipWhitespace()
        guard offset == count else { throw JSONError(.trailingBytes, at: offset) }
    }

    // MARK: Containers

    /// Reads the start of an object; its members follow from `nextMember()`.
    package mutating func beginObject() throws(JSONError) {
        try begin(UInt8(ascii: "{"))
    }

    /// Reads the start of an array; its elements follow from `nextElement()`.
    package mutating func beginArray() throws(JSONError) {
        try begin(UInt8(ascii: "["))
    }

    /// The name of the object's next member, with its value up next, or nil behind the end of the object.
    package mutating func nextMember() throws(JSONError) -> JSONText? {
        guard try continues(until: UInt8(ascii: "}")) else { return nil }
        let name: JSONText
        do throws(JSONError) {
            name = try text()
        } catch  where error.reason == .typeMismatch {
            // The grammar asks for a string here, not the caller.
            throw JSONError(.unexpectedByte, at: error.offset, expected: .name)
        } catch  where error.expectation == .value {
            throw JSONError(error.reason, at: error.offset, expected: .name)
        }
        guard try peek(.colon) == UInt8(ascii: ":") else {
            throw JSONError(.unexpectedByte, at: offset, expected: .colon)
        }
        offset += 1
        return name
    }

    /// Whether the array has a further element, which is then up next; false behind the end of the array.
    package mutating func nextElement() throws(JSONError) -> Bool {
        try continues(until: UInt8(ascii: "]"))
    }

    private mutating func begin(_ open: UInt8) throws(JSONError) {
        try enter(open)
        depth += 1
        guard depth <= depthMax else { throw JSONError(.nestingTooDeep, at: offset - 1) }
        afterValue = false
    }

    /// Reads the byte that a value of one kind starts with.
    @inline(__always)
    private mutating func enter(_ first: UInt8) throws(JSONError) {
        guard try peek() == first else { throw try mismatch() }
        offset += 1
    }

    /// What is wrong where another kind of value stands than was asked for, if one does.
    private mutating func mismatch() throws(JSONError) -> JSONError {
        _ = try kind()
        return JSONError(.typeMismatch, at: offset)
    }

    /// Reads the comma before a further value, or the byte that closes the container.
    @inline(__always)
    private mutating func continues(until close: UInt8) throws(JSONError) -> Bool {
        skipWhitespace()
        guard offset < count else { throw endError(before: close) }
        let byte = base[offset]
        if byte == close {
            offset += 1
            depth -= 1
            afterValue = true
            return false
        }
        guard afterValue else { return true }
        guard byte == UInt8(ascii: ",") else {
            let isObject = close == UInt8(ascii: "}")
            throw JSONError(.unexpectedByte, at: offset, expected: isObject ? .commaOrBrace : .commaOrBracket)
        }
        offset += 1
        afterValue = false
        // A comma promises a value: in `[1,]` whoever reads it finds none.
        return true
    }

    /// The error for a text that ends within a container.
    private func endError(before close: UInt8) -> JSONError {
        let isObject = close == UInt8(ascii: "}")
        let first: JSONError.Expectation = isObject ? .nameOrBrace : .valueOrBracket
        let further: JSONError.Expectation = isObject ? .commaOrBrace : .commaOrBracket
        return JSONError(.unexpectedEnd, at: offset, expected: afterValue ? further : first)
    }
}
