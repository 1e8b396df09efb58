/// Reads JSON text from left to right, strictly by RFC 8259, without building a tree.
///
///     {"id": 7, "tags": ["a", "b"]}
///     beginObject
///      nextProperty → "id"      number → 7
///      nextProperty → "tags"    beginArray
///                              nextElement → true   text → "a"
///                              nextElement → true   text → "b"
///                              nextElement → false
///      nextProperty → nil
///     finish
///
/// Refused: trailing commas, comments, leading zeros, control characters in strings, invalid UTF-8, lone surrogate
/// escapes, a byte order mark, nesting over the limit, anything after the value. Duplicate property names are accepted,
/// because RFC 8259 §4 leaves them to the application; the caller gets each.
///
/// The reader points into its bytes and must not outlive them. Neither must any `JSONText` or `JSONNumber` that it
/// returns.
package struct JSONReader {
    // Each access to `base` uses an index that was compared with `count` just before.
    let base: UnsafePointer<UInt8>
    let count: Int
    private let depthMax: Int
    private var depth = 0
    /// Whether a value has just ended, so that the next one in the same container needs a comma.
    var afterValue = false

    /// The offset of the next byte to read.
    package internal(set) var offset = 0

    /// The type of a value, known from its first byte.
    package enum Kind: Equatable, Sendable {
        case object, array, string, number, bool, null
    }

    /// - Parameters:
    ///   - bytes: the text. It must stay at its address while the reader, or a value that it returned, is in use.
    ///   - depthMax: the maximum nesting depth of objects and arrays.
    package init(_ bytes: UnsafeRawBufferPointer, depthMax: Int = 128) {
        // An empty buffer may have no address. This replacement is never read, because `count` is 0.
        self.base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress ?? Self.emptyText
        self.count = bytes.count
        self.depthMax = depthMax
    }

    private static var emptyText: UnsafePointer<UInt8> { ("" as StaticString).utf8Start }

    // MARK: Values

    /// The type of the next value. The value is not consumed.
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

    /// Reads past the next value of any type, and checks all of it.
    package mutating func skip() throws(JSONError) {
        if let end = endOfValue() {
            offset = end
            afterValue = true
        } else {
            try skipInSteps()
        }
    }

    /// The same, value by value: it finds the place of an error.
    private mutating func skipInSteps() throws(JSONError) {
        switch try peek() {
        case UInt8(ascii: "\""): _ = try text()
        case UInt8(ascii: "{"):
            try beginObject()
            while try nextProperty() != nil { try skipInSteps() }
        case UInt8(ascii: "["):
            try beginArray()
            while try nextElement() { try skipInSteps() }
        default: try skipScalar()
        }
    }

    /// Whether containers may be nested this many levels deeper.
    func hasRoom(forLevels levels: Int) -> Bool { depth + levels <= depthMax }

    /// Reads past the next value like `skip()`, but throws if an object in it has two properties with the same name.
    package mutating func skipUnique() throws(JSONError) {
        switch try peek() {
        case UInt8(ascii: "{"):
            var names = PropertyNames()
            try beginObject()
            while let name = try nextProperty() {
                try names.insert(name, from: self)
                try skipUnique()
            }
        case UInt8(ascii: "["):
            try beginArray()
            while try nextElement() { try skipUnique() }
        default: try skip()
        }
    }

    /// The offset of the opening quote of a string that was read from this text.
    package func place(of text: JSONText) -> Int {
        // An empty string has an address too, because it points into the text.
        text.bytes.baseAddress.map { $0 - UnsafeRawPointer(base) - 1 } ?? offset
    }

    /// Reads past the next value and returns its bytes as they were written.
    package mutating func raw() throws(JSONError) -> UnsafeRawBufferPointer {
        skipWhitespace()
        let start = offset
        try skip()
        return UnsafeRawBufferPointer(start: base + start, count: offset - start)
    }

    /// Checks that only white space is left.
    package mutating func finish() throws(JSONError) {
        skipWhitespace()
        guard offset == count else { throw JSONError(.trailingBytes, at: offset) }
    }

    // MARK: Containers

    /// Reads the start of an object. `nextProperty()` then returns its properties.
    package mutating func beginObject() throws(JSONError) {
        try begin(UInt8(ascii: "{"))
    }

    /// Reads the start of an array. `nextElement()` then moves to its elements.
    package mutating func beginArray() throws(JSONError) {
        try begin(UInt8(ascii: "["))
    }

    /// Reads the name of the object's next property; the value is next. Returns nil after the end of the object.
    package mutating func nextProperty() throws(JSONError) -> JSONText? {
        // Most names follow a comma, perhaps with a space, and have a colon right after them.
        var start = offset
        if afterValue, start < count, base[start] == UInt8(ascii: ",") {
            start &+= 1
            if start < count, base[start] == 0x20 { start &+= 1 }
        } else if afterValue {
            return try anyProperty()
        }
        guard let name = plainText(at: start), case let colon = start &+ name.count &+ 2, colon < count,
            base[colon] == UInt8(ascii: ":")
        else { return try anyProperty() }
        offset = colon &+ 1
        afterValue = true
        return JSONText(bytes: name, hasEscapes: false)
    }

    /// Reads any property name and the colon after it, or the end of the object.
    private mutating func anyProperty() throws(JSONError) -> JSONText? {
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

    /// Moves to the array's next element. Returns false after the end of the array.
    package mutating func nextElement() throws(JSONError) -> Bool {
        try continues(until: UInt8(ascii: "]"))
    }

    private mutating func begin(_ open: UInt8) throws(JSONError) {
        try enter(open)
        depth += 1
        guard depth <= depthMax else { throw JSONError(.nestingTooDeep, at: offset - 1) }
        afterValue = false
    }

    /// Reads `first`, the byte that starts a value of the expected type.
    @inline(__always)
    mutating func enter(_ first: UInt8) throws(JSONError) {
        guard try peek() == first else { throw try mismatch() }
        offset += 1
    }

    /// The error for a value of another type than expected. Throws if the next bytes are not a value.
    private mutating func mismatch() throws(JSONError) -> JSONError {
        _ = try kind()
        return JSONError(.typeMismatch, at: offset)
    }

    /// Reads the comma before the next value, or the byte that closes the container. Returns false in the second case.
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
        // A value must follow the comma. In `[1,]` reading that value fails.
        return true
    }

    /// The error for a text that ends inside a container.
    private func endError(before close: UInt8) -> JSONError {
        let isObject = close == UInt8(ascii: "}")
        let first: JSONError.Expectation = isObject ? .nameOrBrace : .valueOrBracket
        let further: JSONError.Expectation = isObject ? .commaOrBrace : .commaOrBracket
        return JSONError(.unexpectedEnd, at: offset, expected: afterValue ? further : first)
    }
}
