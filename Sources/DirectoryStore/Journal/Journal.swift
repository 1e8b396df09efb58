internal import Platform
import Store

/// The open journal (write-ahead log) of a directory. This process and others append transactions to it.
///
/// Nothing else in the file changes, except erased values and the preallocated room after the last line. Lines that may
/// not be durable are written again, with the same bytes.
///
/// Reading the end of the file and writing need the directory lock. `write` and `sync` document what happens when the
/// disk fails; `JournalLine.swift` documents the format of a line.
final class Journal {
    enum State {
        case ready
        /// A write failed with this error, and its bytes may still be in the file. Before the next write, the last
        /// known line is checked; what is after it is read like the writes of other processes.
        case lastLineToCheck(after: StoreError)
        /// The directory or the file cannot be written.
        case readOnly
        /// A sync failed. This process writes no more, and does not acknowledge transactions whose durability is
        /// unknown. Transactions that were durable before can be read until another process appends to them.
        case failed(StoreError)
        /// The file was changed by another program. Reads and writes fail.
        case refused(StoreError)
    }

    let file: File
    let epoch: Int
    /// The positions up to which processes have written and synced, in shared memory; nil if this process cannot write.
    let marks: SyncMarks?
    private let log: (String) -> Void
    var state: State
    var replay: JournalReplay
    private var writer = JournalLineWriter()
    /// Erasable values that this process has replaced or removed and not overwritten yet.
    var slotsToErase: [Slot] = []
    private var hasUnsyncedErasures = false
    /// Whether transactions of other processes are among those not known to be durable.
    var hasUnsyncedNews = false
    /// The length of the file when it was last checked: its lines and the room after them.
    var fileBytes = 0
    /// How many of its bytes are known to be durable.
    var durable: Int
    /// How many times lines were lost before this process wrote or read its last line.
    var lossesSeen: UInt64
    /// How many syncs had failed when this process last found the journal durable.
    var failuresSeen: UInt64
    /// The length before the lines that this process has written and not synced; nil if there are none.
    private(set) var lengthBeforeGroup: Int?

    /// The number of its last transaction.
    var number: Int { replay.number }
    /// The length of the lines that this process has read or written, in bytes.
    var length: Int { replay.length }

    /// Continues after the lines that `replay` has read from `file`, the journal of an epoch.
    ///
    /// - Parameter marks: nil refuses every write.
    init(
        _ file: File,
        epoch: Int,
        behind replay: JournalReplay,
        marks: SyncMarks?,
        log: @escaping (String) -> Void
    ) {
        self.file = file
        self.epoch = epoch
        self.marks = marks
        self.log = log
        self.replay = replay
        state = marks == nil ? .readOnly : .ready
        (lossesSeen, failuresSeen) = (marks?.losses ?? 0, marks?.failures ?? 0)
        durable = replay.durable
        hasUnsyncedNews = durable < replay.length
    }

    /// Why no compaction can start from the journal at the moment; nil if one can.
    var obstacleToCompaction: StoreError? {
        switch state {
        case .ready: nil
        case .readOnly: .readOnly
        case .lastLineToCheck(let error), .failed(let error), .refused(let error): error
        }
    }

    /// Whether lines of the journal delete personal data, which older lines and bases still have.
    var hasPersonalDeletions: Bool { replay.personalDeletions > 0 }

    /// Whether this process can write to the file.
    var isWritable: Bool { marks != nil }

    /// The keys of the values that can be erased.
    var erasableKeys: Set<StoreKey> { replay.slots.keys }

    // MARK: Writing

