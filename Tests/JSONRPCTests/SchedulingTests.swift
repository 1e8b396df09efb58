import JSON
import Synchronization
import Testing

@testable import JSONRPC

/// The unit of a request that was read alone.
private func unit(_ method: String, id: String? = "1", params: String = "{}") throws -> UnitOfWork {
    var reader = MessageReader(.line)
    let idProperty = id.map { #""id":\#($0),"# } ?? ""
    let line = #"{"jsonrpc":"2.0",\#(idProperty)"method":"\#(method)","params":\#(params)}"# + "\n"
    Array(line.utf8).withUnsafeBytes { reader.receive($0) }
    let received = reader.next()
    guard case (.message(.request(let request)), let chunk) = try #require(received) else {
        throw RPCError.internalError
    }
    return UnitOfWork(request, to: ReplyAddress(id: request.id, place: nil, chunk: chunk))
}

private func message(_ method: String, id: String? = "1", params: String = "{}") throws -> PendingMessage {
    PendingMessage(try unit(method, id: id, params: params), in: .only)
}

struct MessageReaderTests {
    private func kinds(_ pieces: String...) -> [String] {
        var reader = MessageReader(.line)
        var kinds: [String] = []
        for piece in pieces { Array(piece.utf8).withUnsafeBytes { reader.receive($0) } }
        reader.receiveEnd()
        while let (received, _) = reader.next() {
            switch received {
            case .message(.request): kinds.append("request")
            case .message(.invalid): kinds.append("invalid")
            case .message(.response): kinds.append("response")
            case .batch(let messages): kinds.append("batch of \(messages.count)")
            }
        }
        let isEmpty = reader.isEmpty
        #expect(isEmpty)
        return kinds
    }

    @Test func returnsMessagesInOrder() {
        let request = #"{"jsonrpc":"2.0","id":1,"method":"sum"}"#
        #expect(
            kinds("\(request)\n[\(request),\(request)]\n", #"{"jsonrpc":"2.0","id":1,"result":7}"#, "\n7\n\(request)")
                == ["request", "batch of 2", "response", "invalid", "request"]
        )
    }

    @Test func returnsOneErrorForAValueOnSeveralLines() {
        let request = #"{"jsonrpc":"2.0","id":1,"method":"sum"}"#
        #expect(kinds("{\n  \"jsonrpc\": \"2.0\"\n", "}\n\(request)\n") == ["invalid", "request"])
    }
}

