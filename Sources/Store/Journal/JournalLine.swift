internal import JSON

// One transaction is one line of the journal:
//
//     {"n":17,"d":812,"w":[["operators/id/0000000017",{"id":17}],["operators/email/old@bar.com",null]],"c":"1a2b3c4d"}
//
// n   the transaction's number, one more than that of the line before
// d   how many of the file's bytes were known to be on the disk when the line was written
// w   what it wrote, in order: a key and its value, or null where the key was removed
// c   the CRC-32C of the line's bytes up to `,"c":`, continued from the c of the line before
//
// A value that must not outlive its use stands in a slot behind the check, and `w` has null and the slot's length in
// its place:
//
//     {"n":18,"d":925,"w":[["mails/id/0000000004",null,41]],"c":"5e6f7a8b","s":[["9c0d1e2f",{"text":"Your code: 123456"}]]}
//                                                                               |<-------------- 41 bytes ------------->|
//
// The slot's own check is continued from the line's c, and no other line's rests on it. So once the key was removed, or
// set anew, by a transaction that is on the disk, everything between the slot's brackets is overwritten with spaces:
// value and check, as the check of a six-digit code would give the code away. The line keeps its length, stays JSON, and
// the chain stays whole:
//
//     …"c":"5e6f7a8b","s":[[                                      ]]}
//
// A slot that cannot be read, whether blank or half overwritten when the process was killed, is right where a later
// write of its key follows, and damage where none does; `w` still has the key. Reading the journal at the next start
// blanks whatever was left over. What a file system that copies on write, or a flash disk, keeps below the file is out of
// reach.

/// Why a line is not one that was written here.
struct LineFault: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }

    /// What a person would want to hear of a line that does not have the form of one.
    static func describing(_ line: UnsafeRawBufferPointer) -> String {
        let content = line.last == 0x0A ? line.dropLast() : line[...]
        if content.starts(with: [0xEF, 0xBB, 0xBF]) { return "begins with a byte order mark: it was edited" }
        if content.last == 0x0D { return "ends in a carriage return: it was edited" }
        if content.contains(0) { return "holds NUL bytes" }
        if String(validating: content, as: UTF8.self) == nil { return "is not UTF-8" }
        return "does not match its check"
    }
}

/// A transaction's line as it is read: what it says of itself, with its writes in `writes` of the parser.
struct JournalLine {
    /// One write of the line; ranges count from the start of the line.
    struct Write {
        enum Content {
            case removed
            case value(Range<Int>)
            /// An erasable value and its slot; nil where the slot cannot be read.
            case slot(Range<Int>, value: Range<Int>?)
        }

        let key: StoreKey
        var content: Content
    }

    let number: Int
    /// The file's bytes that were known to be on the disk when the line was written.
    let durable: Int
    let check: UInt32

    /// Reads a line, without its line feed, and checks all of it but what stands in slots.
    ///
    /// - Parameters:
    ///   - before: the check of the line before; nil takes the line's own check for granted.
    ///   - known: the line's check where it is known from elsewhere; what the line has for it is not looked at then.
    ///   - writes: what the line wrote, replaced; kept between calls for its room.
    init(
        parsing line: UnsafeRawBufferPointer,
        after before: UInt32?,
        known: UInt32? = nil,
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
        try tail.readSlots(of: &writes, check: check)
    }

    /// The bytes of `,"c":"1a2b3c4d"`.
    private static let checkBytes = 15

    /// Reads what a line's check covers; `end` is where that ends.
    private static func content(
        of line: UnsafeRawBufferPointer,
        writes: inout [Write]
    ) throws(JSONError) -> (number: Int, durable: Int, end: Int) {
        var reader = JSONReader(line)
        try reader.beginObject()
        let number = try number("n", from: &reader)
        let durable = try Self.number("d", from: &reader)
        guard try reader.nextMember()?.equals("w") == true else { throw JSONError(.typeMismatch, at: reader.offset) }
        try reader.beginArray()
        while try reader.nextElement() { writes.append(try write(from: &reader)) }
        return (number, durable, reader.offset)
    }

    /// The check that a line ought to have behind one with the check `before`; nil where what it covers cannot be read.
    static func checkComputed(of line: UnsafeRawBufferPointer, after before: UInt32) -> UInt32? {
        var writes: [Write] = []
        do throws(JSONError) {
            let end = try content(of: line, writes: &writes).end
            return CRC32C.value(of: UnsafeRawBufferPointer(rebasing: line[..<end]), after: before)
        } catch {
            return nil
        }
    }

    /// The check that a line has, whatever it holds else; nil where none is found.
    static func checkWritten(in line: UnsafeRawBufferPointer) -> UInt32? {
        let mark = Array(#","c":""#.utf8)
        for start in stride(from: line.count - mark.count - 8, through: 0, by: -1) {
            var tail = Tail(line: line, offset: start)
            if tail.skip(#","c":""#), let check = tail.hex(), tail.skip("\"") { return check }
        }
        return nil
    }

    /// What a line that may be damaged says of `d`; nil where that cannot be told.
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
        guard let member = try reader.nextMember(), member.equals(name), let number = try reader.number().int else {
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
            // Where the slot stands is known once the line's end has been reached.
            guard isNull, let length = try reader.number().int, length >= 0 else {
                throw JSONError(.typeMismatch, at: reader.offset)
            }
            content = .slot(0..<length, value: nil)
            if try reader.nextElement() { throw JSONError(.typeMismatch, at: reader.offset) }
        }
        return Write(key: key, content: content)
    }
}

/// The end of a line, behind what its check covers: read byte by byte, as nothing else vouches for it.
private struct Tail {
    let line: UnsafeRawBufferPointer
    var offset: Int

    mutating func skip(_ text: StaticString) -> Bool {
        let expected = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard line[offset...].starts(with: expected) else { return false }
        offset += expected.count
        return true
    }

    mutating func hex() -> UInt32? {
        guard offset + 8 <= line.count else { return nil }
        defer { offset += 8 }
        return UInt32(hex: UnsafeRawBufferPointer(rebasing: line[offset..<offset + 8]))
    }

    /// Finds the slots, whose lengths `writes` has, and the line's end.
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

    /// The value in a slot, or nil where it is blank or does not match its check.
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

/// Where an erasable value stands in the journal.
struct Slot {
    /// What surrounds the value: `["1a2b3c4d",` and `]`.
    static let frameBytes = 13

    /// The slot's bytes, its brackets included, from the start of the file.
    let place: Range<Int>

    /// Overwrites the value and its check. The brackets stay, so that the line stays JSON.
    func erase(in file: File) throws(StoreError) {
        let inside = place.dropFirst().dropLast()
        try file.write([UInt8](repeating: UInt8(ascii: " "), count: inside.count), at: inside.startIndex)
    }
}
