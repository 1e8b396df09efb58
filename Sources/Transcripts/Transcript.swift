import JSON

/// A transcript: a recorded conversation with the program, one JSON object a line.
///
///     {"transcript": "Sign in", "arguments": ["--no-email-confirmation"]}
///     {"note": "The first step opens a session."}
///     {"send": {…}, "expect": {…}, "keep": {"session": "/result/session_id"}, "repeat": 2}
///
/// The first line names the transcript and its further flags. Every other line is a note or a step. docs/testing.md
/// describes the format.
package struct Transcript: CustomStringConvertible, Sendable {
    /// The file's name, for messages.
    package let name: String
    package var description: String { name }
    /// What the transcript shows.
    package let title: String
    /// The flags of the server that plays it, in addition to those of the caller.
    package let arguments: [String]
    package let steps: [TranscriptStep]

    /// Parses a transcript.
    ///
    /// - Parameters:
    ///   - text: the contents of the file.
    ///   - name: the file's name, for messages.
    package init(parsing text: some Collection<UInt8>, name: String) throws(TranscriptError) {
        var reader = TranscriptReader(name: name)
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            try reader.read(line)
        }
        let (title, arguments) = try reader.head()
        (self.name, self.title, self.arguments, steps) = (name, title, arguments, reader.steps)
    }
}

/// A fault in a transcript. A transcript with a fault is not played, because it would test less than its author
/// believes.
package struct TranscriptError: Error, Equatable, CustomStringConvertible {
    /// The file's name.
    package let name: String
    /// The line, from 1.
    package let line: Int
    package let reason: String

    /// The error as compilers print it: `FILE:LINE: REASON`.
    package var description: String { "\(name):\(line): \(reason)" }
}
