import Accounts
import JSON
import JSONRPC
import PosternTesting
import PosternTranscripts
import Transcripts
import Synchronization
import Testing

/// The whole service on the pooled executor, over an engine that runs each closure twice and fails commits at random.
@Suite(.timeLimit(.minutes(5)))
struct PooledServiceTests {
    /// The replies are the same as those of the inline executor.
    @Test(arguments: try Transcript.all())
    func repliesAsInTheTranscripts(_ transcript: Transcript) async throws {
        let memory = SharedMemory(seed: 7)
        var settings = PooledService.Settings(order: .inOrder, isDeterministic: true)
        for argument in transcript.arguments {
            switch argument {
            case "--audit-days=1": settings.accounts.auditBounds.days = 1
            case "--admin": settings.isAdministered = true
            case "--no-email-confirmation": settings.accounts.operatorsConfirmEmail = false
            case "--notices=off": settings.accounts.sendsNotices = false
            case "--password-policy=nist": settings.accounts.passwordPolicy = PasswordPolicy(.nist)
            case "--password-length=9": settings.accounts.passwordPolicy = PasswordPolicy(charactersMin: 9)
            default: Issue.record("an argument that this test does not know: \(argument)")
            }
        }
        let service = try PooledService(over: memory, settings)
        let failures = try await transcript.play { request, step in
            service.send(request.text)
            return step.expected == nil ? nil : try service.nextReply()
        }
        #expect(failures == [])
        #expect(try service.finish() == [])
        // Only `system.advance_clock` writes in several transactions, because it deletes expired entries in bounded
        // pieces.
        if !transcript.methods.contains("system.advance_clock") {
            #expect(memory.doubleCommits == [], "a request writes in one transaction")
        }
        #expect(memory.effectsInTransactions == [])
    }

    // MARK: Several clients at the same time

    /// The requests that one client sends without waiting for replies. The id of a request is its index.
    private typealias Pipelined = [(method: String, params: JSONValue)]

    private static let clients = 3

    /// Operators need not confirm their email.
    private static let unconfirmed = PooledService.Settings(accounts: AccountSettings(operatorsConfirmEmail: false))

    /// Lets each client pipeline its requests to its own server. All servers run at the same time over one memory.
    ///
    /// - Returns: the replies to each client, in the order of its requests.
    private func replies(
        over memory: SharedMemory,
        to requests: (_ client: Int) -> Pipelined
    ) async throws -> [[JSONValue]] {
        let all = (0..<Self.clients).map(requests)
        return try await withThrowingTaskGroup(of: (Int, [JSONValue]).self) { group in
            for (client, requests) in all.enumerated() {
                group.addTask {
                    let service = try PooledService(over: memory, Self.unconfirmed)
                    for (place, request) in requests.enumerated() {
                        let call: JSONValue = [
                            "jsonrpc": "2.0", "id": .number("\(place)"), "method": .string(request.method),
                            "params": request.params,
                        ]
                        service.send(call.text)
                    }
                    let replies = try service.finish()
                    let byID = Dictionary(grouping: replies) { $0["id"]?.int ?? -1 }
                    #expect(byID.count == requests.count && replies.count == requests.count, "one reply a request")
                    return (client, requests.indices.map { byID[$0]?.first ?? .null })
                }
            }
            var ordered = [[JSONValue]](repeating: [], count: all.count)
            for try await (client, replies) in group { ordered[client] = replies }
            return ordered
        }
    }

    private func slug(_ reply: JSONValue) -> String? { reply["error"]?["data"]?["errors"]?.array?.first?.string }

    private func person(_ email: String) -> JSONValue {
        ["first_name": "Ann", "last_name": "Lee", "email": .string(email)]
    }

    private func register(_ email: String) -> (method: String, params: JSONValue) {
        ("operators.register", ["user": person(email), "password": "right"])
    }

