package import Accounts
package import Platform
internal import Synchronization

/// Writes the texts of mails from templates: those of a directory, or the built-in ones for kinds that it does not
/// have. A subdirectory, such as `pt-BR`, has the templates for a locale. A template of a directory may have an HTML
/// part.
package final class MessageTemplates: MailComposer, Sendable {
    package let domain: String
    private let publicURL: String
    /// The templates of the directory, and the built-in ones that were used so far. Parsing all built-in ones would
    /// take half of the time that a process needs to start.
    private let templates: Mutex<[MailKind: MessageTemplate]>
    /// The templates of each locale, whose name is in lower case.
    private let localized: [String: [MailKind: MessageTemplate]]

    /// - Parameters:
    ///   - publicURL: the start of links in mails, without a slash at the end.
    ///   - domain: the domain that mails are sent from.
    ///   - folder: a directory with files such as `operators-reset.txt` and `operators-reset.html`, named after the
    ///     kinds of mail; nil for none.
    /// - Throws: `TemplateError` if a file of the directory is not a valid template, if the name of a `.txt` or `.html`
    ///   file is not a kind of mail, for example because it is misspelt, if an `.html` file has no `.txt` file beside
    /// it,
    ///   or if the name of a subdirectory is not a locale.
    package init(publicURL: String, domain: String, folder: SystemString? = nil) throws(TemplateError) {
        self.publicURL = publicURL
        self.domain = domain
        guard let folder else {
            templates = Mutex([:])
            localized = [:]
            return
        }
        templates = Mutex(try Self.templates(in: folder))
        var localized: [String: [MailKind: MessageTemplate]] = [:]
        // Hidden directories, such as that of a version control system, have no templates.
        for name in try Self.names(in: folder) where !Self.isTemplate(name) && !name.hasPrefix(".") {
            let path = folder.appending(name)
            guard Self.isDirectory(path) else { continue }
            guard name.isLocale else {
                throw TemplateError("\(path) is not the name of a locale, such as de or pt-BR")
            }
            guard localized.updateValue(try Self.templates(in: path), forKey: name.lowercased()) == nil else {
                throw TemplateError("\(path) is a second directory for the same locale")
            }
        }
        self.localized = localized
    }

    package func compose(_ kind: MailKind, secret: String, locale: String?) -> MailText {
        let template = locale.flatMap { localized[$0.lowercased()]?[kind] } ?? template(for: kind)
        let link = kind.linkPath.map { publicURL + $0 + secret }
        let text = template.text(code: secret, link: link ?? publicURL)
        let html = template.html(code: secret, link: link ?? publicURL)
        return MailText(subject: template.subject, text: text, html: html, link: link, locale: locale)
    }

    private func template(for kind: MailKind) -> MessageTemplate {
        templates.withLock { templates in
            if let known = templates[kind] { return known }
            let template = kind.embeddedTemplate
            templates[kind] = template
            return template
        }
    }

    /// The templates in a directory, without its subdirectories.
    private static func templates(in folder: SystemString) throws(TemplateError) -> [MailKind: MessageTemplate] {
        try checkNames(in: folder)
        var templates: [MailKind: MessageTemplate] = [:]
        for kind in MailKind.allCases {
            templates[kind] = try MessageTemplate(in: folder, for: kind)
        }
        return templates
    }

    private static func names(in folder: SystemString) throws(TemplateError) -> [String] {
        do throws(FailedCall) {
            return try DirectoryNames.of(folder)
        } catch {
            throw TemplateError("\(error)")
        }
    }

    private static func isDirectory(_ path: SystemString) -> Bool {
        do throws(SystemError) {
            return try FileStatus(at: path).kind == .directory
        } catch {
            return false
        }
    }

    /// Whether a file with this name is a template.
    private static func isTemplate(_ name: String) -> Bool {
        name.hasSuffix(".txt") || name.hasSuffix(".html")
    }

    private static func checkNames(in folder: SystemString) throws(TemplateError) {
        for name in try names(in: folder) where isTemplate(name) {
            let suffix = name.hasSuffix(".txt") ? ".txt" : ".html"
            guard !MailKind.allCases.contains(where: { $0.rawValue + suffix == name }) else { continue }
            let names = MailKind.allCases.map { $0.rawValue + suffix }.joined(separator: ", ")
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
