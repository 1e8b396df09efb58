package import Accounts
package import Platform

/// Writes the texts of mails from templates: those of a directory, or the built-in ones for kinds that it does not
/// have.
package final class MessageTemplates: MailComposer {
    package let domain: String
    private let publicURL: String
    /// The templates of the directory, and the built-in ones that were used so far. Parsing all built-in ones would
    /// take half of the time that a process needs to start.
    private var templates: [MailKind: MessageTemplate] = [:]

    /// - Parameters:
    ///   - publicURL: the start of links in mails, without a slash at the end.
    ///   - domain: the domain that mails are sent from.
    ///   - folder: a directory with files such as `operators-reset.txt`, named after the kinds of mail; nil for none.
    /// - Throws: `TemplateError` if a file of the directory is not a valid template, or if the name of a `.txt` file is
    ///   not a kind of mail, for example because it is misspelt.
    package init(publicURL: String, domain: String, folder: SystemString? = nil) throws(TemplateError) {
        self.publicURL = publicURL
        self.domain = domain
        guard let folder else { return }
        try Self.checkNames(in: folder)
        for kind in MailKind.allCases {
            templates[kind] = try MessageTemplate(file: folder.appending("\(kind.rawValue).txt"), for: kind)
        }
    }

    package func compose(_ kind: MailKind, secret: String) -> MailText {
        let template = templates[kind] ?? kind.embeddedTemplate
        templates[kind] = template
        let link = publicURL + (kind.linkPath.map { $0 + secret } ?? "")
        return MailText(subject: template.subject, text: template.text(code: secret, link: link))
    }

    private static func checkNames(in folder: SystemString) throws(TemplateError) {
        let found: [String]
        do throws(FailedCall) {
            found = try DirectoryNames.of(folder)
        } catch {
            throw TemplateError("\(error)")
        }
        for name in found where name.hasSuffix(".txt") {
            guard !MailKind.allCases.contains(where: { $0.rawValue + ".txt" == name }) else { continue }
            let names = MailKind.allCases.map { $0.rawValue + ".txt" }.joined(separator: ", ")
            throw TemplateError("\(folder)/\(name) is not the name of a template; the names are \(names)")
        }
    }
}

extension MailKind {
    /// The built-in template.
    fileprivate var embeddedTemplate: MessageTemplate {
        do throws(TemplateError) {
            return try MessageTemplate(embeddedBytes, for: self, name: rawValue)
        } catch {
            preconditionFailure(error.description)
        }
    }
}
