import JSON
import Synchronization
import Testing

@testable import JSONRPC

/// A request in a chunk of its own.
private func entry(_ method: String, id: String? = "1", params: String = "{}") throws -> LaneEntry {
    var reader = MessageReader(.line)
    let idMember = id.map { #""id":\#($0),"# } ?? ""
    let line = #"{"jsonrpc":"2.0",\#(idMember)"method":"\#(method)","params":\#(params)}"# + "\n"
    Array(line.utf8).withUnsafeBytes { reader.receive($0) }
    let received = reader.next()
    guard case (.message(.request(let request)), let chunk) = try #require(received) else {
        throw RPCError.internalError
    }
    return LaneEntry(request, to: ReplyAddress(id: request.id, place: nil, chunk: chunk))
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
            case .message(.ignored): kinds.append("ignored")
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
                == ["request", "batch of 2", "ignored", "invalid", "request"]
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
        let (number, text) = (try entry("sum", id: "1"), try entry("sum", id: #""1""#))
        inFlight.insert(number)
        inFlight.insert(text)
        #expect(inFlight.entry(try #require(number.address.id)) === number)
        #expect(inFlight.entry(try #require(text.address.id)) === text)
        inFlight.remove(number)
        #expect(inFlight.entry(try #require(number.address.id)) == nil)
        #expect(inFlight.entry(try #require(text.address.id)) === text)
    }

    /// The second request is refused. Its reply must not remove the first from the table.
    @Test func keepsTheFirstOfTwoRequestsWithOneID() throws {
        var inFlight = RequestsInFlight()
        let (first, second) = (try entry("sum"), try entry("sum"))
        inFlight.insert(first)
        inFlight.insert(second)
        inFlight.remove(second)
        #expect(inFlight.entry(try #require(first.address.id)) === first)
    }

    @Test func ignoresNotificationsAndNullIDs() throws {
        var inFlight = RequestsInFlight()
        let null = try entry("sum", id: "null")
        inFlight.insert(null)
        inFlight.insert(try entry("sum", id: nil))
        #expect(inFlight.entry(try #require(null.address.id)) == nil)
    }
}

struct LookAheadTests {
    /// A pool that works synchronously.
    private let pool = WorkPool(startThread: { _ in false }, wake: {})
    private let handler = ArithmeticHandler()

    @Test func startsTheWorkOfASlowRequestAndKeepsItsPhase() throws {
        var lookAhead = LookAhead(pool: pool)
        let slow = try entry("slow", params: #"{"value":4}"#)
        lookAhead.append(slow)
        #expect(!slow.isWaiting)
        lookAhead.run(by: handler)
        #expect(slow.isWaiting)
        #expect(lookAhead.takeFinished().map { $0 === slow } == [true])
        #expect(!slow.isWaiting)
        #expect((slow.phase as? ArithmeticHandler.SlowOutcome)?.value == 8)
        #expect(lookAhead.takeFinished().isEmpty)
    }

    /// At its turn, the request starts again, because other requests may have changed what it read.
    @Test func discardsARequestThatEndsInTheFirstPhase() throws {
        var lookAhead = LookAhead(pool: pool)
        let quick = try entry("write", params: #"{"value":4}"#)
        lookAhead.append(quick)
        lookAhead.run(by: handler)
        #expect(!quick.isWaiting && !quick.isDone && quick.phase == nil)
        try handler.commit()
        #expect(handler.durable == [])
    }

    @Test func skipsDoneAndCancelledRequests() throws {
        var lookAhead = LookAhead(pool: pool)
        let (done, cancelled) = (try entry("slow"), try entry("slow"))
        done.isDone = true
        cancelled.isCancelled = true
        for entry in [done, cancelled] { lookAhead.append(entry) }
        lookAhead.run(by: handler)
        #expect(lookAhead.takeFinished().isEmpty)
    }

    @Test func limitsTheWorkStartedAhead() throws {
        var lookAhead = LookAhead(pool: pool)
        let entries = try (0..<Limits.workAheadMax + 3).map { try entry("slow", id: "\($0)") }
        for entry in entries { lookAhead.append(entry) }
        lookAhead.run(by: handler)
        #expect(entries.count(where: \.isWaiting) == Limits.workAheadMax)
        #expect(lookAhead.takeFinished().count == Limits.workAheadMax)
        lookAhead.run(by: handler)
        #expect(lookAhead.takeFinished().count == 3)
    }
}

struct GroupCommitTests {
    private let handler = ArithmeticHandler()

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func returnsNoReplyBeforeTheCommit() throws {
        var group = GroupCommit(handler: handler)
        #expect(group.carryOut(try entry("write", params: #"{"value":4}"#)) == nil)
        #expect(group.takeCommitted().isEmpty)
        #expect(handler.durable == [])
        group.commit()
        #expect(handler.durable == [4])
        #expect(text(group.takeCommitted()) == #"{"jsonrpc":"2.0","id":1,"result":true}"# + "\n")
        #expect(group.takeCommitted().isEmpty)
    }

    @Test func returnsNoReplyForAWaitingRequest() throws {
        var group = GroupCommit(handler: handler)
        #expect(group.carryOut(try entry("slow")) != nil)
        group.commit()
        #expect(group.takeCommitted().isEmpty)
    }

    /// If a group cannot be committed, each of its requests is executed again, alone, with the phase that it had.
    @Test func repeatsAGroupOneByOne() throws {
        handler.writesMax = 1
        var group = GroupCommit(handler: handler)
        let slow = try entry("slow", id: "3")
        slow.phase = ArithmeticHandler.SlowOutcome(value: 8)
        for entry in [try entry("write", params: #"{"value":4}"#), try entry("write", id: "2", params: "{}"), slow] {
            #expect(group.carryOut(entry) == nil)
        }
        group.commit()
        #expect(handler.durable == [4, 0])
        let replies = [("1", "true"), ("2", "true"), ("3", "8")].map {
            #"{"jsonrpc":"2.0","id":\#($0),"result":\#($1)}"#
        }
        #expect(text(group.takeCommitted()) == replies.joined(separator: "\n") + "\n")
    }

    @Test func writesHeadersBeforeARepliesBytes() throws {
        var group = GroupCommit(handler: handler)
        group.framing = .header
        #expect(group.carryOut(try entry("get_data")) == nil)
        group.commit()
        #expect(
            text(group.takeCommitted())
                == "Content-Length: 45\r\n\r\n" + #"{"jsonrpc":"2.0","id":1,"result":["hello",5]}"#
        )
    }
}
