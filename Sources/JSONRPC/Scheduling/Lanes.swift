internal import Platform

/// The waiting messages, a queue for each lane.
///
/// A waiting message keeps the whole chunk that contains it, which may be a thousand times its length. The byte counts
/// therefore count chunks: each once, from its first waiting message to its last.
struct Lanes {
    private var queues: [Lane: Queue<PendingMessage>] = [:]
    private var waiting = 0
    private var waitingBytes = 0
    /// The messages that are already refused and wait only for the turn of their reply.
    private var refusals = 0
    private var refusalBytes = 0

    var isEmpty: Bool { queues.isEmpty }

    /// How many messages wait.
    var count: Int { waiting + refusals }

    /// Whether no further request may wait.
    var isFull: Bool {
        waiting >= Limits.waitingRequestsMax || waitingBytes >= Limits.waitingBytesMax
    }

    /// Whether so many refused messages wait that reading must stop until some have their replies.
    var isSaturated: Bool {
        refusals >= Limits.waitingRefusalsMax || refusalBytes >= Limits.waitingRefusalBytesMax
    }

    func isBlocked(_ lane: Lane) -> Bool {
        queues[lane] != nil
    }

    func first(of lane: Lane) -> PendingMessage? {
        queues[lane]?.first
    }

    mutating func append(_ message: PendingMessage) {
        queues[message.lane, default: Queue()].append(message)
        count(message, 1)
    }

    mutating func removeFirst(of lane: Lane) {
        guard let index = queues.index(forKey: lane), let message = queues.values[index].removeFirst() else { return }
        count(message, -1)
        if queues.values[index].isEmpty { queues.remove(at: index) }
    }

    private mutating func count(_ message: PendingMessage, _ step: Int) {
        let chunk = message.unit.address.chunk
        let wasKept = chunk.waitingMessages > 0
        chunk.waitingMessages += step
        let isKept = chunk.waitingMessages > 0
        let bytes = wasKept == isKept ? 0 : step * chunk.bytes.count
        if message.isRefusal {
            refusals += step
            refusalBytes += bytes
        } else {
            waiting += step
            // `RequestsInFlight` keeps a second copy of the id.
            waitingBytes += bytes + step * (message.unit.address.id?.count ?? 0)
        }
    }
}
