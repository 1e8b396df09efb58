internal import Platform
import Store

/// Compares a key with keys that are written as JSON strings, as in a base.
struct KeyOrder {
    let key: StoreKey
    /// Whether the key reads the same in a JSON string: it has no quote and no backslash.
    private let isPlain: Bool

    init(of key: StoreKey) {
        self.key = key
        isPlain = key.bytes.withUnsafeBytes { bytes in
            bytes.offset(of: UInt8(ascii: "\"")) == nil && bytes.offset(of: UInt8(ascii: "\\")) == nil
        }
    }

    /// Compares what is written with the key. The result is negative, 0 or positive.
    ///
    /// - Parameter written: the bytes of a written key after its opening quote, up to and including its closing quote,
    ///   or the start of them.
    /// - Returns: nil if these bytes do not decide: one of the keys has escapes, or `written` ends before the first
    ///   difference.
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
            // The written key ends here: the other key has no quote, and a quote inside a written key has a backslash
            // before it.
            case UInt8(ascii: "\""): return index == key.count ? 0 : -1
            case let byte: return index == key.count || byte > key[index] ? 1 : -1
            }
        }
    }
}
