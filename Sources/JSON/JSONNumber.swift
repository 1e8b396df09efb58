import Platform

/// A number of a JSON text, not converted.
///
/// It points into the text it was read from and must not outlive it.
package struct JSONNumber {
    /// The number's bytes, valid by the grammar of RFC 8259 §6.
    package let bytes: UnsafeRawBufferPointer

    /// The number as an integer; nil if it has a fraction or does not fit in 64 bits.
    ///
    /// `1.0` and `1e0` are integers, as in JSON Schema.
    package var int: Int? {
        var value = 0
        var index = 0
        let isNegative = bytes[0] == UInt8(ascii: "-")
        if isNegative { index = 1 }
        while index < bytes.count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return integralDouble }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            let (sum, carried) = product.subtractingReportingOverflow(Int(digit))
            guard !carried else { return nil }
            value = sum
            index += 1
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    /// The number as the nearest double; infinite if it is out of range.
    package var double: Double {
        Double(decimal: String(decoding: bytes, as: UTF8.self))
    }

    /// The value of a number with a fraction or an exponent; nil if it is not whole, or too large to be exact.
    private var integralDouble: Int? {
        let value = double
        return value.magnitude < 9_007_199_254_740_992 ? Int(exactly: value) : nil
    }
}
