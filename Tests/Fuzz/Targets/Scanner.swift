@testable import JSON

/// The JSON reader. Its ways of reading agree on whether a text is JSON, and on the offset and reason of an error. A
/// value that was read is written again without a change. A compact object has the text that its value writes.
enum Scanner {
    /// A refused text.
    private struct Refusal: Equatable {
        let reason: JSONError.Reason
        let offset: Int
    }

    static func run(_ input: [UInt8]) {
        let skipped = outcome(of: input) { try $0.skip() }
        let raw = outcome(of: input) { reader in
            let value = try reader.raw()
            hold(value.count <= input.count, "a raw value is longer than its text")
        }
        let value = outcome(of: input) { reader in _ = try JSONValue(reading: &reader) }
        let walked = outcome(of: input) { reader in try walk(&reader) }
        hold(skipped == raw, "skip \(String(describing: skipped)), raw \(String(describing: raw))")
        hold(skipped == value, "skip \(String(describing: skipped)), value \(String(describing: value))")
        holdCompact(input)
        hold(skipped == walked, "skip \(String(describing: skipped)), walk \(String(describing: walked))")
        if let skipped {
            hold((0...input.count).contains(skipped.offset), "an error at \(skipped.offset) of \(input.count)")
        } else {
            holdRoundTrip(input)
        }
    }

    /// The error of one way of reading; nil if the text is JSON.
    private static func outcome(of input: [UInt8], _ read: (inout JSONReader) throws -> Void) -> Refusal? {
        input.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            do {
                try read(&reader)
                try reader.finish()
                hold(reader.offset == input.count, "finished at \(reader.offset) of \(input.count)")
                return nil
            } catch let error as JSONError {
                return Refusal(reason: error.reason, offset: error.offset)
            } catch {
                fail("\(error)")
            }
        }
    }

    /// Reads a value by its kind, and checks each scalar.
    private static func walk(_ reader: inout JSONReader) throws {
        switch try reader.kind() {
        case .null: try reader.null()
        case .bool: _ = try reader.bool()
        case .number:
            var copy = reader
            let number = try reader.number()
            checkNumber(number)
            let int = try copy.int()
            hold(int == number.int && copy.offset == reader.offset, "\(shown(number.bytes)) read as an integer")
        case .string: checkText(try reader.text())
        case .array:
            try reader.beginArray()
            while try reader.nextElement() { try walk(&reader) }
        case .object:
            try reader.beginObject()
            while let name = try reader.nextProperty() {
                checkText(name)
                try walk(&reader)
            }
        }
    }

    /// A whole number has the same value as an integer and as a double.
    private static func checkNumber(_ number: JSONNumber) {
        guard let int = number.int, int.magnitude <= 1 << 53 else { return }
        hold(number.double == Double(int), "\(shown(number.bytes)) is \(int) and \(number.double)")
    }

    /// A string is unchanged after it is written and read again.
    private static func checkText(_ text: JSONText) {
        let string = text.string
        hold(text.hasEscapes == text.bytes.contains(UInt8(ascii: "\\")), "hasEscapes is wrong")
        if !text.hasEscapes { hold(text.bytes.elementsEqual(string.utf8), "\(string.debugDescription) changed") }
        var writer = JSONWriter()
        writer.string(string)
        let again = must { try JSONValue(parsing: writer.bytes) }
        guard case .string(let second) = again, second.utf8.elementsEqual(string.utf8) else {
            fail("\(string.debugDescription) is read as \(again)")
        }
    }

    /// A compact object has the text that its value writes, and is refused for the same reason as by `skipUnique`.
    private static func holdCompact(_ input: [UInt8]) {
        guard input.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") else { return }
        var object = CompactObject()
        let compact = outcome(of: input) { object = try CompactObject(reading: &$0) }
        let unique = outcome(of: input) { try $0.skipUnique() }
        hold(compact == unique, "compact \(String(describing: compact)), unique \(String(describing: unique))")
        guard compact == nil else { return }
        let text = must { try JSONValue(parsing: input) }.text
        hold(object.bytes.elementsEqual(text.utf8), "\(String(decoding: object.bytes, as: UTF8.self)) is not \(text)")
    }

    private static func holdRoundTrip(_ input: [UInt8]) {
        hold(String(validating: input, as: UTF8.self) != nil, "JSON that is not UTF-8 was accepted")
        let value = must { try JSONValue(parsing: input) }
        let text = value.text
        let again = must { try JSONValue(parsing: text) }
        hold(again == value, "\(text) is another value")
        hold(again.text == text, "\(text) is written as \(again.text)")
        hold(must { try JSONValue(parsing: value.prettyText) } == value, "the pretty form is another value")
        hold(!text.utf8.contains(0x0A), "a line feed in one line")
        hold(!text.unicodeScalars.contains { $0 == "\u{2028}" || $0 == "\u{2029}" }, "a raw line separator")
    }
}
