import Store

/// One write of a transaction that is not durable yet, and the value that it replaced.
struct StagedWrite {
    let key: StoreKey
    /// The new value; nil if the key was removed.
    let value: StoredValue?
    let previous: StoredValue?
    let isErasable: Bool
}

extension StagedWrite {
    /// A write as it is in a journal line. An erasable value that can no longer be read becomes a removal.
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
