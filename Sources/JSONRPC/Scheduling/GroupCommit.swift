import JSON
internal import Platform

/// Requests that were carried out, and their replies: these leave once all that the requests did is durable.
///
/// A thousand requests that came with one read share one sync. Where the commit of a group fails, each of its requests is
/// carried out again and committed alone, so that those that only read are answered as ever.
struct GroupCommit: ~Copyable {
    private let handler: any RequestHandler
    /// How replies are told apart.
    var framing = Framing.line
    /// Replies of what is done and not committed yet.
    private var output = JSONWriter(capacity: usualOutputBytes)
    /// The requests that these replies are to.
    private var group: [LaneEntry] = []
    /// Replies that may leave.
    private var committed: [UInt8] = []

    /// What most groups' replies have room in.
    private static let usualOutputBytes = 4_096

    init(handler: any RequestHandler) {
        self.handler = handler
    }

    /// Whether the replies so far are to leave before there are more.
    var isFull: Bool { output.count + committed.count >= Limits.turnBytes }

    /// The replies that may leave by now.
    mutating func takeCommitted() -> [UInt8] {
        defer { committed = [] }
        return committed
    }

    /// Carries out one message; gives the slow work that it waits for, with nothing done, where it waits for some.
    mutating func carryOut(_ entry: LaneEntry) -> SlowWork? {
        if let place = entry.address.place, place.batch.isFull { entry.hasNoRoom = true }
        // A line goes straight to where it is sent from; a part of a batch, or what needs its length written before it,
        // does not.
        if entry.address.place == nil, framing != .header {
            let start = output.count
            if let work = entry.perform(by: handler, answer: &output) { return work }
            if output.count > start { output.newline() }
            group.append(entry)
        } else {
            var answer = JSONWriter()
            if let work = entry.perform(by: handler, answer: &answer) { return work }
            group.append(entry)
            deliver(answer.take(), of: entry)
        }
        return nil
    }

    /// Puts a message's answer, empty for one that gets none, into its place in its batch's.
    mutating func settle(_ part: [UInt8], at place: BatchPlace) {
        guard place.batch.settle(part, at: place.index), case let count = place.batch.answerBytes, count > 0 else {
            return
        }
        beginMessage(bytes: count)
        place.batch.write(to: &output)
        endMessage()
    }

    /// Makes durable what was done, and lets the replies leave. It ends a group also where nothing was done: the handler may
    /// have looked at what it holds, and is to look anew for the next.
    mutating func commit() {
        do throws(RPCError) {
            try handler.commit()
        } catch {
            handler.rollback()
            repeatOneByOne(after: error)
        }
        group.removeAll(keepingCapacity: true)
        guard output.count > 0 else { return }
        // The parts of a batch's answer are free by now, and give room to its copy.
        if output.count > Limits.outputBytesKept { ProcessMemory.releaseFree() }
        output.withUnsafeBytes { committed.append(contentsOf: $0) }
        output.truncate(to: 0)
        if output.capacity > Limits.outputBytesKept { output = JSONWriter(capacity: Self.usualOutputBytes) }
    }

    private mutating func repeatOneByOne(after fault: RPCError) {
        let entries = group
        for place in entries.compactMap(\.address.place) { place.batch.takeBack(at: place.index) }
        output.truncate(to: 0)
        for entry in entries {
            var answer = JSONWriter()
            // It goes on with the outcome of its slow work. If it asks for more, the store's error stands.
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

    /// Sends an answer on its way, empty for a message that gets none: into its batch's, or out.
    private mutating func deliver(_ answer: [UInt8], of entry: LaneEntry) {
        if let place = entry.address.place { return settle(answer, at: place) }
        guard !answer.isEmpty else { return }
        beginMessage(bytes: answer.count)
        output.verbatim(answer)
        endMessage()
    }

    private mutating func beginMessage(bytes: Int) {
        if framing == .header { output.verbatim(Array("Content-Length: \(bytes)\r\n\r\n".utf8)) }
    }

    private mutating func endMessage() {
        if framing != .header { output.newline() }
    }
}
