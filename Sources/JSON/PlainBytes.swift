extension UnsafeRawBufferPointer {
    /// The index of the first byte from `start` on that needs an escape in a JSON string or is not ASCII; `count` if
    /// there is none. It examines 16 bytes at a time, and 32 in a long string.
    @inline(__always)
    func endOfPlainBytes(from start: Int) -> Int {
        guard let base = baseAddress else { return 0 }
        guard start &+ 16 <= count else { return Self.endOfPlainTail(base, from: start, count: count) }
        // Most names and values end in the first block.
        let special = PlainBlock.special(in: base, at: start)
        return PlainBlock.first(of: special).map { start &+ $0 }
            ?? Self.endOfLongPlainBytes(base, from: start &+ 16, count: count)
    }

    @inline(never)
    private static func endOfLongPlainBytes(_ base: UnsafeRawPointer, from start: Int, count: Int) -> Int {
        var index = start
        while index &+ 32 <= count {
            let specials = (PlainBlock.special(in: base, at: index), PlainBlock.special(in: base, at: index &+ 16))
            if PlainBlock.first(of: specials.0 | specials.1) != nil { break }
            index &+= 32
        }
        while index &+ 16 <= count {
            if let offset = PlainBlock.first(of: PlainBlock.special(in: base, at: index)) { return index &+ offset }
            index &+= 16
        }
        return endOfPlainTail(base, from: index, count: count)
    }

    /// The same for less than a block of bytes.
    @inline(never)
    private static func endOfPlainTail(_ base: UnsafeRawPointer, from start: Int, count: Int) -> Int {
        guard start < count else { return count }
        guard count < 16 else {
            // The last block, without the bytes before `start`.
            let special = PlainBlock.special(in: base, at: count &- 16)
            return PlainBlock.first(of: special, from: start &- (count &- 16)).map { count &- 16 &+ $0 } ?? count
        }
        var index = start
        if index &+ 8 <= count {
            if let offset = firstSpecial(of: base.loadUnaligned(fromByteOffset: index, as: UInt64.self)) {
                return index &+ offset
            }
            index &+= 8
        }
        while index < count, isPlain(base.load(fromByteOffset: index, as: UInt8.self)) { index &+= 1 }
        return index
    }

    /// The offset of the first of eight bytes that is not plain; nil if all are plain.
    @inline(__always)
    private static func firstSpecial(of bytes: UInt64) -> Int? {
        let (ones, highBits): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        let word = UInt64(littleEndian: bytes)
        // Each term sets the high bit of a byte if that byte is below 0x20, a quote, a backslash or not ASCII. A borrow
        // may set it for a later byte too, so only the first set bit is reliable.
        let quote = (word ^ (ones &* 0x22)) &- ones
        let backslash = (word ^ (ones &* 0x5C)) &- ones
        let special = ((word &- ones &* 0x20) | quote | backslash | word) & highBits
        return special == 0 ? nil : special.trailingZeroBitCount / 8
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
}

/// The examination of 16 bytes at once.
private enum PlainBlock {
    /// Which of the 16 bytes at `index` are not plain: a byte is 0xFF if it is not plain, and 0 if it is.
    @inline(__always)
    static func special(in base: UnsafeRawPointer, at index: Int) -> SIMD2<UInt64> {
        let block = base.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)
        // The comparison is signed, so that it also finds the bytes that are not ASCII. Each operand is a vector,
        // because the compiler has instructions only for comparisons of two vectors.
        let controlOrHigh = unsafeBitCast(block, to: SIMD16<Int8>.self) .< SIMD16<Int8>(repeating: 0x20)
        let quote = block .== SIMD16<UInt8>(repeating: UInt8(ascii: "\""))
        let backslash = block .== SIMD16<UInt8>(repeating: UInt8(ascii: "\\"))
        return unsafeBitCast(controlOrHigh .| quote .| backslash, to: SIMD2<UInt64>.self)
    }

    /// The offset of the first byte that is not zero; nil if all are.
    @inline(__always)
    static func first(of special: SIMD2<UInt64>) -> Int? {
        if special[0] != 0 { return UInt64(littleEndian: special[0]).trailingZeroBitCount / 8 }
        return special[1] == 0 ? nil : 8 + UInt64(littleEndian: special[1]).trailingZeroBitCount / 8
    }

    /// The same for the bytes from `start` on.
    @inline(__always)
    static func first(of special: SIMD2<UInt64>, from start: Int) -> Int? {
        let bits = UInt128(UInt64(littleEndian: special[1])) << 64 | UInt128(UInt64(littleEndian: special[0]))
        let rest = bits &>> UInt128(8 * start)
        return rest == 0 ? nil : start &+ rest.trailingZeroBitCount / 8
    }
}
