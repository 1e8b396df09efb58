/// The scheduler of one stream's requests, from bytes read to bytes to be written:
///
///     receive          takes bytes that were read
///       MessageReader    cuts and parses messages
///       admit            executes a message at once, or queues it in its lane
///         Lanes            hold the messages that wait
///         Executor         executes units of work, on this thread or on workers
///         WorkPool         does the slow work that a unit waits for
///     resume           continues the messages whose slow work or worker has finished
///     endGroup         the executor commits the group of units; ReplyBuffer then releases their replies
///     takeOutput       gives the released replies
///
/// A waiting message blocks only its lane. In-order mode has a single lane. A group ends after the messages of a read,
/// and earlier when its replies are long (`Limits.groupReplyBytes`), because a short request may have a long reply. The
/// next group starts when the replies have been taken.
///
/// The scheduler belongs to one thread, and does not read or write the stream. It is a struct with one owner, because
/// each use of a property of an object is checked at run time for overlapping access.
struct Connection: ~Copyable {
    private let policy: any RequestPolicy
    private let executor: any Executor
    /// The executor's `isInline`, asked once.
    private let isInline: Bool
    private let pool: WorkPool
    private let chosenOrder: ReplyOrder?
    /// Takes the responses to requests that the server has sent; nil if it sends none.
    private let host: HostMessages?
    private(set) var reader: MessageReader
    private var lanes = Lanes()
    private var pausedLanes = PausedLanes()
    private var inFlight = RequestsInFlight()
    private var underWay = MessagesUnderWay()
    private var replies: ReplyBuffer

    /// - Parameters:
    ///   - policy: gives the properties of requests that the scheduler needs.
    ///   - executor: executes requests.
    ///   - pool: does slow work.
    ///   - order: how requests are ordered; nil lets the framing decide, because peers that frame with headers match
    ///     replies to requests by id.
    ///   - host: takes the responses to requests that the server has sent; nil if it sends none.
    init(
        policy: any RequestPolicy,
        executor: any Executor,
        pool: WorkPool,
        order: ReplyOrder?,
        framing: Framing,
        host: HostMessages? = nil
    ) {
        self.policy = policy
        self.executor = executor
        self.isInline = executor.isInline
        self.pool = pool
        self.chosenOrder = order
        self.host = host
        self.reader = MessageReader(framing)
        self.replies = ReplyBuffer(framing)
    }

    /// Whether every message that was read has its reply.
    var isIdle: Bool { lanes.isEmpty && reader.isEmpty }

    /// Whether `executeReadMessages()` can go on with messages that were read once earlier replies have been taken.
    var hasBacklog: Bool { !reader.isEmpty || !pausedLanes.isEmpty && !executor.isFull }

    /// How many messages were read and have no reply yet. A reply may still wait to be written.
    var messagesWithoutReply: Int { lanes.count + reader.count }

    /// Whether so many refused messages wait that reading must stop.
    var isSaturated: Bool { lanes.isSaturated }

    // MARK: Input and output

    /// Takes bytes that were read.
    mutating func receive(_ read: UnsafeRawBufferPointer) {
        reader.receive(read)
        replies.framing = reader.framing
        executeReadMessages()
    }

    /// Takes the end of the input. A message that it cuts short gets an error.
    mutating func receiveEnd() {
        reader.receiveEnd()
        replies.framing = reader.framing
        executeReadMessages()
    }

    /// Executes the messages that were read, until their replies are long, and ends the group.
    mutating func executeReadMessages() {
        advancePausedLanes()
        while !replies.isFull, let (received, chunk) = reader.next() {
            switch received {
            case .message(let message): admit(message, chunk: chunk)
            case .batch(let messages): admit(messages, chunk: chunk)
            }
        }
        endGroup()
    }

    /// Continues the messages whose slow work or worker has finished.
    mutating func resume() {
        let worked = pool.takeFinished()
        let executed = executor.takeFinished()
        guard !worked.isEmpty || !executed.isEmpty else { return }
        for (ticket, phase) in worked {
            guard let message = underWay.remove(ticket) else { continue }
            message.unit.phase = phase
            message.state = .queued
            pausedLanes.append(message.lane)
        }
        for (ticket, execution) in executed {
            if let message = underWay.remove(ticket) { finish(message, with: execution) }
        }
        advancePausedLanes()
        endGroup()
    }

    /// Ends the executor, once it has finished the units that it has begun.
    func finish() {
        executor.finish()
    }

    /// Removes and returns the released replies.
    mutating func takeOutput() -> [UInt8] {
        replies.takeReleased()
    }

    private mutating func endGroup() {
        executor.commit(&replies)
        lookAhead()
        // The commit of an inline executor has ended the policy's transactions too: they use the same session.
        if !isInline { policy.endGroup() }
    }

    // MARK: Order

    private var isFull: Bool { replies.isFull || !isInline && executor.isFull }

    /// Whether a unit must wait for room.
    private func mustWait(_ unit: borrowing UnitOfWork) -> Bool {
        replies.isFull || !isInline && executor.isFull && executor.needsWorker(copy unit)
    }

    private var order: ReplyOrder {
        chosenOrder ?? (reader.framing == .header ? .asCompleted : .inOrder)
    }

    /// Admits each message of a batch, which waits in its lane as a single message does. The reply to the batch
    /// has their replies in the order of the batch, even if they finish in another order.
    private mutating func admit(_ messages: [Message], chunk: Chunk) {
        let batch = BatchReply(count: messages.count)
        for (index, message) in messages.enumerated() {
            admit(message, at: BatchPlace(batch: batch, index: index), chunk: chunk)
        }
    }

