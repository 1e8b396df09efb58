import Foundation
import JSON
import PosternTesting
import Testing

/// Events that the real program sends its host, with `--events`.
struct EventPushTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }

    private func kinds(_ events: [JSONValue]) -> [String] { events.compactMap { $0["kind"]?.string } }
    private func numbers(_ events: [JSONValue]) -> [Int] { events.compactMap { $0["seq"]?.int } }

    /// The events as `postern audit --json` prints them.
    private func audit() throws -> [JSONValue] {
        let outcome = try PosternProcess.run(["audit", "--json"] + data)
        return try outcome.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    }

    /// Creates a store with the events of a registration and of `clients` created clients.
    private func fill(clients: Int) throws {
        let host = try EventHost(data)
        let filler = try EventfulOperator(host)
        for number in 0..<clients { host.postern.send("operators.client.create", filler.client(number)) }
        for _ in 0..<clients {
            let reply = try host.nextReply()
            try #require(reply["result"] != nil)
        }
        try host.finish()
    }

    @Test(arguments: ["in-order", "as-completed"])
    func sendsEachEventAfterItsReplyAsTheAuditTrailHasIt(_ order: String) throws {
        let host = try EventHost(data + ["--replies", order])
        _ = try EventfulOperator(host)
        #expect(host.events == [])
        try host.waitForEvents(1)
        #expect(try host.reply(to: "operators.signin", EventfulOperator.signIn())["result"] != nil)
        #expect(try host.reply(to: "operators.signin", EventfulOperator.signIn("a@b.co", "wrong"))["error"] != nil)
        // A read and a refused request leave no event.
        #expect(try host.reply(to: "system.info")["result"]?["events"] == true)
        #expect(try host.reply(to: "operators.signin", [:])["error"] != nil)
        try host.finish()
        #expect(kinds(host.events) == ["registered", "signed_in", "sign_in_failed"])
        #expect(host.events == (try audit()))
        #expect(host.postern.status == 0 && host.postern.errorText == "")
    }

    @Test func framesTheEventsAsTheStream() throws {
        let postern = try PosternProcess(data + ["--no-email-confirmation", "--events"])
        let params: JSONValue = [
            "user": ["first_name": "A", "last_name": "B", "email": "a@b.co"], "password": "p",
        ]
        let message = #"{"jsonrpc":"2.0","id":1,"method":"operators.register","params":\#(params.text)}"#
        postern.write(Data("Content-Length: \(message.utf8.count)\r\n\r\n\(message)".utf8))
        #expect(try postern.nextFramedReply()["id"] == 1)
        let event = try postern.nextFramedReply()
        #expect(event["method"] == "event" && event["params"]?["kind"] == "registered" && event["id"] == nil)
    }

    /// Four servers use one directory. Each host gets the events of all, in the same order.
    @Test func sendsTheEventsOfOtherProcesses() throws {
        let hosts = try (1...4).map { _ in try EventHost(data) }
        for host in hosts { try host.reply(to: "system.info") }
        for (number, host) in hosts.enumerated() { _ = try EventfulOperator(host, .string("a\(number)@b.co")) }
        for round in 0..<3 {
            for (number, host) in hosts.enumerated() {
                host.postern.send("operators.signin", EventfulOperator.signIn(.string("a\((number + round) % 4)@b.co")))
            }
            for host in hosts { #expect(try host.nextReply()["result"] != nil) }
        }
        for host in hosts {
            try host.waitForEvents(16)
            try host.finish()
            #expect(numbers(host.events) == Array(1...16))
        }
        let all = try audit()
        #expect(hosts.allSatisfy { $0.events == all })
    }

    @Test func startsWhereTheCommandLineSays() throws {
        try fill(clients: 3)
        // At the end of the trail.
        let first = try EventHost(data + ["--framing", "line"])
        try first.reply(to: "operators.signin", EventfulOperator.signIn())
        try first.finish()
        #expect(numbers(first.events) == [5])
        // At the earliest event, also before the first request if the framing is known.
        let second = try EventHost(data + ["--events-after", "0", "--framing", "line"])
        try second.waitForEvents(5)
        #expect(numbers(second.events) == Array(1...5))
        // After an event; and after the last, which is no error.
        for after in 1...5 {
            let host = try EventHost(data + ["--events-after", "\(after)"])
            try host.reply(to: "system.info")
            try host.finish()
            #expect(numbers(host.events) == Array(1...5).filter { $0 > after })
        }
    }

    @Test func refusesACursorOutsideTheTrail() throws {
        try fill(clients: 9)
        let ahead = try PosternProcess.run(data + ["--events", "--events-after", "11"])
        #expect(ahead.status == 1 && ahead.output == "")
        #expect(ahead.errors.contains("--events-after: the last event of this store has number 10"))
        // A server with a shorter trail deletes the earlier ones.
        let sweeper = try PosternProcess(data + ["--audit-max", "4"])
        while try audit().count > 4 { _ = try sweeper.reply(to: "system.info") }
        sweeper.finish()
        let gone = try PosternProcess.run(data + ["--events", "--events-after", "5"])
        #expect(gone.status == 1 && gone.output == "")
        #expect(gone.errors.contains("events up to number 6 were deleted"))
        for after in [0, 6] {
            let host = try EventHost(data + ["--events-after", "\(after)"])
            try host.reply(to: "system.info")
            try host.finish()
            #expect(numbers(host.events) == [7, 8, 9, 10])
        }
    }

    /// The host gets a part of the events and then, while it reads nothing, sends a request. The reply precedes the
    /// other events, which follow without a gap.
    @Test func holdsBackEventsWhileTheHostDoesNotRead() throws {
        let clients = 2_000
        try fill(clients: clients)
        let host = try EventHost(data + ["--events-after", "0"])
        host.postern.send("system.info", [:])
        try host.postern.waitUntilIdle()
        let peak = try host.postern.peakMemoryBytes
        for _ in 1...20 { host.postern.send("operators.signin", [:]) }
        try host.postern.waitUntilIdle()
        #expect(try host.postern.peakMemoryBytes - peak < 8 << 20)
        for _ in 0...20 { #expect(try host.nextReply() != .null) }
        // 256 KiB that are not written, a pipe of 64 KiB, and a message.
        #expect(host.events.map { $0.text.utf8.count + 46 }.reduce(0, +) < 330 << 10)
        try host.finish()
        #expect(numbers(host.events) == Array(1...(clients + 1)))
    }

    /// At the end of the input, and after a signal, the events of the requests that were read come before the end.
    @Test(arguments: [nil, SIGTERM]) func sendsTheLastEventsBeforeTheEnd(_ signal: Int32?) throws {
        let host = try EventHost(data)
        _ = try EventfulOperator(host)
        for _ in 1...5 { host.postern.send("operators.signin", EventfulOperator.signIn()) }
        if let signal {
            // The first reply shows that the requests were read.
            _ = try host.nextReply()
            host.postern.signal(signal)
            while try host.take() {}
        }
        try host.finish()
        #expect(kinds(host.events) == ["registered"] + Array(repeating: "signed_in", count: 5))
        #expect(host.postern.status == 0)
    }

    /// At the end of an empty input, the events are lines.
    @Test func sendsTheEventsUpToTheEndOfAnEmptyInput() throws {
        try fill(clients: 300)
        let host = try EventHost(data + ["--events-after", "0"])
        let start = ContinuousClock.now
        try host.finish()
        #expect(numbers(host.events) == Array(1...301))
        #expect(ContinuousClock.now - start < .seconds(4))
    }

    /// The trail cannot be read: the log says so once, the loop does not spin, and the process ends.
    @Test func logsOnceThatTheTrailCannotBeRead() throws {
        let host = try EventHost(data)
        _ = try EventfulOperator(host)
        try host.waitForEvents(1)
        try FileManager.default.removeItem(atPath: folder.path("store"))
        usleep(1_500_000)
        let start = ContinuousClock.now
        try host.finish()
        #expect(ContinuousClock.now - start < .seconds(4))
        let log = host.postern.errorText.split(separator: "\n")
        #expect(log.count { $0.contains("events: the audit trail cannot be read") } == 1, "\(log)")
        #expect(host.events.count == 1)
    }

    @Test func repeatsItselfInDeterministicMode() throws {
        func play() throws -> [String] {
            let flags = try PosternProcess.deterministicFlags
            let host = try EventHost(flags)
            _ = try EventfulOperator(host)
            try host.waitForEvents(1)
            try host.reply(to: "system.advance_clock", ["seconds": 60])
            try host.reply(to: "operators.signin", EventfulOperator.signIn())
            try host.finish()
            return host.events.map(\.text)
        }
        let events = try play()
        let clock = "2016-02-24T22:07:52.371513Z"
        #expect(events.first?.hasPrefix(#"{"seq":1,"time":"\#(clock)","api":"operators","account":1,"#) == true)
        #expect(events.count == 2 && events.last?.contains(#""time":"2016-02-24T22:08:52.371513Z""#) == true)
        #expect(try play() == events)
    }

    @Test(arguments: ["initialize", "tools/list", "ping", "server/discover"])
    func refusesTheModelContextProtocol(_ method: String) throws {
        let host = try EventHost(["--data", ":memory:"])
        let error = try host.reply(to: method)["error"]
        #expect(error?["code"] == -32601)
        #expect(error?["message"]?.string?.contains("is not served with --events") == true)
    }

    @Test(arguments: [
        (["--events-after", "1"], "--events-after needs --events"),
        (["--events", "--events-after", "-1"], "--events-after takes NUMBER, not -1"),
        (["--events", "--events-after", "x"], "--events-after takes NUMBER, not x"),
        (["call", "system.info", "--events"], "--events is not a flag of postern call"),
        (["audit", "--events-after", "1"], "--events-after is not a flag of postern audit"),
    ])
    func refusesAWrongCommandLine(_ arguments: [String], _ message: String) throws {
        let outcome = try PosternProcess.run(arguments + ["--data", ":memory:"])
        #expect(outcome.status == 64 && outcome.output == "")
        #expect(outcome.errors.contains(message))
    }

    /// The environment is inherited, and the host of this process may not expect notifications.
    @Test func readsNoVariable() throws {
        let environment = ["POSTERN_EVENTS": "1", "POSTERN_EVENTS_AFTER": "0"]
        let postern = try PosternProcess(data, environment: environment)
        #expect(try postern.reply(to: "system.info")["result"]?["events"] == false)
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": "a@b.co"]
        #expect(try postern.reply(to: "operators.register", ["user": person, "password": "p"])["result"] != nil)
        #expect(postern.finish() == "")
        #expect(postern.errorText.contains("the environment variable POSTERN_EVENTS has no effect"))
        #expect(postern.errorText.contains("the environment variable POSTERN_EVENTS_AFTER has no effect"))
    }

    @Test func showsTheFlagsThatMatterToAClient() throws {
        let plain = try #require(PosternProcess.deterministic().reply(to: "system.info")["result"])
        #expect(plain["apis"] == ["operators", "care", "sales"])
        #expect(plain["admin"] == false && plain["events"] == false && plain["deterministic"] == true)
        let document = try PosternProcess.deterministic().reply(to: "rpc.discover")["result"]
        #expect(plain["contract"] != nil && plain["contract"] == document?["info"]?["version"])
        let host = try EventHost(["--data", ":memory:"])
        let info = try host.reply(to: "system.info")["result"]
        #expect(info?["events"] == true && info?["deterministic"] == false)
    }
}
