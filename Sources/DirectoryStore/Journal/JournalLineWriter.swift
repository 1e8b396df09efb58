internal import JSON
internal import Platform
import Store

/// Writes transactions as consecutive journal lines.
struct JournalLineWriter {
    /// The lines written so far.
    private(set) var bytes: [UInt8] = []
    /// The slots in these lines: the key of each value, and the slot's place in `bytes`.
    private(set) var slots: [(key: StoreKey, slot: Slot)] = []
    private(set) var check: UInt32 = 0
    private(set) var number = 0
    private let buffer = LineBuffer()

    /// Where one line is built, because an append to an array costs more than most pieces of a line. It is kept for the
    /// next line, because an allocation of this size is slow. Copies of a writer would share it; none is made.
    private final class LineBuffer {
        /// Enough for most lines. The buffer grows for longer ones.
        static let usualBytes = 2_048
        var line = JSONWriter(capacity: usualBytes)
    }

    /// Discards all lines and continues after a line with the given number and checksum.
    mutating func start(number: Int, check: UInt32) {
        if bytes.capacity > Limits.outputBytesKept { bytes = [] }
        bytes.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: true)
        self.number = number
        self.check = check
    }

    /// Appends the line of one transaction.
    mutating func append(_ writes: ArraySlice<StagedWrite>, durable: Int) {
        number += 1
        append(writes, durable: durable, in: &buffer.line)
        buffer.line.withUnsafeBytes { bytes.append(contentsOf: $0) }
        buffer.line.truncate(to: 0)
        if buffer.line.capacity > Limits.outputBytesKept { buffer.line = JSONWriter(capacity: LineBuffer.usualBytes) }
    }

    private mutating func append(_ writes: ArraySlice<StagedWrite>, durable: Int, in line: inout JSONWriter) {
        line.beginObject()
        line.property("n")
        line.int(number)
        line.property("d")
        line.int(durable)
        line.property("w")
        line.beginArray()
        var isErasable = false
        // Through a buffer, the writes are read in place. Iterating over the slice would retain each of their objects.
        writes.withUnsafeBufferPointer { writes in
            for index in writes.indices {
                line.append(writes[index])
                if writes[index].isErasable, writes[index].value != nil { isErasable = true }
            }
        }
        line.endArray()
        check = line.withUnsafeBytes { CRC32C.value(of: $0, after: check) }
        line.property("c")
        line.hex(check)
        if isErasable { appendSlots(of: writes, to: &line) }
        line.endObject()
        line.newline()
    }

    private mutating func appendSlots(of writes: ArraySlice<StagedWrite>, to line: inout JSONWriter) {
        line.property("s")
        line.beginArray()
        for write in writes {
            guard let value = write.value, write.isErasable else { continue }
            line.beginArray()
            let start = bytes.count + line.count - 1
            line.hex(value.bytes.withUnsafeBytes { CRC32C.value(of: $0, after: check) })
            line.raw(value.bytes)
            line.endArray()
            slots.append((write.key, Slot(place: start..<bytes.count + line.count)))
        }
        line.endArray()
    }
}

extension JSONWriter {
    /// Writes a key and its new value, or null.
    fileprivate mutating func append(_ write: borrowing StagedWrite) {
        beginArray()
        write.key.bytes.withUnsafeBytes { string($0) }
        if let value = write.value {
            if write.isErasable {
                null()
                int(value.bytes.count + Slot.frameBytes)
            } else {
                raw(value.bytes)
            }
        } else {
            null()
        }
        endArray()
    }

    /// Writes eight hexadecimal digits as a string.
    fileprivate mutating func hex(_ check: UInt32) {
        Swift.withUnsafeBytes(of: check.hexDigits) { plainString($0) }
    }
}
