import Foundation
import JSON
import PosternTesting
import Testing

/// Mails that the real program sends its host as requests, with `--mail host`.
struct HostMailTests {
    private let folder = TemporaryDirectory()
    private static let flags = ["--mail", "host", "--public-url", "https://x.co"]

    private func start(_ arguments: [String] = []) throws -> PosternProcess {
        try PosternProcess(["--data", folder.path("store")] + Self.flags + arguments)
    }

    private func registration(_ email: String = "a@b.co") -> JSONValue {
        ["user": ["first_name": "A", "last_name": "B", "email": .string(email)], "password": "p"]
    }

    /// The columns of `postern outbox list`, for each mail.
    private var mails: [[Substring]] {
        get throws {
            let list = try PosternProcess.run(["outbox", "list", "--data", folder.path("store")]).output
            return list.split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
        }
    }

    private func response(to request: JSONValue, _ properties: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(request["id"]?.text ?? ""),\#(properties)}"#
    }

    @Test func sendsAMailAfterTheReplyAndErasesItsCode() throws {
        let postern = try start()
        #expect(try postern.reply(to: "operators.register", registration())["result"] != nil)
        let request = try postern.nextReply()
        #expect(request["method"] == "mail.deliver")
        #expect(request["id"]?.string?.wholeMatch(of: /postern:[0-9a-f]{32}/) != nil)
        let params = try #require(request["params"])
        let code = try #require(params["code"]?.string)
        #expect(params["to"] == "a@b.co" && params["kind"] == "operators-confirmation")
        #expect(params["link"]?.string == "https://x.co/operators/confirm?code=\(code)")
        #expect(params["text"]?.string?.split(separator: "\n").contains { $0 == code } == true)
        // Requests are read and answered while the mail is under way.
        #expect(try postern.reply(to: "system.info")["result"]?["name"] == "postern")
        postern.send(response(to: request, #""result":null"#))
        #expect(try postern.reply(to: "operators.confirm_email", ["code": .string(code)])["result"] != nil)
        #expect(postern.finish() == "" && postern.status == 0)
        #expect(try mails.map { $0[2] } == ["delivered"])
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path("store")) {
            let bytes = try #require(FileManager.default.contents(atPath: folder.path("store/\(name)")))
            #expect(!String(decoding: bytes, as: UTF8.self).contains(code))
        }
    }

    @Test func framesTheRequestAsTheStream() throws {
        let postern = try start()
        let message = #"{"jsonrpc":"2.0","id":1,"method":"operators.register","params":\#(registration().text)}"#
        postern.write(Data("Content-Length: \(message.utf8.count)\r\n\r\n\(message)".utf8))
        #expect(try postern.nextFramedReply()["id"] == 1)
        let request = try postern.nextFramedReply()
        #expect(request["method"] == "mail.deliver")
        let answer = response(to: request, #""result":{}"#)
        postern.write(Data("Content-Length: \(answer.utf8.count)\r\n\r\n\(answer)".utf8))
        #expect(postern.finish() == "")
        #expect(try mails.map { $0[2] } == ["delivered"])
    }

    @Test func retriesARefusedMailLater() throws {
        let postern = try start()
        _ = try postern.reply(to: "operators.register", registration())
        let request = try postern.nextReply()
        let code = try #require(request["params"]?["code"]?.string)
        postern.send(response(to: request, #""error":{"code":1,"message":"relay says \#(code)"}"#))
        #expect(postern.finish() == "" && postern.status == 0)
        let mail = try #require(mails.first)
        #expect(mail[2] == "waiting" && mail[5] == "1" && mail[7] == "the host answered with error 1: relay says […]")
        let log = postern.errorText
        #expect(log.contains("number 1 could not be delivered and is retried in 60 seconds: the host answered"))
        #expect(!log.contains("relay") && !log.contains(code))
    }

    /// No response can come after the end of the input, or is read after a signal. So the process does not wait, and
    /// the next one sends the mail.
    @Test(arguments: [nil, SIGTERM]) func leavesUnansweredMailsToTheNextProcess(_ signal: Int32?) throws {
        let postern = try start()
        _ = try postern.reply(to: "operators.register", registration())
        let first = try postern.nextReply()
        // A forged response delivers nothing.
        postern.send(#"{"jsonrpc":"2.0","id":"postern:0123456789abcdef0123456789abcdef","result":null}"#)
        let start = ContinuousClock.now
        if let signal {
            postern.signal(signal)
            #expect(postern.nextLine() == nil)
        }
        #expect(postern.finish() == "" && postern.status == 0)
        #expect(ContinuousClock.now - start < .seconds(20))
        #expect(postern.errorText == "")
        let mail = try #require(mails.first)
        #expect(mail[2] == "waiting" && mail[5] == "0" && mail[7] == "-")
        // Nothing is sent before the first message decides the framing.
        let next = try self.start()
        #expect(try next.reply(to: "system.info")["result"] != nil)
        let second = try next.nextReply()
        #expect(second["params"] == first["params"] && second["id"] != first["id"])
    }

    /// A mail for a host that does not read stays in the outbox, and is sent when the host reads.
    @Test func sendsNothingWhileTheHostDoesNotRead() throws {
        let postern = try start()
        _ = try postern.reply(to: "system.info")
        for id in 1...20 { postern.send(#"{"jsonrpc":"2.0","id":\#(id),"method":"rpc.discover"}"#) }
        postern.send(
            #"{"jsonrpc":"2.0","id":21,"method":"operators.register","params":\#(registration().text)}"#
        )
        let deadline = ContinuousClock.now + .seconds(60)
        while try mails.isEmpty, ContinuousClock.now < deadline { usleep(20_000) }
        usleep(500_000)
        let mail = try #require(mails.first)
        #expect(mail[2] == "waiting" && mail[5] == "0" && mail[6] == mail[1], "it is due, and not claimed")
        for id in 1...21 { #expect(try postern.nextReply()["id"]?.int == id) }
        #expect(try postern.nextReply()["method"] == "mail.deliver")
    }

    /// A host that never answers gets as many requests as run at once, and replies as before.
    @Test func servesAHostThatNeverAnswers() throws {
        let postern = try start(["--replies", "in-order"])
        var methods = 0
        for number in 1...8 {
            postern.send("operators.register", registration("a\(number)@b.co"))
        }
        postern.send("system.info", [:])
        var replies = 0
        while replies < 9 {
            let message = try postern.nextReply()
            if message["method"] != nil { methods += 1 } else { replies += 1 }
        }
        #expect(postern.finish().split(separator: "\n").count + methods == 4)
        #expect(try mails.map { $0[2] } == Array(repeating: "waiting", count: 8))
    }

    @Test(arguments: [
        ("initialize", #"{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}"#),
        ("tools/list", "{}"), ("ping", "{}"),
        ("tools/call", #"{"name":"system_info","arguments":{}}"#),
        (
            "server/discover",
            #"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}"#
        ),
    ])
    func refusesTheModelContextProtocol(_ method: String, _ params: String) throws {
        let postern = try PosternProcess(["--data", ":memory:"] + Self.flags)
        let error = try postern.reply(to: method, JSONValue(parsing: params))["error"]
        #expect(error?["code"] == -32601)
        #expect(error?["message"]?.string?.contains("is not served with --mail host") == true)
        #expect(try postern.reply(to: "system.info")["result"] != nil)
    }

    @Test(arguments: [["call", "system.info"], ["outbox", "list"], ["outbox", "deliver"]])
    func isOnlyForServe(_ command: [String]) throws {
        let outcome = try PosternProcess.run(command + ["--data", folder.path("store"), "--mail", "host"])
        #expect(outcome.status == 64 && outcome.output == "")
        #expect(outcome.errors.hasPrefix("postern: --mail host is only for postern serve"))
    }

    /// The environment of a server also applies to the commands beside it.
    @Test func leavesMailsToTheServerInItsEnvironment() throws {
        let environment = ["POSTERN_MAIL": "host", "POSTERN_DATA": folder.path("store")]
        let postern = try PosternProcess([], environment: environment)
        #expect(try postern.reply(to: "system.info")["result"] != nil)
        let call = try PosternProcess.run(
            ["call", "operators.register", registration().text],
            environment: environment
        )
        #expect(call.status == 0)
        #expect(try mails.map { $0[2] } == ["waiting"])
        let delivery = try PosternProcess.run(["outbox", "deliver"], environment: environment)
        #expect(delivery.status == 64 && delivery.errors.contains("postern outbox deliver needs --mail"))
    }

    @Test func isRefusedInDeterministicMode() throws {
        let outcome = try PosternProcess.run(
            ["--data", ":memory:", "--clock", "2016-02-24T22:07:52.371513Z", "--seed", "7", "--mail", "host"]
        )
        #expect(outcome.status == 64 && outcome.errors.contains("needs --mail keep"))
    }
}
