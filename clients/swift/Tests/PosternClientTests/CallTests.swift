import JSON
import Testing

@testable import PosternClient

/// Calls, their results and their errors.
struct CallTests {
    @Test func aCallErrorHasItsSlugFieldAndData() async throws {
        let postern = try Postern()
        _ = try await postern.registerLuke()
        let wrong = await failure { try await postern.operators.signin(email: "lasoren@bu.edu", password: "wrong") }
        let error = try #require(wrong?.callError)
        #expect(
            error.slug == ErrorSlug.Operators.wrongPassword && error.errors == [ErrorSlug.Operators.wrongPassword]
                && error.code == -9
        )
        #expect(error.description == "wrong_password: Password is incorrect for this account.")
        #expect(error.data == #"{"errors":["wrong_password"]}"#)

        let person = OperatorsPersonInput(firstName: "Luke", lastName: "Sorenson", email: "none")
        let invalid = await failure { try await postern.operators.register(user: person, password: "a long password") }
        #expect(
            invalid?.callError?.slug == ErrorSlug.Operators.fieldInvalid && invalid?.callError?.field == "user.email"
        )
        #expect(invalid?.callError?.retryAfter == nil)
        await postern.close()
    }

    @Test func tooManyAttemptsHasRetryAfter() async throws {
        let postern = try Postern()
        _ = try await postern.registerLuke()
        var last: CallError?
        for _ in 0..<100 where last?.slug != ErrorSlug.Operators.tooManyAttempts {
            last = await failure { try await postern.operators.signin(email: "lasoren@bu.edu", password: "wrong") }?
                .callError
        }
        let seconds = try #require(last?.retryAfter)
        #expect((1...86_400).contains(seconds))
        await postern.close()
    }

    @Test func anErrorOfJSONRPCHasNoSlug() async throws {
        let postern = try Postern()
        let error = await failure { try await postern.call("operators.rename", params: "{}") }?.callError
        #expect(error?.code == -32601 && error?.slug == nil && error?.data == nil)
        #expect(error?.description.hasPrefix("-32601: Method not found") == true)
        await postern.close()
    }

    @Test func anErrorMayHaveAnUnknownSlug() async throws {
        let postern = try Postern(binary: Binaries.fake("newer"), waitsUntilReady: false)
        let failed = await failure { try await postern.operators.signin(email: "lasoren@bu.edu", password: "x") }
        let error = try #require(failed?.callError)
        #expect(error.slug == ErrorSlug(.operators, "newer_than_this") && error.errors.count == 1)
        #expect(error.code == 7 && error.message == "New." && error.retryAfter == 3)
        #expect(error.description == "newer_than_this: New.")
        await postern.close()
    }

    @Test func paramsMayHaveLineBreaks() async throws {
        let postern = try Postern()
        let params = """
            {
              "user": {"first_name": "Luke", "last_name": "Sorenson", "email": "lasoren@bu.edu"},
              "password": "one\\ntwo"
            }
            """
        _ = try await postern.call("operators.register", params: params)
        #expect(try await postern.operators.signin(email: "lasoren@bu.edu", password: "one\ntwo").id == 1)
        await #expect(throws: PosternError.malformedParams("unexpectedEnd at byte 4")) {
            try await postern.call("system.info", params: "{\"a\"")
        }
        #expect(try await postern.system.info().name == "postern")
        await postern.close()
    }

    /// The service would reply to these without an id.
    @Test func paramsThatTheServiceCannotParseAreRefused() async throws {
        let postern = try Postern()
        let lists = { (depth: Int) in
            #"{"a":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        }
        #expect(try await postern.call("system.info", params: lists(126)).contains("postern"))
        for params in [lists(127), #"{"a":"\ud800"}"#, #"{"a":"\uDC00\uD800"}"#, #"{"\udbff\\udc00":1}"#] {
            let error = await failure { try await postern.call("system.info", params: params) }
            guard case .malformedParams? = error else {
                Issue.record("\(params) gave \(String(describing: error))")
                continue
            }
        }
        #expect(try await postern.call("system.info", params: #"{"a":"\ud834\udd1e \\ud800"}"#).contains("postern"))
        await postern.close()
    }

    @Test func theErrorForABrokenReplyHasNoSecrets() throws {
        let faults = [
            #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#:
                "Postern could not read a request: -32700: Parse error",
            #"{"id":1,"result":{"session_id":"secret""#: "What came from Postern is no JSON object: 39 bytes",
            #"{"result":{"session_id":"secret"}}"#: "What came from Postern answers no call: 34 bytes",
        ]
        for (line, description) in faults {
            let fault = #expect(throws: ReplyFault.self) {
                try Array(line.utf8).withUnsafeBytes { bytes in _ = try Message(bytes) }
            }
            #expect(fault?.description == description)
        }
    }

    @Test func aRequestThatIsTooLongIsRefusedAndTheNextCallWorks() async throws {
        let postern = try Postern()
        let bytesMax = 8 << 20
        let rest = #"{"jsonrpc":"2.0","id":1,"method":"operators.confirm_email","params":{"code":""}}"#.utf8.count
        let code = String(repeating: "x", count: bytesMax - rest)
        await #expect(throws: PosternError.messageTooLong(bytes: bytesMax + 1, bytesMax: bytesMax)) {
            try await postern.operators.confirmEmail(code: code + "x")
        }
        // The refused request also uses an id. The id of the next one has one digit too, so its length is the same.
        let error = await failure { try await postern.operators.confirmEmail(code: code) }
        #expect(error?.callError?.slug == ErrorSlug.Operators.fieldInvalid)
        #expect(try await postern.system.info().name == "postern")
        await postern.close()
    }

    @Test func aResultWithAMissingPropertyIsAnErrorAndUnknownPropertiesAreIgnored() async throws {
        let postern = try Postern(binary: Binaries.fake("incomplete"), waitsUntilReady: false)
        let start = "The result of system.info is not what it should be: "
        await #expect(throws: PosternError.protocolViolation(start + "store.kind is missing, or of another type")) {
            try await postern.system.info()
        }
        await #expect(throws: PosternError.protocolViolation(start + "methods[1] is missing, or of another type")) {
            try await postern.system.info()
        }
        #expect(try await postern.system.info().store.kind == "memory")
        await postern.close()
    }

    @Test func concurrentCallsGetTheirOwnReplies() async throws {
        let postern = try Postern()
        let luke = try await postern.registerLuke()
        try await withThrowingTaskGroup { group in
            for task in 0..<50 {
                group.addTask {
                    for call in 0..<200 {
                        let email = "client-\(task)-\(call)@example.com"
                        let person = OperatorsPersonInput(firstName: "Client", lastName: "\(task)", email: email)
                        let client = try await postern.operators.client.create(
                            userID: luke.id,
                            sessionID: luke.sessionID,
                            client: OperatorsClientInput(user: person, address: "\(call) of \(task)")
                        )
                        #expect(client.user.email == email && client.address == "\(call) of \(task)")
                    }
                }
            }
            try await group.waitForAll()
        }
        let list = try await postern.operators.clients.get(userID: luke.id, sessionID: luke.sessionID, provision: 0)
        #expect(list.clients.count == 10_000)
        #expect(Set(list.clients.map(\.user.email)).count == 10_000)
        #expect(list.provision == 10_001)
        let params = #"{"user_id":1,"session_id":"\#(luke.sessionID)","provision":0}"#
        #expect(try await postern.call("operators.clients.get", params: params).utf8.count > 1 << 20)
        await postern.close()
    }

    /// Requests and replies exceed the capacity of the pipes, and all requests are sent before a reply is awaited.
    @Test func repliesAreReadWhileRequestsAreWritten() async throws {
        let postern = try Postern()
        let filler = String(repeating: "x", count: 100_000)
        try await withThrowingTaskGroup { group in
            for number in 0..<200 {
                group.addTask {
                    await #expect(throws: PosternError.self) { try await postern.operators.confirmEmail(code: filler) }
                    guard number % 10 == 0 else { return }
                    let document = try await postern.rpc.discover()
                    #expect(document.utf8.count > 50_000)
                }
            }
            try await group.waitForAll()
        }
        await postern.close()
    }
}
