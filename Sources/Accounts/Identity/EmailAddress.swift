/// An email address that mail can be sent to: `local@domain`, in ASCII (RFC 5321 §4.1.2, without quoted local parts and
/// address literals; internationalised domains in their `xn--` form).
package struct EmailAddress: Hashable, Sendable {
    /// The address as it was given, without spaces around it.
    package let text: String
    /// The form by which addresses are told apart: without regard to case.
    package let canonical: String

    /// Takes a text that is an address; nil for any other. One pass over the text, whatever it holds.
    package init?(_ given: String) {
        guard given.utf8.count <= Limits.emailBytesMax * 2 else { return nil }
        let bytes = Array(given.utf8).trimmingSpaces()
        guard bytes.count <= Limits.emailBytesMax, let at = bytes.firstIndex(of: UInt8(ascii: "@")) else { return nil }
        guard Self.isLocalPart(bytes[..<at]), Self.isDomain(bytes[(at + 1)...]) else { return nil }
        self.text = String(decoding: bytes, as: UTF8.self)
        self.canonical = text.lowercased()
    }

    /// Whether it is atoms joined by single dots (RFC 5321 §4.1.2, Dot-string).
    private static func isLocalPart(_ bytes: ArraySlice<UInt8>) -> Bool {
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

    /// Whether it is two labels or more of letters, digits and inner hyphens (RFC 1123 §2.1), the last not all digits.
    private static func isDomain(_ bytes: ArraySlice<UInt8>) -> Bool {
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2, let topLevel = labels.last else { return false }
        let hyphen = UInt8(ascii: "-")
        return labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
                && label.allSatisfy { $0.isASCIIAlphanumeric || $0 == hyphen }
        } && !topLevel.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

extension [UInt8] {
    /// Only the space itself: a line feed around an address is a sign of an injection, not of a slip.
    fileprivate func trimmingSpaces() -> ArraySlice<UInt8> {
        guard let first = firstIndex(where: { $0 != 0x20 }), let last = lastIndex(where: { $0 != 0x20 }) else {
            return []
        }
        return self[first...last]
    }
}

extension UInt8 {
    /// RFC 5322 §3.2.3, atext, without letters and digits.
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
