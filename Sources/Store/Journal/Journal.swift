internal import Glibc

/// The journal of a directory, open: transactions are added behind its last line, by this process or another, and nothing
/// else in it ever changes but values that are erased, and the room at its end.
///
/// Whatever reads its end or writes to it does so while it holds the directory's lock. What happens when the disk fails is
/// told at `write` and `sync`. The format of a line stands in `JournalLine.swift`.
final class Journal {
    enum State {
        case ready
        /// A write failed in a way that leaves open what the file's end holds; it is read again before the next write.
        case tailToRead
        case readOnly
        /// A sync failed. No more is written, ever, and what is in doubt is not told of; what was safe before may be read
        /// for as long as nobody goes on behind it.
        case failed(StoreError)
        /// The file is not what it was. Nothing goes on.
        case refused(StoreError)
    }

    let file: File
    let epoch: Int
    /// What processes tell each other of their syncs; nil where this one cannot write.
    let marks: SyncMarks?
    private let log: (String) -> Void
    var state: State
    var replay: JournalReplay
    private var writer = JournalLineWriter()
    /// Where values stand that this process has made superfluous and not overwritten yet.
    var slotsToErase: [Slot] = []
    private var hasUnsyncedErasures = false
    /// Whether others wrote some of what is not known to be on the disk.
    var hasUnsyncedNews = false
    /// The bytes of the file as it was last seen: its lines, and the room behind them.
    var fileBytes = 0
    /// How many of its bytes are known to be on the disk.
    var durable: Int

    /// The number of its last transaction.
    var number: Int { replay.number }
    /// The bytes that its lines take, as far as they were read or written here.
    var length: Int { replay.length }

