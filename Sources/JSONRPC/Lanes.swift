/// A message that has not been answered for good.
final class LaneEntry {
    /// The request; nil for a message that is answered with `refusal`.
    let request: Request?
    let refusal: RPCError?
    let address: ReplyAddress
    var lane: Lane?
    /// Whether slow work for it is under way.
    var isWaiting = false
    var isDone = false
    /// Whether its id is noted as one that waits.
    var isInFlight = false
    private(set) var run: RequestRun?

    init(_ request: Request, to address: ReplyAddress) {
        self.request = request
        self.refusal = nil
        self.address = address
    }

    init(_ refusal: RPCError, to address: ReplyAddress) {
        self.request = nil
        self.refusal = refusal
        self.address = address
    }

    /// What is known from its runs, begun with the first.
    var startedRun: RequestRun {
        if let run { return run }
        let run = RequestRun()
        self.run = run
        return run
    }

    /// How much memory it holds, in bytes, by the measure of the bound.
    var bytes: Int {
        (request?.params?.count ?? 0) + (address.id?.count ?? 0)
    }
}

/// The messages that wait, each behind the earlier ones of its lane.
struct Lanes {
    private var queues: [Lane: Queue<LaneEntry>] = [:]
    private var waiting = 0
    private var waitingBytes = 0
    /// How many of those that wait are refused already, and wait only for their answer's turn.
    private(set) var refusals = 0

    var isEmpty: Bool { queues.isEmpty }

    /// Whether no further request is to wait.
    var isFull: Bool {
        waiting >= Limits.waitingRequestsMax || waitingBytes >= Limits.waitingBytesMax
    }

    func isBlocked(_ lane: Lane) -> Bool {
        queues[lane] != nil
    }

    func first(of lane: Lane) -> LaneEntry? {
        queues[lane]?.first
    }

    mutating func append(_ entry: LaneEntry, to lane: Lane) {
        queues[lane, default: Queue()].append(entry)
        count(entry, 1)
    }

    mutating func removeFirst(of lane: Lane) {
        guard let index = queues.index(forKey: lane), let entry = queues.values[index].removeFirst() else { return }
        count(entry, -1)
        if queues.values[index].isEmpty { queues.remove(at: index) }
    }

    private mutating func count(_ entry: LaneEntry, _ step: Int) {
        if entry.request == nil {
            refusals += step
        } else {
            waiting += step
            waitingBytes += step * entry.bytes
        }
    }
}
