/// What a program, a mail server or the host says of a mail that it does not deliver, for `postern outbox list`.
///
/// Words that occur in the mail are replaced by `[…]`: the mail contains a live code, which must not be stored in the
/// failure's record.
enum FailureDetail {
    /// One line without words of a mail, and without control characters; nil if nothing is left.
    ///
    /// - Parameters:
    ///   - isCut: whether the start was dropped, so that the first word may be incomplete. It is left out then.
    ///   - mail: all texts of the mail.
    static func line(_ bytes: ArraySlice<UInt8>, isCut: Bool, without mail: [UInt8]) -> String? {
        var rest = isCut ? bytes.drop(while: isWordByte) : bytes
        var text: [UInt8] = []
        while let first = rest.first {
            let word = rest.prefix(while: isWordByte)
            if word.isEmpty {
                rest = rest.dropFirst()
                // Several lines become one, because the list has one line per mail.
                let isSpace = first <= 0x20 || first == 0x7F
                if !isSpace { text.append(first) } else if text.last != 0x20 { text.append(0x20) }
            } else {
                rest = rest.dropFirst(word.count)
                let isQuoted = word.count >= Limits.quotedWordBytesMin && mail.contains(word)
                text += isQuoted ? Array("[…]".utf8) : Array(word)
            }
        }
        var line = String(decoding: text.suffix(Limits.errorOutputBytesMax), as: UTF8.self)
        // Control characters beyond ASCII could overwrite the text on a terminal.
        line.unicodeScalars.removeAll { $0.properties.generalCategory == .control }
        let words = line.split(separator: " ").joined(separator: " ")
        return words.isEmpty ? nil : words
    }

    /// Whether the byte can be part of a code, a temporary password or a line of base64.
    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "+"),
            UInt8(ascii: "/"):
            true
        default: false
        }
    }
}

extension [UInt8] {
    fileprivate func contains(_ word: ArraySlice<UInt8>) -> Bool {
        indices.contains { self[$0...].starts(with: word) }
    }
}
