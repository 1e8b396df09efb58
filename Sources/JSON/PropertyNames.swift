/// The property names that were read from an object, compared by their bytes. Most readers of an object refuse a
/// duplicate name, because different parsers would read different objects.
package struct PropertyNames {
    private var names: Set<[UInt8]> = []

    package init() {}

    /// Adds a name.
    ///
    /// - Returns: whether it is new.
    package mutating func insert(_ name: String) -> Bool {
        names.insert(Array(name.utf8)).inserted
    }

    /// Adds the name that a reader has just read.
    ///
    /// - Throws: `JSONError` with the reason `duplicateProperty` if the name is not new.
    package mutating func insert(_ name: JSONText, from reader: JSONReader) throws(JSONError) {
        guard insert(name.string) else { throw JSONError(.duplicateProperty, at: reader.place(of: name)) }
    }
}
