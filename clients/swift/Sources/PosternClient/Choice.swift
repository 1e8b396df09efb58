internal import JSON

/// One of a few strings that a property may be. It may be any string, as a newer service may have more than this client knows.
public protocol Choice: RawRepresentable<String>, Hashable, Sendable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    /// The value of that string.
    init(rawValue: String)
}

extension Choice {
    /// The value that a program writes as a string.
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
