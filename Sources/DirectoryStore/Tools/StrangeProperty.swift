internal import JSON
internal import Platform
import Store

/// Finds properties that a record does not have. Without this check, a misspelled property would be lost silently.
enum StrangeProperty {
    /// The path of a property that is in `given` twice, or is in `given` and not in the stored record; nil if there is
    /// none. A long name is shortened.
    static func name(in given: UnsafeRawBufferPointer, but stored: [UInt8]) -> String? {
        // An unedited line of an export is equal to the stored value.
        if stored.withUnsafeBytes({ $0.hasBytes(of: given) }) { return nil }
        do throws(JSONError) {
            return name(in: try JSONValue(parsing: given), but: try JSONValue(parsing: stored))
        } catch {
            // Both values were parsed before, so this does not happen.
            return nil
        }
    }

    private static func name(in given: JSONValue, but stored: JSONValue) -> String? {
        if let properties = given.object {
            var names = PropertyNames()
            for property in properties {
                guard names.insert(property.name) else { return property.name.shortened }
                guard let value = stored[property.name] else {
                    if property.value == .null { continue }
                    return property.name.shortened
                }
                if let inner = name(in: property.value, but: value) { return "\(property.name).\(inner)" }
            }
        }
        for (given, stored) in zip(given.array ?? [], stored.array ?? []) {
            if let inner = name(in: given, but: stored) { return inner }
        }
        return nil
    }
}
