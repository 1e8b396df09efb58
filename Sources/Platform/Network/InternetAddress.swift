internal import CLibrary

/// An IPv4 or IPv6 address. An IPv4 address in IPv6 form, `::ffff:192.0.2.7`, is the IPv4 address (RFC 4291 §2.5.5.2).
package struct InternetAddress: Hashable, Sendable {
    /// The four bytes of an IPv4 address, or the sixteen of an IPv6 address, in network byte order.
    private let bytes: [UInt8]

    /// Reads the text form: `192.0.2.7` or `2001:db8::7`. Nil for any other text, such as one with a port or a zone.
    package init?(_ text: String) {
        // inet_pton reads up to the first NUL.
        guard text.utf8.count <= Self.textBytesMax, !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self.bytes = Array(bytes.prefix(4))
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self.bytes = bytes.starts(with: Self.mappedPrefix) ? Array(bytes.suffix(4)) : bytes
        } else {
            return nil
        }
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The text form: of an IPv6 address the shortest one, in lower case (RFC 5952).
    package var text: String {
        var text = [CChar](repeating: 0, count: Self.textBytesMax)
        // It fails only if the buffer is too short.
        _ = inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The network that usually belongs to one subscriber: the address itself for IPv4, its first 64 bits for IPv6:
    /// `2001:db8::/64`.
    package var network: String {
        guard bytes.count == 16 else { return text }
        return InternetAddress(bytes: bytes.prefix(8) + [UInt8](repeating: 0, count: 8)).text + "/64"
    }

    /// The maximum length of the text form with a final NUL (INET6_ADDRSTRLEN).
    private static let textBytesMax = 46
    private static let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
}
