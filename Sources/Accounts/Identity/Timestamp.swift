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
            writeText(to: UnsafeMutableRawBufferPointer(buffer))
            return Self.textBytes
        }
    }

    /// Writes the text form's bytes, of which there are `textBytes`.
    private func writeText(to buffer: UnsafeMutableRawBufferPointer) {
        let (date, fraction) = (calendarDate, microseconds - seconds * 1_000_000)
        var index = 0
        func put(_ number: Int, digits: Int, then mark: Unicode.Scalar) {
            var rest = number
            for place in (index..<index + digits).reversed() {
                buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            buffer[index + digits] = UInt8(ascii: mark)
            index += digits + 1
        }
        put(Int(date.tm_year) + 1900, digits: 4, then: "-")
        put(Int(date.tm_mon) + 1, digits: 2, then: "-")
        put(Int(date.tm_mday), digits: 2, then: "T")
        put(Int(date.tm_hour), digits: 2, then: ":")
        put(Int(date.tm_min), digits: 2, then: ":")
        put(Int(date.tm_sec), digits: 2, then: ".")
        put(fraction, digits: 6, then: "Z")
    }

    /// Reads the text form; nil for any other, and for a date that the calendar does not have.
    package init?(_ text: String) {
        var text = text
        guard let timestamp = text.withUTF8({ Timestamp(bytes: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = timestamp
    }

    /// Reads the text form's bytes.
    fileprivate init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.textBytes else { return nil }
        /// The number whose digits start at `start`; nil where there are others than digits, or another mark behind it.
        func number(at start: Int, digits: Int, then mark: Unicode.Scalar, in range: ClosedRange<Int>) -> Int? {
            var number = 0
            for byte in bytes[start..<start + digits] {
                guard byte &- UInt8(ascii: "0") <= 9 else { return nil }
                number = number * 10 + Int(byte - UInt8(ascii: "0"))
            }
            return bytes[start + digits] == UInt8(ascii: mark) && range.contains(number) ? number : nil
        }
        guard let year = number(at: 0, digits: 4, then: "-", in: 0...9_999),
            let month = number(at: 5, digits: 2, then: "-", in: 1...12),
            let day = number(at: 8, digits: 2, then: "T", in: 1...Self.days(in: month, of: year)),
            let hour = number(at: 11, digits: 2, then: ":", in: 0...23),
            let minute = number(at: 14, digits: 2, then: ":", in: 0...59),
            let second = number(at: 17, digits: 2, then: ".", in: 0...59),
            let microsecond = number(at: 20, digits: 6, then: "Z", in: 0...999_999)
        else { return nil }
        var date = tm()
        (date.tm_year, date.tm_mon, date.tm_mday) = (Int32(year) - 1900, Int32(month) - 1, Int32(day))
        (date.tm_hour, date.tm_min, date.tm_sec) = (Int32(hour), Int32(minute), Int32(second))
        self.microseconds = timegm(&date) * 1_000_000 + microsecond
    }

    /// How many days a month has in the Gregorian calendar.
    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

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
        let text = try reader.text()
        let timestamp = text.hasEscapes ? Timestamp(text.string) : Timestamp(bytes: text.bytes)
        guard let timestamp else { throw JSONError(.typeMismatch, at: offset) }
        self = timestamp
    }

    /// Writes the text form as a JSON string.
    package func write(to writer: inout JSONWriter) {
        withUnsafeTemporaryAllocation(byteCount: Self.textBytes, alignment: 1) { text in
            writeText(to: text)
            writer.plainString(UnsafeRawBufferPointer(text))
        }
    }
}
