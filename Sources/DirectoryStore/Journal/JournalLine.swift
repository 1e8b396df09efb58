internal import JSON
import Store

// Each transaction is one line of the journal:
//
//     {"n":17,"d":812,"w":[["operators/id/0000000017",{"id":17}],["operators/email/old@bar.com",null]],"c":"1a2b3c4d"}
//
// n   the transaction's number, one more than the number of the line before
// d   how many of the file's bytes were known to be durable when the line was written
// w   the writes, in order: a key and its value, or null if the key was removed
// c   the CRC-32C of the line's bytes up to `,"c":`, continued from the c of the line before
//
// An erasable value, one that must not stay in the file after its use, is in a slot after the checksum. In its place,
// `w` has null and the slot's length:
//
//     {"n":18,"d":925,"w":[["mails/id/4",null,41]],"c":"5e6f7a8b","s":[["9c0d1e2f",{"text":"Your code: 123456"}]]}
//                                                                      |<-------------- 41 bytes ------------->|
//
// The slot has a checksum of its own, which continues from the line's c. No other line's checksum depends on it. When a
// durable transaction has removed the key or set it again, everything between the slot's brackets is overwritten with
// spaces: the value, and also the checksum, because the checksum of a six-digit code would reveal the code. The line
// keeps its length and stays JSON, and the checksums of the other lines stay valid:
//
//     …"c":"5e6f7a8b","s":[[                                      ]]}
//
// A slot that cannot be read is blank, or half overwritten because the process was killed. It is valid if a later line
// writes its key, which `w` still has. Otherwise it is damage. When the journal is read at the next start, slots that
// were left to be erased are blanked. Copies that a copy-on-write file system or a flash disk keeps below the file
// cannot be erased.

/// Why a line is not valid.
struct LineFault: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    /// Describes why a line is not valid, in words that help an administrator.
    static func describing(_ line: UnsafeRawBufferPointer) -> String {
        let content = line.last == 0x0A ? line.dropLast() : line[...]
        if content.starts(with: [0xEF, 0xBB, 0xBF]) { return "begins with a byte order mark: it was edited" }
        if content.last == 0x0D { return "ends in a carriage return: it was edited" }
        if content.contains(0) { return "contains NUL bytes" }
        if String(validating: content, as: UTF8.self) == nil { return "is not UTF-8" }
        return "does not match its checksum"
    }
}

/// A line that was parsed. Its writes are in the parser's argument `writes`.
struct JournalLine {
    /// One write of the line. Ranges are offsets from the start of the line.
    struct Write {
        enum Content {
            case removed
            case value(Range<Int>)
            /// An erasable value and its slot; the value is nil if the slot cannot be read.
            case slot(Range<Int>, value: Range<Int>?)
        }

        let key: StoreKey
        var content: Content
    }

    let number: Int
    /// How many of the file's bytes were known to be durable when the line was written.
    let durable: Int
    let check: UInt32
    /// Whether the part that its checksum does not cover has the form of slots.
    let isEndWhole: Bool

    /// Parses a line without its line feed, and verifies it. A slot that cannot be read is not an error.
    ///
    /// - Parameters:
    ///   - before: the checksum of the line before. If it is nil, the line's own checksum is not verified.
    ///   - known: the line's checksum if it is known from elsewhere. The checksum in the line is ignored then.
    ///   - fits: whether a value can be that of a key. If it is given, slots are searched for that are not where they
    ///     should be, because bytes were inserted or removed after the part that the checksum covers.
    ///   - writes: is replaced by the line's writes. The caller keeps the array between calls, to reuse its memory.
    init(
        parsing line: UnsafeRawBufferPointer,
        after before: UInt32?,
        known: UInt32? = nil,
        fits: ((StoreKey, UnsafeRawBufferPointer) -> Bool)? = nil,
        writes: inout [Write]
    ) throws(LineFault) {
        writes.removeAll(keepingCapacity: true)
        let end: Int
        do throws(JSONError) {
            (number, durable, end) = try Self.content(of: line, writes: &writes)
        } catch {
            throw LineFault(LineFault.describing(line))
        }
        var tail = Tail(line: line, offset: end)
        let written: UInt32
        if let known {
            written = known
            tail.offset += Self.checkBytes
        } else {
            guard tail.skip(#","c":""#), let found = tail.hex(), tail.skip("\"") else {
                throw LineFault(LineFault.describing(line))
            }
            written = found
        }
        if let before, CRC32C.value(of: UnsafeRawBufferPointer(rebasing: line[..<end]), after: before) != written {
            throw LineFault(LineFault.describing(line))
        }
        check = written
        let slots = tail
        do throws(LineFault) {
            try tail.readSlots(of: &writes, check: check)
            isEndWhole = true
        } catch {
            guard let fits else { throw error }
            slots.findSlots(of: &writes, check: check, fits: fits)
            isEndWhole = false
        }
    }

