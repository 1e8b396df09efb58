/// A queue of requests that keep their order, such as those about one account.
package struct Lane: Hashable, Sendable {
    /// The lane's name, unique in the connection.
    package let name: String

    /// - Parameter name: must not begin with `#`, as the names of lanes for one message do.
    package init(_ name: String) {
        self.name = name
    }

    /// The single lane of in-order mode.
    static let only = Lane("")

    /// The lane of a message that keeps no order with any other.
    static func own(_ ticket: Ticket) -> Lane { Lane("#\(ticket)") }
}
