/// A statement of SQL, which is prepared once on each connection if it has a name.
struct PreparedStatement: Sendable {
    /// The name under which the server keeps it; empty for a statement that is not prepared.
    let name: String
    let sql: String

    init(_ name: String, _ sql: String) {
        (self.name, self.sql) = (name, sql)
    }

    /// A statement that is run once.
    static func once(_ sql: String, _ parameters: [UInt8]?...) -> Statement {
        Statement(prepared: PreparedStatement("", sql), parameters: parameters)
    }

    /// The statement with its parameters, in the order of `$1`, `$2` and so on.
    func callAsFunction(_ parameters: [UInt8]?...) -> Statement {
        Statement(prepared: self, parameters: parameters)
    }
}

/// A statement with its parameters.
struct Statement: Sendable {
    let prepared: PreparedStatement
    /// The parameters in PostgreSQL's binary format; nil for null.
    let parameters: [[UInt8]?]
}

/// The parameters of statements in PostgreSQL's binary format.
enum Parameter {
    /// The number of the type `bytea` in the server's catalog, which never changes.
    private static let byteaType = 17

    /// An `int8`.
    static func number(_ number: Int) -> [UInt8] { bigEndian(UInt64(bitPattern: Int64(number))) }

    /// A `text`.
    static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// A `bytea[]` of one dimension.
    static func array(_ elements: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20 + elements.reduce(0) { $0 + $1.count + 4 })
        // The number of dimensions, whether there are nulls, the type of the elements; then, unless the array is empty,
        // the number of elements and the index of the first.
        let header = elements.isEmpty ? [0, 0, byteaType] : [1, 0, byteaType, elements.count, 1]
        for number in header { bytes += bigEndian(UInt32(number)) }
        for element in elements {
            bytes += bigEndian(UInt32(element.count))
            bytes += element
        }
        return bytes
    }

    private static func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}

/// The result of a statement.
struct StatementResult {
    /// The rows; each has the bytes of its columns in PostgreSQL's binary format, nil for null.
    let rows: [[[UInt8]?]]
    /// The command that was carried out, such as `COMMIT`. A `COMMIT` of a failed transaction is a `ROLLBACK`.
    let command: String
    /// Whether the server added a warning (SQLSTATE 01000).
    let hasWarning: Bool
}

extension [[UInt8]?] {
    /// The `int8` of a column; nil if it is null or of another type.
    func number(_ column: Int) -> Int? {
        guard let bytes = self[column], bytes.count == 8 else { return nil }
        return Int(Int64(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) }))
    }

    /// The `text` of a column; nil if it is null.
    func text(_ column: Int) -> String? {
        self[column].map { String(decoding: $0, as: UTF8.self) }
    }

    /// The `boolean` of a column; nil if it is null or of another type.
    func bool(_ column: Int) -> Bool? {
        guard let bytes = self[column], bytes.count == 1 else { return nil }
        return bytes[0] != 0
    }
}
