/// The order in which requests are carried out and answered.
package enum ReplyOrder: String, Sendable {
    /// Requests take effect, and are answered, in the order in which they arrive.
    case inOrder = "in-order"
    /// A request waits only for earlier ones of the same lane.
    case asCompleted = "as-completed"
}

/// The requests of one stream, from input bytes to output bytes:
///
///     receive          takes bytes that were read
///       MessageReader    cuts and parses messages
///       admit            assigns a lane; a message behind another of its lane waits
///         Lanes            hold the waiting messages; LookAhead starts their slow work
///       carryOut         has the handler carry out a request, in GroupCommit
///     commit           makes the effects durable
///     takeOutput       returns the replies that may be sent
///
/// All requests of one read are carried out, then committed together, and only then answered: a thousand requests in a
/// pipe share one sync, and no reply reports a change that is not durable. A request that waits for slow work blocks
/// only its own lane. In-order is the case of a single lane.
///
/// A turn is one run of requests that ends with a commit. A turn ends early when its replies reach `Limits.turnBytes`,
/// because a short request may have a long reply. The next turn begins when these replies are sent.
///
/// One thread uses a connection. It does no input or output itself.
///
/// It is a noncopyable struct and not a class, because each access to a property of an object is checked for
/// exclusivity at run time, and a request makes many.
struct Connection: ~Copyable {
    private let handler: any RequestHandler
    private let chosenOrder: ReplyOrder?
    private var reader: MessageReader
    private var lanes = Lanes()
    /// Lanes that wait only for the next turn, because the replies of the last one reached their limit.
    private var pausedLanes = Set<Lane>()
    private var inFlight = RequestsInFlight()
    private var lookAhead: LookAhead
    private var group: GroupCommit

    /// - Parameter order: how requests are ordered. With nil the framing decides: as completed for header framing,
    ///   whose peers match replies to requests by id; in order for lines.
    init(handler: any RequestHandler, pool: WorkPool, order: ReplyOrder?, framing: Framing) {
        self.handler = handler
        self.chosenOrder = order
        self.reader = MessageReader(framing)
        self.lookAhead = LookAhead(pool: pool)
        self.group = GroupCommit(handler: handler)
    }

    /// Whether every request is answered.
    var isIdle: Bool { lanes.isEmpty && !hasBacklog }

    /// Whether messages remain that wait only until earlier replies are sent.
    var hasBacklog: Bool { !reader.isEmpty || !pausedLanes.isEmpty }

    /// The messages that were read and not answered. Replies that wait to be written count as answered.
    var unansweredMessages: Int { lanes.count + reader.count }

    /// Whether so many refused messages wait that reading must stop.
    var isSaturated: Bool { lanes.isSaturated }

    // MARK: Input and output

    /// Takes bytes that were read.
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

    /// Carries out the messages that remain from a turn that ended early.
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

    /// Continues the requests whose slow work has finished.
    mutating func resume() {
        let finished = lookAhead.takeFinished()
        guard !finished.isEmpty else { return }
        for entry in finished { advance(entry.lane) }
        endTurn()
    }

    /// The replies that may be sent now.
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

    /// Admits the messages of a batch. Each waits in its own lane; the batch's reply has them in the batch's order.
    private mutating func admit(_ messages: [Message], chunk: Chunk) {
        let batch = BatchReply(count: messages.count)
        for (index, message) in messages.enumerated() {
            admit(message, at: BatchPlace(batch: batch, index: index), chunk: chunk)
        }
    }

    /// Carries out a message, or queues it in its lane.
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

    /// The entry of a message; nil for a message that needs no further work,
    /// such as a notification that cancels a request.
    private func entry(for message: consuming Message, at place: BatchPlace?, chunk: Chunk) -> LaneEntry? {
        switch consume message {
        case .ignored: return nil
        case .invalid(let error, let id):
            return LaneEntry(error, to: ReplyAddress(id: id, place: place, chunk: chunk))
        case .request(let request):
            let address = ReplyAddress(id: request.id, place: place, chunk: chunk)
            // If nothing waits, there is room, no request to cancel, and no request with the same id.
            if lanes.isEmpty { return LaneEntry(request, to: address) }
            guard let id = request.id else {
                // A notification gets no reply, not even if it is dropped for lack of room (JSON-RPC 2.0 §4.1).
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

    /// Carries out the messages of a lane until one waits for slow work or the turn ends.
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

    /// Carries out one message and answers it; false if it waits for slow work.
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
