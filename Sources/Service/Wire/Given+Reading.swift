import Accounts
import JSON

/// Reading params leniently: a value of the wrong type is told apart, and passed over.
extension Given {
    /// Reads past a value that is of the wrong kind, or null.
    fileprivate init(passing kind: JSONReader.Kind, _ reader: inout JSONReader) throws(JSONError) {
        if case .null = kind {
            try reader.null()
            self = .null
        } else {
            try reader.skipUnique()
            self = .mistyped
        }
    }

    /// Reads an object.
    init(
        object reader: inout JSONReader,
        _ read: (inout JSONReader) throws(JSONError) -> Value
    ) throws(JSONError) {
        switch try reader.kind() {
        case .object: self = .value(try read(&reader))
        case let other: try self.init(passing: other, &reader)
        }
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
        try self.init(member: name, of: &reader, read)
    }

    /// The same of an object that a reader has reached.
    init(
        member name: StaticString,
        of reader: inout JSONReader,
        _ read: (inout JSONReader) throws(JSONError) -> Self
    ) throws(JSONError) {
        self = .absent
        try reader.beginObject()
        while let memberName = try reader.nextMember() {
            if memberName.equals(name) { self = try read(&reader) } else { try reader.skip() }
        }
    }
}

extension Given<String> {
    init(reading reader: inout JSONReader) throws(JSONError) {
        switch try reader.kind() {
        case .string: self = .value(try reader.text().string)
        case let other: try self.init(passing: other, &reader)
        }
    }
}

extension Given<Password> {
    /// Reads a password, which goes from the request's bytes to memory that is zeroed, and nowhere else.
    init(reading reader: inout JSONReader) throws(JSONError) {
        switch try reader.kind() {
        case .string:
            let text = try reader.text()
            self = .value(Password(capacity: text.bytes.count) { text.decode(into: $0) })
        case let other: try self.init(passing: other, &reader)
        }
    }
}

extension Given<Int> {
    init(reading reader: inout JSONReader) throws(JSONError) {
        switch try reader.kind() {
        case .number: self = try reader.number().int.map { .value($0) } ?? .mistyped
        case let other: try self.init(passing: other, &reader)
        }
    }
}
