import Foundation
import JSON
import PosternTesting
import Testing

/// Python's strict parser of mails.
enum StrictMailParser {
    /// The mails in a directory, in the order of their files' names. Fails at a mail that violates RFC 5322 or RFC
    /// 2046.
    static func mails(in folder: String) throws -> [JSONValue] {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let parser = Process()
        let output = Pipe()
        parser.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        let script = PosternProcess.repository.appendingPathComponent("Tests/EndToEndTests/Resources/check_mail.py")
        parser.arguments = [script.path] + files.map { "\(folder)/\($0)" }
        parser.standardOutput = output
        try parser.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        parser.waitUntilExit()
        try #require(parser.terminationStatus == 0)
        return try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    }
}
