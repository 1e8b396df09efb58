/// The rules for texts in requests, the same in all three APIs. The length is checked first: a text of megabytes is
/// refused before its characters are examined.
extension String {
    /// Whether the text is the name of a locale: letters, digits and hyphens. Such a name is safe as that of a
    /// directory.
    package var isLocale: Bool {
        (Limits.localeCharactersMin...Limits.localeCharactersMax).contains(utf8.count)
            && utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// Whether the text has at most this many Unicode scalars.
    func hasAtMost(scalars: Int) -> Bool {
        // A scalar has one to four bytes.
        utf8.count <= scalars || (utf8.count <= 4 * scalars && unicodeScalars.count <= scalars)
    }

    /// Whether the text has no visible character: it is empty, or contains only white space, format characters (Cf) and
    /// nonspacing marks (Mn). A text that is longer than any rule allows counts as not blank; it is refused as too
    /// long.
    var isBlank: Bool {
        // If the first character is visible ASCII, the text is not blank.
        if let first = utf8.first, first > 0x20, first < 0x7F { return false }
        guard utf8.count <= 4 * Limits.addressCharactersMax else { return false }
        return unicodeScalars.allSatisfy { scalar in
            scalar.properties.isWhitespace || [.format, .nonspacingMark].contains(scalar.properties.generalCategory)
        }
    }

    /// Whether the text has no control character (Cc) and no line or paragraph separator (Zl, Zp).
    var isPlainLine: Bool {
        isPrintableASCII
            || unicodeScalars.allSatisfy { scalar in
                ![.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
            }
    }

    /// Whether every character is printable ASCII. It examines a machine word at a time.
    private var isPrintableASCII: Bool {
        var text = self
        return text.withUTF8 { text in
            let bytes = UnsafeRawBufferPointer(text)
            let (ones, highBits): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
            var index = 0
            while index + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                // The high bit of a byte: below 0x20, 0x7F, or not ASCII. A borrow or a carry into the next byte does
                // no harm, because it only comes from a byte that is not printable.
                guard ((word &- ones &* 0x20) | (word &+ ones) | word) & highBits == 0 else { return false }
                index += 8
            }
            return bytes[index...].allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        }
    }

    /// The text without white space around it.
    var trimmedToken: String {
        // Most texts have none.
        if let first = utf8.first, let last = utf8.last, first.isVisibleASCII, last.isVisibleASCII { return self }
        guard utf8.count <= Limits.tokenBytesMax,
            let start = unicodeScalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let end = unicodeScalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(unicodeScalars[start...end])
    }
}

extension UInt8 {
    /// Whether the byte is an ASCII character other than white space and control characters.
    var isVisibleASCII: Bool { (0x21...0x7E).contains(self) }
}
