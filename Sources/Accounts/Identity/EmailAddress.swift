/// An email address that mail can be sent to: `local@domain`, in ASCII (RFC 5321 §4.1.2, without quoted local parts and
/// address literals; internationalised domains in their `xn--` form).
package struct EmailAddress: Hashable, Sendable {
    /// The address as it was given, without spaces around it.
    package let text: String
    /// The address in lower case, the form in which addresses are compared.
    package let canonical: String

    /// Parses an address, with optional spaces around it; nil if the text is not one. The time is linear in the length.
    package init?(_ given: String) {
        guard given.utf8.count <= Limits.emailBytesMax * 2 else { return nil }
        var given = given
        guard let place = given.withUTF8({ Self.place(in: $0) }) else { return nil }
        // Most texts have no spaces around the address and need no copy.
        text = place.count == given.utf8.count ? given : String(decoding: Array(given.utf8)[place], as: UTF8.self)
        let hasCapitals = text.utf8.contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
        canonical = hasCapitals ? text.lowercased() : text
    }

    /// The range of the address in a text that contains only it and spaces
    /// around it; nil if the text is not an address.
    private static func place(in text: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        // Only the space is trimmed: a line feed around an address indicates an injection, not a typing error.
        guard let first = text.firstIndex(where: { $0 != 0x20 }), let last = text.lastIndex(where: { $0 != 0x20 }),
            last - first < Limits.emailBytesMax
        else { return nil }
        let bytes = text[first...last]
        guard let at = bytes.firstIndex(of: UInt8(ascii: "@")), isLocalPart(bytes[..<at]), isDomain(bytes[(at + 1)...])
        else { return nil }
        return first..<last + 1
    }

    /// Whether the bytes are atoms joined by single dots (RFC 5321 §4.1.2, Dot-string).
    private static func isLocalPart(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        guard (1...Limits.emailLocalPartBytesMax).contains(bytes.count) else { return false }
        var isAfterAtom = false
        for byte in bytes {
            if byte == UInt8(ascii: ".") {
                guard isAfterAtom else { return false }
                isAfterAtom = false
            } else {
                guard byte.isASCIIAlphanumeric || byte.isAtomSymbol else { return false }
                isAfterAtom = true
            }
        }
        return isAfterAtom
    }

    /// Whether the bytes are two or more labels, the last of which is not all digits.
    private static func isDomain(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var (rest, labels) = (bytes, 0)
        while true {
            let end = rest.firstIndex(of: UInt8(ascii: ".")) ?? rest.endIndex
            let label = rest[..<end]
            guard isLabel(label) else { return false }
            labels += 1
            guard end < rest.endIndex else {
                return labels >= 2 && !label.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            }
            rest = rest[(end + 1)...]
        }
    }

    /// Whether the bytes are letters, digits and inner hyphens (RFC 1123 §2.1).
    private static func isLabel(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        let hyphen = UInt8(ascii: "-")
        return (1...63).contains(bytes.count) && bytes.first != hyphen && bytes.last != hyphen
            && bytes.allSatisfy { $0.isASCIIAlphanumeric || $0 == hyphen }
    }
}

extension UInt8 {
    /// Whether the byte is a symbol of an atom: RFC 5322 §3.2.3, atext, without letters and digits.
    fileprivate var isAtomSymbol: Bool {
        switch Unicode.Scalar(self) {
        case "!", "#", "$", "%", "&", "'", "*", "+", "-", "/", "=", "?", "^", "_", "`", "{", "|", "}", "~": true
        default: false
        }
    }

    fileprivate var isASCIIAlphanumeric: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
