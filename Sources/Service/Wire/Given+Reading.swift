import Accounts
import JSON

/// Reads params leniently: a value of the wrong type is recorded as `.mistyped` and skipped.
extension Given {
    /// Skips a value that is null or has the wrong type.
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
    /// Reads one property of an object and skips the others. If the object has the name twice, the last one counts; the
    /// method later refuses such params.
    init(
        property name: StaticString,
        of object: UnsafeRawBufferPointer,
        _ read: (inout JSONReader) throws(JSONError) -> Self
    ) throws(JSONError) {
        var reader = JSONReader(object)
        try self.init(property: name, of: &reader, read)
    }

    /// The same of an object that a reader has reached.
    init(
        property name: StaticString,
        of reader: inout JSONReader,
        _ read: (inout JSONReader) throws(JSONError) -> Self
    ) throws(JSONError) {
        self = .absent
        try reader.beginObject()
        while let propertyName = try reader.nextProperty() {
            if propertyName.equals(name) { self = try read(&reader) } else { try reader.skip() }
        }
    }
}

extension Given<String> {
    init(reading reader: inout JSONReader) throws(JSONError) {
        if let text = try reader.textIfString() {
            self = .value(text.string)
        } else {
            try self.init(passing: try reader.kind(), &reader)
        }
    }
}

extension Given<BearerToken> {
    /// Reads a token. It is hashed in the request's bytes.
    init(reading reader: inout JSONReader) throws(JSONError) {
        if let text = try reader.textIfString() {
            self = .value(BearerToken(text))
        } else {
            try self.init(passing: try reader.kind(), &reader)
        }
    }
}

extension Given<Password> {
    /// Reads a password. It copies the password from the request's bytes only to memory that is zeroed later.
    init(reading reader: inout JSONReader) throws(JSONError) {
        switch try reader.kind() {
        case .string:
            let text = try reader.text()
            self = .value(Password(capacity: text.bytes.count) { text.decode(into: $0) })
        case let other: try self.init(passing: other, &reader)
        }
    }
}

extension Given<CompactObject> {
    init(reading reader: inout JSONReader) throws(JSONError) {
        try self.init(object: &reader, CompactObject.init)
    }
}

extension Given<Bool> {
    init(reading reader: inout JSONReader) throws(JSONError) {
        switch try reader.kind() {
        case .bool: self = .value(try reader.bool())
        case let other: try self.init(passing: other, &reader)
        }
    }
}

extension Given<Int> {
    init(reading reader: inout JSONReader) throws(JSONError) {
        if let value = reader.fewDigits() {
            self = .value(value)
            return
        }
        switch try reader.kind() {
        case .number: self = try reader.number().int.map { .value($0) } ?? .mistyped
        case let other: try self.init(passing: other, &reader)
        }
    }
}
