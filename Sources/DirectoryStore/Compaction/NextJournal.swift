import Store

/// The journal of the next epoch, which a compaction prepares.
struct NextJournal {
    let file: File
    /// The state after its lines.
    private(set) var replay: JournalReplay
    private var writer = JournalLineWriter()

    /// Creates the file.
    ///
    /// - Parameter transactions: the number of transactions in the bases.
    init(ofEpoch number: Int, of store: String, transactions: Int, _ files: StoreFiles) throws(StoreError) {
        let name = Manifest.journalName(of: number)
        let header = FileHeader.journal(of: store, epoch: number, transactions: transactions)
        file = try File(name, in: files.directory, .new, calls: files.calls)
        replay = JournalReplay(behind: header, file: name, durable: 0, personal: files.personal)
        try file.write(header.bytes, at: 0)
    }

    /// Appends transactions, and applies them to a space.
    mutating func append(_ transactions: [[StagedWrite]], to space: inout LayeredSpace) throws(StoreError) {
        writer.start(number: replay.number, check: replay.check)
        for writes in transactions where !writes.isEmpty { writer.append(writes[...], durable: 0) }
        let bytes = writer.bytes
        try file.write(bytes, at: replay.length)
        try bytes.withUnsafeBytesTyped { bytes throws(StoreError) in try replay.read(bytes, into: &space) }
    }

    /// Makes the lines durable, and overwrites the erasable values that later lines replace.
    mutating func settle() throws(StoreError) {
        for slot in replay.slots.takeSuperseded() { try slot.erase(in: file) }
        try file.sync()
        replay.markDurable()
    }
}
