internal import Accounts
internal import Platform

/// An error in a message template.
package struct TemplateError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A template of a mail: a first line `Subject: …`, an empty line, and the text. In the text, `{{code}}` and `{{link}}`
/// are replaced by the code and by a link with the code. A notice has neither: a link in it would look like one of
/// those that invite to phishing.
///
/// The subject has no placeholders, because it is kept after the text with the code is erased.
struct MessageTemplate {
    let subject: String
    private let text: String

    /// - Parameters:
    ///   - kind: the kind of mail that the template is for.
    ///   - name: the template's name in errors.
    init(_ bytes: [UInt8], for kind: MailKind, name: String) throws(TemplateError) {
        guard bytes.count <= Limits.templateBytesMax else {
            throw TemplateError("\(name) is longer than \(Limits.templateBytesMax) bytes")
        }
        guard let template = String(validating: bytes, as: UTF8.self) else {
            throw TemplateError("\(name) is not UTF-8")
        }
        let lines = template.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 2, lines[0].hasPrefix("Subject: "), !lines[0].contains("{{"), lines[1].isEmpty else {
            throw TemplateError("\(name) does not begin with a line \"Subject: …\", without {{…}}, and an empty line")
        }
        subject = String(lines[0].dropFirst("Subject: ".count))
        text = lines.dropFirst(2).joined(separator: "\n")
        try Self.checkPlaceholders(lines, of: kind, name: name)
        guard kind.isNotice || text.contains("{{code}}") || text.contains("{{link}}") else {
            throw TemplateError("\(name) has neither {{code}} nor {{link}} in its text")
        }
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

    /// Reads the template from a file; nil if the file does not exist.
    init?(file: SystemString, for kind: MailKind) throws(TemplateError) {
        let bytes: [UInt8]?
        do throws(SystemError) {
            // Without `.notWaiting`, opening a named pipe would wait for its other end. The option has no effect on a
            // regular file.
            let descriptor = try FileDescriptor.open(file, .reading | .notWaiting | .notControlling)
            defer { descriptor.close() }
            bytes = Self.isRegular(descriptor) ? try descriptor.contents(bytesMax: Limits.templateBytesMax) : nil
        } catch .noSuchFile {
            return nil
        } catch {
            throw TemplateError("\(file): \(error)")
        }
        guard let bytes else { throw TemplateError("\(file) is not a regular file") }
        try self.init(bytes, for: kind, name: "\(file)")
    }

    private static func isRegular(_ descriptor: FileDescriptor) -> Bool {
        do throws(SystemError) {
            return try FileStatus(of: descriptor).kind == .regular
        } catch {
            return false
        }
    }

    /// The text with its placeholders replaced.
    func text(code: String, link: String) -> String {
        text.replacing("{{link}}", with: link).replacing("{{code}}", with: code)
    }
}
