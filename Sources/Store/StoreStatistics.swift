/// Figures about the contents of a store, for an administrator.
package struct StoreStatistics: Equatable, Sendable {
    /// A collection and the number of its records.
    package struct CollectionCount: Equatable, Sendable {
        /// The collection's name.
        package let name: String
        /// The number of its records.
        package let records: Int

        package init(name: String, records: Int) {
            self.name = name
            self.records = records
        }
    }

    /// The kind of storage: `memory` or `directory`.
    package let kind: String
    /// The directory's path; nil in memory.
    package let directory: String?
    /// The store's UUID; nil in memory.
    package let store: String?
    /// The number of the store's current epoch, from 1 on; nil in memory.
    package let epoch: Int?
    /// The number of durable transactions that wrote something, including those in the base; in memory, those since the
    /// process began.
    package let transactions: Int
    /// The journal's length in bytes; 0 in memory.
    package let journalBytes: Int
    /// The length of the base in bytes; 0 if there is no base, and in memory.
    package let baseBytes: Int
    /// How many of the journal's bytes are known to be durable.
    package let durableBytes: Int
    /// The number of entries in the key space: records, index entries and counters.
    package let entries: Int
    /// The number of records of each collection that is not empty, by name.
    package let collections: [CollectionCount]

    /// - Parameters: as the properties; what an engine does not have is 0, nil or empty.
    package init(
        kind: String,
        directory: String? = nil,
        store: String? = nil,
        epoch: Int? = nil,
        transactions: Int = 0,
        journalBytes: Int = 0,
        baseBytes: Int = 0,
        durableBytes: Int = 0,
        entries: Int = 0,
        collections: [CollectionCount] = []
    ) {
        self.kind = kind
        self.directory = directory
        self.store = store
        self.epoch = epoch
        self.transactions = transactions
        self.journalBytes = journalBytes
        self.baseBytes = baseBytes
        self.durableBytes = durableBytes
        self.entries = entries
        self.collections = collections
    }
}
