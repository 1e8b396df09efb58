import Platform
import Testing

struct DecimalDigitsTests {
    /// Each step of the division must be exact for every pair and every four digits, in both halves.
    @Test func writesEightDigits() {
        for part in UInt32(0)..<10_000 {
            for number in [part, part * 10_000, part * 10_000 + 9_999, 99_990_000 + part] {
                let text = String(number)
                let expected = String(repeating: "0", count: 8 - text.count) + text
                let digits = withUnsafeBytes(of: number.eightDigits.littleEndian) {
                    String(decoding: $0, as: UTF8.self)
                }
                if digits != expected { Issue.record("\(digits), not \(expected)") }
            }
        }
    }
}
