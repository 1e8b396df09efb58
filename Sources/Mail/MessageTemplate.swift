internal import Glibc
internal import Store

/// An error in a message template.
package struct TemplateError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A template of a mail: a first line `Subject: …`, an empty line, and the text. In the text, `{{code}}` and `{{link}}`
/// are replaced by the code and by a link with the code.
///
/// The subject has no placeholders, because it is kept after the text with the code is erased.
struct MessageTemplate {
    let subject: String
    private let text: String

    /// - Parameters:
    ///   - name: the template's name in errors.
    init(_ bytes: [UInt8], name: String) throws(TemplateError) {
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
        try Self.checkPlaceholders(lines, name: name)
        guard text.contains("{{code}}") || text.contains("{{link}}") else {
            throw TemplateError("\(name) has neither {{code}} nor {{link}} in its text")
        }
    }

    /// Refuses unknown placeholders. A misspelt `{{code}}` would be sent unchanged in every mail.
    private static func checkPlaceholders(_ lines: [Substring], name: String) throws(TemplateError) {
        for (index, line) in lines.enumerated() {
            for piece in line.split(separator: "{{", omittingEmptySubsequences: false).dropFirst() {
                guard let end = piece.firstRange(of: "}}") else {
                    throw TemplateError("\(name):\(index + 1): {{ has no }} behind it in its line")
                }
                let placeholder = String(piece[..<end.lowerBound])
                guard !placeholders.contains(placeholder) else { continue }
                let known = placeholders.map { "{{\($0)}}" }.joined(separator: " and ")
                throw TemplateError("\(name):\(index + 1): unknown placeholder {{\(placeholder)}}; there are \(known)")
            }
        }
    }

    private static let placeholders = ["code", "link"]

    /// Reads the template from a file; nil if the file does not exist.
    init?(file: SystemString) throws(TemplateError) {
        // Without O_NONBLOCK, opening a named pipe would wait for its other
        // end. The flag has no effect on a regular file.
        let descriptor = open(file.cString, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw TemplateError("\(file): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw TemplateError("\(file) is not a regular file")
        }
        try self.init(try Self.contents(of: descriptor, name: "\(file)"), name: "\(file)")
    }

    /// The bytes of a file. Reading stops once there are more than a template may have.
    private static func contents(of descriptor: Int32, name: String) throws(TemplateError) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4_096)
        while bytes.count <= Limits.templateBytesMax {
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw TemplateError("\(name): \(String(cString: strerror(errno)))") }
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return bytes
    }

    /// The text with its placeholders replaced.
    func text(code: String, link: String) -> String {
        text.replacing("{{link}}", with: link).replacing("{{code}}", with: code)
    }
}
