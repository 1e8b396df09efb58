internal import Platform
package import JSON

/// A point in time in UTC, with microseconds.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package let microseconds: Int

    package init(microseconds: Int) {
        self.microseconds = microseconds
    }

    /// The Unix time in whole seconds, rounded down.
    package var seconds: Int {
        microseconds.floored(by: 1_000_000)
    }

    /// The time this many seconds later.
    package func adding(seconds: Int) -> Timestamp {
        Timestamp(microseconds: microseconds + seconds * 1_000_000)
    }

    /// The seconds until `later`, rounded up.
    package func seconds(until later: Timestamp) -> Int {
        (later.microseconds - microseconds + 999_999) / 1_000_000
    }

    /// Whether this time has come, or is more than `seconds` in the future.
    ///
    /// It was set to be at most that far in the future. If it is further, the clock was set back since, and it counts
    /// as due.
    package func isDue(at now: Timestamp, within seconds: Int) -> Bool {
        self <= now || self > now.adding(seconds: seconds)
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

    /// Writes the `textBytes` bytes of the text form.
    private func writeText(to buffer: UnsafeMutableRawBufferPointer) {
        let seconds = seconds
        let (year, month, day) = Self.calendarDate(day: seconds.floored(by: 86_400))
        let second = seconds - seconds.floored(by: 86_400) * 86_400
        // Eight digits at a time; the first one is in the lowest byte.
        let date = UInt32(truncatingIfNeeded: year * 10_000 + month * 100 + day).eightDigits
        let time = UInt32(truncatingIfNeeded: second / 3_600 * 10_000 + second / 60 % 60 * 100 + second % 60)
            .eightDigits
        let fraction = UInt32(truncatingIfNeeded: microseconds - seconds * 1_000_000).eightDigits
        func put(_ digits: UInt64, from first: Int, at index: Int, then mark: Unicode.Scalar) {
            buffer.storeBytes(
                of: UInt16(truncatingIfNeeded: digits >> (8 * first)).littleEndian,
                toByteOffset: index,
                as: UInt16.self
            )
            buffer[index + 2] = UInt8(ascii: mark)
        }
        buffer.storeBytes(of: UInt16(truncatingIfNeeded: date).littleEndian, as: UInt16.self)
        put(date, from: 2, at: 2, then: "-")
        put(date, from: 4, at: 5, then: "-")
        put(date, from: 6, at: 8, then: "T")
        put(time, from: 2, at: 11, then: ":")
        put(time, from: 4, at: 14, then: ":")
        put(time, from: 6, at: 17, then: ".")
        buffer.storeBytes(
            of: UInt32(truncatingIfNeeded: fraction >> 16).littleEndian,
            toByteOffset: 20,
            as: UInt32.self
        )
        put(fraction, from: 6, at: 24, then: "Z")
    }

    /// The Gregorian date of a day that is counted from 1970-01-01. `gmtime_r` is not used because it takes as long as
    /// writing the rest of a record.
    ///
    /// Years start in March, so that a leap day is the last day of its year. The days before a year are then 365 for
    /// each earlier year and one for each leap day. The days before a month are (153 × months + 2) ÷ 5.
    private static func calendarDate(day: Int) -> (year: Int, month: Int, day: Int) {
        let daysFromMarch0 = day + daysFromMarch0To1970
        let era = daysFromMarch0.floored(by: daysOf400Years)
        let dayOfEra = daysFromMarch0 - era * daysOf400Years
        let leapDays = dayOfEra / 1_460 - dayOfEra / 36_524 + dayOfEra / (daysOf400Years - 1)
        let yearOfEra = (dayOfEra - leapDays) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let isNextYear = monthFromMarch >= 10
        return (
            400 * era + yearOfEra + (isNextYear ? 1 : 0),
            monthFromMarch + (isNextYear ? -9 : 3),
            dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        )
    }

    private static let daysOf400Years = 146_097
    /// The days from March 1 of the year 0 to 1970-01-01.
    private static let daysFromMarch0To1970 = 719_468

    /// Parses the text form; nil for any other text, and for a date that does not exist.
    package init?(_ text: String) {
        var text = text
        guard let timestamp = text.withUTF8({ Timestamp(bytes: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = timestamp
    }

    /// Parses the bytes of the text form.
    fileprivate init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.textBytes else { return nil }
        /// The number at `start`; nil if a byte is not a digit, if another mark follows, or if it is out of range.
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
        let minutes = (Self.days(before: day, month, year) * 24 + hour) * 60 + minute
        self.microseconds = (minutes * 60 + second) * 1_000_000 + microsecond
    }

    /// The days from 1970-01-01 to a date. timegm(3) is not used because it processes the time zone on each call, and
    /// each record that is read has dates.
    private static func days(before day: Int, _ month: Int, _ year: Int) -> Int {
        // Years start in March, so that a leap day is the last day of its year, and are counted from the year -400.
        let (year, month) = month > 2 ? (year + 400, month - 3) : (year + 399, month + 9)
        let leapDays = year / 4 - year / 100 + year / 400
        // From March on, months have 31, 30, 31, 30 and 31 days, repeatedly: 153 days in each five months.
        let dayOfYear = (153 * month + 2) / 5 + day - 1
        return year * 365 + leapDays + dayOfYear - daysOf400Years - daysFromMarch0To1970
    }

    /// The number of days of a month in the Gregorian calendar.
    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static let textBytes = 27
}

extension Int {
    /// The quotient by a positive divisor, rounded down.
    fileprivate func floored(by divisor: Int) -> Int {
        self >= 0 ? self / divisor : (self - divisor + 1) / divisor
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
