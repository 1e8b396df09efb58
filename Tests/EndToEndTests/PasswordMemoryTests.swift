import Foundation
import JSON
import PosternTesting
import Testing

/// A password is in memory only during its request: after the reply, no copy is left. After a few sign-ins there were
/// once twelve copies, in strings and in input buffers.
struct PasswordMemoryTests {
    /// How a request is sent.
    enum Way: String, CaseIterable {
        case line, header, batch, tool
    }

    /// How a password is encoded in JSON.
    enum Form: String, CaseIterable {
        case plain, escaped

        func text(_ password: String) -> String {
            guard self == .escaped else { return password }
            let units = password.utf16.map { String($0, radix: 16) }
            return units.map { "\\u" + String(repeating: "0", count: 4 - $0.count) + $0 }.joined()
        }
    }

    // Only root can read the memory of a process that forbids core dumps.
    @Test(.enabled(if: geteuid() == 0, "needs root to read the memory"), arguments: Way.allCases)
    func keepsNoPasswordBeyondItsRequest(_ way: Way) throws {
        let conversation = try Conversation(way)
        for form in Form.allCases { try conversation.play(form) }
        #expect(conversation.copies.filter { $0.value > 0 } == [:])
        #expect(conversation.copies.count > 30)
        // The scan finds text that the process does keep.
        #expect(try conversation.count(of: ["plain.operators@b.co"])[0] > 0)
    }
}

/// Requests for every use of a password in the three APIs, with a memory scan after each.
private final class Conversation {
    private let way: PasswordMemoryTests.Way
    private var form = PasswordMemoryTests.Form.plain
    private let folder = TemporaryDirectory()
    private let postern: PosternProcess
    private var lastID = 0
    /// The number of copies of a password found after each request.
    private(set) var copies: [String: Int] = [:]

    private var data: [String] { ["--data", folder.path("store")] }

    init(_ way: PasswordMemoryTests.Way) throws {
        self.way = way
        postern = try PosternProcess(["--data", folder.path("store"), "--no-email-confirmation"])
        if way == .tool {
            let clientInfo: JSONValue = ["name": "host", "version": "1"]
            let params: JSONValue = ["protocolVersion": "2025-11-25", "capabilities": [:], "clientInfo": clientInfo]
            try postern.reply(to: "initialize", params)
        }
    }

    /// The common part of all passwords, which the scan looks for.
    private static let stem = "Qx9vKq3LmW8tRb2Zé"

    func count(of texts: [String]) throws -> [Int] {
        try ProcessMemoryScan(of: postern.processIdentifier).counts(of: texts)
    }

    func play(_ form: PasswordMemoryTests.Form) throws {
        self.form = form
        try playOperators()
        try playCare()
        try playSales()
    }

    private func playOperators() throws {
        let email = JSONValue.string("\(form).operators@b.co")
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": email]
        let registered = try ask("operators.register", ["user": person], "1")
        let session = [
            JSONValue.Property("user_id", registered["id"] ?? .null),
            JSONValue.Property("session_id", registered["session_id"] ?? .null),
        ]
        try ask("operators.register", ["user": person], "1", fails: true)
        try ask("operators.signin", ["email": email], "1")
        try ask("operators.signin", ["email": email], "2", fails: true)
        try ask("operators.signin", ["email": "nobody@b.co"], "1", fails: true)
        try ask("operators.signin", ["email": email], String(repeating: "x", count: 1_024), fails: true)
        try ask("operators.change_password", .object(session), "2", current: "3", fails: true)
        try ask("operators.change_password", .object(session), "2", current: "1")
        try ask("operators.reset_password", ["email": email])
        try ask("operators.complete_reset", ["code": "1-0"], "3", fails: true)
        try ask("operators.complete_reset", ["code": mailedCode()], "3")
        try ask("operators.signin", ["email": email], "3")
    }

    private func playCare() throws {
        let email = JSONValue.string("\(form).care@b.co")
        try ask("care.user.register", ["email": email, "role": "user"], "1")
        try ask("care.user.register", ["email": email, "role": "king"], "1", fails: true)
        let token = try ask("care.auth.token", ["email": email], "1")["access_token"] ?? .null
        try ask("care.auth.token", ["email": email], "2", fails: true)
        try ask("care.user.change", ["access_token": token, "npi": "1"], "2")
        try ask("care.user.change", ["access_token": token], "2", fails: true)
        try ask("care.auth.token", ["email": email], "2")
    }