    /// Appends transactions with one write. The lock must be held, and all transactions of other processes be read.
    ///
    /// - Parameters:
    ///   - writes: the writes of all transactions, in order.
    ///   - ends: where in `writes` each transaction ends.
    ///   - setAside: moves a torn tail that is where the lines go to another file, and cuts it.
    /// - Throws: `StoreError.diskFull`, `.readOnly` or `.systemCall`; what `setAside` throws. Nothing was appended
    ///   then. If the removal failed too, the next process with the lock, which may be this one, reads the whole lines
    ///   of what was written and moves a torn line to another file. A later call may succeed, unless the sync after
    ///   the removal failed.
    func write(
        _ writes: [StagedWrite],
        ends: [Int],
        settingAside setAside: ([UInt8]) throws(StoreError) -> Void
    ) throws(StoreError) {
        try checkLastLine()
        let unsynced = try unsyncedLines()
        writer.start(number: number, check: replay.check)
        var (start, lineStart, before) = (0, 0, replay.check)
        for end in ends {
            (lineStart, before) = (writer.bytes.count, writer.check)
            writer.append(writes[start..<end], durable: durable)
            start = end
        }
        if let torn = try tornTail(inNext: writer.bytes.count) {
            do throws(StoreError) {
                try setAside(torn)
            } catch {
                guard case .systemCall(let name, let reason, _) = error else { throw error }
                // Nothing of these transactions is in the file.
                throw .systemCall(name: name, reason, outcomeUnknown: false)
            }
        }
        marks?.noteLosses(epoch: epoch, behind: length)
        do throws(StoreError) {
            let bytes = unsynced.isEmpty ? writer.bytes : unsynced + writer.bytes
            try file.write(bytes, at: length - unsynced.count)
        } catch {
            removeFailedWrite(after: error)
            throw error
        }
        noteSlots(of: writes)
        for write in writes where write.value == nil { replay.noteDeletion(of: write.key) }
        marks?.noteWritten(epoch: epoch, length: length + writer.bytes.count)
        noteLossesSeen()
        lengthBeforeGroup = length
        replay.pass(writer, lastLineStart: lineStart, checkBefore: before)
        if writer.bytes.count <= Limits.roomyWriteBytesMax { preallocateRoom() }
    }

    /// Whether replies may contain transactions that are not known to be durable.
    var needsSync: Bool {
        if case .failed = state { false } else { durable < length }
    }

    /// Waits until all transactions, those of other processes included, are durable. No lock is needed.
    ///
    /// - Throws: `StoreError.systemCall` if the outcome is unknown. This process writes no more then: the system may
    ///   have dropped pages that it could not write, and a second sync would not report it.
    func sync() throws(StoreError) {
        durable = try stoppingWritesOnFailure { () throws(StoreError) in
            guard let marks else {
                try file.sync()
                return length
            }
            let synced = try marks.sync(epoch: epoch, length: length) { () throws(StoreError) in try file.sync() }
            if marks.losses != lossesSeen { try checkNotReplaced() }
            return min(length, synced)
        }
        hasUnsyncedNews = false
        lengthBeforeGroup = nil
    }

    /// Syncs the file itself, even if another process is syncing it.
    func syncFile() throws(StoreError) {
        try stoppingWritesOnFailure { () throws(StoreError) in try file.sync() }
    }

    /// Runs a sync. If it fails, this process writes no more.
    private func stoppingWritesOnFailure<Value>(_ sync: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        do throws(StoreError) {
            return try sync()
        } catch {
            marks?.noteFailedSync()
            state = .failed(error.withOutcome(unknown: false))
            throw error.withOutcome(unknown: true)
        }
    }

    /// Makes erasures durable.
    func close() {
        guard hasUnsyncedErasures else { return }
        do throws(StoreError) {
            try file.sync()
        } catch {
            log("erased values may still be on the disk: \(error)")
        }
    }

    // MARK: Erasing

    /// Whether the file has a value that must be overwritten, because a transaction has replaced or removed it.
    var hasToErase: Bool { !slotsToErase.isEmpty }

    /// Overwrites the values that are no longer in use. A failed erasure is retried with the next transaction. The lock
    /// must be held, because another process may be rewriting the same bytes to settle the journal.
    func erase() {
        guard hasToErase else { return }
        do throws(StoreError) {
            for slot in slotsToErase { try slot.erase(in: file) }
            slotsToErase = []
        } catch {
            log("a value could not be erased: \(error)")
        }
        hasUnsyncedErasures = true
    }

    /// Updates the list of erasable values after a write.
    private func noteSlots(of writes: [StagedWrite]) {
        // Most stores have no erasable value most of the time. Then the writes need no check.
        guard !writer.slots.isEmpty || !replay.slots.isEmpty else { return }
        var next = 0
        for write in writes {
            replay.slots.supersede(write.key)
            guard write.isErasable, write.value != nil else { continue }
            let place = writer.slots[next].slot.place
            replay.slots.add(Slot(place: length + place.lowerBound..<length + place.upperBound), for: write.key)
            next += 1
        }
        slotsToErase += replay.slots.takeSuperseded()
    }
}

extension StoreError {
    /// The failure of a system call, with its outcome marked as known or unknown.
    fileprivate func withOutcome(unknown: Bool) -> StoreError {
        switch self {
        case .systemCall(let name, let error, _): .systemCall(name: name, error, outcomeUnknown: unknown)
        // A sync that finds the disk full is a failed sync: the pages that it could not write are lost.
        case .diskFull: .systemCall(name: "sync", .noSpace, outcomeUnknown: unknown)
        default: self
        }
    }
}
