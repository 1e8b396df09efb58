package import JSONRPC
package import Platform

/// A way to deliver mails.
package protocol MailDriver: Sendable {
    /// Delivers one mail. It may block, and is called on several threads at once.
    func deliver(_ message: InternetMessage) throws(DeliveryFailure)

    /// Cancels the running deliveries before the program ends.
    func cancel()
}

/// Why a mail could not be delivered.
package struct DeliveryFailure: Error, Equatable {
    /// One line, without a full stop, that contains nothing of the mail.
    package let reason: String
    /// The last part of the command's stderr, or the refusal of the mail server, as one line; nil if there is none. It
    /// may contain an address, so it is not logged.
    package let detail: String?

    init(_ reason: String, detail: String? = nil) {
        self.reason = reason
        self.detail = detail
    }

    /// The reason and the detail, for users who may also read the mail.
    package var fullReason: String { detail.map { "\(reason): \($0)" } ?? reason }
}

/// How mails are delivered, as given on the command line.
package enum MailRoute: Equatable, Sendable {
    /// Mails stay in the outbox, for a person to read.
    case keep
    /// Each mail is written to a file in a directory.
    case directory(SystemString)
    /// Each mail is passed to a shell command on its standard input.
    case command(SystemString)
    /// Each mail is submitted to a mail server.
    case smtp(SMTPServer)
    /// Each mail is a request to the host, the program that started this one.
    case host

    /// Parses `keep`, `directory:PATH`, `command:COMMAND`, `host` or the URL of an `SMTPServer`; nil for any other
    /// text.
    package init?(_ text: SystemString) {
        let parts = text.bytes.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            .map { SystemString(bytes: $0) }
        switch (parts[0].text, parts.count == 2 ? parts[1] : nil) {
        case ("keep", nil): self = .keep
        case ("host", nil): self = .host
        case ("directory", let path?) where !path.isEmpty: self = .directory(path)
        case ("command", let command?) where !command.isEmpty: self = .command(command)
        case ("smtp", _?), ("smtps", _?):
            guard let server = text.text.flatMap({ SMTPServer($0) }) else { return nil }
            self = .smtp(server)
        default: return nil
        }
    }

    /// The deliveries by this route; nil for `keep`.
    ///
    /// - Parameters:
    ///   - sender: the sender of the mails.
    ///   - host: sends requests to the host.
    ///   - wake: called when the courier must be called again, on any thread.
    package func deliveries(
        from sender: MailSender,
        by host: HostMessages,
        wake: @escaping @Sendable () -> Void
    ) -> (any Deliveries)? {
        self == .host ? HostDeliveries(by: host) : deliveries(from: sender, wake: wake)
    }

    /// The deliveries by this route on other threads; nil for `keep`, and for `host`, whose deliveries belong to the
    /// loop.
    package func deliveries(
        from sender: MailSender,
        wake: @escaping @Sendable () -> Void
    ) -> (any Deliveries)? {
        driver { _ in }.map { ThreadedDeliveries(by: $0, from: sender, wake: wake) }
    }

    /// The driver of this route; nil for `keep` and `host`.
    ///
    /// - Parameter show: takes each line that a program or a mail server says of a delivery, on any thread. A line
    ///   contains no password.
    package func driver(show: @escaping @Sendable (String) -> Void) -> (any MailDriver)? {
        switch self {
        case .keep, .host: nil
        case .directory(let path): DirectoryDriver(path: path)
        case .command(let command): CommandDriver(command: command, show: show)
        case .smtp(let server): SMTPDriver(server, show: show)
        }
    }
}
