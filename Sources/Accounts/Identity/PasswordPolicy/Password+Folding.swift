/// Derived texts are passwords too, so their memory is overwritten.
extension Password {
    /// The number of Unicode code points.
    var characterCount: Int {
        // Each code point has one byte that does not continue another.
        withUnsafeBytes { bytes in bytes.count { $0 & 0xC0 != 0x80 } }
    }

    /// The text in lower case.
    var folded: Password { lowercased { _ in true } }

    /// The letters in lower case, and the number of other code points.
    var letters: (text: Password, others: Int) {
        var others = 0
        let text = lowercased { scalar in
            if scalar.properties.isAlphabetic { return true }
            others += 1
            return false
        }
        return (text, others)
    }

    /// The code points that `isKept` selects, in lower case.
    private func lowercased(_ isKept: (Unicode.Scalar) -> Bool) -> Password {
        withUnsafeBytes { bytes in
            Password(capacity: bytes.count * Self.lowerCaseGrowthMax) { memory in
                var (source, codec, count) = (bytes.makeIterator(), UTF8(), 0)
                while case .scalarValue(let scalar) = codec.decode(&source) {
                    guard isKept(scalar) else { continue }
                    // The mapping is a small string, which has no memory on the heap.
                    for byte in scalar.properties.lowercaseMapping.utf8 {
                        memory[count] = byte
                        count += 1
                    }
                }
                return count
            }
        }
    }

    /// The lower case of a code point has at most this many times its bytes: `İ` (2 bytes) becomes `i` and a dot above
    /// (3 bytes).
    private static let lowerCaseGrowthMax = 2
}