    private func playSales() throws {
        let email = JSONValue.string("\(form).sales@b.co")
        for role in ["internal", "salesperson", "customer"] {
            let invitation = try PosternProcess.run(["invite"] + data).output.split(separator: "\n").first
            var account: [JSONValue.Property] = [
                .init("email", role == "internal" ? email : .string("\(form).\(role)@b.co")),
                .init("referral_code", .string(String(try #require(invitation)))),
                .init("name", ["first": "A", "last": "B"]),
            ]
            if role == "customer" { account.append(.init("source", "a friend")) }
            if role == "salesperson" { account += [.init("phone", "1"), .init("brand_id", "b")] }
            try ask("sales.user.create_\(role)", .object(account), "1")
            try ask("sales.user.create_\(role)", .object(account), "1", fails: true)
        }
        try ask("sales.user.authenticate", ["email": email], "1")
        try ask("sales.user.authenticate", ["email": email], "2", fails: true)
        try ask("sales.user.reset", ["email": email])
        try ask("sales.user.complete_reset", ["token": "1-0"], "3", fails: true)
        try ask("sales.user.complete_reset", ["token": mailedCode()], "3")
    }

    /// The code in the newest mail.
    private func mailedCode() throws -> JSONValue {
        let records = try PosternProcess.run(["export"] + data).output.split(separator: "\n").map {
            try JSONValue(parsing: String($0))
        }
        let texts = records.filter { $0["collection"] == "outbox texts" }.compactMap { $0["record"] }
        let newest = texts.max { ($0["id"]?.int ?? 0) < ($1["id"]?.int ?? 0) }?["text"]?.string ?? ""
        return .string(String(try #require(newest.firstMatch(of: /[?&](?:code|token)=(\S+)/)).output.1))
    }

    /// Sends a request and counts the remaining copies. `password` and `current` are the ends of passwords,
    /// if the request has any.
    @discardableResult
    private func ask(
        _ method: String,
        _ params: JSONValue,
        _ password: String? = nil,
        current: String? = nil,
        fails: Bool = false
    ) throws -> JSONValue {
        var text = params.text
        for (name, end) in [("current_password", current), ("password", password)] {
            guard let end else { continue }
            text = text.dropLast() + ",\"\(name)\":\"\(form.text(Self.stem + end))\"}"
        }
        let result = try exchange(method, text)
        #expect((result == nil) == fails, "\(method)")
        // The hashing thread may release the password slightly after the reply.
        var copies = 0
        for _ in 1...20 {
            copies = try count(of: PasswordMemoryTests.Form.allCases.map { $0.text(Self.stem) }).reduce(0, +)
            if copies == 0 { break }
            Thread.sleep(forTimeInterval: 0.05)
        }
        self.copies["\(form) \(method) \(params.text)", default: 0] += copies
        return result ?? .null
    }

    /// The result of a request; nil if it gets an error.
    private func exchange(_ method: String, _ params: String) throws -> JSONValue? {
        lastID += 1
        func request(_ method: String, _ params: String) -> String {
            #"{"jsonrpc":"2.0","id":\#(lastID),"method":"\#(method)","params":\#(params)}"#
        }
        let reply: JSONValue
        switch way {
        case .line:
            postern.send(request(method, params))
            reply = try postern.nextReply()
        case .header:
            let text = request(method, params)
            postern.write(Data("Content-Length: \(text.utf8.count)\r\n\r\n\(text)".utf8))
            reply = try postern.nextFramedReply()
        case .batch:
            let other = #"{"jsonrpc":"2.0","id":"other","method":"system.info"}"#
            postern.send("[\(other),\(request(method, params)),\(other.replacing("other", with: "more"))]")
            reply = try #require(postern.nextReply().array)[1]
        case .tool:
            let name = method.replacing(".", with: "_")
            postern.send(request("tools/call", "{\"name\":\"\(name)\",\"arguments\":\(params)}"))
            let result = try #require(postern.nextReply()["result"])
            guard result["isError"]?.bool == false else { return Optional.none }
            return result["structuredContent"] ?? .null
        }
        return reply["error"] == nil ? reply["result"] : Optional.none
    }
}
