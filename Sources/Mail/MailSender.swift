internal import Accounts

/// The sender of mails: `accounts@example.com` or `Example <accounts@example.com>`.
package struct MailSender: Equatable, Sendable {
    /// The name that mail programs show; nil for none.
    package let name: String?
    /// The address, `local@domain`.
    package let address: String

    /// Parses either form; nil for any other text, and for one with control characters, which could add headers.
    package init?(_ text: String) {
        guard text.utf8.count <= Limits.lineBytesMax / 2, text.unicodeScalars.allSatisfy({ $0.value >= 0x20 }),
            !text.unicodeScalars.contains("\u{7F}")
        else { return nil }
        var address = text[...]
        var name = ""
        if text.hasSuffix(">"), let open = text.lastIndex(of: "<") {
            address = text[text.index(after: open)...].dropLast()
            name = text[..<open].split(separator: " ").joined(separator: " ")
        }
        guard let address = Self.address(String(address)) else { return nil }
        self.name = name.isEmpty ? nil : name
        self.address = address
    }

    /// The default sender: `postern` at the host of a URL, or at `localhost`.
    package init(hostOf url: String) {
        let authority = url.split(separator: "/").dropFirst().first ?? ""
        let host = authority.split(separator: "@").last?.split(separator: ":").first ?? ""
        name = nil
        address = Self.address("postern@\(host)") ?? "postern@localhost"
    }

    /// The part of the address after the `@`.
    package var domain: String {
        address.split(separator: "@").last.map { String($0) } ?? "localhost"
    }

    /// Parses an address by the contract's rules, except that the domain `localhost` is allowed too.
    private static func address(_ text: String) -> String? {
        if text.hasSuffix("@localhost"), EmailAddress(text + ".invalid") != nil { return text }
        return EmailAddress(text)?.text
    }
}
