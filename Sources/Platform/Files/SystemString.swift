internal import CLibrary

/// A string of the operating system: a path, a command-line argument, or the value of an environment variable.
///
/// Linux allows every byte but NUL in it. Decoding it as UTF-8 would replace all invalid bytes with the same character,
/// so different paths would become equal. It is therefore kept as bytes, and decoded only to be displayed.
package struct SystemString: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The bytes followed by a NUL, as system calls take them.
    package let cString: [CChar]

    /// - Parameter bytes: only the bytes before the first NUL are used.
    package init(bytes: some Sequence<UInt8>) {
        // Contiguous bytes are copied without looking up the types of the sequence, which would slow the start of the
        // program.
        cString =
            bytes.withContiguousStorageIfAvailable(Self.terminated)
            ?? Array(bytes).withUnsafeBufferPointer(Self.terminated)
    }

    private static func terminated(_ bytes: UnsafeBufferPointer<UInt8>) -> [CChar] {
        bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
    }

    /// Copies a NUL-terminated string.
    package init(copying pointer: UnsafePointer<CChar>) {
        cString = Array(UnsafeBufferPointer(start: pointer, count: strlen(pointer) + 1))
    }

    /// The bytes of a text as UTF-8, up to the first NUL.
    package init(_ text: String) {
        self.init(bytes: text.utf8)
    }

    /// The bytes of a literal as UTF-8.
    package init(stringLiteral text: String) {
        self.init(text)
    }

    /// The bytes without the NUL.
    package var bytes: [UInt8] { cString.dropLast().map { UInt8(bitPattern: $0) } }

    /// The string; nil if it is not UTF-8.
    package var text: String? { String(validating: bytes, as: UTF8.self) }

    /// Whether it has no bytes.
    package var isEmpty: Bool { cString.count == 1 }

    /// The path of a file in the directory that has this path.
    package func appending(_ name: String) -> SystemString {
        SystemString(bytes: bytes + "/".utf8 + name.utf8)
    }

    /// The path without its last component; nil if it has only one.
    package var parent: SystemString? {
        var bytes = bytes
        while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")), slash > 0 else { return nil }
        return SystemString(bytes: bytes[..<slash])
    }
}

extension SystemString: CustomStringConvertible {
    /// The string in one line. A byte that is not UTF-8, or is a control character, is shown like `\xE9`.
    package var description: String {
        if let text, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return text }
        var (shown, rest) = ("", bytes[...])
        while let byte = rest.first {
            let isControl = byte < 0x20 || byte == 0x7F
            let scalar = (1...min(4, rest.count)).lazy.compactMap { length in
                String(validating: rest.prefix(length), as: UTF8.self)
            }.first
            if let scalar, !isControl {
                shown += scalar
                rest = rest.dropFirst(scalar.utf8.count)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                shown += "\\x" + (digits.utf8.count == 1 ? "0" : "") + digits
                rest = rest.dropFirst()
            }
        }
        return shown
    }
}
