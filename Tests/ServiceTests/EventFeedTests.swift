import Accounts
import DirectoryStore
import JSON
import PosternTesting
import Store
import Testing

@testable import JSONRPC
@testable import Service

/// The feed of events, with a store in memory and a host and a clock that the test moves.
final class EventFeedTests {
    private let store = Store(engine: LocalEngine())
    private let host = HostMessages(newSecret: { "" })
    private var now = 0
    private var lines: [String] = []

    private func feed(from start: EventStart = .earliest) throws -> EventFeed {
        try EventFeed(store: store, host: host, from: start, clock: { self.now }, log: { self.lines.append($0) })
    }

    private func record(_ count: Int = 1) throws {
        try store.transact { tx in
            for _ in 0..<count {
                try AuditTrail(.sales).record(.signedIn, of: 1, by: .anonymous, at: Timestamp(microseconds: 0), in: tx)
            }
        }
        try store.makeDurable()
    }

    /// Deletes all events except the last ones.
    private func shorten(to count: Int) throws {
        let bounds = AuditBounds(days: 36_500, eventsMax: count)
        try store.transact { tx in
            while try Sweep.run(at: Timestamp(microseconds: 0), audit: bounds, in: tx) {}
        }
        try store.makeDurable()
    }

    /// One turn of the loop: the numbers of the events that it sends.
    private func turn(_ feed: EventFeed, _ stream: HostMessages.Stream = .init(framing: .line)) throws -> [Int] {
        host.beginTasks(stream, hasReadAll: !stream.isInputOpen)
        wait = feed.push()
        let messages = try host.takeOutput().split(separator: UInt8(ascii: "\n")).map {
            try JSONValue(parsing: Array($0))
        }
        #expect(messages.allSatisfy { $0["method"] == "event" && $0["id"] == nil })
        return messages.compactMap { $0["params"]?["seq"]?.int }
    }

    private var wait = 0

    @Test func sendsANewEventAtOnce() throws {
        let feed = try feed()
        #expect(try turn(feed) == [])
        #expect(wait == 200)
        try record()
        #expect(try turn(feed) == [1])
        #expect(try turn(feed) == [])
        try record(2)
        #expect(try turn(feed) == [2, 3])
    }

    @Test func sendsManyEventsInPages() throws {
        try record(450)
        let feed = try feed()
        #expect(try turn(feed) == Array(1...200))
        #expect(wait == 0)
        #expect(try turn(feed) == Array(201...400))
        #expect(try turn(feed) == Array(401...450))
        #expect(wait == 200 && !host.hasMoreToSend)
    }

    @Test func startsAtTheCursor() throws {
        try record(5)
        #expect(try turn(feed(from: .after(3))) == [4, 5])
        #expect(try turn(feed(from: .after(5))) == [])
        #expect(try turn(feed(from: .end)) == [])
        #expect(throws: EventsAhead.self) { try feed(from: .after(6)) }
        try shorten(to: 2)
        #expect(throws: EventsGone.self) { try feed(from: .after(2)) }
        #expect(try turn(feed(from: .after(3))) == [4, 5])
        #expect(try turn(feed(from: .earliest)) == [4, 5])
    }

    /// Without a first message the framing is unknown; and a host may leave the output unread.
    @Test func sendsNothingWithoutRoom() throws {
        let feed = try feed()
        try record()
        #expect(try turn(feed, .init(framing: .auto)) == [])
        now += 10_000
        #expect(try turn(feed, .init(framing: .line, unwrittenBytes: 256 << 10 + 1)) == [])
        #expect(wait == 200, "the loop must not spin")
        #expect(try turn(feed) == [1])
    }

    /// The room ends within a page: the rest follows.
    @Test func continuesAfterTheLastEventThatHadRoom() throws {
        try record(10)
        let feed = try feed()
        let first = try turn(feed, .init(framing: .line, unwrittenBytes: 256 << 10 - 300))
        #expect(!first.isEmpty && first.count < 10)
        #expect(try first + turn(feed) == Array(1...10))
    }

    @Test func goesOnAfterEventsThatWereDeletedUnread() throws {
        try record(2)
        let feed = try feed()
        #expect(try turn(feed) == [1, 2])
        try record(8)
        try shorten(to: 3)
        #expect(try turn(feed) + turn(feed) == [8, 9, 10])
        #expect(
            lines == [
                "events: numbers 3 to 7 were deleted because of their age or number before the host has read them; raise "
                    + "--audit-days or --audit-max"
            ]
        )
    }

    @Test func delaysTheEndUntilAllAreSent() throws {
        try record(450)
        let feed = try feed()
        let ended = HostMessages.Stream(framing: .line, isInputOpen: false)
        #expect(try turn(feed, ended).count == 200 && host.delaysEnd)
        #expect(try turn(feed, ended).count == 200 && host.delaysEnd)
        #expect(try turn(feed, ended).count == 50 && !host.delaysEnd)
        // An event of a request that was read before the end.
        try record()
        #expect(try turn(feed, ended) == [451] && !host.delaysEnd)
    }

    @Test func delaysTheEndForAShortTime() throws {
        try record(10)
        let feed = try feed()
        let unread = HostMessages.Stream(framing: .line, unwrittenBytes: 1 << 20, isInputOpen: false)
        #expect(try turn(feed, unread) == [] && host.delaysEnd)
        now += 4_999
        #expect(try turn(feed, unread) == [] && host.delaysEnd)
        now += 1
        #expect(try turn(feed, unread) == [] && !host.delaysEnd)
    }
}
