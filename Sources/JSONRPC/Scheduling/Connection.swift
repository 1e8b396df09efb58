import JSON
internal import Threads

/// How requests are ordered.
package enum ReplyOrder: String, Sendable {
    /// They take effect, and are answered, in the order in which they came.
    case inOrder = "in-order"
    /// A request waits only for earlier ones of the same lane.
    case asCompleted = "as-completed"
}

/// The requests of one stream, from bytes read to bytes to be written.
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
    private let pool: WorkPool
    private let chosenOrder: ReplyOrder?
    private var framer: Framer
    /// What was read and has not been looked at.
    private var backlog = Backlog()
    /// The value on several lines that has got its error, while lines may belong to it; nil elsewhere.
    private var openValue: PrettyPrintedValue?
    private var lanes = Lanes()
    /// Lanes that could go on, had their answers not grown long.
    private var pausedLanes = Set<Lane>()

    /// Answers of what is done and not committed yet.
    private var output = JSONWriter(capacity: usualOutputBytes)
    /// The requests that those answers tell of, to be done again one by one should the commit fail.
    private var group: [LaneEntry] = []
    /// Answers that may go out.
    private var committed: [UInt8] = []
    /// The requests that wait, by their ids.
    private var inFlight: [[UInt8]: LaneEntry] = [:]

    private var workUnderWay: [Int: LaneEntry] = [:]
    private var lastTicket = 0
    /// Requests that wait behind others and may need slow work, which can be started ahead of their turn.
    private var notLookedAhead = Queue<LaneEntry>()

    /// What most turns' answers have room in.
    private static let usualOutputBytes = 4_096

    /// - Parameter order: how requests are ordered; nil leaves it to the framing, as peers that frame with headers match
    ///   replies to requests by their ids.
    init(handler: any RequestHandler, pool: WorkPool, order: ReplyOrder?, framing: Framing) {
        self.handler = handler
        self.pool = pool
        self.chosenOrder = order
        self.framer = Framer(framing)
    }

    /// Whether every request was answered.
    var isIdle: Bool { lanes.isEmpty && !hasBacklog }

    /// Whether there is something to carry out that waits for nothing but for earlier answers to go out.
    var hasBacklog: Bool { !backlog.isEmpty || !pausedLanes.isEmpty }

    /// How many messages were read and are not answered, those aside whose answers wait to be written.
    var unansweredMessages: Int { lanes.count + backlog.count }

    /// Whether so many requests wait that nothing more should be read for now.
    var isSaturated: Bool { lanes.isSaturated }

    // MARK: In and out

    /// Takes what was read.
    mutating func receive(_ read: UnsafeRawBufferPointer) {
        let (chunk, frames) = framer.frames(of: read)
        backlog.append(frames, in: chunk)
        takeBacklog()
    }

    /// Takes the end of the input.
    mutating func receiveEnd() {
        let (chunk, frames) = framer.rest()
        backlog.append(frames, in: chunk)
        takeBacklog()
    }

    /// Goes on where a turn ended because its answers had grown long.
    mutating func takeBacklog() {
        for lane in pausedLanes { advance(lane) }
        while !isTurnOver, let (frame, chunk) = backlog.next() { take(frame, in: chunk) }
        commit()
        lookAhead()
    }

    /// Goes on with what waited for work that is done now.
    mutating func resume() {
        for (ticket, phase) in pool.takeFinished() {
            guard let entry = workUnderWay.removeValue(forKey: ticket) else { continue }
            entry.phase = phase
            entry.isWaiting = false
            advance(entry.lane)
        }
        commit()
        lookAhead()
    }

    /// The answers that may go out by now.
    mutating func takeOutput() -> [UInt8] {
        defer { committed = [] }
        return committed
    }

    /// Whether the answers so far are to go out before there are more.
    private var isTurnOver: Bool { output.count + committed.count >= Limits.turnBytes }

    private mutating func take(_ frame: Frame, in chunk: Chunk) {
        switch frame {
        case .message(let bytes):
            if openValue != nil, belongsToOpenValue(bytes) { return }
            take(Line(bytes, in: chunk, isLine: framer.framing != .header), of: bytes, in: chunk)
        case .http: admit(.invalid(.http, id: nil), chunk: chunk)
        case .tooLong: admit(.invalid(.messageTooLong, id: nil), chunk: chunk)
        case .badHeader: admit(.invalid(.badHeader, id: nil), chunk: chunk)
        case .cutShort: admit(.invalid(.cutShort, id: nil), chunk: chunk)
        case .lengthTooLong: admit(.invalid(.lengthTooLong, id: nil), chunk: chunk)
        }
    }

    private mutating func take(_ line: consuming Line, of bytes: UnsafeRawBufferPointer, in chunk: Chunk) {
        switch consume line {
        case .message(let message): admit(message, chunk: chunk)
        case .malformed(let error):
            if framer.framing != .header { openValue = PrettyPrintedValue(firstLine: bytes) }
            admit(.invalid(error, id: nil), chunk: chunk)
        case .batch(let messages):
            // Each message waits in its own lane; the answer has them in the batch's order whenever they are done.
            let batch = BatchReply(count: messages.count)
            for (index, message) in messages.enumerated() {
                admit(message, at: BatchPlace(batch: batch, index: index), chunk: chunk)
            }
        }
    }

    /// Whether a line belongs to a value that has got its error already.
    private mutating func belongsToOpenValue(_ line: UnsafeRawBufferPointer) -> Bool {
        let belongs = openValue?.takes(line) ?? false
        if openValue?.isOver == true { openValue = nil }
        return belongs
    }

    // MARK: Order

    private var order: ReplyOrder {
        chosenOrder ?? (framer.framing == .header ? .asCompleted : .inOrder)
    }

    /// Carries out a message, or puts it where it waits for its turn.
    private mutating func admit(_ message: consuming Message, at place: BatchPlace? = nil, chunk: Chunk) {
        let entry: LaneEntry
        switch consume message {
        case .ignored:
            if let place { settle([], at: place) }
            return
        case .request(let request) where lanes.isEmpty:
            // Where nothing waits, there is nothing to take back or to be confused with, and room.
            entry = LaneEntry(request, to: ReplyAddress(id: request.id, place: place, chunk: chunk))
        case .request(let request) where request.id == nil && cancelsWaiting(request):
            if let place { settle([], at: place) }
            return
        case .request(let request) where request.id == nil && lanes.isFull:
            // A notification gets no answer, not even that there is no room for it (JSON-RPC 2.0 §4.1).
            if let place { settle([], at: place) }
            return
        case .invalid(let error, let id):
            entry = LaneEntry(error, to: ReplyAddress(id: id, place: place, chunk: chunk))
        case .request(let request):
            let address = ReplyAddress(id: request.id, place: place, chunk: chunk)
            if let id = request.id, isInFlight(id) {
                entry = LaneEntry(handler.shaped(.idInFlight, for: request), to: address)
            } else if lanes.isFull {
                entry = LaneEntry(handler.shaped(.overloaded, for: request), to: address)
            } else {
                entry = LaneEntry(request, to: address)
            }
        }
        if !lanes.isEmpty { entry.lane = lane(of: entry) }
        if let lane = entry.lane, lanes.isBlocked(lane) {
            wait(entry, in: lane)
        } else if !carryOut(entry) {
            let lane = lane(of: entry) ?? .only
            wait(entry, in: lane)
        }
    }

    private mutating func wait(_ entry: LaneEntry, in lane: Lane) {
        entry.lane = lane
        enterFlight(entry)
        lanes.append(entry, to: lane)
        if !entry.isWaiting, let request = entry.request, handler.mayWait(request) {
            notLookedAhead.append(entry)
        }
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
            if isTurnOver {
                pausedLanes.insert(lane)
                return
            }
            guard carryOut(entry) else { return }
            lanes.removeFirst(of: lane)
        }
    }

    /// Starts the slow work of requests whose turn has not come.
    private mutating func lookAhead() {
        var room = Limits.workAheadMax - workUnderWay.count
        while let entry = notLookedAhead.first {
            if !entry.isDone && !entry.isWaiting && !entry.isCancelled {
                guard room > 0 else { return }
                room -= 1
                lookAhead(entry)
            }
            notLookedAhead.removeFirst()
        }
    }

    /// Runs a request's first phase for the sake of the work that it asks for alone. What else comes of it is discarded: at
    /// its turn the request is begun anew.
    private mutating func lookAhead(_ entry: LaneEntry) {
        guard let request = entry.request else { return }
        var discarded = JSONWriter()
        do throws(RPCError) {
            if let work = try handler.handle(request, from: nil, result: &discarded) { start(work, for: entry) }
        } catch {
            // It is refused for good at its turn.
        }
        handler.rollback()
    }

    private mutating func start(_ work: @escaping SlowWork, for entry: LaneEntry) {
        lastTicket += 1
        entry.isWaiting = true
        workUnderWay[lastTicket] = entry
        pool.start(lastTicket, work)
    }

    // MARK: Carrying out

    /// Carries out one message and answers it; false where it has to wait for slow work.
    private mutating func carryOut(_ entry: LaneEntry) -> Bool {
        if let place = entry.address.place, place.batch.isFull { entry.hasNoRoom = true }
        // A line goes straight to where it is sent from; a part of a batch, or what needs its length told, does not.
        if entry.address.place == nil, framer.framing != .header {
            let start = output.count
            if let work = entry.perform(by: handler, answer: &output) {
                self.start(work, for: entry)
                return false
            }
            if output.count > start { output.newline() }
            finish(entry)
        } else {
            var answer = JSONWriter()
            if let work = entry.perform(by: handler, answer: &answer) {
                start(work, for: entry)
                return false
            }
            finish(entry)
            deliver(answer.take(), of: entry)
        }
        return true
    }

    private mutating func finish(_ entry: LaneEntry) {
        entry.isDone = true
        leaveFlight(entry)
        group.append(entry)
    }

    /// Sends an answer on its way, empty for a message that gets none: into its batch's, or out.
    private mutating func deliver(_ answer: [UInt8], of entry: LaneEntry) {
        if let place = entry.address.place {
            settle(answer, at: place)
        } else {
            send(answer)
        }
    }

    private mutating func settle(_ part: [UInt8], at place: BatchPlace) {
        guard place.batch.settle(part, at: place.index), case let count = place.batch.answerBytes, count > 0 else {
            return
        }
        beginMessage(bytes: count)
        place.batch.write(to: &output)
        endMessage()
    }

    /// Adds a message to the output, framed.
    private mutating func send(_ message: [UInt8]) {
        guard !message.isEmpty else { return }
        beginMessage(bytes: message.count)
        output.verbatim(message)
        endMessage()
    }

    private mutating func beginMessage(bytes: Int) {
        if framer.framing == .header { output.verbatim(Array("Content-Length: \(bytes)\r\n\r\n".utf8)) }
    }

    private mutating func endMessage() {
        if framer.framing != .header { output.newline() }
    }

    // MARK: Committing

    /// Makes durable what was done, and lets its answers go. It ends a turn also where nothing was done: the handler may
    /// have looked at what it holds, and is to look anew in the next.
    private mutating func commit() {
        do throws(RPCError) {
            try handler.commit()
        } catch {
            handler.rollback()
            repeatOneByOne(after: error)
        }
        guard output.count > 0 else { return group.removeAll(keepingCapacity: true) }
        group.removeAll(keepingCapacity: true)
        // The parts of a batch's answer are free by now, and give room to its copy.
        if output.count > Limits.outputBytesKept { ProcessMemory.releaseFree() }
        output.withUnsafeBytes { committed.append(contentsOf: $0) }
        output.truncate(to: 0)
        if output.capacity > Limits.outputBytesKept { output = JSONWriter(capacity: Self.usualOutputBytes) }
    }

    /// Does a group again whose commit failed, each request for itself: those that only read are answered as ever, and
    /// each that writes gets the error.
    private mutating func repeatOneByOne(after fault: RPCError) {
        let entries = group
        for place in entries.compactMap(\.address.place) { place.batch.takeBack(at: place.index) }
        output.truncate(to: 0)
        for entry in entries {
            var answer = JSONWriter()
            // What it waited for it knows by now, so it does not wait again; if it does, the store's error stands.
            var failure: RPCError? = entry.perform(by: handler, answer: &answer) == nil ? nil : fault
            do throws(RPCError) {
                // What is refused or taken back has done nothing, so a commit that fails is not its own.
                if failure == nil, entry.request != nil, !entry.isCancelled { try handler.commit() }
            } catch {
                failure = error
            }
            if let failure {
                handler.rollback()
                answer.truncate(to: 0)
                entry.end(with: failure, by: handler, answer: &answer)
            }
            deliver(answer.take(), of: entry)
        }
    }

    // MARK: Ids

    // An id is in flight while its request waits. A request that is carried out as it comes has no time to be confused
    // with another, so most ids are never noted.

    /// Whether a request with this id waits; `null` names nothing.
    private func isInFlight(_ id: UnsafeRawBufferPointer) -> Bool {
        !inFlight.isEmpty && inFlight[Array(id)] != nil
    }

    /// Whether a notification takes back a request that waits, which is not carried out and gets no answer then.
    private func cancelsWaiting(_ notification: Request) -> Bool {
        guard !inFlight.isEmpty, let id = handler.cancelledID(by: notification), let entry = inFlight[Array(id)],
            let request = entry.request, handler.isCancellable(request)
        else { return false }
        entry.isCancelled = true
        return true
    }

    private mutating func enterFlight(_ entry: LaneEntry) {
        guard entry.request != nil, let id = entry.address.id, !id.elementsEqual("null".utf8) else { return }
        guard inFlight[Array(id)] == nil else { return }
        inFlight[Array(id)] = entry
        entry.isInFlight = true
    }

    private mutating func leaveFlight(_ entry: LaneEntry) {
        guard entry.isInFlight, let id = entry.address.id else { return }
        inFlight[Array(id)] = nil
        entry.isInFlight = false
    }
}
