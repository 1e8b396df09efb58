/// Text in the language of man pages (groff_man(7)).
enum Roff {
    /// A heading.
    static func section(_ title: String) -> String { ".SH \(title)" }

    /// A paragraph under a tag: what it explains, and the explanation.
    static func entry(_ tag: String, _ text: String) -> String { ".TP\n\(tag)\n\(text)" }

    /// Lines to be typed as they are.
    static func example(_ lines: [String]) -> String {
        ([".EX"] + lines.map { literal($0).startingPlainly } + [".EE"]).joined(separator: "\n")
    }

    /// Words to be typed as they are, in bold.
    static func bold(_ text: String) -> String { "\\fB\(literal(text))\\fR" }

    /// Placeholders, in italics.
    static func italic(_ text: String) -> String { "\\fI\(literal(text))\\fR" }

    /// Text in which every character is what is typed.
    static func literal(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\\": "\\e"
            case "-": "\\-"
            case "'": "\\(aq"
            case "`": "\\(ga"
            case "^": "\\(ha"
            case "~": "\\(ti"
            case "\"": "\\(dq"
            // A terminal without UTF-8 would show nothing.
            case "…": "..."
            case _ where scalar.isASCII: "\(scalar)"
            default: "\\[u\(String(scalar.value, radix: 16, uppercase: true).leftPadded)]"
            }
        }.joined()
    }

    /// A sentence, in lines. Its hyphens are what is typed, because many are parts of names: no line ends at one.
    static func prose(_ text: String) -> String {
        let words = text.split(separator: " ").map { literal(String($0)) }
        let lines = words.reduce(into: [String]()) { lines, word in
            if let last = lines.last, last.utf8.count + 1 + word.utf8.count <= lineBytesMax {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(word)
            }
        }
        return lines.map(\.startingPlainly).joined(separator: "\n")
    }

    private static let lineBytesMax = 78
}

extension String {
    /// The line without a control character at its start.
    fileprivate var startingPlainly: String { hasPrefix(".") ? "\\&" + self : self }

    /// At least four hexadecimal digits.
    fileprivate var leftPadded: String { String(repeating: "0", count: max(0, 4 - utf8.count)) + self }
}
