extension String {
    /// The text without the reasons after the standard messages of JSON-RPC:
    ///
    ///     "message":"Parse error at byte 3: expected a colon"    → "message":"Parse error"
    var withoutReasons: String {
        var text = self
        for message in ["Parse error", "Invalid Request"] {
            var plain = ""
            var rest = text[...]
            while let start = rest.firstRange(of: "\"\(message)") {
                plain += rest[..<start.upperBound]
                rest = rest[start.upperBound...]
                // A reason may contain escaped quotes.
                var isEscaped = false
                rest = rest.drop { character in
                    defer { isEscaped = character == "\\" && !isEscaped }
                    return character != "\"" || isEscaped
                }
            }
            text = plain + rest
        }
        return text
    }

    /// The messages of a text in header framing, without reasons; nil if the text contains anything else.
    var unframed: [String]? {
        var messages: [String] = []
        var rest = Array(utf8)[...]
        while !rest.isEmpty {
            let head = rest.prefix { $0 != UInt8(ascii: "\n") }
            let text = String(decoding: head, as: UTF8.self)
            rest = rest.dropFirst(head.count)
            guard text.hasPrefix("Content-Length: "), let count = Int(text.dropFirst(16).prefix { $0 != "\r" }),
                rest.starts(with: "\n\r\n".utf8), rest.count >= count + 3
            else { return nil }
            messages.append(String(decoding: rest.dropFirst(3).prefix(count), as: UTF8.self).withoutReasons)
            rest = rest.dropFirst(count + 3)
        }
        return messages
    }
}
