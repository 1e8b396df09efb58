/// What a store holds, in numbers, for people.
package struct StoreStatistics: Equatable, Sendable {
    /// A collection and how many records it has.
    package struct CollectionCount: Equatable, Sendable {
        /// The collection's name.
        package let name: String
        /// How many records it holds.
        package let records: Int
    }

    /// What the store keeps its data in: `memory` or `directory`.
    package let kind: String
    /// The directory's path; nil in memory.
    package let directory: String?
    /// The store's UUID; nil in memory.
    package let store: String?
    /// The number of the store's current journal, from 1 on; nil in memory.
    package let epoch: Int?
    /// How many durable transactions wrote something, those of the base included; in memory, since the process began.
    package let transactions: Int
    /// The journal's length in bytes; 0 in memory.
    package let journalBytes: Int
    /// The length in bytes of the sorted base under the journal; 0 where there is none, and in memory.
    package let baseBytes: Int
    /// How many of the journal's bytes are known to be on the disk.
    package let durableBytes: Int
    /// How many entries the key space has: records, index entries and counters.
    package let entries: Int
    /// The records of each collection that has any, by name.
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
