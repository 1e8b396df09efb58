package import JSON

/// The first difference between a message and what a transcript expects.
package struct Difference: Equatable, Sendable {
    /// The place, such as `result.clients[0].email`; empty for the whole message.
    package let path: String
    /// What is expected there; nil if nothing may be there.
    package let expected: JSONValue?
    /// The message's value there; nil if it has none.
    package let got: JSONValue?

    /// Compares a message with what is expected; nil if it matches.
    ///
    /// A string in angle brackets matches any value of a kind; see `ValueKind`. The order of properties does not
    /// matter. A property named `<any>` matches all other properties, whose values must match its value. Numbers
    /// are equal if they are written alike, and strings if they have the same characters (no Unicode equivalence).
    package init?(between message: JSONValue, and expected: JSONValue) {
        guard let difference = Self.first(between: message, and: expected, at: "") else { return nil }
        self = difference
    }

    private init(_ path: String, _ expected: JSONValue?, _ got: JSONValue?) {
        (self.path, self.expected, self.got) = (path, expected, got)
    }

    private static func first(between got: JSONValue, and expected: JSONValue, at path: String) -> Difference? {
        switch (got, expected) {
        case (_, .string(let text)):
            let matches = ValueKind(text).map { $0.contains(got) } ?? (got.string.map(text.hasSameBytes) ?? false)
            return matches ? nil : Difference(path, expected, got)
        case (.array(let left), .array(let right)):
            for index in 0..<max(left.count, right.count) {
                let path = "\(path)[\(index)]"
                guard index < left.count else { return Difference(path, right[index], nil) }
                guard index < right.count else { return Difference(path, nil, left[index]) }
                if let difference = first(between: left[index], and: right[index], at: path) { return difference }
            }
            return nil
        case (.object(let left), .object(let right)):
            return first(between: left, and: right, at: path)
        default:
            return got == expected ? nil : Difference(path, expected, got)
        }
    }

    private static func first(
        between got: [JSONValue.Property],
        and expected: [JSONValue.Property],
        at path: String
    ) -> Difference? {
        func place(of name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        for property in expected where property.name != ValueKind.any.text {
            guard let value = got.first(where: { $0.name.hasSameBytes(property.name) })?.value else {
                return Difference(place(of: property.name), property.value, nil)
            }
            if let difference = first(between: value, and: property.value, at: place(of: property.name)) {
                return difference
            }
        }
        let others = expected.first { $0.name == ValueKind.any.text }?.value
        for (index, property) in got.enumerated() {
            // A property that is there twice is a fault of the program.
            let isFirst = !got[..<index].contains { $0.name.hasSameBytes(property.name) }
            let isExpected = expected.contains { $0.name.hasSameBytes(property.name) }
            if isFirst, property.name != ValueKind.any.text, isExpected { continue }
            guard isFirst, let others else { return Difference(place(of: property.name), nil, property.value) }
            if let difference = first(between: property.value, and: others, at: place(of: property.name)) {
                return difference
            }
        }
        return nil
    }
}

extension String {
    /// Whether two strings are the same in UTF-8. `==` also holds for `é` as one character and as a letter with an
    /// accent, which the service distinguishes.
    fileprivate func hasSameBytes(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
