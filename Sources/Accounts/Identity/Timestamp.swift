internal import Glibc
package import JSON

/// A moment in UTC, to the microsecond.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package let microseconds: Int

    package init(microseconds: Int) {
        self.microseconds = microseconds
    }

    /// Whole seconds since 1970, rounded down.
    package var seconds: Int {
        microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000
    }

    /// The moment so many seconds later.
    package func adding(seconds: Int) -> Timestamp {
        Timestamp(microseconds: microseconds + seconds * 1_000_000)
    }

    /// How many seconds it is until `later`, rounded up.
    package func seconds(until later: Timestamp) -> Int {
        (later.microseconds - microseconds + 999_999) / 1_000_000
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }
}

/// The text form, `2016-02-24T22:07:52.371513Z` (RFC 3339 §5.6, always with six digits and Z).
extension Timestamp: CustomStringConvertible {
    package var description: String {
        String(unsafeUninitializedCapacity: Self.textBytes) { buffer in
            let (date, fraction) = (calendarDate, microseconds - seconds * 1_000_000)
            var index = 0
            func put(_ number: Int, digits: Int, then mark: Character) {
                var divisor = (1..<digits).reduce(1) { product, _ in product * 10 }
                while divisor > 0 {
                    buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10)
                    index += 1
                    divisor /= 10
                }
                buffer[index] = mark.asciiValue ?? 0
                index += 1
            }
            put(Int(date.tm_year) + 1900, digits: 4, then: "-")
            put(Int(date.tm_mon) + 1, digits: 2, then: "-")
            put(Int(date.tm_mday), digits: 2, then: "T")
            put(Int(date.tm_hour), digits: 2, then: ":")
            put(Int(date.tm_min), digits: 2, then: ":")
            put(Int(date.tm_sec), digits: 2, then: ".")
            put(fraction, digits: 6, then: "Z")
            return index
        }
    }

    /// Reads the text form; nil for any other, and for a date that the calendar does not have.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == Self.textBytes else { return nil }
        var numbers: [Int] = []
        var number = 0
        for (byte, pattern) in zip(bytes, Self.pattern) {
            if pattern == UInt8(ascii: "0") {
                guard byte &- UInt8(ascii: "0") <= 9 else { return nil }
                number = number * 10 + Int(byte - UInt8(ascii: "0"))
            } else {
                guard byte == pattern else { return nil }
                numbers.append(number)
                number = 0
            }
        }
        var date = tm()
        date.tm_year = Int32(numbers[0]) - 1900
        date.tm_mon = Int32(numbers[1]) - 1
        date.tm_mday = Int32(numbers[2])
        date.tm_hour = Int32(numbers[3])
        date.tm_min = Int32(numbers[4])
        date.tm_sec = Int32(numbers[5])
        self.microseconds = timegm(&date) * 1_000_000 + numbers[6]
        // `timegm` carries 30 February over into March; such a date does not read back as it was written.
        guard description == text else { return nil }
    }

    private static let pattern = Array("0000-00-00T00:00:00.000000Z".utf8)
    private static let textBytes = 27

    private var calendarDate: tm {
        var seconds = time_t(seconds)
        var date = tm()
        gmtime_r(&seconds, &date)
        return date
    }
}

extension Timestamp {
    /// Reads the text form as a JSON string.
    package init(reading reader: inout JSONReader) throws(JSONError) {
        let offset = reader.offset
        guard let timestamp = Timestamp(try reader.text().string) else { throw JSONError(.typeMismatch, at: offset) }
        self = timestamp
    }

    /// Writes the text form as a JSON string.
    package func write(to writer: inout JSONWriter) {
        writer.string(description)
    }
}
