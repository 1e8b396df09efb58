internal import CLibrary

/// Formats dates for mail headers (RFC 5322 §3.3).
package enum MailDate {
    /// The text of a Unix time, as in `Wed, 24 Feb 2016 22:07:52 +0000`. The program runs in the C locale, which gives
    /// the English names of days and months.
    package static func text(ofSeconds seconds: Int) -> String {
        var seconds = time_t(seconds)
        var date = tm()
        gmtime_r(&seconds, &date)
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S +0000", &date)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