struct RequestsInFlightTests {
    @Test func findsARequestByTheBytesOfItsID() throws {
        var inFlight = RequestsInFlight()
        let (number, text) = (try message("sum", id: "1"), try message("sum", id: #""1""#))
        inFlight.insert(number)
        inFlight.insert(text)
        #expect(inFlight.message(try #require(number.unit.address.id)) === number)
        #expect(inFlight.message(try #require(text.unit.address.id)) === text)
        inFlight.remove(number)
        #expect(inFlight.message(try #require(number.unit.address.id)) == nil)
        #expect(inFlight.message(try #require(text.unit.address.id)) === text)
    }

    /// The second request is refused. Its reply must not remove the first from the table.
    @Test func keepsTheFirstOfTwoRequestsWithOneID() throws {
        var inFlight = RequestsInFlight()
        let (first, second) = (try message("sum"), try message("sum"))
        inFlight.insert(first)
        inFlight.insert(second)
        inFlight.remove(second)
        #expect(inFlight.message(try #require(first.unit.address.id)) === first)
    }

    @Test func ignoresNotificationsAndNullIDs() throws {
        var inFlight = RequestsInFlight()
        let null = try message("sum", id: "null")
        inFlight.insert(null)
        inFlight.insert(try message("sum", id: nil))
        #expect(inFlight.message(try #require(null.unit.address.id)) == nil)
    }
}

struct MessagesUnderWayTests {
    private func candidates(of underWay: inout MessagesUnderWay) -> [PendingMessage] {
        var candidates: [PendingMessage] = []
        while let candidate = underWay.nextCandidate() { candidates.append(candidate) }
        return candidates
    }

    @Test func givesEachCandidateOnce() throws {
        var underWay = MessagesUnderWay()
        let messages = [try message("slow"), try message("slow", id: "2")]
        for message in messages { underWay.addCandidate(message) }
        #expect(candidates(of: &underWay).map(ObjectIdentifier.init) == messages.map(ObjectIdentifier.init))
        #expect(candidates(of: &underWay).isEmpty)
    }

    @Test func skipsMessagesThatAreDoneOrCancelledOrHaveAPhase() throws {
        var underWay = MessagesUnderWay()
        let (done, cancelled, continued) = (try message("slow"), try message("slow"), try message("slow"))
        done.state = .done
        cancelled.unit.cancel()
        continued.unit.phase = ArithmeticHandler.SlowOutcome(value: 8)
        for message in [done, cancelled, continued] { underWay.addCandidate(message) }
        #expect(candidates(of: &underWay).isEmpty)
    }

    @Test func limitsTheWorkStartedAhead() throws {
        var underWay = MessagesUnderWay()
        for number in 0..<Limits.workAheadMax {
            underWay.insert(try message("slow", id: "\(number)"), underWay.nextTicket())
        }
        let last = try message("slow")
        underWay.addCandidate(last)
        #expect(underWay.nextCandidate() == nil)
        #expect(underWay.remove(1)?.state == .underWay)
        #expect(underWay.nextCandidate() === last)
        #expect(underWay.remove(1) == nil)
    }
}

struct InlineExecutorTests {
    private let handler = ArithmeticHandler()
    private let executor: InlineExecutor

    init() {
        executor = InlineExecutor(handler)
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func isDone(_ execution: Execution) -> Bool {
        if case .done = execution { true } else { false }
    }

    @Test func letsNoReplyLeaveBeforeTheCommit() throws {
        var replies = ReplyBuffer(.line)
        #expect(isDone(executor.execute(try unit("write", params: #"{"value":4}"#), 1, replies: &replies)))
        #expect(replies.takeReleased().isEmpty)
        #expect(handler.durable == [])
        executor.commit(&replies)
        #expect(handler.durable == [4])
        #expect(text(replies.takeReleased()) == #"{"jsonrpc":"2.0","id":1,"result":true}"# + "\n")
        #expect(replies.takeReleased().isEmpty)
    }

    @Test func writesNoReplyToAWaitingRequest() throws {
        var replies = ReplyBuffer(.line)
        #expect(!isDone(executor.execute(try unit("slow"), 1, replies: &replies)))
        executor.commit(&replies)
        #expect(replies.takeReleased().isEmpty)
    }

    /// At its turn the request is executed from the start, as other requests may have changed what it found.
    @Test func keepsOnlyTheSlowWorkOfALookAhead() throws {
        #expect(isDone(executor.lookAhead(try unit("write", params: #"{"value":4}"#), 1)))
        try handler.commit()
        #expect(handler.durable == [])
        guard case .waits(let work) = executor.lookAhead(try unit("slow", params: #"{"value":4}"#), 2) else {
            Issue.record("no slow work")
            return
        }
        #expect((work() as? ArithmeticHandler.SlowOutcome)?.value == 8)
    }

    /// Each unit of a group that cannot be committed is executed again, alone, with the phase that it had.
    @Test func repeatsAGroupOneByOne() throws {
        handler.writesMax = 1
        var replies = ReplyBuffer(.line)
        var slow = try unit("slow", id: "3")
        slow.phase = ArithmeticHandler.SlowOutcome(value: 8)
        for unit in [try unit("write", params: #"{"value":4}"#), try unit("write", id: "2", params: "{}"), slow] {
            #expect(isDone(executor.execute(unit, 1, replies: &replies)))
        }
        executor.commit(&replies)
        #expect(handler.durable == [4, 0])
        let expected = [("1", "true"), ("2", "true"), ("3", "8")].map {
            #"{"jsonrpc":"2.0","id":\#($0),"result":\#($1)}"#
        }
        #expect(text(replies.takeReleased()) == expected.joined(separator: "\n") + "\n")
    }

    @Test func writesTheLengthBeforeAReplyBehindHeaders() throws {
        var replies = ReplyBuffer(.header)
        #expect(isDone(executor.execute(try unit("get_data"), 1, replies: &replies)))
        executor.commit(&replies)
        #expect(
            text(replies.takeReleased())
                == "Content-Length: 45\r\n\r\n" + #"{"jsonrpc":"2.0","id":1,"result":["hello",5]}"#
        )
    }
}
