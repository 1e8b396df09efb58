import JSON
internal import Platform

/// The replies of one stream, framed: those of units that are not committed, and behind them those that may leave.
struct ReplyBuffer: ~Copyable {
    /// How replies are told apart.
    var framing: Framing
    /// Replies of units that are not committed.
    private var staged = JSONWriter(capacity: usualBytes)
    private var released: [UInt8] = []

    /// What most groups' replies have room in.
    private static let usualBytes = 4_096

    init(_ framing: Framing) {
        self.framing = framing
    }

    /// Whether the replies so far must leave before the next request is carried out.
    var isFull: Bool { staged.count + released.count >= Limits.turnBytes }

    /// Stages the reply to a message of its own, which `write` writes in place.
    ///
    /// - Returns: what `write` returned: the slow work that the request waits for, with no reply written.
    mutating func stageInPlace(_ write: (inout JSONWriter) -> SlowWork?) -> SlowWork? {
        let start = staged.count
        if let work = write(&staged) { return work }
        if staged.count > start { staged.newline() }
        return nil
    }

    /// Whether the reply to that address can be written in place: it is neither part of a batch's, nor framed by its length.
    func isInPlace(_ address: ReplyAddress) -> Bool {
        address.place == nil && framing != .header
    }

    /// Stages the reply to one message; empty for a message that gets none.
    mutating func stage(_ reply: [UInt8], to address: ReplyAddress) {
        if let place = address.place { return stage(reply, at: place) }
        guard !reply.isEmpty else { return }
        beginMessage(bytes: reply.count)
        staged.verbatim(reply)
        endMessage()
    }

    /// Puts a message's reply, empty for one that gets none, into its batch's reply, and stages that once it is complete.
    mutating func stage(_ part: [UInt8], at place: BatchPlace) {
        guard place.batch.settle(part, at: place.index), case let count = place.batch.answerBytes, count > 0 else {
            return
        }
        beginMessage(bytes: count)
        place.batch.write(to: &staged)
        endMessage()
    }

    /// Lets the staged replies leave.
    mutating func release() {
        guard staged.count > 0 else { return }
        // The parts of a batch's reply are free by now, and give room to its copy.
        if staged.count > Limits.outputBytesKept { ProcessMemory.releaseFree() }
        staged.withUnsafeBytes { released.append(contentsOf: $0) }
        discardStaged()
        if staged.capacity > Limits.outputBytesKept { staged = JSONWriter(capacity: Self.usualBytes) }
    }

    mutating func discardStaged() {
        staged.truncate(to: 0)
    }

    /// Takes the replies that may leave.
    mutating func takeReleased() -> [UInt8] {
        defer { released = [] }
        return released
    }

    private mutating func beginMessage(bytes: Int) {
        if framing == .header { staged.verbatim(Array("Content-Length: \(bytes)\r\n\r\n".utf8)) }
    }

    private mutating func endMessage() {
        if framing != .header { staged.newline() }
    }
}
