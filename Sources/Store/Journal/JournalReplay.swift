internal import Platform

/// Reads a journal, from its start and later from where the last reading ended, and puts what its transactions come to
/// into a space.
///
/// Records are not decoded. Every line is checked, and nothing is skipped: what does not fit is either the torn end of a
/// write that nobody was told had succeeded, or damage, which is refused. To tell them apart:
///
/// - Bytes behind the last line feed are torn: a write was cut off. But where they are a whole line and one wrong byte
///   in its line feed's place, that byte was changed. Tabs at their end are the journal's room.
/// - A line with a *hole* is torn: a power cut may keep later sectors of a write and lose earlier ones, which then read
///   as the tabs of the room that was there, or as NUL bytes. A hole starts where the line does or at a sector, and ends
///   at a sector or with the file; no byte of a line is a tab or NUL. But where a later line tells, by its `d`, that the
///   hole's place was once safely on the disk, it is damage. That line need not be whole: when in doubt, refuse.
/// - Any other line that is not as it was written is damage, the last one too.
struct JournalReplay {
    /// The number of the last transaction.
    private(set) var number: Int
    /// The check of the last whole line, and of the line before it.
    private(set) var check: UInt32
    private(set) var checkBefore: UInt32 = 0
    /// Where the last whole line starts, and where it ends: the bytes that were read so far.
    private(set) var lastLineStart = 0
    private(set) var length: Int
    /// The bytes that the manifest told to be on the disk, and those that the lines tell of.
    private var durableFromStart: Int
    private var durableTold = 0
    var slots = ErasableSlots()
    /// How many records with personal data its transactions have deleted, which are in older lines, or in the base, until
    /// the next compaction.
    private(set) var personalDeletions = 0

    /// The collections whose records hold personal data.
    private let personal: @Sendable () -> [AnyCollection]
    private let file: String
    private let header: FileHeader
    private var writes: [JournalLine.Write] = []

    /// Stands behind a journal's header.
    ///
    /// - Parameters:
    ///   - durable: how many of the file's bytes are known to be on the disk.
    ///   - personal: the collections whose records hold personal data.
    init(
        behind header: FileHeader,
        file: String,
        durable: Int,
        personal: @escaping @Sendable () -> [AnyCollection] = { [] }
    ) {
        self.file = file
        self.personal = personal
        self.header = header
        (number, check, length) = (header.transactions, header.check, header.bytes.count)
        durableFromStart = durable
    }

    /// The bytes that are known to be on the disk.
    var durable: Int { max(durableFromStart, durableTold) }

    /// How many lines were read, the header included.
    private var lines: Int { number - header.transactions + 1 }

