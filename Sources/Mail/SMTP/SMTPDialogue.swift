/// What curl prints about its dialogue with a mail server: lines that start with `<` from the server, `>` to it, and
/// `*` of its own.
final class SMTPDialogue {
    /// The last line of the server, if it refuses something: a code from 400 to 599 and a text; nil if there is none.
    private(set) var refusal: String?
    /// What curl says the error is, such as `Login denied`; nil if it says nothing.
    private(set) var error: String?
    /// Whether this side proves who it is, so that its lines are secrets or reveal them.
    private var signsIn = false
    private let lines = OutputLines()
    private let show: (String) -> Void

    /// - Parameter show: takes each line, without secrets.
    init(show: @escaping (String) -> Void) {
        self.show = show
    }

    func take(_ bytes: ArraySlice<UInt8>) {
        lines.take(bytes, each: read)
    }

    /// Reads a last line without a line end.
    func end() {
        lines.end(each: read)
    }

    private func read(_ line: String) {
        // Other lines count bytes, or may be the URL with the password.
        guard ["< ", "> ", "* ", "curl: "].contains(where: line.hasPrefix) else { return }
        show(shown(line))
    }

    /// Takes a line into account. Returns it without secrets.
    private func shown(_ line: String) -> String {
        let text = line.dropFirst(2)
        if line.hasPrefix("< ") {
            // 334 asks for the next step of signing in (RFC 4954 §4).
            if signsIn, !text.hasPrefix("334") { signsIn = false }
            guard let code = Int(text.prefix(3)) else { return line }
            if (400...599).contains(code) {
                refusal = String(text)
            } else if code != 221 {
                // A refusal that was followed by a success, other than the reply to QUIT, is not the reason of a
                // failure.
                refusal = nil
            }
        } else if line.hasPrefix("> ") {
            if signsIn { return "> […]" }
            if text.hasPrefix("AUTH ") {
                signsIn = true
                // Behind the mechanism may be a first step.
                let words = text.split(separator: " ")
                return words.count > 2 ? "> AUTH \(words[1]) […]" : line
            }
        } else if line.hasPrefix("curl: ") {
            // `curl: (67) Login denied`; the exit code is in the failure already.
            let message = line.drop { $0 != ")" }.dropFirst(2)
            if !message.isEmpty { error = String(message) }
        }
        return line
    }
}
