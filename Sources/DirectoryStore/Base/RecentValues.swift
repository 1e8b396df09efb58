internal import Platform
import Store

/// A cache of recently used values of the bases. A value in the cache is not looked up or decoded again.
///
/// It is direct-mapped: each key has one place, which it shares with other keys. A value is cached at its second lookup
/// if no other uncached key of the same place was looked up in between. So values that are looked up once, as in a scan
/// over many accounts, neither evict values in use nor stay in memory.
struct RecentValues {
    private struct Place {
        /// The upper halves of two fingerprints: of the cached key, and of the key looked up last without being cached.
        var kept: UInt32 = 0
        var asked: UInt32 = 0
    }

    /// Separate from the values and contiguous, because most lookups find that a value is not cached.
    private var places: [Place] = []
    private var values: [(key: StoreKey, value: StoredValue)?] = []

    /// The cached value of a key. It changes nothing, and is mutating so that the cache is read in place.
    mutating func value(at key: UnsafeRawBufferPointer, _ fingerprint: KeyFingerprint) -> StoredValue? {
        guard !places.isEmpty else { return nil }
        let index = Self.index(of: fingerprint)
        guard places[index].kept == Self.half(of: fingerprint), let held = values[index],
            held.key.bytes.withUnsafeBytes({ $0.hasBytes(of: key) })
        else { return nil }
        return held.value
    }

    mutating func value(of key: StoreKey, _ fingerprint: KeyFingerprint) -> StoredValue? {
        key.bytes.withUnsafeBytes { value(at: $0, fingerprint) }
    }

    /// Records that a key was looked up and was not in the cache.
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
