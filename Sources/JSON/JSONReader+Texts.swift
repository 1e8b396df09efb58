/// Reading strings and numbers.
extension JSONReader {
    /// Reads a string.
    package mutating func text() throws(JSONError) -> JSONText {
        skipWhitespace()
        guard let plain = plainText(at: offset) else { return try anyText() }
        offset += plain.count + 2
        afterValue = true
        return JSONText(bytes: plain, hasEscapes: false)
    }

    /// Reads a string; nil, with nothing consumed, if the next value has another type.
    package mutating func textIfString() throws(JSONError) -> JSONText? {
        try peek() == UInt8(ascii: "\"") ? try text() : nil
    }

    /// The string that starts at `place` if it is ASCII without escapes, as most strings are; else nil. Nothing is
    /// consumed.
    @inline(__always)
    func plainText(at place: Int) -> UnsafeRawBufferPointer? {
        guard place < count, base[place] == UInt8(ascii: "\"") else { return nil }
        let start = place &+ 1
        let end = UnsafeRawBufferPointer(start: base, count: count).endOfPlainBytes(from: start)
        guard end < count, base[end] == UInt8(ascii: "\"") else { return nil }
        return UnsafeRawBufferPointer(start: base + start, count: end &- start)
    }

    /// Reads any string.
    mutating func anyText() throws(JSONError) -> JSONText {
        try enter(UInt8(ascii: "\""))
        let start = offset
        var hasEscapes = false
        while true {
            offset = UnsafeRawBufferPointer(start: base, count: count).endOfPlainBytes(from: offset)
            guard offset < count else { throw JSONError(.unexpectedEnd, at: offset) }
            let byte = base[offset]
            if byte == UInt8(ascii: "\"") {
                break
            } else if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try skipEscape()
            } else if byte < 0x20 {
                throw JSONError(.controlCharacter, at: offset)
            } else {
                try skipMultibyteScalar(lead: byte)
            }
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

    /// Reads a number as `JSONNumber.int` returns it: nil if it has a fraction or does not fit in 64 bits.
    package mutating func int() throws(JSONError) -> Int? {
        if let value = fewDigits() { return value }
        return try number().int
    }

    /// Reads an integer of a few digits in a container, as most numbers are; nil, with nothing but white space
    /// consumed, for any other value.
    package mutating func fewDigits() -> Int? {
        skipWhitespace()
        // Up to 18 digits do not overflow.
        var (end, value) = (offset, 0)
        while end < count, case let digit = base[end] &- UInt8(ascii: "0"), digit <= 9, end &- offset < 18 {
            value = value &* 10 &+ Int(digit)
            end &+= 1
        }
        guard end > offset, end < count, Self.endsNumber(base[end]) else { return nil }
        if base[offset] == UInt8(ascii: "0"), end > offset + 1 { return nil }
        offset = end
        afterValue = true
        return value
    }

    /// Whether a byte after a digit ends a number in a container.
    @inline(__always)
    static func endsNumber(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
    }
}
