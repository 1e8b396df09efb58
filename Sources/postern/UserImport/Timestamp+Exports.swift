import Accounts

extension Timestamp {
    /// The Unix time in milliseconds; nil if it is too large.
    init?(milliseconds: Int) {
        let (microseconds, isTooLarge) = milliseconds.multipliedReportingOverflow(by: 1_000)
        if isTooLarge { return nil }
        self.init(microseconds: microseconds)
    }

    /// A time of ISO 8601 as programs write it: `2016-02-24T22:07:52Z`, `2016-02-24 22:07:52.371+01:00`. It has up to
    /// six digits of a second. A time without a zone is in UTC.
    init?(iso8601 text: String) {
        var rest = Substring(text)
        func take(_ count: Int) -> Substring {
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        let (day, mark, time) = (take(10), take(1), take(8))
        guard mark == "T" || mark == " " else { return nil }
        var fraction: Substring = ""
        if rest.first == "." {
            fraction = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard (1...6).contains(fraction.count) else { return nil }
            rest = rest.dropFirst(1 + fraction.count)
        }
        let digits = fraction + String(repeating: "0", count: 6 - fraction.count)
        guard let local = Timestamp("\(day)T\(time).\(digits)Z"), let offset = Self.seconds(ofZone: rest) else {
            return nil
        }
        self = local.adding(seconds: -offset)
    }

    /// The seconds that a zone, such as `+01:00` or `Z`, is ahead of UTC.
    private static func seconds(ofZone zone: Substring) -> Int? {
        if zone.isEmpty || zone == "Z" { return 0 }
        guard let sign = ["+": 1, "-": -1][zone.prefix(1)] else { return nil }
        let parts = zone.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 && $0.allSatisfy(\.isNumber) }),
            let hours = Int(parts[0]), let minutes = Int(parts[1]), hours < 24, minutes < 60
        else { return nil }
        return sign * (hours * 3_600 + minutes * 60)
    }
}
