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
        /// Whether a record that stands in for the other one is as good.
        let takesStandIn: Bool
    }

    private(set) var faults: [Fault] = []
    private(set) var references: [Reference] = []
    /// The keys of records that this one stands in for.
    private(set) var standIns: [StoreKey] = []
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
    ///   - takesStandIn: whether the other record may be gone while a record stands in for it.
    package mutating func require<R: Record>(
        _ property: String,
        _ type: R.Type,
        _ number: Int,
        least: (property: String, number: Int)? = nil,
        takesStandIn: Bool = false
    ) {
        check(property, number)
        guard Key.numbers.contains(number) else { return }
        let key = StoreKey(R.self, Key(number))
        references.append(Reference(property: property, key: key, least: least, takesStandIn: takesStandIn))
    }

    /// Reports that the record stands in for another one, which is gone though there are still records that need it: a
    /// job is to end these. The collection must be one that may stand in.
    package mutating func standIn<R: Record>(for type: R.Type, _ number: Int) {
        guard Key.numbers.contains(number) else { return }
        standIns.append(StoreKey(R.self, Key(number)))
    }

    /// The numbers that counters give.
    package static let identifiers = 1...Key.numbers.upperBound
}

extension RecordFindings.Fault: CustomStringConvertible {
    var description: String { "\(property): \(rule)" }
}

extension RecordFindings.Reference {
    /// What is wrong if a record is there that another one stands in for.
    static func present(_ key: String) -> String {
        "\(key) is there, which this record stands in for"
    }

    /// What is wrong if the record that is needed is not there.
    static func missing(_ property: String, _ key: String) -> String {
        "\(property): there is no record \(key)"
    }

    /// What is wrong with the record that is needed; nil if it is right, or a record stands in for it.
    func fault(in record: [UInt8]?, standIns: Set<StoreKey>) -> String? {
        guard let record else {
            return takesStandIn && standIns.contains(key) ? nil : Self.missing(property, key.text)
        }
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
