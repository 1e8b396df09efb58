/// Where the journal still holds erasable values: those that are in use, and those that are to be overwritten.
struct ErasableSlots {
    /// What a slot was found to hold.
    enum State {
        case whole
        /// Neither whole nor blank: half overwritten, or damaged.
        case broken
        case blank
    }

    private var current: [StoreKey: (slot: Slot, state: State)] = [:]
    /// The slots whose keys have since been removed or set anew.
    private var superseded: [Slot] = []

    /// Takes note of a value's slot.
    mutating func add(_ slot: Slot, for key: StoreKey, state: State = .whole) {
        current[key] = (slot, state)
    }

    /// Takes note of a write of `key`, which makes the value it had till then superseded.
    mutating func supersede(_ key: StoreKey) {
        // Most stores hold no erasable value most of the time; then nothing is hashed.
        guard !current.isEmpty, let (slot, state) = current.removeValue(forKey: key) else { return }
        if state != .blank { superseded.append(slot) }
    }

    /// Whether the journal holds nothing that is, or is to be, erased.
    var isEmpty: Bool { current.isEmpty && superseded.isEmpty }

    /// The keys whose values can be erased.
    var keys: Set<StoreKey> { Set(current.keys) }

    /// The slots of the values that are in use.
    var inUse: [Slot] { current.values.map(\.slot) }

    /// The first slot that is in use and cannot be read.
    var firstUnreadable: Slot? {
        current.values.filter { $0.state != .whole }.map(\.slot).min { $0.place.lowerBound < $1.place.lowerBound }
    }

    /// The slots that were superseded since the last call.
    mutating func takeSuperseded() -> [Slot] {
        defer { superseded = [] }
        return superseded
    }
}
