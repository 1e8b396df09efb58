import JSON
internal import Platform

/// The framed replies of one stream: the released ones, which may be sent, and the staged ones, of units that are not
/// committed yet.
struct ReplyBuffer: ~Copyable {
    /// How replies are framed.
    var framing: Framing
    /// Replies of units that are not committed.
    private var staged = JSONWriter(capacity: usualBytes)
    private var released: [UInt8] = []

    /// The usual capacity for staged replies: enough for those of most groups.
    private static let usualBytes = 4_096

    init(_ framing: Framing) {
        self.framing = framing
    }

    /// Whether the replies must be sent before the next request is executed.
    var isFull: Bool { staged.count + released.count >= Limits.groupReplyBytes }

    /// Stages the reply to a message that is not in a batch. `write` writes it directly into the buffer.
    ///
    /// - Returns: the slow work that the request waits for, with no reply written; nil if the message was executed.
    mutating func stageInPlace(_ write: (inout JSONWriter) -> SlowWork?) -> SlowWork? {
        let start = staged.count
        if let work = write(&staged) { return work }
        if staged.count > start { staged.newline() }
        return nil
    }

    /// Whether a reply can be written directly into the buffer: it is not part of a batch's reply, and needs no header
    /// with its length before it.
    func isInPlace(_ address: ReplyAddress) -> Bool {
        address.place == nil && framing != .header
    }

    /// Stages the reply to one message. It is empty if the message gets none.
    mutating func stage(_ reply: [UInt8], to address: ReplyAddress) {
        if let place = address.place { return stage(reply, at: place) }
        guard !reply.isEmpty else { return }
        staged.beginMessage(bytes: reply.count, in: framing)
        staged.verbatim(reply)
        staged.endMessage(in: framing)
    }

    /// Adds a message's reply, empty if it gets none, to the reply of its batch. Stages the batch's reply once it is
    /// complete.
    mutating func stage(_ part: [UInt8], at place: BatchPlace) {
        guard place.batch.settle(part, at: place.index), case let count = place.batch.replyBytes, count > 0 else {
            return
        }
        staged.beginMessage(bytes: count, in: framing)
        place.batch.write(to: &staged)
        staged.endMessage(in: framing)
    }

    /// Releases the staged replies, which may then be sent.
    mutating func release() {
        guard staged.count > 0 else { return }
        // The parts of a batch's reply are freed by now. Returning their memory to the system makes room for the copy
        // below.
        if staged.count > Limits.outputBytesKept { ProcessMemory.releaseFree() }
        staged.withUnsafeBytes { released.append(contentsOf: $0) }
        discardStaged()
        if staged.capacity > Limits.outputBytesKept { staged = JSONWriter(capacity: Self.usualBytes) }
    }

    mutating func discardStaged() {
        staged.truncate(to: 0)
    }

    /// Removes and returns the released replies.
    mutating func takeReleased() -> [UInt8] {
        defer { released = [] }
        return released
    }
}
