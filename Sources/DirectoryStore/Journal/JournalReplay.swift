internal import Platform
import Store

/// Reads a journal, first from its start and later from where the last call ended, and applies its transactions to a
/// space.
///
/// Records are not decoded. Every line is checked, and no line is skipped. Bytes that are not a valid line are either
/// the torn end of a write that was never acknowledged, or damage. Damage is refused. These rules distinguish the two:
///
/// - Bytes after the last line feed are torn: a write was cut off. Exception: if they are a whole line with one wrong
///   byte in place of its line feed, that byte was changed, which is damage. Tabs at the end are the journal's room.
/// - A line with a *hole* is torn: a power cut may keep later sectors of a write and lose earlier ones. The lost
///   sectors then read as the tabs of the room that was there, or as NUL bytes. A hole ends at the end of a sector or
///   of the file; it starts inside a sector if the sector was kept as it was after the first part of a short write; it
///   then has two bytes at least, because one changed byte is damage. No byte of a line is a tab or NUL. Exception: if
///   the `d` of a later line says that the place of the hole was durable once, the hole is damage. The later line need
///   not be whole: when in doubt, the journal is refused.
/// - Any other line that does not match its checksum is damage, even if it is the last one.
struct JournalReplay {
    /// The number of the last transaction.
    private(set) var number: Int
    /// The checksum of the last whole line, and of the line before it.
    private(set) var check: UInt32
    private(set) var checkBefore: UInt32 = 0
    /// The offsets at which the last whole line starts and ends. The end is the number of bytes read so far.
    private(set) var lastLineStart = 0
    private(set) var length: Int
    /// The number of durable bytes according to the manifest, and according to the lines.
    private var durableAtStart: Int
    private var durableInLines = 0
    var slots = ErasableSlots()
    /// The number of deleted records with personal data. Older lines, or bases, contain these data until all bases are
    /// merged.
    private(set) var personalDeletions = 0
    /// The length of what a compaction cannot move into a base: the header, and the first transaction if it has the
    /// erasable values that an earlier compaction left in the journal.
    private(set) var carriedLength: Int

    /// The collections whose records hold personal data.
    private let personal: @Sendable () -> [AnyCollection]
    private let file: String
    private let header: FileHeader
    private var writes: [JournalLine.Write] = []

    /// Starts after a journal's header.
    ///
    /// - Parameters:
    ///   - durable: how many of the file's bytes are known to be durable.
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
        carriedLength = length
        durableAtStart = durable
    }

    /// The number of bytes that are known to be durable.
    var durable: Int { max(durableAtStart, durableInLines) }

    /// The number of lines read, including the header.
    private var lines: Int { number - header.transactions + 1 }

    /// Reads the lines from `length` on. The bytes after the new `length` are a torn tail.
    ///
    /// - Parameters:
    ///   - bytes: the contents of the file from `length` on: all of them, read while the lock was held, or only whole
    ///     lines.
    ///   - isAll: whether `bytes` reaches to the end of the file, so that missing lines can be detected.
    ///   - visit: called with the writes of each transaction.
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
        guard length >= durable else { throw damaged(at: length, "is missing, although it was synced") }
        if let slot = slots.firstUnreadable {
            throw damaged(at: slot.place.lowerBound, "has an erased or damaged value that is still in use")
        }
    }

    /// Continues after lines that this process has written.
    mutating func pass(_ writer: JournalLineWriter, lastLineStart start: Int, checkBefore before: UInt32) {
        (lastLineStart, checkBefore) = (length + start, before)
        (number, check) = (writer.number, writer.check)
        length += writer.bytes.count
    }

    /// Counts a deletion if it is one of a record with personal data.
    mutating func noteDeletion(of key: StoreKey) {
        for collection in personal() where key.bytes.starts(with: collection.recordPrefix) { personalDeletions += 1 }
    }

    /// Records that all bytes read so far are durable.
    mutating func markDurable() {
        durableAtStart = length
    }

    /// Verifies that the last line, as the file has it now, is still the one that was read.
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
            throw LineFault("has number \(line.number) instead of \(number + 1)")
        }
        guard line.durable >= durableInLines, line.durable <= length else {
            throw LineFault("says that \(line.durable) bytes were synced, which is impossible")
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
        durableInLines = line.durable
        (checkBefore, check) = (check, line.check)
        (lastLineStart, length) = (length, length + bytes.count + 1)
        if number == header.transactions + 1, !slots.isEmpty { carriedLength = length }
    }

    private func state(ofUnreadable slot: Slice<UnsafeRawBufferPointer>) -> ErasableSlots.State {
        slot.dropFirst().dropLast().allSatisfy { $0 == UInt8(ascii: " ") } ? .blank : .broken
    }

    // MARK: Torn and damaged lines

    /// Whether the line at `length`, which is not valid, is the torn end of a write.
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

    /// Throws if the last line is whole except that its line feed was changed to another byte.
    private func checkUnterminated(_ tail: FileTail) throws(StoreError) {
        let end = tail.endOfWritten
        guard end > length, tail.lineEnd(from: length) == nil else { return }
        if isWhole(tail[length..<end - 1]) { throw damaged(at: end - 1, "does not end in a line feed") }
        // If room follows, a torn write lacks nothing but its line feed only if the line feed is at the start of a
        // sector.
        guard end < tail.end, tail.isRoom(at: end), end % Limits.sectorBytes != 0 else { return }
        if isWhole(tail[length..<end]) { throw damaged(at: end, "does not end in a line feed") }
    }

    /// Whether a line, without its line feed, is valid.
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

/// The bytes of a file from an offset on, addressed by their offsets in the file.
private struct FileTail {
    let bytes: UnsafeRawBufferPointer
    let offset: Int

    var end: Int { offset + bytes.count }

    /// The end of the last line: the start of the room, or of sectors that were never written.
    var endOfWritten: Int { offset + (bytes.lastIndex { !Self.isUnwritten($0) }.map { $0 + 1 } ?? 0) }

    func isRoom(at place: Int) -> Bool { bytes[place - offset] == JournalRoom.filler }

    /// Whether a byte cannot be part of a line. Such bytes are in sectors to which no line was written.
    private static func isUnwritten(_ byte: UInt8) -> Bool { byte == JournalRoom.filler || byte == 0 }

    subscript(place: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[place.lowerBound - offset..<place.upperBound - offset])
    }

    /// The offset of the line feed that ends the line at `start`.
    func lineEnd(from start: Int) -> Int? {
        guard start < end, let place = bytes.offset(of: 0x0A, in: start - offset..<end - offset) else { return nil }
        return offset + place
    }

    /// Whether sectors of the line, or the end of one, were never written.
    func hasHole(in line: Range<Int>) -> Bool {
        var index = line.lowerBound
        while index < line.upperBound {
            guard Self.isUnwritten(bytes[index - offset]) else {
                index += 1
                continue
            }
            let start = index
            while index < end, Self.isUnwritten(bytes[index - offset]) { index += 1 }
            let isLong = start == line.lowerBound || start % Limits.sectorBytes == 0 || index - start > 1
            if isLong, index == end || index % Limits.sectorBytes == 0 { return true }
        }
        return false
    }
}
