/// A source of random numbers that returns the same ones for the same seed: Marsaglia's xorshift, with Vigna's
/// multiplication.
final class Randomness {
    private var state: UInt64

    init(seed: UInt64) {
        // Neighbouring seeds must not give similar numbers, and the state must not be 0.
        state = (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15 | 1
        for _ in 0..<4 { _ = next() }
    }

    func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// A number from 0 up to, but not including, `bound`.
    func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: (next() >> 32).multipliedFullWidth(by: UInt64(bound) << 32).high)
    }

    /// A number in a range.
    func number(in range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

    /// True once in so many calls on average; never for 0.
    func once(in count: Int) -> Bool { count > 0 && below(count) == 0 }

    /// One of several values.
    func one<Value>(of values: [Value]) -> Value { values[below(values.count)] }
}