    /// Stands behind what was read from `file`, the journal of an epoch.
    ///
    /// - Parameter marks: nil where every write is to be refused.
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
        durable = replay.durable
        hasUnsyncedNews = durable < replay.length
    }

    /// How far it was read; nil where it cannot be written to.
    var writableReplay: JournalReplay? {
        if case .ready = state { replay } else { nil }
    }

    /// Whether deleted personal data are in it, or in the base under it.
    var hasPersonalDeletions: Bool { replay.personalDeletions > 0 }

    /// Whether its file can be written to.
    var isWritable: Bool { marks != nil }

    /// The keys of the values that can be erased.
    var erasableKeys: Set<StoreKey> { replay.slots.keys }

    // MARK: Writing

    /// Adds transactions with one write. The lock must be held, and there be no news.
    ///
    /// - Parameters:
    ///   - writes: all they wrote, in order.
    ///   - ends: where in `writes` each transaction ends.
    /// - Throws: `StoreError.diskFull`, `.readOnly` or `.systemCall`; nothing was added then, and a later call may succeed.
    func write(_ writes: [StagedWrite], ends: [Int]) throws(StoreError) {
        try checkTail()
        writer.start(number: number, check: replay.check)
        var (start, lineStart, before) = (0, 0, replay.check)
        for end in ends {
            (lineStart, before) = (writer.bytes.count, writer.check)
            writer.append(writes[start..<end], durable: durable)
            start = end
        }
        do throws(StoreError) {
            try file.write(writer.bytes, at: length)
        } catch {
            takeBack(after: error)
            throw error
        }
        noteSlots(of: writes)
        for write in writes where write.value == nil { replay.noteDeletion(of: write.key) }
        marks?.noteWritten(epoch: epoch, length: length + writer.bytes.count)
        replay.pass(writer, lastLineStart: lineStart, checkBefore: before)
        if writer.bytes.count <= Limits.roomyWriteBytesMax { layOutRoom() }
    }

    /// Lays out room behind the last line where there is none left. Where the disk has none, lines go on one by one.
    private func layOutRoom() {
        guard length > fileBytes else { return }
        fileBytes = length + Limits.journalRoomBytes
        do throws(StoreError) {
            let room = [UInt8](repeating: JournalRoom.filler, count: Limits.journalRoomBytes)
            try file.write(room, at: length)
        } catch {
            takeBackRoom()
        }
    }

    /// Whether there is room behind its last line that this process may take back. Whoever may write no more may not.
    var hasRoom: Bool {
        if case .ready = state { fileBytes > length } else { false }
    }

    /// Cuts off what was laid out. The lock must be held, and there be no news.
    func takeBackRoom() {
        do throws(StoreError) {
            try file.truncate(to: length)
            fileBytes = length
        } catch {
            // Tabs behind the last line harm nobody.
        }
    }

    /// Whether something that may be told of by now is not known to be on the disk.
    var needsSync: Bool {
        if case .failed = state { false } else { durable < length }
    }

    /// Waits until all that was written, by whomever, is on the disk. No lock is needed.
    ///
    /// - Throws: `StoreError.systemCall` where whether it is remains unknown. Nothing is written from then on:
    ///   the system may have dropped what it could not write, and a second sync would not find out.
    func sync() throws(StoreError) {
        durable = try orWriteNoMore { () throws(StoreError) in
            guard let marks else {
                try file.sync()
                return length
            }
            return min(
                length,
                try marks.sync(epoch: epoch, length: length) { () throws(StoreError) in try file.sync() }
            )
        }
        hasUnsyncedNews = false
    }

    /// Syncs the file for this process alone.
    func syncFile() throws(StoreError) {
        try orWriteNoMore { () throws(StoreError) in try file.sync() }
    }

    /// Makes sure that nothing is written any more once `sync` has failed.
    private func orWriteNoMore<Value>(_ sync: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        do throws(StoreError) {
            return try sync()
        } catch {
            state = .failed(error.withOutcome(unknown: false))
            throw error.withOutcome(unknown: true)
        }
    }

    /// Sees to it that what was erased is erased on the disk.
    func close() {
        guard hasUnsyncedErasures else { return }
        do throws(StoreError) {
            try file.sync()
        } catch {
            log("erased values may still be on the disk: \(error)")
        }
    }

    // MARK: Failed writes

    /// Checks before a write that the file ends as it should.
    private func checkTail() throws(StoreError) {
        switch state {
        case .ready: return
        case .readOnly: throw .readOnly
        case .failed(let error), .refused(let error): throw error
        case .tailToRead: break
        }
        let line = try file.contents(from: replay.lastLineStart, upTo: length)
        guard line.withUnsafeBytes({ replay.isLastLine($0) }) else {
            throw refuse(
                .damaged(
                    file: file.name,
                    offset: replay.lastLineStart,
                    reason: "the last line is not as it was written"
                )
            )
        }
        state = .ready
    }

    /// Removes what a failed write left behind the last line.
    private func takeBack(after failure: StoreError) {
        if case .systemCall = failure { state = .tailToRead }
        do throws(StoreError) {
            try file.truncate(to: length)
            fileBytes = length
        } catch {
            // Whoever next takes the lock finds a torn tail, and sets it aside.
            state = .tailToRead
            return
        }
        do throws(StoreError) {
            // Without a sync a power cut could bring back whole lines that were refused.
            try syncFile()
        } catch {
            // The failure of the write is the one to tell of; that of the sync stands in the way of the next.
        }
    }

    /// Ends all use for good.
    func refuse(_ error: StoreError) -> StoreError {
        state = .refused(error)
        return error
    }

    // MARK: Erasing

    /// Whether a value stands in the file that a durable transaction has made superfluous.
    var hasToErase: Bool { !slotsToErase.isEmpty }

    /// Overwrites the slots whose values are no longer in use. What fails is tried again with the next transaction. The
    /// lock must be held, as another process may be writing the same bytes once more to settle the journal.
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

    /// Brings what is known of the slots up to date with what was just written.
    private func noteSlots(of writes: [StagedWrite]) {
        // Most stores hold no erasable value most of the time; then none of the writes is looked at.
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
    /// The failure of a system call, with or without doubt about what it left on the disk.
    fileprivate func withOutcome(unknown: Bool) -> StoreError {
        switch self {
        case .systemCall(let name, let errno, _): .systemCall(name: name, errno: errno, outcomeUnknown: unknown)
        // A sync that finds the disk full has failed like any other: what it could not write is lost.
        case .diskFull: .systemCall(name: "sync", errno: ENOSPC, outcomeUnknown: unknown)
        default: self
        }
    }
}
