internal import Platform

/// The last part of a mail command's stderr, for `postern outbox list`.
///
/// The pipe is drained while the command runs, so that a command that writes much is not blocked. Words that occur in
/// the mail are replaced by `[…]`: the mail contains a live code, which must not be stored in the failure's record.
struct CommandErrors: ~Copyable {
    private let reader: FileDescriptor
    private var bytes: [UInt8] = []
    private var isCut = false

    /// - Parameter reader: the descriptor to read from. This value closes it.
    init(reading reader: FileDescriptor) {
        self.reader = reader
        reader.stopBlocking()
    }

    deinit { reader.close() }

    /// The descriptor that is readable when stderr has more bytes.
    var descriptor: FileDescriptor { reader }

    /// Reads all available bytes and keeps the last of them. Returns false at the end of the stream.
    mutating func drain() -> Bool {
        var piece = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count: Int
            do throws(SystemError) {
                count = try reader.read(into: &piece)
            } catch {
                return error == .wouldBlock
            }
            guard count > 0 else { return false }
            bytes += piece[..<count]
            guard bytes.count > Limits.commandErrorBytesKept else { continue }
            bytes.removeFirst(bytes.count - Limits.commandErrorBytesKept)
            isCut = true
        }
    }

    /// The last part of stderr as one line, without words of the mail; nil if it is empty.
    consuming func text(without mail: [UInt8]) -> String? {
        _ = drain()
        return Self.line(bytes[...], isCut: isCut, without: mail)
    }

    /// - Parameter isCut: whether the start was dropped, so that the first word may be incomplete. It is left out then.
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
        var line = String(decoding: text.suffix(Limits.commandErrorBytesMax), as: UTF8.self)
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
