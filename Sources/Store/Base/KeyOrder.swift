/// Compares keys with keys as a base has them: as JSON strings.
enum KeyOrder {
    /// Whether what is written is before, at or behind `key`: negative, 0, positive.
    ///
    /// - Parameter written: a key from behind its opening quote on, with its closing quote, or the start of one.
    /// - Returns: nil where that cannot be told: the key has escapes, or what there is of it is the start of `key`.
    static func compare(_ written: UnsafeRawBufferPointer, _ key: StoreKey) -> Int? {
        key.bytes.withUnsafeBytes { key in
            let common = min(written.count, key.count)
            var index = 0
            while index + 8 <= common {
                let left = written.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
                let right = key.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
                if left != right {
                    index += (left ^ right).trailingZeroBitCount / 8
                    break
                }
                index += 8
            }
            while index < common, written[index] == key[index] { index += 1 }
            // A backslash stands for itself twice, and may have been taken for two bytes of the key.
            guard !key[..<index].contains(UInt8(ascii: "\\")), index < written.count else { return nil }
            switch written[index] {
            case UInt8(ascii: "\\"): return nil
            // The written key ends here; a quote within it would have a backslash before it.
            case UInt8(ascii: "\""): return index == key.count ? 0 : -1
            case let byte: return index == key.count || byte > key[index] ? 1 : -1
            }
        }
    }
}
