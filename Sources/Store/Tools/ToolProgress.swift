/// The progress of a long operation.
package struct ToolProgress: Sendable {
    /// The current phase, in one to three words.
    package let phase: String
    /// How much is done, in bytes or entries.
    package let done: Int
    /// The total, in the same unit; nil if it is not known.
    package let total: Int?

    package init(phase: String, done: Int, total: Int?) {
        (self.phase, self.done, self.total) = (phase, done, total)
    }
}