    /// Executes a message, or queues it in its lane.
    private mutating func admit(_ message: consuming Message, at place: BatchPlace? = nil, chunk: Chunk) {
        guard let unit = unit(for: message, at: place, chunk: chunk) else {
            if let place { replies.stage([], at: place) }
            return
        }
        let ticket = underWay.nextTicket()
        // A unit that is done at once needs no lane. One that a worker executes may change its account meanwhile.
        if lanes.isEmpty, isInline {
            begin(unit, ticket, in: nil)
        } else {
            let lane = lane(of: unit) ?? .own(ticket)
            let isBlocked = lanes.isBlocked(lane)
            guard isBlocked || mustWait(unit) else { return begin(unit, ticket, in: lane) }
            enqueue(PendingMessage(unit, in: lane))
            if !isBlocked { pausedLanes.append(lane) }
        }
    }

    /// The unit of work for a message; nil if the message needs no further work, such as a notification that cancels a
    /// request.
    private func unit(for message: consuming Message, at place: BatchPlace?, chunk: Chunk) -> UnitOfWork? {
        switch consume message {
        case .response(let response):
            host?.receive(response)
            return nil
        case .invalid(let error, let id):
            return UnitOfWork(error, to: ReplyAddress(id: id, place: place, chunk: chunk))
        case .request(let request):
            let address = ReplyAddress(id: request.id, place: place, chunk: chunk)
            // If no message waits, there is room, no request to cancel, and no other request with the same id.
            if lanes.isEmpty { return UnitOfWork(request, to: address) }
            guard let id = request.id else {
                // A notification gets no reply, not even that there is no room for it (JSON-RPC 2.0 §4.1).
                return cancelWaiting(request) || lanes.isFull ? nil : UnitOfWork(request, to: address)
            }
            if inFlight.message(id) != nil {
                return UnitOfWork(policy.formatted(.idInFlight, for: request), to: address)
            }
            if lanes.isFull { return UnitOfWork(policy.formatted(.overloaded, for: request), to: address) }
            return UnitOfWork(request, to: address)
        }
    }

    /// Cancels the waiting request that a notification names: it is not executed and gets no reply.
    ///
    /// - Returns: false if the notification cancels nothing.
    private func cancelWaiting(_ notification: Request) -> Bool {
        guard let id = policy.cancelledID(by: notification), let message = inFlight.message(id),
            let request = message.unit.request, policy.isCancellable(request)
        else { return false }
        message.unit.cancel()
        return true
    }

    private func lane(of unit: borrowing UnitOfWork) -> Lane? {
        if order == .inOrder { return .only }
        return unit.request.flatMap { policy.lane(of: $0) }
    }

    private mutating func enqueue(_ message: PendingMessage) {
        inFlight.insert(message)
        lanes.append(message)
        if message.state == .queued, let request = message.unit.request, policy.mayWait(request) {
            underWay.addCandidate(message)
        }
    }

    // MARK: Execution

    /// Executes a message that need not wait for its turn. If it then waits for other work, it is put in its lane.
    ///
    /// - Parameter lane: the message's lane; nil if that is not known yet.
    private mutating func begin(_ unit: consuming UnitOfWork, _ ticket: Ticket, in lane: Lane?) {
        unit.refuseInFullBatch(by: policy)
        let execution = executor.execute(unit, ticket, replies: &replies)
        if case .done = execution { return }
        let message = PendingMessage(unit, in: lane ?? self.lane(of: unit) ?? .own(ticket))
        underWay.insert(message, ticket)
        enqueue(message)
        if case .waits(let work) = execution { pool.start(ticket, work) }
    }

    /// Executes the messages of the paused lanes while there is room.
    private mutating func advancePausedLanes() {
        while !isFull, let lane = pausedLanes.removeFirst() { advance(lane) }
    }

    /// Executes the messages of a lane whose turn has come.
    private mutating func advance(_ lane: Lane) {
        while let message = lanes.first(of: lane), message.state == .queued {
            if mustWait(message.unit) {
                pausedLanes.append(lane)
                return
            }
            message.unit.refuseInFullBatch(by: policy)
            let ticket = underWay.nextTicket()
            switch executor.execute(message.unit, ticket, replies: &replies) {
            case .done: remove(message)
            case .waits(let work): start(work, for: message, ticket)
            case .underWay: underWay.insert(message, ticket)
            }
        }
    }

    /// Continues a message whose phase a worker has finished.
    private mutating func finish(_ message: PendingMessage, with execution: FinishedExecution) {
        switch execution {
        case .done(let reply):
            // A request that was cancelled meanwhile gets no reply.
            replies.stage(message.unit.isCancelled ? [] : reply, to: message.unit.address)
            remove(message)
        case .waits(let work) where !message.unit.isCancelled: return start(work, for: message, underWay.nextTicket())
        case .waits, .lookedAhead: message.state = .queued
        }
        pausedLanes.append(message.lane)
    }

    private mutating func start(_ work: @escaping SlowWork, for message: PendingMessage, _ ticket: Ticket) {
        underWay.insert(message, ticket)
        pool.start(ticket, work)
    }

    /// Removes a message that was executed, the first of its lane.
    private mutating func remove(_ message: PendingMessage) {
        message.state = .done
        inFlight.remove(message)
        lanes.removeFirst(of: message.lane)
    }

    /// Runs the first phases of requests that wait, to start their slow work.
    private mutating func lookAhead() {
        while !executor.isFull, let message = underWay.nextCandidate() {
            let ticket = underWay.nextTicket()
            switch executor.lookAhead(message.unit, ticket) {
            case .done: break
            case .waits(let work): start(work, for: message, ticket)
            case .underWay: underWay.insert(message, ticket)
            }
        }
    }
}
