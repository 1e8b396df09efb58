import FoundationEssentials

/// Generates the table of the most common passwords from schema/common-passwords.txt: the lines of the file, sorted, as
/// one static string, which the program searches in place.
struct CommonPasswordsEmitter {
    let text: String

    init(_ passwords: [String]) {
        let sorted = passwords.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        text =
            generatedMark + """
                /// The most common passwords.
                enum CommonPasswords {
                    /// The passwords in lower case, sorted by their bytes, each followed by a line feed.
                    static var lines: StaticString {
                #\"""

                """ + sorted.joined(separator: "\n") + """


                \"""#
                    }
                }

                """
    }
}

extension Contract {
    /// The lines of a list of passwords, the most common first.
    ///
    /// - Throws: `SchemaError` if the list has another length, a line twice, or a line that the table cannot contain.
    static func passwords(in path: String, count: Int) throws -> [String] {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        guard lines.last == "" else { throw SchemaError("\(path) does not end with a line feed") }
        let passwords = lines.dropLast().map { String($0) }
        guard passwords.count == count else { throw SchemaError("\(path) has \(passwords.count) lines, not \(count)") }
        guard Set(passwords).count == count else { throw SchemaError("\(path) has a line twice") }
        if let line = passwords.first(where: { !isPlain($0) }) {
            throw SchemaError(
                "\(path) has a line that is empty, is not in lower case, or has characters of Swift: \(line)"
            )
        }
        return passwords
    }

    private static func isPlain(_ line: String) -> Bool {
        !line.isEmpty && line == line.lowercased() && !line.contains("\"\"\"") && !line.contains("\\#")
            && line.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } && !line.hasPrefix(" ") && !line.hasSuffix(" ")
    }
}
