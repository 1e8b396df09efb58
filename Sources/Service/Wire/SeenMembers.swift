import JSON

/// The members that an object of params has had so far. One that comes twice is refused: two readers would see two
/// requests.
struct SeenMembers {
    /// A bit for each member that is known.
    private var bits: UInt64 = 0
    /// The others, by their names; most requests have none.
    private var others = MemberNames()

    /// Adds a known member by its number.
    @inline(__always)
    mutating func insert(_ index: Int, _ name: JSONText, _ reader: JSONReader) throws(JSONError) {
        let bit: UInt64 = 1 << UInt64(index)
        guard bits & bit == 0 else { throw JSONError(.duplicateMember, at: reader.place(of: name)) }
        bits |= bit
    }

    /// Adds a member that is not known, and reads past its value.
    mutating func skip(_ name: JSONText, _ reader: inout JSONReader) throws(JSONError) {
        try others.insert(name, from: reader)
        try reader.skipUnique()
    }
}
