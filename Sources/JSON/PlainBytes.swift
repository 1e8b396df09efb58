extension UnsafeRawBufferPointer {
    /// The index of the first byte from `start` on that needs an escape in a JSON string or is not ASCII; `count` if
    /// there is none. It examines a machine word at a time.
    @inline(__always)
    func endOfPlainBytes(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highBits: UInt64 = 0x8080_8080_8080_8080
        var index = start
        while index + 8 <= count {
            let word = UInt64(littleEndian: loadUnaligned(fromByteOffset: index, as: UInt64.self))
            // Each term sets the high bit of a byte if that byte is below 0x20, a quote, a backslash or not ASCII. A
            // borrow may set it for a later byte too, so only the first set bit is reliable.
            let quote = (word ^ (ones &* 0x22)) &- ones
            let backslash = (word ^ (ones &* 0x5C)) &- ones
            let special = ((word &- ones &* 0x20) | quote | backslash | word) & highBits
            if special != 0 { return index + special.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count, Self.isPlain(self[index]) { index += 1 }
        return index
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
}
