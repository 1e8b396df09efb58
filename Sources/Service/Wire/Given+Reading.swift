import Accounts
import JSON

/// Reading params leniently: a value of the wrong type is told apart, and passed over.
extension Given {
    /// Reads a member's value, as `read` does for a value of the right kind.
    private init(
        _ reader: inout JSONReader,
        kind: JSONReader.Kind,
        _ read: (inout JSONReader) throws(JSONError) -> Value?
    ) throws(JSONError) {
        switch try reader.kind() {
        case kind:
            if let value = try read(&reader) { self = .value(value) } else { self = .mistyped }
        case .null:
            try reader.null()
            self = .null
        default:
            try reader.skip()
            self = .mistyped
        }
    }

    /// Reads an object.
    init(
        object reader: inout JSONReader,
        _ read: (inout JSONReader) throws(JSONError) -> Value
    ) throws(JSONError) {
        try self.init(&reader, kind: .object) { reader throws(JSONError) in try read(&reader) }
    }
}

extension Given<String> {
    init(reading reader: inout JSONReader) throws(JSONError) {
        try self.init(&reader, kind: .string) { reader throws(JSONError) in try reader.text().string }
    }
}

extension Given<Int> {
    init(reading reader: inout JSONReader) throws(JSONError) {
        try self.init(&reader, kind: .number) { reader throws(JSONError) in try reader.number().int }
    }
}
