internal import Platform

/// A mail server and how to submit mails to it, from a URL `smtp://[USER@]HOST[:PORT][/NAME]` or `smtps://…`.
///
/// With `smtp` the connection starts in plain text and must change to TLS with STARTTLS (RFC 3207) before the user or a
/// mail is sent; with `smtps` it is TLS from the start (RFC 8314). The default ports are those of mail submission, 587
/// and 465. `NAME` is what this host calls itself in `EHLO`, for servers that require a domain name there.
package struct SMTPServer: Equatable, Sendable {
    /// The program that speaks with the server.
    package static let program = "curl"

    /// The URL without the user.
    private let url: String
    /// The user to sign in as, percent-encoded as in the URL; nil if the server takes mails without.
    package let user: String?
    /// The user's password, without control characters.
    package var password: String?

    /// Parses a URL; nil for any other text, and for a URL with a password, which would be readable in the list of
    /// processes.
    package init?(_ text: String) {
        guard text.utf8.count <= Limits.smtpURLBytesMax,
            let scheme = Self.defaultPorts.keys.first(where: { text.hasPrefix("\($0)://") }),
            let defaultPort = Self.defaultPorts[scheme]
        else { return nil }
        let rest = text.dropFirst("\(scheme)://".count)
        let authority = rest.prefix { $0 != "/" }
        let name = rest.dropFirst(authority.count).dropFirst()
        let place = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        user = place.count == authority.count ? nil : String(authority.dropLast(place.count + 1))
        guard user.map(Self.isUser) ?? true, let (host, port) = Self.hostAndPort(place), Self.isName(name) else {
            return nil
        }
        url = "\(scheme)://\(host):\(port ?? defaultPort)" + (name.isEmpty ? "" : "/\(name)")
    }

    private static let defaultPorts = ["smtp": 587, "smtps": 465]

    /// Whether a text has only characters that RFC 3986 §3.2.1 allows in a user, percent-encoded others included, and
    /// no `:`, which starts a password.
    private static func isUser(_ text: String) -> Bool {
        guard !text.isEmpty, let bytes = PercentEncoding.decoded(text.utf8) else { return false }
        return bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            && text.utf8.allSatisfy { PercentEncoding.isUnreserved($0) || "%!$&'()*+,;=".utf8.contains($0) }
    }

    private static func hostAndPort(_ text: Substring) -> (host: Substring, port: Int?)? {
        var host = text
        var port: Int?
        if let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") {
            let digits = text[text.index(after: colon)...]
            // Int also reads a sign.
            guard digits.first?.isNumber == true, let number = Int(digits), (1...65_535).contains(number) else {
                return nil
            }
            (host, port) = (text[..<colon], number)
        }
        let isAddress = host.hasPrefix("[") && host.hasSuffix("]")
        let characters = isAddress ? host.dropFirst().dropLast() : host
        let isValid = characters.utf8.allSatisfy {
            PercentEncoding.isUnreserved($0) || isAddress && $0 == UInt8(ascii: ":")
        }
        return isValid && !characters.isEmpty && !characters.hasPrefix("-") ? (host, port) : nil
    }

    /// Whether a text can be a name in `EHLO`: a domain or an address literal; none is allowed.
    private static func isName(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { PercentEncoding.isUnreserved($0) || "[]:".utf8.contains($0) }
    }

    // MARK: The program

    /// The settings of curl for one mail, in the form of its `--config`.
    ///
    /// - Parameter seconds: how long the server may take for the mail.
    func settings(for message: InternetMessage, seconds: Int) -> String {
        var settings = [
            ("url", url), ("mail-from", "<\(message.sender)>"), ("mail-rcpt", "<\(message.recipient)>"),
            ("upload-file", "-"), ("max-time", "\(seconds)"),
            ("connect-timeout", "\(Limits.smtpConnectSeconds)"),
        ]
        if let user, let password {
            let credentials = "\(user):\(PercentEncoding.encoded(password))@"
            settings[0].1 = url.replacing("://", with: "://\(credentials)", maxReplacements: 1)
        }
        // Without globoff, curl takes the brackets of an address for a pattern. Verbose prints the dialogue, which
        // explains a failure.
        let switches = ["ssl-reqd", "globoff", "silent", "show-error", "verbose"]
        return (settings.map { "\($0.0) = \(Self.quoted($0.1))" } + switches).joined(separator: "\n") + "\n"
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
