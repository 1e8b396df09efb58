import JSON

/// A JSON value that is spread over several lines, on a stream where each message is one line.
///
///     {                              gets one error, which says that a message is one line
///       "jsonrpc": "2.0",            belongs to the value: no further error
///       "id": 1
///     }                              ends the value
///     {"jsonrpc":"2.0","id":2,…}     a message
///
/// The first line is the start of a value, as JSON has it, and ends between two tokens. A line behind it belongs to the
/// value where it is indented deeper than the first, holds nothing but closing brackets and commas, or goes on with the
/// value as JSON has it. A line never belongs to it that is a whole message, an object with `jsonrpc` or an array of such:
/// a stray `{` costs no request its reply. Nor does, without deeper indentation, a line that begins with an opening
/// bracket or is a JSON text: the start of a message that was cut off makes no later line stay without an answer.
///
/// No byte of a line is kept, as it may be a secret's.
struct PrettyPrintedValue {
    /// How far the value's lines have come; nil where one of them does not go on as JSON has it.
    private var grammar: JSONGrammar?
    /// By how many bytes the first line is indented.
    private let indentation: Int
    /// Whether the next line is another message's.
    private(set) var isOver = false

    /// The value that a line begins; nil where the line is no start of a value that goes on.
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
            // Of a batch that has a message a line, what follows may still belong to it.
            grammar = next
            isOver = !goesOn || next?.isAtEnd == true
            return false
        }
        guard isDeeper || isClosing || goesOn && !Self.standsAlone(line) else {
            isOver = true
            return false
        }
        grammar = goesOn ? next : nil
        isOver = goesOn ? next?.isAtEnd == true : isClosing && !isDeeper
        return true
    }

    /// Whether a line that is indented no deeper than the first is one of its own.
    private static func standsAlone(_ line: UnsafeRawBufferPointer) -> Bool {
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

    /// Whether a line is a whole message, or batch of messages, of JSON-RPC.
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

    /// Reads past an object; whether it has the property `jsonrpc`.
    private static func namesVersion(_ reader: inout JSONReader) throws(JSONError) -> Bool {
        var isNamed = false
        try reader.beginObject()
        while let name = try reader.nextMember() {
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

/// The grammar of one JSON value, read a line at a time (RFC 8259). A token stands on one line.
private struct JSONGrammar {
    private enum Expectation {
        case value, valueOrEnd, name, nameOrEnd, colon, commaOrEnd, nothing
    }

    private var expected = Expectation.value
    /// The brackets that close the objects and arrays that are open.
    private var closingBrackets: [UInt8] = []

    /// Whether the value is complete.
    var isAtEnd: Bool { expected == .nothing }

    /// Reads the tokens of a line; false where one is not what is expected.
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
