import Store

/// A 64-bit hash of a key, for tables of keys that were looked up.
///
/// It is not cryptographic, so keys with equal fingerprints can be constructed. A table therefore compares the keys
/// too, and such keys cost a search.
struct KeyFingerprint: Equatable {
    let bits: UInt64

    init(of key: StoreKey) {
        self = key.bytes.withUnsafeBytes { KeyFingerprint(of: $0) }
    }

    init(of key: UnsafeRawBufferPointer) {
        var bits = UInt64(key.count)
        func mix(_ word: UInt64) {
            let product = (bits ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            bits = product.high ^ product.low
        }
        if key.count < 8 {
            for byte in key { mix(UInt64(byte) + 1) }
        } else {
            for index in stride(from: 0, to: key.count - 8, by: 8) {
                mix(key.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            }
            // The last eight bytes. They may overlap the previous word.
            mix(key.loadUnaligned(fromByteOffset: key.count - 8, as: UInt64.self))
        }
        self.bits = bits
    }
}
