import Foundation
import JSON
import PosternTesting
import Testing

/// A host that gets the events of a process. It keeps the events that come between the replies.
final class EventHost {
    let postern: PosternProcess
    private(set) var events: [JSONValue] = []
    private var replies: [JSONValue] = []

    init(_ arguments: [String]) throws {
        postern = try PosternProcess(["--no-email-confirmation", "--events"] + arguments)
    }

    /// The number of the last event.
    var cursor: Int? { events.last?["seq"]?.int }

    /// Sends a request and waits for its reply.
    @discardableResult
    func reply(to method: String, _ params: JSONValue = [:]) throws -> JSONValue {
        postern.send(method, params)
        return try nextReply()
    }

    /// The next reply; `null` if the output has ended.
    func nextReply() throws -> JSONValue {
        while replies.isEmpty, try take() {}
        return replies.isEmpty ? .null : replies.removeFirst()
    }

    /// Waits until there are so many events.
    func waitForEvents(_ count: Int) throws {
        while events.count < count {
            let isOpen = try take()
            try #require(isOpen, "the output ended after \(events.count) events")
        }
    }

    /// Takes the next message. Returns false at the end of the output.
    func take() throws -> Bool {
        guard let line = postern.nextLine() else { return false }
        try take(JSONValue(parsing: line))
        return true
    }

    /// Ends the input and takes the rest of the output.
    func finish() throws {
        postern.closeInput()
        while try take() {}
    }

    private func take(_ message: JSONValue) throws {
        guard message["method"] != nil else { return replies.append(message) }
        #expect(message["jsonrpc"] == "2.0" && message["method"] == "event" && message["id"] == nil)
        events.append(try #require(message["params"]))
    }
}

/// Requests of an operator that cause events.
struct EventfulOperator {
    private let session: [JSONValue.Property]

    /// Registers the operator.
    init(_ host: EventHost, _ email: JSONValue = "a@b.co") throws {
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": email]
        let registered = try host.reply(to: "operators.register", ["user": person, "password": "p"])["result"]
        session = [
            .init("user_id", try #require(registered?["id"])),
            .init("session_id", try #require(registered?["session_id"])),
        ]
    }

    /// The params of `operators.client.create`.
    func client(_ number: Int) -> JSONValue {
        let person: JSONValue = ["first_name": "C", "last_name": "D", "email": .string("c\(number)@d.co")]
        return .object(session + [.init("client", ["user": person, "address": "x"])])
    }

    static func signIn(_ email: JSONValue = "a@b.co", _ password: JSONValue = "p") -> JSONValue {
        ["email": email, "password": password]
    }
}
