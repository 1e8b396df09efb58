internal import Glibc

/// Reads a journal from its start and gives what its transactions come to.
///
/// Records are not decoded. Every line is checked, and nothing is skipped: what does not fit is either the torn end of a
/// write that nobody was told had succeeded, or damage, which is refused. To tell them apart:
///
/// - Bytes behind the last line feed are torn: a write was cut off. But where they are a whole line and one wrong byte
///   in its line feed's place, that byte was changed.
/// - A line with a *hole* is torn: a power cut may keep later sectors of a write and lose earlier ones, which then read
///   as NUL bytes. A hole starts where the line does or at a sector, and ends at a sector or with the file; no byte of a
///   line is NUL. But where a later line tells, by its `d`, that the hole's place was once safely on the disk, it is
///   damage. That line need not be whole: when in doubt, refuse.
/// - Any other line that is not as it was written is damage, the last one too.
struct JournalReplay {
    /// What the transactions come to.
    private(set) var space = KeySpace()
    private(set) var slots = ErasableSlots()
    /// How many transactions there are.
    private(set) var number = 0
    /// The check of the last whole line, and of the line before it.
    private(set) var check: UInt32
    private(set) var checkBefore: UInt32 = 0
    /// Where the last whole line starts, and where it ends.
    private(set) var lastLineStart = 0
    private(set) var length: Int

    private let file: String
    private var durable = 0
    private var writes: [JournalLine.Write] = []

    /// Reads the journal `file`, whose bytes are `contents`. What is behind `length` afterwards is a torn tail.
    ///
    /// - Throws: `StoreError.damaged`, `StoreError.newerFormat`.
    init(_ contents: UnsafeRawBufferPointer, file: String, header: JournalHeader) throws(StoreError) {
        try header.check(contents, file: file)
        self.file = file
        check = header.check
        length = header.bytes.count
        while let end = lineEnd(in: contents, from: length) {
            do throws(LineFault) {
                try apply(UnsafeRawBufferPointer(rebasing: contents[length..<end]))
            } catch {
                guard isTorn(contents, upTo: end) else { throw damaged(at: length, error.reason) }
                break
            }
        }
        try checkUnterminated(contents)
        if let slot = slots.firstUnreadable {
            throw damaged(at: slot.place.lowerBound, "holds an erased or damaged value that is still in use")
        }
    }

    private mutating func apply(_ bytes: UnsafeRawBufferPointer) throws(LineFault) {
        let line = try JournalLine(parsing: bytes, after: check, writes: &writes)
        guard line.number == number + 1 else {
            throw LineFault("has number \(line.number), where \(number + 1) comes next")
        }
        guard (durable...length).contains(line.durable) else {
            throw LineFault("tells of \(line.durable) safe bytes, which cannot be")
        }
        for write in writes {
            slots.supersede(write.key)
            switch write.content {
            case .removed:
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
        durable = line.durable
        (checkBefore, check) = (check, line.check)
        (lastLineStart, length) = (length, length + bytes.count + 1)
    }

    private func state(ofUnreadable slot: Slice<UnsafeRawBufferPointer>) -> ErasableSlots.State {
        slot.dropFirst().dropLast().allSatisfy { $0 == UInt8(ascii: " ") } ? .blank : .broken
    }

    // MARK: What does not fit

    /// Whether the line at `length`, which is not as it was written, is the end of a write that was cut off.
    private func isTorn(_ contents: UnsafeRawBufferPointer, upTo end: Int) -> Bool {
        guard hasHole(contents, in: length..<end) else { return false }
        var start = end + 1
        while start < contents.count {
            let end = lineEnd(in: contents, from: start) ?? contents.count
            let later = JournalLine.durable(of: UnsafeRawBufferPointer(rebasing: contents[start..<end]))
            if let later, later > length { return false }
            start = end + 1
        }
        return true
    }

    private func hasHole(_ contents: UnsafeRawBufferPointer, in line: Range<Int>) -> Bool {
        var index = line.lowerBound
        while index < line.upperBound {
            guard contents[index] == 0 else {
                index += 1
                continue
            }
            let start = index
            while index < contents.count, contents[index] == 0 { index += 1 }
            let startsRight = start == line.lowerBound || start % Limits.sectorBytes == 0
            if startsRight, index == contents.count || index % Limits.sectorBytes == 0 { return true }
        }
        return false
    }

    /// Refuses a last line whose line feed was changed to something else.
    private func checkUnterminated(_ contents: UnsafeRawBufferPointer) throws(StoreError) {
        let tail = UnsafeRawBufferPointer(rebasing: contents[length...])
        guard let last = tail.last, last != 0, lineEnd(in: contents, from: length) == nil else { return }
        var writes: [JournalLine.Write] = []
        do throws(LineFault) {
            _ = try JournalLine(
                parsing: UnsafeRawBufferPointer(rebasing: tail.dropLast()),
                after: check,
                writes: &writes
            )
        } catch {
            return
        }
        throw damaged(at: contents.count - 1, "does not end in a line feed")
    }

    private func damaged(at offset: Int, _ reason: String) -> StoreError {
        // The header is line 1, and every transaction has one line.
        let line = offset < length ? "a line" : "line \(number + 2)"
        return .damaged(file: file, offset: offset, reason: "\(line) \(reason)")
    }

    private func lineEnd(in contents: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < contents.count, let base = contents.baseAddress,
            let end = memchr(base + start, 0x0A, contents.count - start)
        else { return nil }
        return UnsafeRawPointer(end) - base
    }
}
