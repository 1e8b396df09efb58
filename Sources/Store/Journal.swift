internal import Glibc

/// The journal of a directory, open: transactions are added at its end, and nothing else in it ever changes but values
/// that are erased.
///
/// What happens when the disk fails is told at `append`. The format of a line stands in `JournalLine.swift`.
final class Journal {
    private enum State {
        case ready
        /// A write failed in a way that leaves open what the file's end holds; it is read again before the next write.
        case tailToRead
        /// No more is written, ever: why not.
        case closed(StoreError)
    }

    private let file: File
    private let log: (String) -> Void
    private var state: State
    private var slots: ErasableSlots
    private var writer = JournalLineWriter()
    /// The check of the last line and of the line before it, and where the last one starts.
    private var check: UInt32
    private var checkBefore: UInt32
    private var lastLineStart: Int
    private var hasUnsyncedErasures = false

    /// How many transactions the journal holds.
    private(set) var number: Int
    /// The bytes that its lines take.
    private(set) var length: Int
    /// How many of them are known to be on the disk.
    private(set) var durable: Int

    /// Goes on behind what was read from `file`.
    ///
    /// - Parameter isReadOnly: whether every write is to be refused.
    init(_ file: File, behind replay: JournalReplay, isReadOnly: Bool, log: @escaping (String) -> Void) {
        self.file = file
        self.log = log
        state = isReadOnly ? .closed(.readOnly) : .ready
        slots = replay.slots
        (check, checkBefore, lastLineStart) = (replay.check, replay.checkBefore, replay.lastLineStart)
        (number, length, durable) = (replay.number, replay.length, 0)
    }

    /// Waits until all that the journal holds is on the disk, and erases what an earlier process left to be erased.
    func settle() throws(StoreError) {
        try file.sync()
        durable = length
        erase()
    }

    /// Adds transactions with one write, and waits until they are on the disk.
    ///
    /// - Parameters:
    ///   - writes: all they wrote, in order.
    ///   - ends: where in `writes` each transaction ends.
    /// - Throws: where nothing was added, `StoreError.diskFull`, `.readOnly` or `.systemCall`; a later call may succeed.
    ///   After a failure of the sync, whether they were added is unknown, as `.systemCall` tells, and every later call
    ///   fails: the system may have dropped what it could not write, and a second sync would not find out.
    func append(_ writes: [StagedWrite], ends: [Int]) throws(StoreError) {
        if case .closed(let error) = state { throw error }
        try checkTail()
        writer.start(number: number, check: check)
        var (start, lineStart, before) = (0, 0, check)
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
        do throws(StoreError) {
            try file.sync()
        } catch {
            state = .closed(error.withOutcome(unknown: false))
            throw error.withOutcome(unknown: true)
        }
        (lastLineStart, checkBefore) = (length + lineStart, before)
        (number, check) = (writer.number, writer.check)
        noteSlots(of: writes)
        length += writer.bytes.count
        durable = length
        hasUnsyncedErasures = false
        erase()
    }

    /// Sees to it that what was erased is erased on the disk.
    func close() {
        if case .closed = state { return }
        state = .closed(.systemCall(name: "write to a closed journal", errno: 0, outcomeUnknown: false))
        guard hasUnsyncedErasures else { return }
        do {
            try file.sync()
        } catch {
            log("erased values may still be on the disk: \(error)")
        }
    }

    // MARK: Failed writes

    /// Checks before a write that the file ends where this process left it.
    private func checkTail() throws(StoreError) {
        let status = try file.status()
        if case .tailToRead = state {
            try readTail()
            if status.bytes > length { try file.truncate(to: length) }
            state = .ready
        } else if status.bytes != length {
            throw refuse(.damaged(file: file.name, offset: length, reason: "another program changed the file's length"))
        }
        if status.links == 0 {
            throw refuse(.damaged(file: file.name, offset: 0, reason: "the file was removed while it was in use"))
        }
    }

    /// Reads the last line again and compares it with what was written there.
    private func readTail() throws(StoreError) {
        let line = try file.contents(from: lastLineStart, upTo: length)
        guard number > 0 else { return }
        let isWhole = line.withUnsafeBytes { line in
            var writes: [JournalLine.Write] = []
            do throws(LineFault) {
                let line = UnsafeRawBufferPointer(rebasing: line.dropLast())
                return try JournalLine(parsing: line, after: checkBefore, writes: &writes).check == check
            } catch {
                return false
            }
        }
        guard isWhole, line.count == length - lastLineStart, line.last == 0x0A else {
            throw refuse(
                .damaged(file: file.name, offset: lastLineStart, reason: "the last line is not as it was written")
            )
        }
    }

    /// Removes what a failed write left behind the last line.
    private func takeBack(after failure: StoreError) {
        if case .systemCall = failure { state = .tailToRead }
        do throws(StoreError) {
            try file.truncate(to: length)
            // Without a sync a power cut could bring back whole lines that were refused.
            try file.sync()
        } catch {
            state = .closed(error)
        }
    }

    /// Ends all writing for good.
    private func refuse(_ error: StoreError) -> StoreError {
        state = .closed(error)
        return error
    }

    // MARK: Erasing

    /// Brings what is known of the slots up to date with transactions that are on the disk.
    private func noteSlots(of writes: [StagedWrite]) {
        var next = 0
        for write in writes {
            slots.supersede(write.key)
            guard write.isErasable, write.value != nil else { continue }
            let place = writer.slots[next].slot.place
            slots.add(Slot(place: length + place.lowerBound..<length + place.upperBound), for: write.key)
            next += 1
        }
    }

    /// Overwrites the slots whose values are no longer in use. What fails is tried again with the next transaction.
    private func erase() {
        guard !slots.superseded.isEmpty else { return }
        do throws(StoreError) {
            for slot in slots.superseded {
                // The brackets stay, so that the line stays JSON.
                let inside = slot.place.dropFirst().dropLast()
                try file.write([UInt8](repeating: UInt8(ascii: " "), count: inside.count), at: inside.startIndex)
            }
            slots.removeSuperseded()
        } catch {
            log("a value could not be erased: \(error)")
        }
        hasUnsyncedErasures = true
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
