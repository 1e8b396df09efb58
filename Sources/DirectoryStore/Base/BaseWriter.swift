internal import JSON
import Store

/// Writes a base. The entries must be in the order of their keys.
struct BaseWriter {
    private let file: File
    private let epoch: Int
    private let headerCheck: UInt32
    private let transactions: Int
    private var buffer: [UInt8]
    private var written = 0
    private var synced = 0
    private var check: UInt32 = 0
    /// A copy of the last key, so that the caller can reuse the buffer of its key.
    private var lastKey: [UInt8] = []
    private var isEmpty = true

    init(_ file: File, header: FileHeader, epoch: Int) {
        self.file = file
        self.epoch = epoch
        headerCheck = header.check
        transactions = header.transactions
        buffer = header.bytes
        buffer.reserveCapacity(Limits.baseBufferBytes + Limits.valueBytesMax)
    }

    /// Writes all entries of a space except those with some keys, and completes the base.
    ///
    /// - Parameters:
    ///   - kept: the older bases that are kept. The removals of their keys are written too.
    ///   - goOn: called regularly with the number of entries written; false cancels the write.
    /// - Returns: the segment that was written; nil if it was cancelled.
    mutating func write(
        _ space: LayeredSpace,
        over kept: Bases = Bases([]),
        without left: Set<StoreKey>,
        _ goOn: (Int) -> Bool
    ) throws(StoreError) -> Manifest.Segment? {
        var count = 0
        var isGivenUp = false
        try space.forEach(removals: !kept.all.isEmpty) { key, value throws(StoreError) in
            guard !isGivenUp else { return }
            // The values of the keys in `left` are in the new journal, which hides what older bases have of them.
            if !left.contains(key), !value.isRemoval || kept.mayHave(key) { try append(key, value.bytes) }
            count += 1
            isGivenUp = count % Limits.compactionEntriesBetweenChecks == 0 && !goOn(count)
        }
        return isGivenUp ? nil : try finish()
    }

    /// Adds an entry. Its key must be greater than all keys before it.
    mutating func append(_ key: StoreKey, _ value: [UInt8]) throws(StoreError) {
        precondition(isEmpty || StoreKey(bytes: lastKey) < key, "a base is sorted")
        isEmpty = false
        lastKey.removeAll(keepingCapacity: true)
        lastKey.append(contentsOf: key.bytes)
        let start = buffer.count
        buffer.append(UInt8(ascii: "["))
        key.appendJSON(to: &buffer)
        buffer.append(UInt8(ascii: ","))
        buffer.append(contentsOf: value)
        let seal = buffer.withUnsafeBytes { bytes in
            BaseFile.seal(of: UnsafeRawBufferPointer(rebasing: bytes[start...]), headerCheck, written + start)
        }
        buffer.append(contentsOf: seal)
        if buffer.count >= Limits.baseBufferBytes { try flush() }
    }

    /// Writes the rest of the buffer and syncs the file.
    mutating func finish() throws(StoreError) -> Manifest.Segment {
        try flush()
        try file.sync()
        return Manifest.Segment(epoch: epoch, bytes: written, check: check, transactions: transactions)
    }

    private mutating func flush() throws(StoreError) {
        check = buffer.withUnsafeBytes { CRC32C.value(of: $0, after: check) }
        try file.write(buffer, at: written)
        written += buffer.count
        buffer.removeAll(keepingCapacity: true)
        // Syncs in small pieces, because a concurrent commit may have to wait for the writes that the disk has queued.
        if written - synced >= Limits.baseSyncBytes {
            try file.sync()
            synced = written
        }
    }
}
