import Store

/// The places in the journal that still hold erasable values: values in use, and values to be overwritten.
struct ErasableSlots {
    /// What a slot contains.
    enum State {
        case whole
        /// Neither whole nor blank: the slot is half overwritten or damaged.
        case broken
        case blank
    }

    private var current: [StoreKey: (slot: Slot, state: State)] = [:]
    /// The slots of values that a later transaction has replaced or removed.
    private var superseded: [Slot] = []

    /// Adds the slot of a new value.
    mutating func add(_ slot: Slot, for key: StoreKey, state: State = .whole) {
        current[key] = (slot, state)
    }

    /// Records a write of `key`, which supersedes its previous value.
    mutating func supersede(_ key: StoreKey) {
        // Most stores have no erasable value most of the time. Then no key is hashed.
        guard !current.isEmpty, let (slot, state) = current.removeValue(forKey: key) else { return }
        if state != .blank { superseded.append(slot) }
    }

    /// Whether the journal has no erasable value in use and none to be overwritten.
    var isEmpty: Bool { current.isEmpty && superseded.isEmpty }

    /// The keys of the erasable values in use.
    var keys: Set<StoreKey> { Set(current.keys) }

    /// The slots of the values in use.
    var inUse: [Slot] { current.values.map(\.slot) }

    /// The first slot in use that cannot be read.
    var firstUnreadable: Slot? {
        current.values.filter { $0.state != .whole }.map(\.slot).min { $0.place.lowerBound < $1.place.lowerBound }
    }

    /// Returns the slots that were superseded since the last call.
    mutating func takeSuperseded() -> [Slot] {
        defer { superseded = [] }
        return superseded
    }
}
