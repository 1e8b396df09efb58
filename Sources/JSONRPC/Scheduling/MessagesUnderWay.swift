internal import Platform

/// The waiting messages whose slow work or phase runs on another thread, by ticket, and the candidates: queued messages
/// whose slow work may be started ahead of their turn.
struct MessagesUnderWay {
    private var messages: [Ticket: PendingMessage] = [:]
    private var candidates = Queue<PendingMessage>()
    private var lastTicket: Ticket = 0

    /// The number of messages whose slow work or phase is under way.
    var count: Int { messages.count }

    mutating func nextTicket() -> Ticket {
        lastTicket += 1
        return lastTicket
    }

    mutating func insert(_ message: PendingMessage, _ ticket: Ticket) {
        message.state = .underWay
        messages[ticket] = message
    }

    /// Removes and returns the message whose slow work or phase has ended.
    mutating func remove(_ ticket: Ticket) -> PendingMessage? {
        messages.removeValue(forKey: ticket)
    }

    /// Adds a candidate.
    mutating func addCandidate(_ message: PendingMessage) {
        candidates.append(message)
    }

    /// Removes and returns the next candidate that still waits for its turn and had no slow work yet. Returns nil if
    /// there is none, or while `Limits.workAheadMax` messages are under way.
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
