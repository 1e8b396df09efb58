import JSON

/// A value in a result.
protocol ResultValue {
    /// Reads the value. Throws `JSONError` or `ResultFault`.
    init(reading reader: inout JSONReader) throws
}

/// A property of a result that is missing or has the wrong type.
struct ResultFault: Error {
    /// The path of the property in the result: `clients[3].user.email`.
    let path: String

    /// - Parameters:
    ///   - step: the property, or `[3]` for an element of a list.
    ///   - error: the error of the property, or a `ResultFault` of a property in it.
    init(in step: String, _ error: any Error) {
        guard let inner = (error as? ResultFault)?.path else {
            path = step
            return
        }
        path = inner.hasPrefix("[") ? step + inner : "\(step).\(inner)"
    }

    /// A missing property.
    init(missing property: StaticString) {
        path = property.description
    }
}

extension ResultValue {
    /// Reads the result of a method.
    init(result: [UInt8], of method: StaticString) throws(PosternError) {
        do {
            self = try result.readJSON { reader in try Self(reading: &reader) }
        } catch {
            let property = (error as? ResultFault)?.path
            throw .protocolViolation(
                "The result of \(method) is not what it should be: "
                    + (property.map { "\($0) is missing, or of another type" } ?? "it is no object")
            )
        }
    }
}

extension JSONReader {
    /// Reads the value of a property.
    mutating func value<Value: ResultValue>(of property: StaticString) throws -> Value {
        do {
            return try Value(reading: &self)
        } catch {
            throw ResultFault(in: property.description, error)
        }
    }

    /// Reads the value of a property that may be null.
    mutating func nullableValue<Value: ResultValue>(of property: StaticString) throws -> Value? {
        guard try kind() == .null else { return try value(of: property) }
        try null()
        return nil
    }
}

/// The value of a required property; throws if it is nil.
func required<Value>(_ value: Value?, _ property: StaticString) throws -> Value {
    guard let value else { throw ResultFault(missing: property) }
    return value
}

extension String: ResultValue {
    init(reading reader: inout JSONReader) throws {
        self = try reader.text().string
    }
}

extension Int: ResultValue {
    init(reading reader: inout JSONReader) throws {
        let number = try reader.number()
        guard let int = number.int else { throw JSONError(.typeMismatch, at: reader.offset) }
        self = int
    }
}

extension Bool: ResultValue {
    init(reading reader: inout JSONReader) throws {
        self = try reader.bool()
    }
}

extension Array: ResultValue where Element: ResultValue {
    init(reading reader: inout JSONReader) throws {
        self = []
        try reader.beginArray()
        while try reader.nextElement() {
            do {
                append(try Element(reading: &reader))
            } catch {
                throw ResultFault(in: "[\(count)]", error)
            }
        }
    }
}

extension [UInt8] {
    /// Reads JSON text to its end.
    ///
    /// - Parameter depthMax: the maximum nesting depth of objects and arrays.
    func readJSON<Value>(
        depthMax: Int = Limits.nestingDepthMax,
        _ body: (inout JSONReader) throws -> Value
    ) throws -> Value {
        try withUnsafeBytes { bytes in
            var reader = JSONReader(bytes, depthMax: depthMax)
            let value = try body(&reader)
            try reader.finish()
            return value
        }
    }
}
