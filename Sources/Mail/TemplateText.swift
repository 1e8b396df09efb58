internal import Accounts

/// The text of a template, in which `{{code}}` and `{{link}}` are replaced by the code and by a link with the code.
///
/// A notice has neither: a link in it would look like one of those that invite to phishing.
struct TemplateText {
    private let text: String

    /// - Parameters:
    ///   - lines: the lines of the template's file.
    ///   - headerLines: the number of lines before the text.
    ///   - kind: the kind of mail that the template is for.
    ///   - name: the template's name in errors.
    init(_ lines: [Substring], after headerLines: Int, for kind: MailKind, name: String) throws(TemplateError) {
        text = lines.dropFirst(headerLines).joined(separator: "\n")
        try Self.checkPlaceholders(lines, of: kind, name: name)
        guard kind.isNotice || text.contains("{{code}}") || text.contains("{{link}}") else {
            throw TemplateError("\(name) has neither {{code}} nor {{link}} in its text")
        }
    }

    /// The text with its placeholders replaced.
    func replacing(code: String, link: String) -> String {
        text.replacing("{{link}}", with: link).replacing("{{code}}", with: code)
    }

    /// Refuses unknown placeholders. A misspelt `{{code}}` would be sent unchanged in every mail.
    private static func checkPlaceholders(
        _ lines: [Substring],
        of kind: MailKind,
        name: String
    ) throws(TemplateError) {
        for (index, line) in lines.enumerated() {
            for piece in line.split(separator: "{{", omittingEmptySubsequences: false).dropFirst() {
                guard let end = piece.firstRange(of: "}}") else {
                    throw TemplateError("\(name):\(index + 1): {{ has no }} after it in its line")
                }
                let placeholder = String(piece[..<end.lowerBound])
                if !kind.isNotice, placeholders.contains(placeholder) { continue }
                if kind.isNotice {
                    throw TemplateError(
                        "\(name):\(index + 1): {{\(placeholder)}} in a notice, which has no placeholders"
                    )
                }
                let known = placeholders.map { "{{\($0)}}" }.joined(separator: " and ")
                throw TemplateError(
                    "\(name):\(index + 1): unknown placeholder {{\(placeholder)}}; the placeholders are \(known)"
                )
            }
        }
    }

    private static let placeholders = ["code", "link"]
}
