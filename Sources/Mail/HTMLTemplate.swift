internal import Accounts
internal import Platform

/// The HTML part of a template: the whole file is an HTML document. It has the placeholders of the text.
///
/// The values are escaped, so that they are text in an element, and one value in an attribute, quoted or not: neither a
/// code nor a link contains white space.
struct HTMLTemplate {
    private let text: TemplateText

    /// Reads the template from a file; nil if the file does not exist.
    init?(file: SystemString, for kind: MailKind) throws(TemplateError) {
        guard let lines = try TemplateFile.lines(ofFile: file) else { return nil }
        // A copy of the plain text: its first line would be shown above the document.
        guard lines.first?.hasPrefix("Subject:") == false else {
            throw TemplateError("\(file):1: the subject is in the .txt file only")
        }
        text = try TemplateText(lines, after: 0, for: kind, name: "\(file)")
    }

    /// The document with its placeholders replaced.
    func text(code: String, link: String) -> String {
        text.replacing(code: Self.escaped(code), link: Self.escaped(link))
    }

    /// A text in which no character has a meaning in HTML.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
}
