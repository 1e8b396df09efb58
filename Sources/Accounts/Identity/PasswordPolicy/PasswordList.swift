internal import Platform

/// A list of passwords that are refused.
package struct PasswordList: Sendable {
    /// The passwords in lower case, sorted by their bytes, each followed by a line feed.
    private let lines: [UInt8]

    /// Reads a text with one password a line. Line ends may be CRLF; empty lines are ignored.
    package init(_ text: String) {
        // One string of bytes takes less memory than an array of strings.
        let bytes = [UInt8](text.lowercased().utf8)
        lines = bytes.withUnsafeBufferPointer { bytes in
            let lines = bytes.split(separator: UInt8(ascii: "\n")).map { line in
                UnsafeBufferPointer(rebasing: line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
            }
            var sorted: [UInt8] = []
            sorted.reserveCapacity(bytes.count + 1)
            for line in lines.sorted(by: { RawBytes.order($0, $1) < 0 }) where !line.isEmpty {
                sorted += line
                sorted.append(UInt8(ascii: "\n"))
            }
            return sorted
        }
    }

    /// Whether the list has a password.
    ///
    /// - Parameter folded: the password in lower case.
    func contains(_ folded: Password) -> Bool {
        lines.withUnsafeBufferPointer { SortedLines($0).contain(folded) }
    }
}

extension CommonPasswords {
    /// Whether a password is one of the most common passwords.
    ///
    /// - Parameter folded: the password in lower case.
    static func contain(_ folded: Password) -> Bool {
        lines.withUTF8Buffer { SortedLines($0).contain(folded) }
    }
}

/// Lines that are sorted by their bytes, each followed by a line feed. They are searched in place.
struct SortedLines {
    private let bytes: UnsafeBufferPointer<UInt8>

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// Whether one of the lines has the bytes of a password. The search halves the lines until one is left.
    func contain(_ password: Password) -> Bool {
        password.withUnsafeBytes { password in
            password.withMemoryRebound(to: UInt8.self) { wanted in
                // Both are the start of a line, or the end of the text.
                var (low, high) = (0, bytes.count)
                while low < high {
                    let line = line(at: low + (high - low) / 2, from: low)
                    let order = RawBytes.order(UnsafeBufferPointer(rebasing: bytes[line]), wanted)
                    if order == 0 { return true }
                    if order < 0 { low = line.upperBound + 1 } else { high = line.lowerBound }
                }
                return false
            }
        }
    }

    /// The range, without the line feed, of the line that contains a place.
    ///
    /// - Parameter first: the start of a line at or before the place.
    private func line(at place: Int, from first: Int) -> Range<Int> {
        let feed = UInt8(ascii: "\n")
        let start = bytes[first..<place].lastIndex(of: feed).map { $0 + 1 } ?? first
        return start..<(bytes[place...].firstIndex(of: feed) ?? bytes.count)
    }
}
