/// The mails that the account APIs send.
package enum MailKind: String, CaseIterable, Sendable {
    case operatorsConfirmation = "operators-confirmation"
    case operatorsReset = "operators-reset"
    case careConfirmation = "care-confirmation"
    case careTemporaryPassword = "care-temporary-password"
    /// A temporary password for an account whose address is not proven. Signing in with it ends earlier shares.
    case careTemporaryPasswordUnproven = "care-temporary-password-unproven"
    case careInvitation = "care-invitation"
    case salesVerification = "sales-verification"
    case salesReset = "sales-reset"
}

/// The subject and the text of a mail.
package struct MailText: Equatable, Sendable {
    /// One line.
    package let subject: String
    /// Plain text. Each line ends with a line feed.
    package let text: String

    package init(subject: String, text: String) {
        self.subject = subject
        self.text = text
    }
}

/// Writes the texts of mails.
package protocol MailComposer: AnyObject {
    /// The domain that mails are sent from, for their Message-IDs.
    var domain: String { get }

    /// Writes the text of a mail.
    ///
    /// - Parameters:
    ///   - kind: the kind of mail.
    ///   - secret: the code or temporary password in the mail. It is alone on its line.
    func compose(_ kind: MailKind, secret: String) -> MailText
}
