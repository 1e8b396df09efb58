/// The subject and the text of a mail, and its text as HTML if it has one.
package struct MailText: Equatable, Sendable {
    /// One line.
    package let subject: String
    /// Plain text. Each line ends with a line feed.
    package let text: String
    /// The text as an HTML document; nil for none.
    package let html: String?
    /// The link with the secret, whether or not it is in the text; nil if the secret must not be in a link.
    package let link: String?
    /// The language that the text was asked for; nil for the default. The text can be in the default language.
    package let locale: String?

    package init(subject: String, text: String, html: String? = nil, link: String? = nil, locale: String? = nil) {
        self.subject = subject
        self.text = text
        self.html = html
        self.link = link
        self.locale = locale
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
    ///   - locale: the language of the recipient, or of the account that causes the mail; nil for the default.
    func compose(_ kind: MailKind, secret: String, locale: String?) -> MailText
}
