/// One write of a transaction that is not durable yet, with what it replaced.
struct StagedWrite {
    let key: StoreKey
    /// The new value; nil where the key was removed.
    let value: StoredValue?
    let previous: StoredValue?
    let isErasable: Bool
}

extension StagedWrite {
    /// A write as a line of the journal has it; an erasable value that can no longer be read is one that was removed.
    init(_ write: JournalLine.Write, of line: UnsafeRawBufferPointer) {
        let value: Range<Int>?
        switch write.content {
        case .removed: (value, isErasable) = (nil, false)
        case .value(let place): (value, isErasable) = (place, false)
        case .slot(_, let place): (value, isErasable) = (place, true)
        }
        key = write.key
        self.value = value.map { StoredValue(bytes: Array(line[$0])) }
        previous = nil
    }
}
