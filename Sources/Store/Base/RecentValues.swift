/// The values of a base that were asked for of late: looked up, and decoded, but once while they are in use.
///
/// Each key has one place, which it shares with others. A value comes to stay there when it is asked for for the second
/// time with none of the others between: what is asked for once, as in a walk over many accounts, neither drives out what
/// is in use nor is kept in memory for nobody.
struct RecentValues {
    private struct Place {
        /// Halves of prints: of the key whose value is kept, and of the one that was asked for last without being kept.
        var kept: UInt32 = 0
        var asked: UInt32 = 0
    }

    /// Apart from the values and close together, as most looks at them tell that a value is not there.
    private var places: [Place] = []
    private var values: [(key: StoreKey, value: StoredValue)?] = []

    /// The value that is kept of a key. It changes nothing, and is mutating so that it is looked for where it is.
    mutating func value(of key: StoreKey, _ print: KeyPrint) -> StoredValue? {
        guard !places.isEmpty else { return nil }
        let index = Self.index(of: print)
        guard places[index].kept == Self.half(of: print), let held = values[index], held.key == key else { return nil }
        return held.value
    }

    /// Takes note of a key that was asked for and is not kept.
    mutating func note(_ value: StoredValue, of key: StoreKey, _ print: KeyPrint) {
        if places.isEmpty {
            places = Array(repeating: Place(), count: Limits.recentValuesMax)
            values = Array(repeating: nil, count: Limits.recentValuesMax)
        }
        let (index, half) = (Self.index(of: print), Self.half(of: print))
        guard places[index].asked == half else {
            places[index].asked = half
            return
        }
        places[index].kept = half
        values[index] = (key, value)
    }

    private static func index(of print: KeyPrint) -> Int {
        Int(truncatingIfNeeded: print.bits & UInt64(Limits.recentValuesMax - 1))
    }

    private static func half(of print: KeyPrint) -> UInt32 {
        UInt32(truncatingIfNeeded: print.bits >> 32)
    }
}