    /// Reads the lines from `length` on. What is behind `length` afterwards is a torn tail.
    ///
    /// - Parameters:
    ///   - bytes: what the file holds from `length` on: all of it, as it is while the lock keeps writers away, or whole
    ///     lines.
    ///   - isAll: whether it is all of it, so that what is missing can be told.
    ///   - visit: called with what each transaction wrote.
    /// - Throws: `StoreError.damaged`.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer,
        isAll: Bool = true,
        into space: inout LayeredSpace,
        visit: (([StagedWrite]) -> Void)? = nil
    ) throws(StoreError) {
        let tail = FileTail(bytes: bytes, offset: length)
        while let end = tail.lineEnd(from: length) {
            let line = tail[length..<end]
            do throws(LineFault) {
                try apply(line, to: &space)
            } catch {
                guard isTorn(tail, upTo: end) else { throw damaged(at: length, error.reason) }
                break
            }
            visit?(writes.map { StagedWrite($0, of: line) })
        }
        try checkUnterminated(tail)
        guard isAll else { return }
        guard length >= durable else { throw damaged(at: length, "and what was safe behind it are missing") }
        if let slot = slots.firstUnreadable {
            throw damaged(at: slot.place.lowerBound, "holds an erased or damaged value that is still in use")
        }
    }

    /// Goes on behind lines that this process has written itself.
    mutating func pass(_ writer: JournalLineWriter, lastLineStart start: Int, checkBefore before: UInt32) {
        (lastLineStart, checkBefore) = (length + start, before)
        (number, check) = (writer.number, writer.check)
        length += writer.bytes.count
    }

    /// Counts a deletion, where it is one of a record with personal data.
    mutating func noteDeletion(of key: StoreKey) {
        for collection in personal() where key.bytes.starts(with: collection.recordPrefix) { personalDeletions += 1 }
    }

    /// Takes note that all that was read is on the disk.
    mutating func markDurable() {
        durableFromStart = length
    }

    /// Checks the last line once more, as the file has it now.
    func isLastLine(_ line: UnsafeRawBufferPointer) -> Bool {
        guard number > header.transactions else { return true }
        guard line.count == length - lastLineStart, line.last == 0x0A else { return false }
        var writes: [JournalLine.Write] = []
        do throws(LineFault) {
            let line = UnsafeRawBufferPointer(rebasing: line.dropLast())
            return try JournalLine(parsing: line, after: checkBefore, writes: &writes).check == check
        } catch {
            return false
        }
    }

    private mutating func apply(
        _ bytes: UnsafeRawBufferPointer,
        to space: inout LayeredSpace
    ) throws(LineFault) {
        let line = try JournalLine(parsing: bytes, after: check, writes: &writes)
        guard line.number == number + 1 else {
            throw LineFault("has number \(line.number), where \(number + 1) comes next")
        }
        guard line.durable >= durableTold, line.durable <= length else {
            throw LineFault("tells of \(line.durable) safe bytes, which cannot be")
        }
        for write in writes {
            slots.supersede(write.key)
            switch write.content {
            case .removed:
                noteDeletion(of: write.key)
                space.set(nil, at: write.key)
            case .value(let value):
                space.set(StoredValue(bytes: Array(bytes[value])), at: write.key)
            case .slot(let place, let value):
                let slot = Slot(place: length + place.lowerBound..<length + place.upperBound)
                slots.add(slot, for: write.key, state: value != nil ? .whole : state(ofUnreadable: bytes[place]))
                space.set(value.map { StoredValue(bytes: Array(bytes[$0])) }, at: write.key)
            }
        }
        number = line.number
        durableTold = line.durable
        (checkBefore, check) = (check, line.check)
        (lastLineStart, length) = (length, length + bytes.count + 1)
    }

    private func state(ofUnreadable slot: Slice<UnsafeRawBufferPointer>) -> ErasableSlots.State {
        slot.dropFirst().dropLast().allSatisfy { $0 == UInt8(ascii: " ") } ? .blank : .broken
    }

    // MARK: What does not fit

    /// Whether the line at `length`, which is not as it was written, is the end of a write that was cut off.
    private func isTorn(_ tail: FileTail, upTo end: Int) -> Bool {
        guard tail.hasHole(in: length..<end) else { return false }
        var start = end + 1
        while start < tail.end {
            let end = tail.lineEnd(from: start) ?? tail.end
            if let later = JournalLine.durable(of: tail[start..<end]), later > length { return false }
            start = end + 1
        }
        return true
    }

    /// Refuses a last line whose line feed was changed to something else.
    private func checkUnterminated(_ tail: FileTail) throws(StoreError) {
        let end = tail.endOfWritten
        guard end > length, tail.lineEnd(from: length) == nil else { return }
        if isWhole(tail[length..<end - 1]) { throw damaged(at: end - 1, "does not end in a line feed") }
        // Where room follows, a write that was cut off lacks its line feed alone at the start of a sector only.
        guard end < tail.end, tail.isRoom(at: end), end % Limits.sectorBytes != 0 else { return }
        if isWhole(tail[length..<end]) { throw damaged(at: end, "does not end in a line feed") }
    }

    /// Whether a line, without its line feed, is as it was written.
    private func isWhole(_ line: UnsafeRawBufferPointer) -> Bool {
        var writes: [JournalLine.Write] = []
        do throws(LineFault) {
            _ = try JournalLine(parsing: line, after: check, writes: &writes)
            return true
        } catch {
            return false
        }
    }

    private func damaged(at offset: Int, _ reason: String) -> StoreError {
        let line = offset < length ? "a line" : "line \(lines + 1)"
        return .damaged(file: file, offset: offset, reason: "\(line) \(reason)")
    }
}

/// The bytes of a file from some offset on, addressed by their offsets in the file.
private struct FileTail {
    let bytes: UnsafeRawBufferPointer
    let offset: Int

    var end: Int { offset + bytes.count }

    /// Where the room behind the lines starts, or what was never written.
    var endOfWritten: Int { offset + (bytes.lastIndex { !Self.isUnwritten($0) }.map { $0 + 1 } ?? 0) }

    func isRoom(at place: Int) -> Bool { bytes[place - offset] == JournalRoom.filler }

    /// Whether a byte is none of a line's: that of a sector as it was before a line was written to it.
    private static func isUnwritten(_ byte: UInt8) -> Bool { byte == JournalRoom.filler || byte == 0 }

    subscript(place: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[place.lowerBound - offset..<place.upperBound - offset])
    }

    /// Where the line feed stands that ends the line at `start`.
    func lineEnd(from start: Int) -> Int? {
        guard start < end, let place = bytes.offset(of: 0x0A, in: start - offset..<end - offset) else { return nil }
        return offset + place
    }

    /// Whether sectors of the line were never written.
    func hasHole(in line: Range<Int>) -> Bool {
        var index = line.lowerBound
        while index < line.upperBound {
            guard Self.isUnwritten(bytes[index - offset]) else {
                index += 1
                continue
            }
            let start = index
            while index < end, Self.isUnwritten(bytes[index - offset]) { index += 1 }
            let startsRight = start == line.lowerBound || start % Limits.sectorBytes == 0
            if startsRight, index == end || index % Limits.sectorBytes == 0 { return true }
        }
        return false
    }
}
