import Accounts

/// A composer whose mails have only the secret as their text.
final class SecretComposer: MailComposer {
    let domain = "x.co"

    func compose(_ kind: MailKind, secret: String, locale: String?) -> MailText {
        MailText(subject: kind.rawValue + (locale.map { " in \($0)" } ?? ""), text: secret)
    }
}
