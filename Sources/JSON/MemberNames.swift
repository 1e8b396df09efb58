/// The names of the members that an object has had so far, compared by their bytes. Most readers of an object refuse a name
/// that comes twice: two readers would see two objects.
package struct MemberNames {
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
    /// - Throws: `JSONError` with the reason `duplicateMember` where the name is not new.
    package mutating func insert(_ name: JSONText, from reader: JSONReader) throws(JSONError) {
        guard insert(name.string) else { throw JSONError(.duplicateMember, at: reader.place(of: name)) }
    }
}
