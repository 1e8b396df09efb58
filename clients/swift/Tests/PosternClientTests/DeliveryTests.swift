import Foundation
import JSON
import PosternClient
import PosternTesting
import Synchronization
import Testing

/// Mails that the host delivers itself, and other messages that the process sends on its own.
struct DeliveryTests {
    private let folder = TemporaryDirectory()

    private struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    /// The mails that a function has received.
    private final class Mails: Sendable {
        private let mails = Mutex<[ServiceMail]>([])

        func add(_ mail: ServiceMail) { mails.withLock { $0.append(mail) } }

        var all: [ServiceMail] { mails.withLock { $0 } }
    }

    private func open(
        arguments: [String] = [],
        onLog: @escaping @Sendable (String) -> Void = { _ in },
        deliverMail: @escaping @Sendable (ServiceMail) async throws -> Void
    ) throws -> Postern {
        try Postern(
            data: folder.path("data"),
            binary: Binaries.postern,
            arguments: arguments,
            onLog: onLog,
            deliverMail: deliverMail
        )
    }

    /// The columns of `postern outbox list`, for each mail.
    private var outbox: [[Substring]] {
        get throws {
            let list = try Binaries.run(["outbox", "list", "--data", folder.path("data")]).output
            return list.split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
        }
    }

    @Test func aFunctionDeliversMails() async throws {
        let mails = Mails()
        let postern = try open(arguments: ["--public-url", "https://x.co"]) { mails.add($0) }
        _ = try await postern.registerLuke()
        #expect(try await becomesTrue(within: 20) { mails.all.count == 1 })
        let mail = try #require(mails.all.first)
        let code = try #require(mail.code)
        #expect(mail.to == "lasoren@bu.edu" && mail.kind == "operators-confirmation")
        #expect(mail.link == "https://x.co/operators/confirm?code=\(code)")
        #expect(mail.text.split(separator: "\n").contains { $0 == code })
        #expect(!"\(mail)".contains(code))
        #expect(try await postern.operators.confirmEmail(code: code).email == "lasoren@bu.edu")
        await postern.close(within: .seconds(300))
        #expect(try outbox.map { $0[2] } == ["delivered"])
    }

    /// The process refuses a line that is too long.
    @Test(arguments: ["relay says no", String(repeating: "x", count: 10_000_000)])
    func anErrorOfTheFunctionIsAFailedAttempt(_ description: String) async throws {
        let lines = Lines()
        let postern = try open(onLog: lines.add) { _ in throw Refusal(description: description) }
        _ = try await postern.registerLuke()
        #expect(await lines.next()?.contains("the host answered with error -32000") == true)
        #expect(try await postern.system.info().name == "postern")
        await postern.close(within: .seconds(300))
        let mail = try #require(outbox.first)
        #expect(mail[2] == "waiting" && mail[7].hasSuffix(description.prefix(400)))
    }

    @Test func callsDoNotWaitForDeliveries() async throws {
        let mails = Mails()
        let mayEnd = Mutex(false)
        let postern = try open { mail in
            mails.add(mail)
            while !mayEnd.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
        }
        for number in 1...6 {
            let person = OperatorsPersonInput(firstName: "A", lastName: "B", email: "a\(number)@bu.edu")
            _ = try await postern.operators.register(user: person, password: "a long password")
        }
        #expect(try await becomesTrue(within: 20) { mails.all.count == 4 })
        #expect(try await postern.system.info().name == "postern")
        mayEnd.withLock { $0 = true }
        #expect(try await becomesTrue(within: 20) { mails.all.count == 6 })
        await postern.close(within: .seconds(300))
        #expect(try outbox.map { $0[2] } == Array(repeating: "delivered", count: 6))
    }

    @Test func closingWaitsForADelivery() async throws {
        let mails = Mails()
        let postern = try open { mail in
            mails.add(mail)
            try await Task.sleep(for: .milliseconds(500))
        }
        _ = try await postern.registerLuke()
        #expect(try await becomesTrue(within: 20) { mails.all.count == 1 })
        await postern.close(within: .seconds(300))
        #expect(try outbox.map { $0[2] } == ["delivered"])
    }

    @Test func closingDoesNotWaitForEverForADelivery() async throws {
        let mails = Mails()
        let postern = try open { mail in
            mails.add(mail)
            try await Task.sleep(for: .seconds(60))
        }
        _ = try await postern.registerLuke()
        #expect(try await becomesTrue(within: 20) { mails.all.count == 1 })
        let start = ContinuousClock.now
        await postern.close(within: .milliseconds(200))
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    // MARK: A process that sends other messages

    private static let mail = #"{"id":1,"to":"a@b.co","subject":"s","text":"t","kind":"k"}"#

    /// What a client answers to these lines.
    private func answers(
        to lines: [String],
        count: Int,
        deliverMail: (@Sendable (ServiceMail) async throws -> Void)? = nil
    ) async throws -> JSONValue {
        let postern = try Postern(
            binary: Binaries.fake("sender"),
            environment: ["TEST_SENDS": lines.joined(separator: "\n"), "TEST_ANSWERS": "\(count)"],
            waitsUntilReady: false,
            onLog: { _ in },
            deliverMail: deliverMail
        )
        let result = try await postern.call("a")
        await postern.close(within: .milliseconds(200))
        return try JSONValue(parsing: result)
    }

    @Test func unknownMessagesAreDroppedOrRefused() async throws {
        let lines = [
            #"{"jsonrpc":"2.0","method":"event","params":{"seq":1}}"#,
            #"{"jsonrpc":"2.0","method":"mail.deliver","params":\#(Self.mail)}"#,
            #"{"jsonrpc":"2.0","id":"postern:1","method":"coffee.make"}"#,
            #"{"jsonrpc":"2.0","id":2,"method":"mail.deliver","params":\#(Self.mail)}"#,
        ]
        func refusal(_ id: JSONValue, _ method: String) -> JSONValue {
            ["jsonrpc": "2.0", "id": id, "error": ["code": -32601, "message": .string("Method not found: \(method)")]]
        }
        #expect(
            try await answers(to: lines, count: 2)
                == [refusal("postern:1", "coffee.make"), refusal(2, "mail.deliver")]
        )
    }

    @Test(arguments: ["null", "[]", "{}", #"{"id":1,"to":2,"subject":"s","text":"t","kind":"k"}"#])
    func paramsThatAreNoMailAreRefused(_ params: String) async throws {
        let mails = Mails()
        let line = #"{"jsonrpc":"2.0","id":"postern:1","method":"mail.deliver","params":\#(params)}"#
        let answers = try await answers(to: [line], count: 1) { mails.add($0) }
        #expect(answers.array?.first?["error"]?["code"] == -32000)
        #expect(mails.all.isEmpty)
    }

    @Test func moreDeliveriesThanTheProcessOpensAreRefused() async throws {
        let lines = (1...5).map {
            #"{"jsonrpc":"2.0","id":"postern:\#($0)","method":"mail.deliver","params":\#(Self.mail)}"#
        }
        let answers = try await answers(to: lines, count: 1) { _ in try await Task.sleep(for: .seconds(5)) }
        #expect(answers.array?.map { $0["id"] } == ["postern:5"])
        #expect(answers.array?.first?["error"]?["message"] == "4 mails are being delivered")
    }
}
