/// The waiting messages for which something is under way, by ticket, and those whose slow work can be started ahead of
/// their turn.
struct MessagesUnderWay {
    private var messages: [Ticket: PendingMessage] = [:]
    private var candidates = Queue<PendingMessage>()
    private var lastTicket: Ticket = 0

    /// How many messages something is under way for.
    var count: Int { messages.count }

    mutating func nextTicket() -> Ticket {
        lastTicket += 1
        return lastTicket
    }

    mutating func insert(_ message: PendingMessage, _ ticket: Ticket) {
        message.state = .underWay
        messages[ticket] = message
    }

    /// Takes out the message whose work or phase has ended.
    mutating func remove(_ ticket: Ticket) -> PendingMessage? {
        messages.removeValue(forKey: ticket)
    }

    /// Adds a message that may wait for slow work.
    mutating func addCandidate(_ message: PendingMessage) {
        candidates.append(message)
    }

    /// The next message to look ahead for; nil if there is none, or so much work is under way that it is left for later.
    mutating func nextCandidate() -> PendingMessage? {
        while let message = candidates.first {
            let isWanted = message.state == .queued && message.unit.request != nil && message.unit.phase == nil
            if isWanted, count >= Limits.workAheadMax { return nil }
            candidates.removeFirst()
            if isWanted { return message }
        }
        return nil
    }
}
