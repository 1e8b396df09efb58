internal import JSON

/// A decoded record of any type.
package class AnyStoredRecord {
    /// The record's type.
    let type: ObjectIdentifier

    init(type: Any.Type) {
        self.type = ObjectIdentifier(type)
    }

    /// The same record, with its type. The caller must know that `type` is right: a checked cast takes as long as the
    /// rest of reading a record.
    func `as`<R: Record>(_ type: R.Type) -> StoredRecord<R> {
        unsafeDowncast(self, to: StoredRecord<R>.self)
    }

    /// Writes the record as one object.
    func write(to writer: inout JSONWriter) {
        preconditionFailure("a record has a type")
    }
}

/// A decoded record, as a stored value caches it.
package final class StoredRecord<R: Record>: AnyStoredRecord {
    /// The record.
    package let record: R

    /// `required`, so that an object can be created from a type that is known only at run time.
    required init(_ record: consuming R) {
        self.record = record
        super.init(type: R.self)
    }

    override func write(to writer: inout JSONWriter) { record.write(to: &writer) }
}
