/// The values of a base that were asked for of late: looked up, and decoded, but once while they are in use.
///
/// Each key has one place, which it shares with others: whoever comes last has it.
struct RecentValues {
    private var places: [(key: StoreKey, value: StoredValue)?] = []

    subscript(key: StoreKey) -> StoredValue? {
        guard !places.isEmpty, let held = places[Self.place(of: key)], held.key == key else { return nil }
        return held.value
    }

    mutating func add(_ value: StoredValue, for key: StoreKey) {
        if places.isEmpty { places = Array(repeating: nil, count: Limits.recentValuesMax) }
        places[Self.place(of: key)] = (key, value)
    }

    /// A number from the bytes of a key: no defence against keys made to collide, which cost a search and no more.
    private static func place(of key: StoreKey) -> Int {
        key.bytes.withUnsafeBytes { bytes in
            var hash = UInt64(bytes.count)
            var index = 0
            func mix(_ word: UInt64) {
                let product = (hash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
                hash = product.high ^ product.low
            }
            while index + 8 <= bytes.count {
                mix(bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                index += 8
            }
            for byte in bytes[index...] { mix(UInt64(byte) + 1) }
            return Int(truncatingIfNeeded: hash & UInt64(Limits.recentValuesMax - 1))
        }
    }
}
