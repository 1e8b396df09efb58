package import Platform

/// A way for mails to leave.
package protocol MailDriver: Sendable {
    /// Delivers one mail. It may take its time, and is called on several threads at once.
    func deliver(_ message: InternetMessage) throws(DeliveryFailure)

    /// Gives up what is under way, as the program is about to end.
    func cancel()
}

/// Why a mail could not be delivered.
package struct DeliveryFailure: Error, Equatable {
    /// One line, without a full stop, that holds nothing of the mail.
    package let reason: String
    /// What the command said on stderr, one line; nil for nothing. It may hold an address, so no log shows it.
    package let detail: String?

    init(_ reason: String, detail: String? = nil) {
        self.reason = reason
        self.detail = detail
    }

    /// Both, for who may read the mail as well.
    package var fullReason: String { detail.map { "\(reason): \($0)" } ?? reason }
}

/// Where mails are to go, as the command line says it.
package enum MailRoute: Equatable {
    /// They stay in the outbox, for a person to look at.
    case keep
    /// Each becomes a file in a directory.
    case directory(SystemString)
    /// Each is handed to a command of the shell on its standard input.
    case command(SystemString)

    /// Reads `keep`, `directory:PATH` or `command:COMMAND`; nil for anything else.
    package init?(_ text: SystemString) {
        let parts = text.bytes.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            .map { SystemString(bytes: $0) }
        switch (parts[0].text, parts.count == 2 ? parts[1] : nil) {
        case ("keep", nil): self = .keep
        case ("directory", let path?) where !path.isEmpty: self = .directory(path)
        case ("command", let command?) where !command.isEmpty: self = .command(command)
        default: return nil
        }
    }

    /// The driver that takes mails there; nil where they stay.
    package var driver: (any MailDriver)? {
        switch self {
        case .keep: nil
        case .directory(let path): DirectoryDriver(path: path)
        case .command(let command): CommandDriver(command: command)
        }
    }
}
