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
    mutating func value(of key: StoreKey, _ fingerprint: KeyFingerprint) -> StoredValue? {
        guard !places.isEmpty else { return nil }
        let index = Self.index(of: fingerprint)
        guard places[index].kept == Self.half(of: fingerprint), let held = values[index], held.key == key else {
            return nil
        }
        return held.value
    }

    /// Takes note of a key that was asked for and is not kept.
    mutating func note(_ value: StoredValue, of key: StoreKey, _ fingerprint: KeyFingerprint) {
        if places.isEmpty {
            places = Array(repeating: Place(), count: Limits.recentValuesMax)
            values = Array(repeating: nil, count: Limits.recentValuesMax)
        }
        let (index, half) = (Self.index(of: fingerprint), Self.half(of: fingerprint))
        guard places[index].asked == half else {
            places[index].asked = half
            return
        }
        places[index].kept = half
        values[index] = (key, value)
    }

    private static func index(of fingerprint: KeyFingerprint) -> Int {
        Int(truncatingIfNeeded: fingerprint.bits & UInt64(Limits.recentValuesMax - 1))
    }

    private static func half(of fingerprint: KeyFingerprint) -> UInt32 {
        UInt32(truncatingIfNeeded: fingerprint.bits >> 32)
    }
}
