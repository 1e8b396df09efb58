package import Accounts

/// A mail that is due.
package struct DueMail: Sendable {
    package let mail: OutboxMail
    /// Its text, HTML part, code and link.
    package let content: OutboxText
}

/// How a delivery ended.
package struct DeliveryOutcome: Sendable {
    package enum Result: Equatable, Sendable {
        case delivered
        case failed(DeliveryFailure)
        /// It was not attempted to its end, and is not a failure: the mail can be sent again at once.
        case returned
    }

    /// The number of the mail.
    package let mail: Int
    package let result: Result
}

/// The running deliveries of a courier. It belongs to the courier's thread and does not block it.
package protocol Deliveries {
    /// Whether mails can be delivered now. When that changes, the courier must be called again.
    var isOpen: Bool { get }

    /// Starts a delivery, which ends with exactly one outcome.
    func start(_ due: DueMail)

    /// The outcomes of the deliveries that ended since the last call. After each, the courier must be called again.
    func takeOutcomes() -> [DeliveryOutcome]

    /// Cancels the running deliveries before the program ends.
    func cancel()
}