    /// The length of `,"c":"1a2b3c4d"`.
    private static let checkBytes = 15

    /// Parses the part of a line that its checksum covers; `end` is the offset of its end.
    private static func content(
        of line: UnsafeRawBufferPointer,
        writes: inout [Write]
    ) throws(JSONError) -> (number: Int, durable: Int, end: Int) {
        var reader = JSONReader(line)
        try reader.beginObject()
        let number = try number("n", from: &reader)
        let durable = try Self.number("d", from: &reader)
        guard try reader.nextProperty()?.equals("w") == true else { throw JSONError(.typeMismatch, at: reader.offset) }
        try reader.beginArray()
        while try reader.nextElement() { writes.append(try write(from: &reader)) }
        return (number, durable, reader.offset)
    }

    /// The checksum of a line, computed from the checksum `before` of the line before; nil if the line cannot be
    /// parsed.
    static func checkComputed(of line: UnsafeRawBufferPointer, after before: UInt32) -> UInt32? {
        var writes: [Write] = []
        do throws(JSONError) {
            let end = try content(of: line, writes: &writes).end
            return CRC32C.value(of: UnsafeRawBufferPointer(rebasing: line[..<end]), after: before)
        } catch {
            return nil
        }
    }

    /// The checksum that is written in a line, even if the rest is damaged; nil if no checksum is found.
    static func checkWritten(in line: UnsafeRawBufferPointer) -> UInt32? {
        let mark = Array(#","c":""#.utf8)
        for start in stride(from: line.count - mark.count - 8, through: 0, by: -1) {
            var tail = Tail(line: line, offset: start)
            if tail.skip(#","c":""#), let check = tail.hex(), tail.skip("\"") { return check }
        }
        return nil
    }

    /// The `d` of a line that may be damaged; nil if it cannot be read.
    static func durable(of line: UnsafeRawBufferPointer) -> Int? {
        var reader = JSONReader(line)
        do throws(JSONError) {
            try reader.beginObject()
            _ = try number("n", from: &reader)
            return try number("d", from: &reader)
        } catch {
            return nil
        }
    }

    private static func number(_ name: StaticString, from reader: inout JSONReader) throws(JSONError) -> Int {
        guard let property = try reader.nextProperty(), property.equals(name), let number = try reader.number().int
        else {
            throw JSONError(.typeMismatch, at: reader.offset)
        }
        return number
    }

    private static func write(from reader: inout JSONReader) throws(JSONError) -> Write {
        try reader.beginArray()
        guard try reader.nextElement() else { throw JSONError(.typeMismatch, at: reader.offset) }
        let text = try reader.text()
        let key = StoreKey(bytes: text.hasEscapes ? Array(text.string.utf8) : Array(text.bytes))
        guard try reader.nextElement() else { throw JSONError(.typeMismatch, at: reader.offset) }
        let isNull = try reader.kind() == .null
        let start = reader.offset
        try reader.skip()
        var content = isNull ? Write.Content.removed : .value(start..<reader.offset)
        if try reader.nextElement() {
            // The slot's place is known only after the end of the line was read.
            guard isNull, let length = try reader.number().int, length >= 0 else {
                throw JSONError(.typeMismatch, at: reader.offset)
            }
            content = .slot(0..<length, value: nil)
            if try reader.nextElement() { throw JSONError(.typeMismatch, at: reader.offset) }
        }
        return Write(key: key, content: content)
    }
}

/// The end of a line, after the part that its checksum covers. It is parsed byte by byte, because no checksum covers
/// it.
private struct Tail {
    let line: UnsafeRawBufferPointer
    var offset: Int

    mutating func skip(_ text: StaticString) -> Bool {
        let expected = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard offset <= line.count, line[offset...].starts(with: expected) else { return false }
        offset += expected.count
        return true
    }

    mutating func hex() -> UInt32? {
        guard offset + 8 <= line.count else { return nil }
        defer { offset += 8 }
        return UInt32(hex: UnsafeRawBufferPointer(rebasing: line[offset..<offset + 8]))
    }

    /// Finds the slots, whose lengths are in `writes`, and checks the end of the line.
    mutating func readSlots(of writes: inout [JournalLine.Write], check: UInt32) throws(LineFault) {
        var isFirst = true
        for index in writes.indices {
            guard case .slot(let place, _) = writes[index].content else { continue }
            guard skip(isFirst ? #","s":["# : ","), place.count <= line.count - offset else { throw malformed }
            isFirst = false
            let slot = offset..<offset + place.count
            writes[index].content = .slot(slot, value: try value(in: slot, check: check))
            offset = slot.upperBound
        }
        guard skip(isFirst ? "}" : "]}"), offset == line.count else { throw malformed }
    }

    /// Finds the readable slots of a line at any place, because bytes were inserted or removed.
    ///
    /// - Parameter fits: whether a value can be that of a key. The checksums of all slots of a line start alike.
    func findSlots(
        of writes: inout [JournalLine.Write],
        check: UInt32,
        fits: (StoreKey, UnsafeRawBufferPointer) -> Bool
    ) {
        for index in writes.indices {
            guard case .slot(let place, _) = writes[index].content else { continue }
            var found: Range<Int>?
            for start in stride(from: offset, through: line.count - place.count, by: 1) where found == nil {
                guard let value = readableValue(in: start..<start + place.count, check: check) else { continue }
                if fits(writes[index].key, UnsafeRawBufferPointer(rebasing: line[value])) { found = value }
            }
            writes[index].content = .slot(offset..<offset, value: found)
        }
    }

    /// The value in a slot; nil if none can be read there.
    private func readableValue(in slot: Range<Int>, check: UInt32) -> Range<Int>? {
        do throws(LineFault) {
            return try value(in: slot, check: check)
        } catch {
            return nil
        }
    }

    /// The value in a slot; nil if the slot is blank or does not match its checksum.
    private func value(in slot: Range<Int>, check: UInt32) throws(LineFault) -> Range<Int>? {
        guard slot.count >= Slot.frameBytes, line[slot.lowerBound] == UInt8(ascii: "["),
            line[slot.upperBound - 1] == UInt8(ascii: "]")
        else { throw malformed }
        let value = slot.lowerBound + Slot.frameBytes - 1..<slot.upperBound - 1
        var tail = Tail(line: line, offset: slot.lowerBound)
        let bytes = UnsafeRawBufferPointer(rebasing: line[value])
        guard tail.skip("[\""), let written = tail.hex(), tail.skip("\","),
            written == CRC32C.value(of: bytes, after: check)
        else { return nil }
        return value
    }

    private var malformed: LineFault { LineFault("does not have the form of a transaction") }
}

/// The place of an erasable value in the journal.
struct Slot {
    /// The length of what surrounds the value: `["1a2b3c4d",` and `]`.
    static let frameBytes = 13

    /// The bytes of the slot, including its brackets, as offsets in the file.
    let place: Range<Int>

    /// Overwrites the value and its checksum. The brackets stay, so that the line stays JSON.
    func erase(in file: File) throws(StoreError) {
        let inside = place.dropFirst().dropLast()
        try file.write([UInt8](repeating: UInt8(ascii: " "), count: inside.count), at: inside.startIndex)
    }
}
