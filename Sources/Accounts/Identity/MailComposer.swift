/// What a mail says: one line of subject and a plain text.
package struct MailText: Equatable, Sendable {
    /// One line.
    package let subject: String
    /// Plain text, its lines ended by a line feed.
    package let text: String

    package init(subject: String, text: String) {
        self.subject = subject
        self.text = text
    }
}

/// Puts mails into words.
package protocol MailComposer: AnyObject {
    /// The domain that mails are sent from, for their Message-IDs.
    var domain: String { get }

    /// The words of a mail.
    ///
    /// - Parameters:
    ///   - kind: which mail.
    ///   - secret: the code, or the temporary password, that it brings; it stands alone on a line.
    func compose(_ kind: MailKind, secret: String) -> MailText
}
