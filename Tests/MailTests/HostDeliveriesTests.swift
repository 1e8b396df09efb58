import Accounts
import DirectoryStore
import JSON
import Platform
import PosternTesting
import Store
import Testing

@testable import JSONRPC
@testable import Mail

/// The courier with a host that delivers the mails, a store in memory, and a clock that the test sets.
struct HostDeliveriesTests {
    private let store = Store(engine: LocalEngine())
    private let time = DeterministicTime(startingAt: Timestamp(microseconds: 1_456_351_672_000_000))
    private let outbox: Outbox
    private let host: TestHost

    init() throws {
        outbox = Outbox(composer: try MessageTemplates(publicURL: "http://x.co", domain: "x.co"))
        host = TestHost(time: time)
    }

    @Test func sendsAMailWithItsCodeAndLinkAndErasesThem() throws {
        let courier = courier()
        try post(.operatorsReset, secret: "1-ab")
        host.turn(courier)
        let request = try #require(host.requests.first)
        #expect(request["method"] == "mail.deliver")
        let text = try #require(store.transact { try outbox.text(of: outbox.all(in: $0)[0], in: $0) })
        let params: JSONValue = [
            "id": 1, "to": "a@b.co", "subject": "Set a new password", "text": .string(text),
            "kind": "operators-reset", "code": "1-ab", "link": "http://x.co/operators/reset?code=1-ab",
        ]
        #expect(request["params"]?.text == params.text)
        host.answer(request, #""result":null"#)
        host.turn(courier)
        #expect(try mails().map(\.state) == ["delivered"])
        #expect(try contents() == [nil])
        #expect(host.requests.count == 1)
    }

    /// A temporary password is a code, and is in no link.
    @Test func leavesOutALinkThatTheMailDoesNotHave() throws {
        let courier = courier()
        try post(.careTemporaryPassword, secret: "a password")
        host.turn(courier)
        let params = try #require(host.requests.first?["params"])
        #expect(params["code"] == "a password" && params["link"] == nil)
    }

    /// An earlier version stored only the text.
    @Test func sendsAMailOfAnEarlierVersion() throws {
        try post(.operatorsReset, secret: "1-ab")
        try store.transact { tx in
            try tx.update(OutboxText.sample("Old.\n"))
        }
        host.turn(courier())
        let params = try #require(host.requests.first?["params"])
        #expect(params["text"] == "Old.\n" && params["code"] == nil && params["link"] == nil)
        #expect(params["html"] == nil && params["locale"] == nil)
    }

    @Test func sendsTheHTMLPartAndTheLocale() throws {
        try post(.operatorsReset, secret: "1-ab")
        try store.transact { tx in
            try tx.update(OutboxText.sample("Code\n", html: "<p>1-0123456789abcdef</p>", locale: "pt-BR"))
        }
        let courier = courier()
        host.turn(courier)
        let request = try #require(host.requests.first)
        #expect(request["params"]?["html"] == "<p>1-0123456789abcdef</p>" && request["params"]?["locale"] == "pt-BR")
        // A code that is only in the HTML part is also kept out of the stored error.
        host.answer(request, #""error":{"code":7,"message":"no 1-0123456789abcdef"}"#)
        host.turn(courier)
        #expect(try mails().map(\.lastError) == ["the host answered with error 7: no […]"])
    }

    @Test func retriesAMailThatTheHostRefuses() throws {
        var lines: [String] = []
        let courier = courier { lines.append($0) }
        try post(.operatorsReset, secret: "1-0123456789abcdef")
        host.turn(courier)
        let error = #""error":{"code":7,"message":"relay says 550 to\na@b.co for 1-0123456789abcdef"}"#
        host.answer(try #require(host.requests.first), error)
        host.turn(courier)
        let mail = try #require(mails().first)
        #expect(mail.state == "waiting" && mail.attempts == 1)
        #expect(mail.lastError == "the host answered with error 7: relay says 550 to a@b.co for […]")
        #expect(
            lines == [
                "mail: number 1 could not be delivered and is retried in 60 seconds: the host answered with error 7"
            ]
        )
        _ = time.advance(seconds: 59)
        host.turn(courier)
        #expect(host.requests.count == 1)
        _ = time.advance(seconds: 1)
        host.turn(courier)
        #expect(host.requests.count == 2)
        #expect(host.requests[0]["params"] == host.requests[1]["params"])
        #expect(host.requests[0]["id"] != host.requests[1]["id"])
    }

    @Test(arguments: [#""result":null,"error":null"#, #""error":"no""#, #""error":{"code":1}"#])
    func countsAMalformedResponseAsAFailure(_ properties: String) throws {
        let courier = courier()
        try post()
        host.turn(courier)
        host.answer(try #require(host.requests.first), properties)
        host.turn(courier)
        #expect(try mails().map(\.lastError) == ["the response of the host is not one of JSON-RPC 2.0"])
        #expect(try contents() != [nil])
    }

    @Test func countsThirtySecondsOfSilenceAsAFailure() throws {
        let courier = courier()
        try post()
        host.turn(courier)
        _ = time.advance(seconds: Limits.hostAnswerSeconds - 1)
        host.turn(courier)
        #expect(try mails().map(\.attempts) == [0])
        _ = time.advance(seconds: 1)
        host.turn(courier)
        #expect(try mails().map(\.lastError) == ["the host did not answer within 30 seconds"])
        #expect(try mails().map { $0.nextAttempt.map { time.now.seconds(until: $0) } } == [60])
        // Its answer is too late.
        host.answer(try #require(host.requests.first), #""result":null"#)
        host.turn(courier)
        #expect(try mails().map(\.state) == ["waiting"])
    }

    @Test func givesUpAfterTheLastAttempt() throws {
        let courier = courier()
        try post(goodFor: 7 * 86_400)
        for attempt in 1...Limits.attemptsMax {
            host.turn(courier)
            #expect(host.requests.count == attempt)
            _ = time.advance(seconds: Limits.hostAnswerSeconds)
            host.turn(courier)
            _ = time.advance(seconds: Limits.retrySecondsMax)
        }
        host.turn(courier)
        #expect(host.requests.count == Limits.attemptsMax)
        #expect(try mails().map(\.state) == ["failed"])
        #expect(try contents() == [nil])
    }

    /// A forged response, which the host passes on for one of its own clients, delivers nothing.
    @Test func ignoresAForgedResponse() throws {
        let courier = courier()
        try post()
        host.turn(courier)
        for id in [#""postern:1""#, #""postern:""#, "1", "null"] {
            host.receive(#"{"jsonrpc":"2.0","id":\#(id),"result":null}"#)
        }
        host.turn(courier)
        #expect(try mails().map(\.state) == ["waiting"] && mails().map(\.attempts) == [0])
    }

    @Test func limitsTheOpenRequests() throws {
        let courier = courier()
        for number in 1...Limits.deliveriesMax + 2 { try post(to: "a\(number)@b.co") }
        host.turn(courier)
        host.turn(courier)
        #expect(host.requests.count == Limits.deliveriesMax)
        host.answer(host.requests[2], #""result":true"#)
        host.turn(courier)
        #expect(host.requests.count == Limits.deliveriesMax + 1)
        #expect(try mails().map(\.state).count { $0 == "delivered" } == 1)
    }

    /// While the host does not read, a mail is neither claimed nor counted, and the loop need not run often.
    @Test(arguments: [Framing.auto, .line]) func waitsForAHostThatDoesNotRead(_ framing: Framing) throws {
        let courier = courier()
        host.stream.framing = framing
        host.stream.unwrittenBytes = framing == .auto ? 0 : JSONRPC.Limits.hostMessagesUnwrittenBytesMax + 1
        try post()
        for _ in 1...3 { #expect(host.turn(courier) >= 1_000) }
        #expect(host.requests.isEmpty)
        #expect(try mails().map(\.attempts) == [0] && mails().allSatisfy { $0.nextAttempt == $0.created })
        (host.stream.framing, host.stream.unwrittenBytes) = (.line, 0)
        host.turn(courier)
        #expect(host.requests.count == 1)
    }

    /// No response can come after the end of the input: the mails stay, and another process can send them at once.
    @Test func releasesItsMailsAtTheEndOfTheInput() throws {
        let courier = courier()
        try post(to: "a@b.co")
        host.turn(courier)
        #expect(try mails().allSatisfy { $0.nextAttempt.map { $0 > time.now } ?? false }, "it is claimed")
        host.stream.isInputOpen = false
        try post(to: "c@d.co")
        host.turn(courier)
        #expect(host.requests.count == 1)
        host.messages.end()
        courier.finish()
        #expect(try mails().map(\.state) == ["waiting", "waiting"] && mails().map(\.attempts) == [0, 0])
        #expect(try mails().allSatisfy { $0.nextAttempt.map { $0 <= time.now } ?? false })
        let next = TestHost(time: time)
        next.turn(self.courier(of: next))
        #expect(next.requests.count == 2)
    }

    /// A response that was read with the end of the input still counts.
    @Test func recordsAnAnswerAtTheEnd() throws {
        let courier = courier()
        try post()
        host.turn(courier)
        host.answer(try #require(host.requests.first), #""result":null"#)
        host.messages.end()
        courier.finish()
        #expect(try mails().map(\.state) == ["delivered"])
    }

    private func courier(of host: TestHost? = nil, log: @escaping (String) -> Void = { _ in }) -> Courier {
        Courier(
            store: store,
            outbox: outbox,
            time: time,
            deliveries: HostDeliveries(by: (host ?? self.host).messages),
            log: log
        )
    }

    private func post(
        _ kind: MailKind = .careTemporaryPassword,
        to address: String = "a@b.co",
        secret: String = "secret",
        goodFor seconds: Int = 86_400
    ) throws {
        let email = try #require(EmailAddress(address))
        try store.transact { tx in
            try outbox.post(
                kind,
                of: nil,
                to: email,
                secret: secret,
                messageID: "\(address)-\(kind)",
                goodFor: seconds,
                locale: nil,
                at: time.now,
                in: tx
            )
        }
        try store.makeDurable()
    }

    private func mails() throws -> [OutboxMail] { try store.transact { try outbox.all(in: $0) } }

    private func contents() throws -> [OutboxText?] {
        try store.transact { tx in try outbox.all(in: tx).map { try outbox.content(of: $0, in: tx) } }
    }
}

/// The other end of a server's stream, without a server.
private final class TestHost {
    let messages: HostMessages
    var stream = HostMessages.Stream(framing: .line)
    /// All requests up to now.
    private(set) var requests: [JSONValue] = []

    init(time: DeterministicTime) {
        let random = SystemRandom()
        messages = HostMessages(
            newSecret: { random.hex(bytes: 16) },
            clock: { Int(time.now.microseconds / 1_000) }
        )
    }

    /// Runs a courier in a turn of the loop, and returns when it must run again.
    @discardableResult
    func turn(_ courier: Courier) -> Int {
        messages.beginTasks(stream, hasReadAll: false)
        let milliseconds = courier.sendDue()
        for line in messages.takeOutput().split(separator: 0x0A) {
            do {
                requests.append(try JSONValue(parsing: line))
            } catch {
                Issue.record("not JSON: \(String(decoding: line, as: UTF8.self))")
            }
        }
        return milliseconds
    }

    func answer(_ request: JSONValue, _ properties: String) {
        receive(#"{"jsonrpc":"2.0","id":\#(request["id"]?.text ?? ""),\#(properties)}"#)
    }

    func receive(_ line: String) {
        Array(line.utf8).withUnsafeBytes { bytes in
            guard case .message(.response(let response)) = Line(bytes, in: .empty, isLine: true) else {
                Issue.record("not a response: \(line)")
                return
            }
            messages.receive(response)
        }
    }
}
