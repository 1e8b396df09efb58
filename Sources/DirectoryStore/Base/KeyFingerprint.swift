import Store

/// A 64-bit hash of a key, for tables of keys that were looked up.
///
/// It is not cryptographic, so keys with equal fingerprints can be constructed. A table therefore compares the keys
/// too, and such keys cost a search.
struct KeyFingerprint: Equatable {
    let bits: UInt64

    init(of key: StoreKey) {
        bits = key.bytes.withUnsafeBytes { bytes in
            var bits = UInt64(bytes.count)
            func mix(_ word: UInt64) {
                let product = (bits ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
                bits = product.high ^ product.low
            }
            guard bytes.count >= 8 else {
                for byte in bytes { mix(UInt64(byte) + 1) }
                return bits
            }
            for index in stride(from: 0, to: bytes.count - 8, by: 8) {
                mix(bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            }
            // The last eight bytes. They may overlap the previous word.
            mix(bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
            return bits
        }
    }
}
