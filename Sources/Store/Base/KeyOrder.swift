internal import Platform

/// Compares a key with keys as a base has them: as JSON strings.
struct KeyOrder {
    let key: StoreKey
    /// Whether the key reads the same in a string of JSON; one with a quote or a backslash in it does not.
    private let isPlain: Bool

    init(of key: StoreKey) {
        self.key = key
        isPlain = key.bytes.withUnsafeBytes { bytes in
            bytes.offset(of: UInt8(ascii: "\"")) == nil && bytes.offset(of: UInt8(ascii: "\\")) == nil
        }
    }

    /// Whether what is written is before, at or behind the key: negative, 0, positive.
    ///
    /// - Parameter written: a key from behind its opening quote on, with its closing quote, or the start of one.
    /// - Returns: nil where that cannot be told: one of the two has escapes, or what there is of what is written is the
    ///   start of the key.
    func compare(_ written: UnsafeRawBufferPointer) -> Int? {
        guard isPlain else { return nil }
        return key.bytes.withUnsafeBytes { key in
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
            guard index < written.count else { return nil }
            switch written[index] {
            case UInt8(ascii: "\\"): return nil
            // What is written ends here: the key has no quote, and one within what is written has a backslash before it.
            case UInt8(ascii: "\""): return index == key.count ? 0 : -1
            case let byte: return index == key.count || byte > key[index] ? 1 : -1
            }
        }
    }
}
