import JSON

/// A JSON value that is spread over several lines, on a stream where each message is one line.
///
///     {                              gets one error, which says that a message is one line
///       "jsonrpc": "2.0",            belongs to the value: no further error
///       "id": 1
///     }                              ends the value
///     {"jsonrpc":"2.0","id":2,…}     a message
///
/// The first line is the start of a valid JSON value and ends between two tokens. A later line belongs to the value if
/// it
///
/// - is indented deeper than the first,
/// - contains only closing brackets, commas and white space, or
/// - continues the value by the JSON grammar.
///
/// A whole message, an object with `jsonrpc` or an array with such an object, never belongs to the value: a stray `{`
/// does not cost a request its reply. A line that is not indented deeper than the first also does not belong to it if
/// it begins with an opening bracket or is a JSON text: after the start of a message that was cut off, later lines
/// still get replies.
///
/// No bytes of a line are kept, because they may be part of a secret.
struct PrettyPrintedValue {
    /// The parser state after the last line; nil after a line that does not continue the value by the grammar.
    private var grammar: JSONGrammar?
    /// The indentation of the first line, in bytes.
    private let indentation: Int
    /// Whether the value has ended, so that the next line does not belong to it.
    private(set) var isOver = false

    /// Starts a value with its first line; nil if the line does not start a value that continues on the next line.
    init?(firstLine line: UnsafeRawBufferPointer) {
        var grammar = JSONGrammar()
        guard grammar.read(line), !grammar.isAtEnd else { return nil }
        self.grammar = grammar
        indentation = Self.indentation(of: line)
    }

    /// Whether the next line belongs to the value.
    mutating func takes(_ line: UnsafeRawBufferPointer) -> Bool {
        var next = grammar
        let goesOn = next?.read(line) == true
        let isClosing = line.allSatisfy { Self.closing.contains($0) }
        let isDeeper = Self.indentation(of: line) > indentation
        if Self.isMessage(line) {
            // In a batch with one message per line, the lines after this one may still belong to the value.
            grammar = next
            isOver = !goesOn || next?.isAtEnd == true
            return false
        }
        guard isDeeper || isClosing || goesOn && !Self.startsOtherMessage(line) else {
            isOver = true
            return false
        }
        grammar = goesOn ? next : nil
        isOver = goesOn ? next?.isAtEnd == true : isClosing && !isDeeper
        return true
    }

    /// Whether a line that is not indented deeper than the first does not belong to the value.
    private static func startsOtherMessage(_ line: UnsafeRawBufferPointer) -> Bool {
        if let first = line.first(where: { !isBlank($0) }), opening.contains(first) { return true }
        var reader = JSONReader(line)
        do throws(JSONError) {
            try reader.skip()
            try reader.finish()
            return true
        } catch {
            return false
        }
    }

    /// Whether a line is a whole JSON-RPC message or batch.
    private static func isMessage(_ line: UnsafeRawBufferPointer) -> Bool {
        var reader = JSONReader(line, depthMax: Limits.nestingDepthMax)
        do throws(JSONError) {
            var isMessage = false
            switch try reader.kind() {
            case .object: isMessage = try namesVersion(&reader)
            case .array:
                try reader.beginArray()
                while try reader.nextElement() {
                    if try reader.kind() == .object {
                        isMessage = try namesVersion(&reader) || isMessage
                    } else {
                        try reader.skip()
                    }
                }
            case .string, .number, .bool, .null: return false
            }
            try reader.finish()
            return isMessage
        } catch {
            return false
        }
    }

    /// Reads past an object. Returns whether it has the property `jsonrpc`.
    private static func namesVersion(_ reader: inout JSONReader) throws(JSONError) -> Bool {
        var isNamed = false
        try reader.beginObject()
        while let name = try reader.nextProperty() {
            isNamed = isNamed || name.equals("jsonrpc")
            try reader.skip()
        }
        return isNamed
    }

    private static func indentation(of line: UnsafeRawBufferPointer) -> Int {
        line.firstIndex { !isBlank($0) } ?? line.count
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static let opening = Array("{[".utf8)
    private static let closing = Array("}], \t\r".utf8)
}

/// A parser for one JSON value that is read line by line (RFC 8259). No token spans two lines.
private struct JSONGrammar {
    private enum Expectation {
        case value, valueOrEnd, name, nameOrEnd, colon, commaOrEnd, nothing
    }

    private var expected = Expectation.value
    /// The closing brackets of the objects and arrays that are open, innermost last.
    private var closingBrackets: [UInt8] = []

    /// Whether the value is complete.
    var isAtEnd: Bool { expected == .nothing }

    /// Reads the tokens of a line; false if one of them is not expected.
    mutating func read(_ line: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset < line.count {
            let byte = line[offset]
            switch byte {
            case 0x20, 0x09, 0x0D: offset += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","),
                UInt8(ascii: ":"):
                guard take(byte) else { return false }
                offset += 1
            default:
                guard takeScalar(isString: byte == UInt8(ascii: "\"")) else { return false }
                var reader = JSONReader(UnsafeRawBufferPointer(rebasing: line[offset...]))
                do throws(JSONError) {
                    try reader.skip()
                } catch {
                    return false
                }
                offset += reader.offset
            }
        }
        return true
    }

    private var takesValue: Bool { expected == .value || expected == .valueOrEnd }

    private mutating func take(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "{"): return open(until: UInt8(ascii: "}"), .nameOrEnd)
        case UInt8(ascii: "["): return open(until: UInt8(ascii: "]"), .valueOrEnd)
        case UInt8(ascii: ","):
            guard expected == .commaOrEnd else { return false }
            expected = closingBrackets.last == UInt8(ascii: "}") ? .name : .value
        case UInt8(ascii: ":"):
            guard expected == .colon else { return false }
            expected = .value
        default:
            guard closingBrackets.last == byte, [.commaOrEnd, .nameOrEnd, .valueOrEnd].contains(expected) else {
                return false
            }
            closingBrackets.removeLast()
            endValue()
        }
        return true
    }

    private mutating func open(until closing: UInt8, _ next: Expectation) -> Bool {
        guard takesValue, closingBrackets.count < Limits.nestingDepthMax else { return false }
        closingBrackets.append(closing)
        expected = next
        return true
    }

    private mutating func takeScalar(isString: Bool) -> Bool {
        if takesValue {
            endValue()
        } else if isString, expected == .name || expected == .nameOrEnd {
            expected = .colon
        } else {
            return false
        }
        return true
    }

    private mutating func endValue() {
        expected = closingBrackets.isEmpty ? .nothing : .commaOrEnd
    }
}
