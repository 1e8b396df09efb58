/// A number from the bytes of a key, by which what is known of the key is found again.
///
/// Two keys may have the same, and keys can be made that do: whoever finds something by it compares the keys too, so that
/// such keys cost a search and no more.
struct KeyPrint: Equatable {
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
            // The last eight bytes, of which some may have been in the word before.
            mix(bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
            return bits
        }
    }
}
