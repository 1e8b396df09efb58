package import JSON

/// A value that the store keeps: a struct that is encoded as one JSON object.
package protocol Record: Sendable {
    /// The collection of all records of this type.
    static var collection: Collection<Self> { get }
    /// The record's key in the collection. It never changes.
    var key: Key { get }

    /// Reads the object that `write(to:)` wrote.
    init(reading reader: inout JSONReader) throws(JSONError)
    /// Writes the record as one object.
    func write(to writer: inout JSONWriter)
    /// Reports the domain rules that the record breaks, and the other records that it needs. Requests always follow the
    /// rules; this is for records from other sources, such as an import.
    func validate(into findings: inout RecordFindings)
}

extension Record {
    /// Reports nothing, for records without rules.
    package func validate(into findings: inout RecordFindings) {}
}