    private func signIn(_ email: String, _ password: String) -> (method: String, params: JSONValue) {
        ("operators.signin", ["email": .string(email), "password": .string(password)])
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func registersEachEmailOnce(seed: UInt64) async throws {
        let memory = SharedMemory(seed: seed)
        let emails = (1...8).map { "operator\($0)@example.org" }
        let replies = try await replies(over: memory) { client in
            // Each client starts with a different email.
            (0..<emails.count).map { register(emails[($0 + 3 * client) % emails.count]) }
        }
        let registered = replies.joined().compactMap { $0["result"] }
        #expect(registered.compactMap { $0["user"]?["email"]?.string }.sorted() == emails)
        #expect(Set(registered.compactMap { $0["id"]?.int }) == Set(1...emails.count))
        let refused = replies.joined().compactMap { slug($0) }
        #expect(refused == Array(repeating: "operator_exists", count: (Self.clients - 1) * emails.count))
        #expect(memory.doubleCommits == [])
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func countsEachFailedSignIn(seed: UInt64) async throws {
        let memory = SharedMemory(seed: seed)
        _ = try await replies(over: memory) { $0 == 0 ? [register("a@example.org")] : [] }
        let guesses = try await replies(over: memory) { _ in
            (0..<Limits.failedSignInsMax).map { _ in signIn("a@example.org", "wrong") }
        }
        let slugs = guesses.joined().map { slug($0) }
        #expect(slugs.count { $0 == "wrong_password" } == Limits.failedSignInsMax)
        #expect(slugs.count { $0 == "too_many_attempts" } == (Self.clients - 1) * Limits.failedSignInsMax)
        #expect(memory.doubleCommits == [])
    }

    /// Three JSON-RPC clients change the same client records of one operator. The change feed counts each change once.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func numbersEachChangeOnce(seed: UInt64) async throws {
        let memory = SharedMemory(seed: seed)
        let registered = try await replies(over: memory) { $0 == 0 ? [register("a@example.org")] : [] }
        let operatorID = try #require(registered[0][0]["result"]?["id"])
        let session = try #require(registered[0][0]["result"]?["session_id"])
        let emails = (1...6).map { "client\($0)@example.org" }
        let created = try await replies(over: memory) { client in
            (0..<40).map { step in
                let email = emails[(step * (client + 1)) % emails.count]
                let params: JSONValue = [
                    "user_id": operatorID, "session_id": session,
                    "client": ["user": person(email), "address": .string("\(client) \(step)")],
                ]
                return ("operators.client.create", params)
            }
        }
        let results = created.joined().compactMap { $0["result"] }
        #expect(results.count == 40 * Self.clients)
        let ids = Dictionary(grouping: results) { $0["user"]?["email"]?.string ?? "" }
            .mapValues { Set($0.compactMap { $0["id"]?.int }) }
        #expect(ids.values.allSatisfy { $0.count == 1 }, "a client is created once and then updated")
        #expect(Set(ids.values.joined()) == Set(1...emails.count))
        let feed = try await replies(over: memory) { client in
            client == 0
                ? [("operators.clients.get", ["user_id": operatorID, "session_id": session, "provision": 0])] : []
        }[0][0]["result"]
        #expect(feed?["clients"]?.array?.count == emails.count)
        // Each change has one number. `provision`, the cursor for the next request, is the last number plus one.
        #expect(feed?["provision"]?.int == results.count + 1)
        #expect(memory.doubleCommits == [])
        #expect(memory.rerunCommits > 0, "no commit was run again")
    }

    /// Workers write the events, and the loop reads them.
    @Test func sendsTheEventsOfAllWorkers() throws {
        var settings = Self.unconfirmed
        settings.pushesEvents = true
        let service = try PooledService(over: SharedMemory(seed: 7), settings)
        for number in 1...8 {
            let (method, params) = register("a\(number)@b.co")
            service.send(
                (["jsonrpc": "2.0", "id": .number("\(number)"), "method": .string(method), "params": params]
                    as JSONValue)
                    .text
            )
        }
        let messages = try service.finish()
        let events = messages.filter { $0["method"] == "event" }.compactMap { $0["params"] }
        #expect(messages.count { $0["result"] != nil } == 8)
        #expect(events.count == 8 && events.allSatisfy { $0["kind"] == "registered" })
        #expect(events.compactMap { $0["account"]?.int }.sorted() == Array(1...8))
        let numbers = events.compactMap { $0["seq"]?.int }
        #expect(numbers == numbers.sorted() && Set(numbers).count == 8)
    }
}
