internal import JSON

/// Writes transactions as lines behind one another.
struct JournalLineWriter {
    /// The lines so far.
    private(set) var bytes: [UInt8] = []
    /// The slots that they hold: the key whose value it is, and where it stands in `bytes`.
    private(set) var slots: [(key: StoreKey, slot: Slot)] = []
    private(set) var check: UInt32 = 0
    private(set) var number = 0

    /// Starts anew behind a line with that number and check.
    mutating func start(number: Int, check: UInt32) {
        if bytes.capacity > Limits.outputBytesKept { bytes = [] }
        bytes.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: true)
        self.number = number
        self.check = check
    }

    /// Appends the line of one transaction.
    mutating func append(_ writes: ArraySlice<StagedWrite>, durable: Int) {
        let start = bytes.count
        number += 1
        literal(#"{"n":"#)
        integer(number)
        literal(#","d":"#)
        integer(durable)
        literal(#","w":["#)
        var erasable = 0
        for write in writes {
            if bytes.last != UInt8(ascii: "[") { literal(",") }
            literal("[")
            write.key.appendJSON(to: &bytes)
            if let value = write.value, write.isErasable {
                literal(",null,")
                integer(value.bytes.count + Slot.frameBytes)
                erasable += 1
            } else if let value = write.value {
                literal(",")
                bytes.append(contentsOf: value.bytes)
            } else {
                literal(",null")
            }
            literal("]")
        }
        literal("]")
        check = bytes.withUnsafeBytes { CRC32C.value(of: UnsafeRawBufferPointer(rebasing: $0[start...]), after: check) }
        literal(#","c":""#)
        check.appendHex(to: &bytes)
        literal("\"")
        if erasable > 0 { appendSlots(of: writes) }
        literal("}\n")
    }

    private mutating func appendSlots(of writes: ArraySlice<StagedWrite>) {
        literal(#","s":["#)
        for write in writes {
            guard let value = write.value, write.isErasable else { continue }
            if bytes.last != UInt8(ascii: "[") { literal(",") }
            let start = bytes.count
            literal("[\"")
            value.bytes.withUnsafeBytes { CRC32C.value(of: $0, after: check) }.appendHex(to: &bytes)
            literal("\",")
            bytes.append(contentsOf: value.bytes)
            literal("]")
            slots.append((write.key, Slot(place: start..<bytes.count)))
        }
        literal("]")
    }

    private mutating func literal(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func integer(_ value: Int) {
        var writer = JSONWriter(capacity: 24)
        writer.int(value)
        bytes.append(contentsOf: writer.bytes)
    }
}
