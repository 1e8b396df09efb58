package import JSON
internal import Platform

/// The messages that the server sends on its own: notifications, and requests that the host answers.
///
/// The tasks of the loop send them. A message is written whole, after the replies of a group and before those of the
/// next. A request gets exactly one answer: the host's response, or `unanswered` or `ended`. Its handler is called
/// before the tasks of a turn, when no request has staged writes.
///
///     guard messages.hasRoom else { return }       // again after a later turn
///     messages.notify("event") { params in … }
///     messages.request("mail.deliver", seconds: 30) { params in … } answered: { answer in … }
///
/// It belongs to the loop's thread.
package final class HostMessages {
    /// A request that the host has not answered.
    private struct Request {
        let seconds: Int
        /// When it becomes `unanswered`, in milliseconds of the clock.
        let deadline: Int
        let answered: (HostAnswer) -> Void
    }

    /// The state of the stream at the start of a turn's tasks.
    struct Stream {
        var framing = Framing.auto
        var unwrittenBytes = 0
        /// Whether more responses may be read.
        var isInputOpen = true
        /// Whether messages may still be written.
        var isOutputOpen = true
    }

    private let newSecret: () -> String
    private let clock: () -> Int
    private var stream = Stream()
    /// The framed messages of this turn.
    private var output = JSONWriter(capacity: 0)
    private var requests: [String: Request] = [:]
    /// The answers whose handlers have not been called.
    private var answers: [(answered: (HostAnswer) -> Void, answer: HostAnswer)] = []

    /// - Parameters:
    ///   - newSecret: returns 128 new random bits as text. They are the ids of requests, so that a response that
    ///     someone makes the host pass on cannot be mistaken for the host's answer.
    ///   - clock: the milliseconds of a monotonic clock.
    package init(newSecret: @escaping () -> String, clock: @escaping () -> Int = { MonotonicClock.milliseconds }) {
        self.newSecret = newSecret
        self.clock = clock
    }

    // MARK: Sending

    /// Whether a notification may be sent now. It may not before the input has decided the framing, and while the host
    /// leaves `Limits.hostMessagesUnwrittenBytesMax` bytes unread. The tasks run again when that changes.
    package var hasRoom: Bool {
        stream.isOutputOpen && stream.framing != .auto
            && stream.unwrittenBytes + output.count <= Limits.hostMessagesUnwrittenBytesMax
    }

    /// Whether the input has ended, so that the stream ends soon.
    package var isInputEnded: Bool { !stream.isInputOpen }

    /// Whether a task has more messages to send. The server then does not end at the end of the input, but runs the
    /// tasks again, as long as messages can be sent.
    package var hasMoreToSend = false

    /// Whether a request may be sent now: there is room, and the input has not ended, so a response can come.
    package var canRequest: Bool { hasRoom && stream.isInputOpen }

    /// Sends a notification.
    ///
    /// - Parameter params: writes the params, one object.
    /// - Returns: false, with nothing sent, if there is no room.
    package func notify(_ method: StaticString, params: (inout JSONWriter) -> Void) -> Bool {
        guard hasRoom else { return false }
        send(method, id: nil, params)
        return true
    }

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - seconds: how long the host may take to answer.
    ///   - params: writes the params, one object.
    ///   - answered: called once, before the tasks of a later turn.
    /// - Returns: false, with nothing sent and `answered` not called, if `canRequest` is false.
    package func request(
        _ method: StaticString,
        seconds: Int,
        params: (inout JSONWriter) -> Void,
        answered: @escaping (HostAnswer) -> Void
    ) -> Bool {
        guard canRequest else { return false }
        let id = "postern:\(newSecret())"
        requests[id] = Request(seconds: seconds, deadline: clock() + seconds * 1_000, answered: answered)
        send(method, id: id, params)
        return true
    }

    private func send(_ method: StaticString, id: String?, _ params: (inout JSONWriter) -> Void) {
        var message = JSONWriter()
        message.beginObject()
        message.property("jsonrpc")
        message.string("2.0")
        if let id {
            message.property("id")
            message.string(id)
        }
        message.property("method")
        message.string(method.description)
        message.property("params")
        params(&message)
        message.endObject()
        output.beginMessage(bytes: message.count, in: stream.framing)
        output.verbatim(message.take())
        output.endMessage(in: stream.framing)
    }

    // MARK: The server's part

    /// Takes a response that was read. One with an id that no open request has is ignored.
    func receive(_ response: Response) {
        guard !requests.isEmpty, let id = response.stringID, let request = requests.removeValue(forKey: id) else {
            return
        }
        answers.append((request.answered, response.answer))
    }

    /// Takes the state of the stream before the tasks of a turn, and calls the handlers of the answers.
    ///
    /// - Parameter hasReadAll: whether no further response can come, so that open requests get the answer `ended`.
    func beginTasks(_ stream: Stream, hasReadAll: Bool) {
        self.stream = stream
        let now = clock()
        for (id, request) in requests.sorted(by: { $0.value.deadline < $1.value.deadline })
        where hasReadAll || request.deadline <= now {
            requests[id] = nil
            answers.append((request.answered, hasReadAll ? .ended : .unanswered(seconds: request.seconds)))
        }
        while !answers.isEmpty {
            let (answered, answer) = answers.removeFirst()
            answered(answer)
        }
    }

    /// Ends the stream. Open requests get the answer `ended`, and nothing more is sent.
    func end() {
        beginTasks(Stream(framing: stream.framing, isInputOpen: false, isOutputOpen: false), hasReadAll: true)
    }

    /// Whether the stream must stay open for more messages.
    var delaysEnd: Bool { hasMoreToSend && stream.isOutputOpen }

    /// Removes and returns the framed messages.
    func takeOutput() -> [UInt8] { output.take() }

    /// The milliseconds until an open request becomes `unanswered`; nil if none is open.
    var millisecondsToDeadline: Int? {
        requests.values.map(\.deadline).min().map { max(0, $0 - clock()) }
    }
}

/// How a request to the host ended.
package enum HostAnswer: Equatable, Sendable {
    case result(JSONValue)
    case error(RPCError)
    /// The response is not one of JSON-RPC 2.0.
    case malformed
    /// No response was read in the given time.
    case unanswered(seconds: Int)
    /// The stream ended first, so no response can come.
    case ended
}
