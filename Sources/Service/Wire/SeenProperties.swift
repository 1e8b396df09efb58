import JSON

/// The properties of an object of params that were read so far. A second property with the same name is an error: two
/// JSON readers could read such a request differently.
struct SeenProperties {
    /// One bit per known property.
    private var bits: UInt64 = 0
    /// The names of the unknown properties. Most requests have none.
    private var others = PropertyNames()

    /// Adds a known property by its number.
    @inline(__always)
    mutating func insert(_ index: Int, _ name: JSONText, _ reader: JSONReader) throws(JSONError) {
        let bit: UInt64 = 1 << UInt64(index)
        guard bits & bit == 0 else { throw JSONError(.duplicateProperty, at: reader.place(of: name)) }
        bits |= bit
    }

    /// Adds an unknown property and skips its value.
    mutating func skip(_ name: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        try others.insert(name, from: reader)
        try reader.skipUnique()
    }
}
