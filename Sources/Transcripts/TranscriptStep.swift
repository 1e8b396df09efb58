package import JSON

/// A step of a transcript: what is sent, and the message that is expected then.
package struct TranscriptStep: Sendable {
    /// Its line in the file, from 1.
    package let line: Int
    /// What is sent, with placeholders; nil to wait for a message that nothing asks for, such as an event.
    package let sent: JSONValue?
    /// What is expected, with placeholders; nil if no message is, as for a notification.
    package let expected: JSONValue?
    /// What it keeps of the message.
    let kept: [KeptValue]
    /// How often it is played.
    package let count: Int

    /// The method that is called; nil if the step calls none, or several.
    package var method: String? { sent?["method"]?.string }
}
