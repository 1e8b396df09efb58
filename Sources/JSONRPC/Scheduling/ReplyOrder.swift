/// How requests are ordered.
package enum ReplyOrder: String, Sendable {
    /// They take effect, and get their replies, in the order in which they came.
    case inOrder = "in-order"
    /// A request waits only for earlier ones of the same lane.
    case asCompleted = "as-completed"
}
