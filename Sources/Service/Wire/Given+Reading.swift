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

extension Given {
    /// Reads one member of an object, as the generated params read all of theirs: the last of that name counts.
    init(
        member name: StaticString,
        of object: UnsafeRawBufferPointer,
        _ read: (inout JSONReader) throws(JSONError) -> Self
    ) throws(JSONError) {
        var reader = JSONReader(object)
        self = .absent
        try reader.beginObject()
        while let memberName = try reader.nextMember() {
            if memberName.equals(name) { self = try read(&reader) } else { try reader.skip() }
        }
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
