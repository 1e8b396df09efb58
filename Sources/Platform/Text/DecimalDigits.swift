extension UInt32 {
    /// The eight decimal digits of a number below 100,000,000, with leading zeros, as eight bytes. The first digit is
    /// the lowest byte of the word.
    ///
    /// All digits are computed at once for speed: keys, times and most numbers are written with it.
    ///
    ///     12345678  →  1234 5678  →  12 34 56 78  →  1 2 3 4 5 6 7 8
    ///
    /// Each step divides all parts by a multiplication that is exact for numbers of that size.
    @inlinable
    package var eightDigits: UInt64 {
        let halves = UInt64(self / 10_000) | UInt64(self % 10_000) << 32
        // ÷ 100, for numbers below 10,000.
        let hundreds = (halves &* 10_486) &>> 20 & 0x0000_007F_0000_007F
        let pairs = hundreds | (halves &- hundreds &* 100) &<< 16
        // ÷ 10, for numbers below 100.
        let tens = (pairs &* 103) &>> 10 & 0x000F_000F_000F_000F
        let digits = tens | (pairs &- tens &* 10) &<< 8
        return digits | 0x3030_3030_3030_3030
    }
}
