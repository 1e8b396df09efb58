/// Where the events of a client start.
public enum EventStart: Equatable, Sendable {
    /// With the next event that is stored.
    case now
    /// After the event with this number; 0 starts with the earliest that is kept.
    case after(Int)

    /// The flags with which the process sends the events.
    var flags: [String] {
        switch self {
        case .now: ["--events"]
        case .after(let number): ["--events", "--events-after", "\(number)"]
        }
    }

    var number: Int? {
        switch self {
        case .now: nil
        case .after(let number): number
        }
    }
}

/// The events of the audit trail, each after it is durable and in the order of `seq`.
///
/// The iterator waits for the next event, and ends when the client is closed. Keep the `seq` of the last event that was
/// processed, and open the next client with `.after(seq)`: no event is missed. An event can come again, always with the
/// same `seq`. Several iterators share the events.
///
///     for try await event in postern.events { print(event.kind, event.seq) }
///
/// While 1,000 events are not taken and no call is in flight, the client reads nothing, and the process holds the
/// others back. With `deliverMail`, mails wait too then. Calls get their replies all the same; the events that come
/// between these are kept up to 20,000.
///
/// It throws `PosternError.eventsLost` if more events were not taken and later ones were dropped,
/// `PosternError.processEnded` after the end of the process, and `PosternError.noEvents` if the client was opened
/// without events.
public struct PosternEvents: AsyncSequence, Sendable {
    /// An event.
    public typealias Element = Event

    /// Iterates over the events.
    public struct Iterator: AsyncIteratorProtocol {
        /// It is kept here, because a client that nothing refers to is closed.
        let postern: Postern

        /// The next event; nil after the client was closed.
        public func next() async throws -> Event? {
            try await postern.nextEvent()
        }
    }

    let postern: Postern

    /// A new iterator, which shares the events with the others.
    public func makeAsyncIterator() -> Iterator { Iterator(postern: postern) }
}
