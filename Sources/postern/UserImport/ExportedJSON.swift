import JSON
import Platform

/// The text of an export in JSON. The text is read as a whole, but only one user at a time becomes a tree.
struct ExportedJSON {
    private let name: String
    private let bytes: [UInt8]

    /// The maximum bytes of the text, which is kept in memory: half a million users of Django.
    private static let bytesMax = 256 << 20

    init(_ path: SystemString) throws(CommandError) {
        let file = try InputFile(path)
        name = file.name
        let bytes = try file.contents(bytesMax: Self.bytesMax)
        guard bytes.count <= Self.bytesMax else {
            throw .failed("\(name): longer than \(Self.bytesMax) bytes; divide it, or convert it to CSV")
        }
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    /// Calls `body` with each element of an array, and its number from 1.
    ///
    /// - Parameters:
    ///   - property: the property of the whole value that is the array; nil if the whole value is.
    ///   - form: what the text should be, for the error.
    func forEachElement(of property: StaticString?, form: String, _ body: (JSONValue, Int) throws -> Void) throws {
        try bytes.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            do {
                guard try reader.kind() == (property == nil ? .array : .object) else { throw failure("not \(form)") }
                guard let property else {
                    try elements(&reader, body)
                    return try reader.finish()
                }
                var isFound = false
                try reader.beginObject()
                while let name = try reader.nextProperty() {
                    if name.equals(property), try reader.kind() == .array {
                        isFound = true
                        try elements(&reader, body)
                    } else {
                        try reader.skip()
                    }
                }
                try reader.finish()
                if !isFound { throw failure("not \(form)") }
            } catch let error as JSONError {
                throw failure("not JSON: \(error.explanation) at byte \(error.offset)")
            }
        }
    }

    private func elements(_ reader: inout JSONReader, _ body: (JSONValue, Int) throws -> Void) throws {
        var number = 0
        try reader.beginArray()
        while try reader.nextElement() {
            number += 1
            try body(JSONValue(reading: &reader), number)
        }
    }

    /// The error for a text that is not in the format.
    func failure(_ reason: String) -> CommandError { .failed("\(name): \(reason)") }
}
