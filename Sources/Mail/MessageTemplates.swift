package import Accounts

/// Puts mails into words by templates: a first line `Subject: …`, an empty line, and the text, in which `{{code}}` and
/// `{{link}}` are filled in.
package final class MessageTemplates: MailComposer {
    package let domain: String
    private let publicURL: String
    private let templates: [MailKind: MailText]

    /// - Parameters:
    ///   - publicURL: what links in mails start with, without a slash at the end.
    ///   - domain: the domain that mails are sent from.
    package init(publicURL: String, domain: String) {
        self.publicURL = publicURL
        self.domain = domain
        self.templates = Dictionary(
            uniqueKeysWithValues: MailKind.allCases.map { ($0, MailText(template: Self.embedded($0))) }
        )
    }

    package func compose(_ kind: MailKind, secret: String) -> MailText {
        let template = templates[kind] ?? MailText(subject: "", text: "{{code}}")
        let text = template.text.replacing("{{link}}", with: publicURL + kind.path + secret)
        return MailText(subject: template.subject, text: text.replacing("{{code}}", with: secret))
    }

    private static func embedded(_ kind: MailKind) -> [UInt8] {
        switch kind {
        case .operatorsConfirmation: PackageResources.operators_confirmation_txt
        case .operatorsReset: PackageResources.operators_reset_txt
        case .careTemporaryPassword: PackageResources.care_temporary_password_txt
        case .careInvitation: PackageResources.care_invitation_txt
        case .salesVerification: PackageResources.sales_verification_txt
        case .salesReset: PackageResources.sales_reset_txt
        }
    }
}

extension MailKind {
    /// Where a mail's link leads, up to the code.
    fileprivate var path: String {
        switch self {
        case .operatorsConfirmation: "/operators/confirm?code="
        case .operatorsReset: "/operators/reset?code="
        case .careTemporaryPassword: "/"
        case .careInvitation: "/care/claim?code="
        case .salesVerification: "/verification?token="
        case .salesReset: "/reset?token="
        }
    }
}

extension MailText {
    /// Reads a template.
    fileprivate init(template: [UInt8]) {
        let lines = String(decoding: template, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let subject = lines.first.map { $0.hasPrefix("Subject: ") ? $0.dropFirst(9) : $0 } ?? ""
        self.init(subject: String(subject), text: lines.dropFirst(2).joined(separator: "\n"))
    }
}
