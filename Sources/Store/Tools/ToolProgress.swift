/// What long work has done so far.
package struct ToolProgress: Sendable {
    /// What is being done, in a word or two.
    package let phase: String
    /// How much of it is done: bytes or entries.
    package let done: Int
    /// How much there is to do; nil where that is not known.
    package let total: Int?

    package init(phase: String, done: Int, total: Int?) {
        (self.phase, self.done, self.total) = (phase, done, total)
    }
}
