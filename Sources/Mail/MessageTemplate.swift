internal import Accounts
internal import Platform

/// An error in a message template.
package struct TemplateError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A template of a mail: a first line `Subject: …`, an empty line, and the text; and optionally the same text as HTML.
///
/// The subject has no placeholders, because it is kept after the text with the code is erased.
struct MessageTemplate {
    let subject: String
    private let text: TemplateText
    private let html: HTMLTemplate?

    /// - Parameters:
    ///   - kind: the kind of mail that the template is for.
    ///   - name: the template's name in errors.
    init(_ bytes: [UInt8], for kind: MailKind, name: String) throws(TemplateError) {
        try self.init(TemplateFile.lines(of: bytes, name: name), html: nil, for: kind, name: name)
    }

    /// Reads the template of a kind from `KIND.txt` and `KIND.html` in a directory; nil if it has neither.
    ///
    /// - Throws: `TemplateError` if there is only an HTML part: many mail programs show the plain text.
    init?(in folder: SystemString, for kind: MailKind) throws(TemplateError) {
        let file = folder.appending("\(kind.rawValue).txt")
        let html = try HTMLTemplate(file: folder.appending("\(kind.rawValue).html"), for: kind)
        guard let lines = try TemplateFile.lines(ofFile: file) else {
            guard html == nil else {
                throw TemplateError("\(folder)/\(kind.rawValue).html has no \(kind.rawValue).txt beside it")
            }
            return nil
        }
        try self.init(lines, html: html, for: kind, name: "\(file)")
    }

    private init(
        _ lines: [Substring],
        html: HTMLTemplate?,
        for kind: MailKind,
        name: String
    ) throws(TemplateError) {
        guard lines.count > 2, lines[0].hasPrefix("Subject: "), !lines[0].contains("{{"), lines[1].isEmpty else {
            throw TemplateError("\(name) does not begin with a line \"Subject: …\", without {{…}}, and an empty line")
        }
        subject = String(lines[0].dropFirst("Subject: ".count))
        text = try TemplateText(lines, after: 2, for: kind, name: name)
        self.html = html
    }

    /// The text with its placeholders replaced.
    func text(code: String, link: String) -> String {
        text.replacing(code: code, link: link)
    }

    /// The HTML part with its placeholders replaced; nil if the template has none.
    func html(code: String, link: String) -> String? {
        html?.text(code: code, link: link)
    }
}
