/// Reading white space, numbers, words and escapes.
extension JSONReader {
    /// The next byte that is not white space. The byte is not consumed.
    ///
    /// - Parameter expected: the expectation in the error if the text ends.
    @inline(__always)
    mutating func peek(_ expected: JSONError.Expectation = .value) throws(JSONError) -> UInt8 {
        skipWhitespace()
        guard offset < count else { throw JSONError(.unexpectedEnd, at: offset, expected: expected) }
        return base[offset]
    }

    @inline(__always)
    mutating func skipWhitespace() {
        offset = afterWhitespace(from: offset)
    }

    /// The offset of the first byte from `start` on that is not white space.
    @inline(__always)
    func afterWhitespace(from start: Int) -> Int {
        var place = start
        // Most texts have no white space, so usually this is one comparison.
        while place < count, base[place] <= 0x20 {
            switch base[place] {
            case 0x20, 0x0A, 0x0D, 0x09: place &+= 1
            default: return place
            }
        }
        return place
    }

    /// Reads past a number, `true`, `false` or `null`, whose first byte is next.
    mutating func skipScalar() throws(JSONError) {
        switch base[offset] {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
        case UInt8(ascii: "t"): try skipWord("true")
        case UInt8(ascii: "f"): try skipWord("false")
        case UInt8(ascii: "n"): try skipWord("null")
        default: throw JSONError(.unexpectedByte, at: offset, expected: .value)
        }
    }

    mutating func skipNumber() throws(JSONError) {
        if base[offset] == UInt8(ascii: "-") { offset += 1 }
        if offset < count, base[offset] == UInt8(ascii: "0") {
            offset += 1
        } else {
            try skipDigits()
        }
        if offset < count, base[offset] == UInt8(ascii: ".") {
            offset += 1
            try skipDigits()
        }
        if offset < count, base[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if offset < count, base[offset] == UInt8(ascii: "+") || base[offset] == UInt8(ascii: "-") { offset += 1 }
            try skipDigits()
        }
        afterValue = true
    }

    mutating func skipDigits() throws(JSONError) {
        var end = offset
        while end < count, base[end] &- UInt8(ascii: "0") <= 9 { end += 1 }
        guard end > offset else { throw JSONError(.invalidNumber, at: offset) }
        offset = end
    }

    mutating func skipWord(_ word: StaticString) throws(JSONError) {
        let length = word.utf8CodeUnitCount
        guard offset + length <= count else { throw JSONError(.unexpectedEnd, at: count) }
        for index in 0..<length where base[offset + index] != word.utf8Start[index] {
            throw JSONError(.unexpectedByte, at: offset + index)
        }
        offset += length
        afterValue = true
    }

    mutating func skipEscape() throws(JSONError) {
        guard offset + 1 < count else { throw JSONError(.unexpectedEnd, at: count) }
        switch base[offset + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            offset += 2
        case UInt8(ascii: "u"):
            let start = offset
            let unit = try unicodeEscape()
            if (0xDC00...0xDFFF).contains(unit) { throw JSONError(.loneSurrogate, at: start) }
            guard (0xD800...0xDBFF).contains(unit) else { return }
            guard offset + 1 < count, base[offset] == UInt8(ascii: "\\"), base[offset + 1] == UInt8(ascii: "u") else {
                throw JSONError(.loneSurrogate, at: start)
            }
            guard (0xDC00...0xDFFF).contains(try unicodeEscape()) else { throw JSONError(.loneSurrogate, at: start) }
        default:
            throw JSONError(.invalidEscape, at: offset)
        }
    }

    /// Reads `\uXXXX` and returns the code unit.
    mutating func unicodeEscape() throws(JSONError) -> UInt16 {
        guard offset + 6 <= count else { throw JSONError(.unexpectedEnd, at: count) }
        var unit: UInt16 = 0
        for index in 2..<6 {
            guard let digit = base[offset + index].hexDigitValue else { throw JSONError(.invalidEscape, at: offset) }
            unit = unit << 4 | UInt16(digit)
        }
        offset += 6
        return unit
    }

    /// Reads one scalar of two to four bytes, by the table of well-formed sequences (RFC 3629 §4).
    mutating func skipMultibyteScalar(lead: UInt8) throws(JSONError) {
        let length: Int
        let second: ClosedRange<UInt8>
        switch lead {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xE1...0xEC, 0xEE...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw JSONError(.invalidUTF8, at: offset)
        }
        guard offset + length <= count else { throw JSONError(.invalidUTF8, at: offset) }
        guard second.contains(base[offset + 1]) else { throw JSONError(.invalidUTF8, at: offset) }
        for index in 2..<length where base[offset + index] & 0xC0 != 0x80 {
            throw JSONError(.invalidUTF8, at: offset)
        }
        offset += length
    }
}
