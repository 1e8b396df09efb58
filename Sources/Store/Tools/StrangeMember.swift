internal import JSON
internal import Platform

/// Finds properties that a record does not have: a slip of the pen would be lost without a word.
enum StrangeMember {
    /// The path of a property that `given` has and the record as it is stored has not, or that `given` has twice; nil if
    /// there is none. A long name is cut.
    static func name(in given: UnsafeRawBufferPointer, but stored: [UInt8]) -> String? {
        // What an export wrote is what the store keeps.
        if stored.withUnsafeBytes({ $0.hasBytes(of: given) }) { return nil }
        do throws(JSONError) {
            return name(in: try JSONValue(parsing: given), but: try JSONValue(parsing: stored))
        } catch {
            // Both were read before.
            return nil
        }
    }

    private static func name(in given: JSONValue, but stored: JSONValue) -> String? {
        if let members = given.object {
            var names = MemberNames()
            for member in members {
                guard names.insert(member.name) else { return member.name.shortened }
                guard let value = stored[member.name] else {
                    if member.value == .null { continue }
                    return member.name.shortened
                }
                if let inner = name(in: member.value, but: value) { return "\(member.name).\(inner)" }
            }
        }
        for (given, stored) in zip(given.array ?? [], stored.array ?? []) {
            if let inner = name(in: given, but: stored) { return inner }
        }
        return nil
    }
}
