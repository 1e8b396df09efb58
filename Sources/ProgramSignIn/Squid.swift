import Platform

/// Squid's helper for basic authentication. A request is a line, a reply is `OK`, `ERR` or `BH` (broken helper):
///
///     ann%40b.co a%20password                   without concurrency
///     7 ann%40b.co a%20password 192.0.2.7       with a channel, and with key_extras "%>a"
///
/// Name and password are percent-encoded. What follows them is what `key_extras` adds; the first word of it is the
/// address of the client. With `concurrency=` in squid.conf, each line and each reply begins with the number of a
/// channel. Whether it does must be known from the configuration: a name can be a number too.
struct Squid: HelperProgram {
    let hasChannels: Bool
    /// Whether the rest of a line that is too long is being dropped.
    private var isDropping = false

    init(hasChannels: Bool) {
        self.hasChannels = hasChannels
    }

    mutating func next(in buffer: RequestBuffer) -> HelperRequest? {
        while true {
            let end = buffer.withBytes { $0.firstIndex(of: UInt8(ascii: "\n")) }
            if isDropping {
                buffer.removeFirst(end.map { $0 + 1 } ?? buffer.count)
                guard end != nil else { return nil }
                isDropping = false
                continue
            }
            guard let end else {
                guard buffer.count > Limits.squidLineBytesMax else { return nil }
                isDropping = true
                return buffer.withBytes { tooLong($0[...]) }
            }
            let request = buffer.withBytes { bytes in
                end > Limits.squidLineBytesMax ? tooLong(bytes[..<end]) : self.request(in: bytes[..<end])
            }
            buffer.removeFirst(end + 1)
            return request
        }
    }

    func reply(_ verdict: Verdict, to request: HelperRequest) -> [UInt8] {
        let word =
            switch verdict {
            case .yes, .known: "OK"
            case .no: "ERR"
            case .later: #"BH message="the accounts are not available""#
            }
        return Array("\(request.channel.map { "\($0) " } ?? "")\(word)\n".utf8)
    }

    private func request(in line: Slice<UnsafeRawBufferPointer>) -> HelperRequest {
        let space = UInt8(ascii: " ")
        var fields = line.split(separator: space, omittingEmptySubsequences: false)[...]
        var channel: String?
        if hasChannels {
            channel = fields.popFirst().flatMap { Self.channel(Array($0)) }
            guard channel != nil else {
                return HelperRequest(.refused(reason: "a line without a channel; is concurrency= set in squid.conf?"))
            }
        }
        guard fields.count >= 2 else {
            return HelperRequest(.refused(reason: "a line without a password"), channel: channel)
        }
        let (name, password) = (fields.removeFirst(), fields.removeFirst())
        guard let name = PercentEncoding.decoded(name), var password = PercentEncoding.decoded(password) else {
            return HelperRequest(.refused(reason: "a line with an invalid percent-encoding"), channel: channel)
        }
        defer { password.withUnsafeMutableBytes { $0.wipe() } }
        let attempt = Attempt(name: name, password: password, from: fields.first.map { Array($0) }, agent: "Squid")
        return HelperRequest(.attempt(attempt), channel: channel)
    }

    private func tooLong(_ line: Slice<UnsafeRawBufferPointer>) -> HelperRequest {
        let first = line.prefix(Limits.squidChannelDigitsMax + 1).prefix { $0 != UInt8(ascii: " ") }
        return HelperRequest(
            .refused(reason: "a line over \(Limits.squidLineBytesMax) bytes"),
            channel: hasChannels ? Self.channel(Array(first)) : nil
        )
    }

    /// The number of a channel; nil if the field is not a number.
    private static func channel(_ field: [UInt8]) -> String? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard (1...Limits.squidChannelDigitsMax).contains(field.count), field.allSatisfy(digits.contains) else {
            return nil
        }
        return String(decoding: field, as: UTF8.self)
    }
}
