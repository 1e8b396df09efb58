internal import CSodium

/// Reads the text of a hash from left to right. It reads byte by byte, because an import parses a hash for each
/// account.
///
///     var text = HashScanner(bytes)                     // $scrypt$ln=14,r=8,p=1$SALT$HASH
///     text.skip("$scrypt$ln=")                          // true
///     text.number(in: 1...17)                           // 14
///
/// It is valid as long as the bytes are.
struct HashScanner {
    private var rest: Slice<UnsafeBufferPointer<UInt8>>

    init(_ text: UnsafeBufferPointer<UInt8>) {
        rest = text[...]
    }

    /// Whether all bytes have been read.
    var isAtEnd: Bool { rest.isEmpty }

    /// The unread bytes as text.
    var restOfText: String { String(decoding: rest, as: UTF8.self) }

    /// Skips a word if it is next. Returns whether it was.
    mutating func skip(_ word: StaticString) -> Bool {
        let bytes = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard rest.starts(with: bytes) else { return false }
        rest = rest.dropFirst(bytes.count)
        return true
    }

    /// Reads a decimal number without a sign or leading zeros; nil if there is none in the range.
    mutating func number(in range: ClosedRange<Int>) -> Int? {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard (1...9).contains(digits.count), digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        let value = digits.reduce(0) { 10 * $0 + Int($1 - UInt8(ascii: "0")) }
        guard range.contains(value) else { return nil }
        rest = rest.dropFirst(digits.count)
        return value
    }

    /// Reads the bytes up to the next `$`, or another mark, and skips it; nil if there is none.
    mutating func field(upTo mark: Unicode.Scalar = "$") -> Slice<UnsafeBufferPointer<UInt8>>? {
        guard let end = rest.firstIndex(of: UInt8(ascii: mark)) else { return nil }
        defer { rest = rest[(end + 1)...] }
        return rest[..<end]
    }

    /// Reads the salt of Django or Werkzeug up to the next `$`: printable text whose bytes are the salt.
    mutating func textSalt() -> [UInt8]? {
        guard let field = field(), (1...ImportedHashLimits.saltBytesMax).contains(field.count),
            field.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        return Array(field)
    }

    /// Reads as many bytes of the alphabet of crypt(3), `./0-9A-Za-z`; nil if there are fewer.
    mutating func crypt64(_ counts: ClosedRange<Int>) -> [UInt8]? {
        let field = rest.prefix { Self.crypt64Value(of: $0) != nil }
        guard counts.contains(field.count) else { return nil }
        rest = rest.dropFirst(field.count)
        return Array(field)
    }

    /// Reads one digit of crypt(3)'s alphabet `./0-9A-Za-z` as its value from 0 to 63.
    mutating func crypt64Digit() -> Int? {
        guard let byte = rest.first, let value = Self.crypt64Value(of: byte) else { return nil }
        rest = rest.dropFirst()
        return value
    }

    private static func crypt64Value(of byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "."): 0
        case UInt8(ascii: "/"): 1
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0")) + 2
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte - UInt8(ascii: "A")) + 12
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte - UInt8(ascii: "a")) + 38
        default: nil
        }
    }

    // MARK: The last field

    /// Reads the rest as Base64, and decodes it.
    func base64(_ form: Base64Form, _ counts: ClosedRange<Int> = ImportedHashLimits.hashBytes) -> [UInt8]? {
        Self.decode(rest, form, counts)
    }

    /// Reads the rest as hexadecimal digits in lower case, and decodes it.
    func hexadecimal(_ counts: ClosedRange<Int> = ImportedHashLimits.hashBytes) -> [UInt8]? {
        guard rest.count.isMultiple(of: 2), counts.contains(rest.count / 2),
            !rest.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) })
        else { return nil }
        var decoded = [UInt8](repeating: 0, count: rest.count / 2)
        var count = 0
        let status = Self.withCharacters(rest) {
            sodium_hex2bin(&decoded, decoded.count, $0, $1, nil, &count, nil)
        }
        return status == 0 && count == decoded.count ? decoded : nil
    }

    // MARK: Base64

    /// The forms of Base64 (RFC 4648 §4) in hashes.
    enum Base64Form {
        /// With padding: Django.
        case padded
        /// Without padding: PHC strings.
        case unpadded
        /// Without padding, and with `.` instead of `+`: Passlib.
        case passlib
    }

    /// Reads Base64 up to the next `$`, or another mark, and decodes it.
    mutating func base64Field(
        _ form: Base64Form,
        _ counts: ClosedRange<Int>,
        upTo mark: Unicode.Scalar = "$"
    ) -> [UInt8]? {
        field(upTo: mark).flatMap { Self.decode($0, form, counts) }
    }

    private static func decode(
        _ field: Slice<UnsafeBufferPointer<UInt8>>,
        _ form: Base64Form,
        _ counts: ClosedRange<Int>
    ) -> [UInt8]? {
        let isPasslib = form == .passlib
        let (dot, plus) = (UInt8(ascii: "."), UInt8(ascii: "+"))
        guard !field.isEmpty, !field.contains(isPasslib ? plus : dot) else { return nil }
        if isPasslib, field.contains(dot) {
            return field.map { $0 == dot ? plus : $0 }.withUnsafeBufferPointer { decode($0[...], .unpadded, counts) }
        }
        let variant = form == .padded ? sodium_base64_VARIANT_ORIGINAL : sodium_base64_VARIANT_ORIGINAL_NO_PADDING
        var decoded = [UInt8](repeating: 0, count: field.count)
        var count = 0
        // It also refuses unused bits that are not zero.
        let status = withCharacters(field) {
            sodium_base642bin(&decoded, decoded.count, $0, $1, nil, &count, nil, variant)
        }
        return status == 0 && counts.contains(count) ? Array(decoded.prefix(count)) : nil
    }

    private static func withCharacters(
        _ field: Slice<UnsafeBufferPointer<UInt8>>,
        _ body: (UnsafePointer<CChar>, Int) -> Int32
    ) -> Int32 {
        UnsafeBufferPointer(rebasing: field).withMemoryRebound(to: CChar.self) { characters in
            characters.baseAddress.map { body($0, characters.count) } ?? -1
        }
    }
}
