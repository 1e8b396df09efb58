/// The findings of the domain about a record that does not come from a request, as in an import: the rules that the
/// record breaks, and the other records that it needs.
package struct RecordFindings {
    /// A property that breaks a rule.
    package struct Fault {
        package let property: String
        package let rule: String

        package init(_ property: String, _ rule: String) {
            (self.property, self.rule) = (property, rule)
        }
    }

    /// Another record that the record needs.
    package struct Reference {
        package let property: String
        package let key: StoreKey
        /// A property of the other record, and the minimum of its number.
        package let least: (property: String, number: Int)?
        /// Whether a substitute for the other record is sufficient; see `reportSubstitute(for:_:)`.
        package let acceptsSubstitute: Bool
    }

    package private(set) var faults: [Fault] = []
    package private(set) var references: [Reference] = []
    /// The keys of the deleted records for which this record is a substitute.
    package private(set) var keysWithSubstitute: [StoreKey] = []
    /// Whether every number fits into a key, so that the record's keys can be made.
    package private(set) var hasKeys = true

    package init() {}

    /// Reports that a property breaks a rule.
    package mutating func refuse(_ property: String, _ rule: String) {
        faults.append(Fault(property, rule))
    }

    /// Reports a number if it is not in a range. It must be called for every number in a record's keys.
    ///
    /// - Parameter rule: the text of the fault; nil for a text that gives the range.
    package mutating func check(
        _ property: String,
        _ number: Int,
        in range: ClosedRange<Int> = Self.identifiers,
        rule: String? = nil
    ) {
        if !Key.numbers.contains(number) { hasKeys = false }
        if range.contains(number) { return }
        refuse(property, rule ?? "\(number) is not between \(range.lowerBound) and \(range.upperBound)")
    }

    /// Reports that the record needs another one.
    ///
    /// - Parameters:
    ///   - property: the property that names the other record.
    ///   - key: the other record's key; nil if the number in it cannot be part of a key, which `check` reports.
    ///   - least: a property of the other record, and the minimum of its number.
    ///   - acceptsSubstitute: whether the other record may be missing if it has a substitute.
    package mutating func require<R: Record>(
        _ property: String,
        _ type: R.Type,
        _ number: Int,
        least: (property: String, number: Int)? = nil,
        acceptsSubstitute: Bool = false
    ) {
        check(property, number)
        guard Key.numbers.contains(number) else { return }
        let key = StoreKey(R.self, Key(number))
        references.append(Reference(property: property, key: key, least: least, acceptsSubstitute: acceptsSubstitute))
    }

    /// Reports that the record is a substitute for a deleted record. Other records may still refer to the deleted
    /// record until a job, which the substitute describes, has removed them. The record's collection must allow
    /// substitutes (`canBeSubstitute`).
    package mutating func reportSubstitute<R: Record>(for type: R.Type, _ number: Int) {
        guard Key.numbers.contains(number) else { return }
        keysWithSubstitute.append(StoreKey(R.self, Key(number)))
    }

    /// The range of the numbers that counters give.
    package static let identifiers = 1...Key.numbers.upperBound
}

extension RecordFindings.Fault: CustomStringConvertible {
    package var description: String { "\(property): \(rule)" }
}

extension RecordFindings.Reference {
    /// The fault if a record exists although it has a substitute.
    package static func present(_ key: String) -> String {
        "\(key) exists, although this record is its substitute"
    }

    /// The fault if a needed record does not exist.
    package static func missing(_ property: String, _ key: String) -> String {
        "\(property): there is no record \(key)"
    }

    /// The fault of a needed record; nil if it is valid, or if it has a substitute.
    package func fault(in record: [UInt8]?, keysWithSubstitute: Set<StoreKey>) -> String? {
        guard let record else {
            return acceptsSubstitute && keysWithSubstitute.contains(key) ? nil : Self.missing(property, key.text)
        }
        guard let least else { return nil }
        return Self.fault(property, key.text, least, in: RecordType.number(least.property, of: record))
    }

    package static func fault(
        _ property: String,
        _ key: String,
        _ least: (property: String, number: Int),
        in number: Int?
    ) -> String? {
        if let number, number >= least.number { return nil }
        return "\(property): \(least.property) of \(key) must be at least \(least.number)"
    }
}
