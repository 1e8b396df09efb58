/// The part of an index that a scan visits.
package struct IndexScan: Equatable {
    /// The keys of the entries.
    package let bounds: KeyBounds
    /// The prefix of the keys of the collection's records.
    package let recordPrefix: [UInt8]
    /// Whether the entries are visited in descending order.
    package let descending: Bool
    /// The number of entries to skip first. Their records are not read.
    package let offset: Int
    /// The maximum number of entries to visit.
    package let limit: Int
}
