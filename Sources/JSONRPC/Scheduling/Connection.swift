/// How requests are ordered.
package enum ReplyOrder: String, Sendable {
    /// They take effect, and are answered, in the order in which they came.
    case inOrder = "in-order"
    /// A request waits only for earlier ones of the same lane.
    case asCompleted = "as-completed"
}

/// The requests of one stream, from bytes read to bytes to be written:
///
///     receive          bytes that were read
///       MessageReader    cuts and parses messages
///       admit            gives each a lane; one behind another request of its lane waits
///         Lanes            keep what waits; LookAhead starts its slow work
///       carryOut         has the handler carry out a request, in GroupCommit
///     commit           makes what was done durable
///     takeOutput       replies that may leave
///
/// What one read brought is carried out, then committed at once, and only then answered: a thousand requests in a pipe
/// share one sync, and no reply tells of what is not durable. A request that waits for slow work holds up its lane and
/// nothing else; in-order is the case of a single lane.
///
/// A turn ends when its answers have grown long, as a short request may have a long answer; the next begins when these
/// have gone out. It belongs to one thread, and does no input or output of its own.
///
/// A struct, with one owner: each use of an object's members is checked at run time against others that overlap with it,
/// and a request makes many.
struct Connection: ~Copyable {
    private let handler: any RequestHandler
    private let chosenOrder: ReplyOrder?
    private var reader: MessageReader
    private var lanes = Lanes()
    /// Lanes that could go on, had their answers not grown long.
    private var pausedLanes = Set<Lane>()
    private var inFlight = RequestsInFlight()
    private var lookAhead: LookAhead
    private var group: GroupCommit

    /// - Parameter order: how requests are ordered; nil leaves it to the framing, as peers that frame with headers match
    ///   replies to requests by their ids.
    init(handler: any RequestHandler, pool: WorkPool, order: ReplyOrder?, framing: Framing) {
        self.handler = handler
        self.chosenOrder = order
        self.reader = MessageReader(framing)
        self.lookAhead = LookAhead(pool: pool)
        self.group = GroupCommit(handler: handler)
    }

    /// Whether every request was answered.
    var isIdle: Bool { lanes.isEmpty && !hasBacklog }

    /// Whether there is something to carry out that waits for nothing but for earlier answers to go out.
    var hasBacklog: Bool { !reader.isEmpty || !pausedLanes.isEmpty }

    /// How many messages were read and are not answered, those aside whose answers wait to be written.
    var unansweredMessages: Int { lanes.count + reader.count }

    /// Whether so many requests wait that nothing more should be read for now.
    var isSaturated: Bool { lanes.isSaturated }

    // MARK: In and out

    /// Takes what was read.
    mutating func receive(_ read: UnsafeRawBufferPointer) {
        reader.receive(read)
        group.framing = reader.framing
        takeBacklog()
    }

    /// Takes the end of the input.
    mutating func receiveEnd() {
        reader.receiveEnd()
        group.framing = reader.framing
        takeBacklog()
    }

    /// Goes on where a turn ended because its answers had grown long.
    mutating func takeBacklog() {
        for lane in pausedLanes { advance(lane) }
        while !group.isFull, let (received, chunk) = reader.next() {
            switch received {
            case .message(let message): admit(message, chunk: chunk)
            case .batch(let messages): admit(messages, chunk: chunk)
            }
        }
        endTurn()
    }

    /// Goes on with what waited for work that is done now.
    mutating func resume() {
        let finished = lookAhead.takeFinished()
        guard !finished.isEmpty else { return }
        for entry in finished { advance(entry.lane) }
        endTurn()
    }

    /// The answers that may go out by now.
    mutating func takeOutput() -> [UInt8] {
        group.takeCommitted()
    }

    private mutating func endTurn() {
        group.commit()
        lookAhead.run(by: handler)
    }

    // MARK: Order

    private var order: ReplyOrder {
        chosenOrder ?? (reader.framing == .header ? .asCompleted : .inOrder)
    }

    /// Each message of a batch waits in its own lane; the answer has them in the batch's order whenever they are done.
    private mutating func admit(_ messages: [Message], chunk: Chunk) {
        let batch = BatchReply(count: messages.count)
        for (index, message) in messages.enumerated() {
            admit(message, at: BatchPlace(batch: batch, index: index), chunk: chunk)
        }
    }

    /// Carries out a message, or puts it where it waits for its turn.
    private mutating func admit(_ message: consuming Message, at place: BatchPlace? = nil, chunk: Chunk) {
        guard let entry = entry(for: message, at: place, chunk: chunk) else {
            if let place { group.settle([], at: place) }
            return
        }
        if !lanes.isEmpty { entry.lane = lane(of: entry) }
        if let lane = entry.lane, lanes.isBlocked(lane) {
            wait(entry, in: lane)
        } else if !carryOut(entry) {
            wait(entry, in: lane(of: entry) ?? .only)
        }
    }

    /// What is to be carried out for a message; nil for a message that needs nothing, such as a notification that cancels a
    /// request.
    private func entry(for message: consuming Message, at place: BatchPlace?, chunk: Chunk) -> LaneEntry? {
        switch consume message {
        case .ignored: return nil
        case .invalid(let error, let id):
            return LaneEntry(error, to: ReplyAddress(id: id, place: place, chunk: chunk))
        case .request(let request):
            let address = ReplyAddress(id: request.id, place: place, chunk: chunk)
            // If nothing waits, there is room, and nothing to cancel or to confuse the request with.
            if lanes.isEmpty { return LaneEntry(request, to: address) }
            guard let id = request.id else {
                // A notification gets no answer, not even that there is no room for it (JSON-RPC 2.0 §4.1).
                return cancelWaiting(request) || lanes.isFull ? nil : LaneEntry(request, to: address)
            }
            if inFlight.entry(id) != nil { return LaneEntry(handler.shaped(.idInFlight, for: request), to: address) }
            if lanes.isFull { return LaneEntry(handler.shaped(.overloaded, for: request), to: address) }
            return LaneEntry(request, to: address)
        }
    }

    /// Cancels the waiting request that a notification names: it is not carried out and gets no reply.
    ///
    /// - Returns: false if the notification cancels nothing.
    private func cancelWaiting(_ notification: Request) -> Bool {
        guard let id = handler.cancelledID(by: notification), let entry = inFlight.entry(id),
            let request = entry.request, handler.isCancellable(request)
        else { return false }
        entry.isCancelled = true
        return true
    }

    private mutating func wait(_ entry: LaneEntry, in lane: Lane) {
        entry.lane = lane
        inFlight.insert(entry)
        lanes.append(entry, to: lane)
        if !entry.isWaiting, let request = entry.request, handler.mayWait(request) { lookAhead.append(entry) }
    }

    private func lane(of entry: LaneEntry) -> Lane? {
        if order == .inOrder { return .only }
        return entry.request.flatMap { handler.lane(of: $0) }
    }

    /// Carries out what has come to its turn in a lane.
    private mutating func advance(_ lane: Lane?) {
        guard let lane else { return }
        pausedLanes.remove(lane)
        while let entry = lanes.first(of: lane), !entry.isWaiting {
            if group.isFull {
                pausedLanes.insert(lane)
                return
            }
            guard carryOut(entry) else { return }
            lanes.removeFirst(of: lane)
        }
    }

    /// Carries out one message and answers it; false where it has to wait for slow work.
    private mutating func carryOut(_ entry: LaneEntry) -> Bool {
        if let work = group.carryOut(entry) {
            lookAhead.start(work, for: entry)
            return false
        }
        entry.isDone = true
        inFlight.remove(entry)
        return true
    }
}
