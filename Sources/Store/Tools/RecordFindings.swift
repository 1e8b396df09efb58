/// What a record's own domain says about it where no request stands behind it, as in an import: which rules it breaks,
/// and which other records it needs.
package struct RecordFindings {
    /// A property that breaks a rule.
    struct Fault {
        let property: String
        let rule: String
    }

    /// Another record that the record needs.
    struct Reference {
        let property: String
        let key: StoreKey
        /// A property of the other record, and the number that it must at least have.
        let least: (property: String, number: Int)?
    }

    private(set) var faults: [Fault] = []
    private(set) var references: [Reference] = []
    /// Whether all numbers of its keys fit into one, so that the keys can be made.
    private(set) var hasKeys = true

    init() {}

    /// Reports that a property breaks a rule.
    package mutating func refuse(_ property: String, _ rule: String) {
        faults.append(Fault(property: property, rule: rule))
    }

    /// Reports a number, which may be part of a key, unless it is in a range. Every number of a record's keys must come
    /// through here.
    ///
    /// - Parameter rule: what is wrong with another number, if not just that it is not in the range.
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
    ///   - least: a property of the other record, and the number that it must at least have.
    package mutating func require<R: Record>(
        _ property: String,
        _ type: R.Type,
        _ number: Int,
        least: (property: String, number: Int)? = nil
    ) {
        check(property, number)
        guard Key.numbers.contains(number) else { return }
        references.append(Reference(property: property, key: StoreKey(R.self, Key(number)), least: least))
    }

    /// The numbers that counters give.
    package static let identifiers = 1...Key.numbers.upperBound
}

extension RecordFindings.Fault: CustomStringConvertible {
    var description: String { "\(property): \(rule)" }
}

extension RecordFindings.Reference {
    /// What is wrong if the record that is needed is not there.
    static func missing(_ property: String, _ key: String) -> String {
        "\(property): there is no record \(key)"
    }

    /// What is wrong with the record that is needed; nil if it is right.
    func fault(in record: [UInt8]?) -> String? {
        guard let record else { return Self.missing(property, key.text) }
        guard let least else { return nil }
        return Self.fault(property, key.text, least, in: RecordType.number(least.property, of: record))
    }

    static func fault(
        _ property: String,
        _ key: String,
        _ least: (property: String, number: Int),
        in number: Int?
    ) -> String? {
        if let number, number >= least.number { return nil }
        return "\(property): \(least.property) of \(key) must be at least \(least.number)"
    }
}
