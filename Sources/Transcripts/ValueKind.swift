import JSON

/// A string of a transcript that matches any value of a kind, for values that differ each time.
enum ValueKind: Equatable {
    /// `<any>`: any value.
    case any
    /// `<string>`: any string.
    case string
    /// `<integer>`: a number that fits in 64 bits and has no fraction.
    case integer
    /// `<time>`: a time in UTC with microseconds, as in `2016-02-24T22:07:52.371513Z`.
    case time
    /// `<uuid>`: a random UUID (RFC 9562, version 4) in lower case.
    case uuid
    /// `<hex 32>`: a string of 32 lower-case hexadecimal digits; any number is possible.
    case hex(digits: Int)

    /// The kind that a text names; nil for any other text.
    init?(_ text: String) {
        switch text {
        case "<any>": self = .any
        case "<string>": self = .string
        case "<integer>": self = .integer
        case "<time>": self = .time
        case "<uuid>": self = .uuid
        default:
            guard text.hasPrefix("<hex "), text.hasSuffix(">"), let digits = Int(text.dropFirst(5).dropLast()),
                digits > 0
            else { return nil }
            self = .hex(digits: digits)
        }
    }

    /// The text that names the kind.
    var text: String {
        switch self {
        case .any: "<any>"
        case .string: "<string>"
        case .integer: "<integer>"
        case .time: "<time>"
        case .uuid: "<uuid>"
        case .hex(let digits): "<hex \(digits)>"
        }
    }

    /// Whether a value is of the kind.
    func contains(_ value: JSONValue) -> Bool {
        switch self {
        case .any: true
        case .string: value.string != nil
        case .integer: value.int != nil
        case .time: Self.hasForm("dddd-dd-ddTdd:dd:dd.ddddddZ", value)
        case .uuid: Self.hasForm("xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx", value)
        case .hex(let digits): Self.hasForm(String(repeating: "x", count: digits), value)
        }
    }

    /// Whether a string has a form, in which `d` is a decimal digit, `x` for a hexadecimal one, `v` for one of
    /// those that show the variant of a UUID, and any other character for itself.
    private static func hasForm(_ form: String, _ value: JSONValue) -> Bool {
        guard let text = value.string, text.utf8.count == form.utf8.count else { return false }
        return zip(text.utf8, form.utf8).allSatisfy { byte, wanted in
            let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            return switch wanted {
            case UInt8(ascii: "d"): isDigit
            case UInt8(ascii: "x"): isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            case UInt8(ascii: "v"): "89ab".utf8.contains(byte)
            default: byte == wanted
            }
        }
    }
}
