internal import JSON

/// A string from a list of choices. It can be any string, because a newer service may have more choices than this
/// client.
public protocol Choice: RawRepresentable<String>, Hashable, Sendable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    /// Creates a value from the string that the service sends.
    init(rawValue: String)
}

extension Choice {
    /// Creates a value from a string literal.
    public init(stringLiteral value: String) {
        self.init(rawValue: value)
    }

    /// The string.
    public var description: String { rawValue }

    init(reading reader: inout JSONReader) throws {
        self.init(rawValue: try reader.text().string)
    }

    func write(to writer: inout JSONWriter) {
        writer.string(rawValue)
    }
}
