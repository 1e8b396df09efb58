import JSON
internal import Platform

/// Commits requests in groups, and keeps their replies until all effects are durable.
///
/// A thousand requests that arrive with one read share one sync. If the commit of a group fails, each of its requests
/// is carried out again and committed alone, so requests that only read still succeed.
struct GroupCommit: ~Copyable {
    private let handler: any RequestHandler
    /// How replies are framed.
    var framing = Framing.line
    /// The replies to requests that are carried out and not committed.
    private var output = JSONWriter(capacity: usualOutputBytes)
    /// The messages that were carried out since the last commit.
    private var group: [LaneEntry] = []
    /// The replies that may be sent.
    private var committed: [UInt8] = []

    /// The initial capacity, which is enough for the replies of most groups.
    private static let usualOutputBytes = 4_096

    init(handler: any RequestHandler) {
        self.handler = handler
    }

    /// Whether the replies have reached the limit of a turn and must be sent before more are added.
    var isFull: Bool { output.count + committed.count >= Limits.turnBytes }

    /// Returns the replies that may be sent now, and removes them.
    mutating func takeCommitted() -> [UInt8] {
        defer { committed = [] }
        return committed
    }

    /// Carries out one message.
    ///
    /// - Returns: the slow work that the message waits for, with nothing done; nil if it was carried out.
    mutating func carryOut(_ entry: LaneEntry) -> SlowWork? {
        if let place = entry.address.place, place.batch.isFull { entry.hasNoRoom = true }
        // A single reply in line framing is written directly to `output`. A part of a batch is not, and neither is a
        // reply whose length must precede it.
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

    /// Puts a message's reply into its batch's reply. The reply is empty if the message gets none.
    mutating func settle(_ part: [UInt8], at place: BatchPlace) {
        guard place.batch.settle(part, at: place.index), case let count = place.batch.answerBytes, count > 0 else {
            return
        }
        beginMessage(bytes: count)
        place.batch.write(to: &output)
        endMessage()
    }

    /// Makes the group's effects durable and releases its replies.
    ///
    /// It commits an empty group as well: the handler may have read the
    /// store, and must refresh its view for the next group.
    mutating func commit() {
        do throws(RPCError) {
            try handler.commit()
        } catch {
            handler.rollback()
            repeatOneByOne(after: error)
        }
        group.removeAll(keepingCapacity: true)
        guard output.count > 0 else { return }
        // The parts of a long batch reply are freed by now. Returning their memory makes room for the copy below.
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
            // It continues from the phase of its slow work. If it asks for more slow work, it gets the store's error.
            var failure: RPCError? = entry.perform(by: handler, answer: &answer) == nil ? nil : fault
            do throws(RPCError) {
                // A refused or cancelled message has no effects to commit.
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

    /// Adds a reply to its batch's reply, or else to the output. The reply is empty if the message gets none.
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
