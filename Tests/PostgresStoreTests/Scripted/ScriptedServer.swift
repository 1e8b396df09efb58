import Store
import Synchronization

@testable import PostgresStore

/// A server that answers from a script, and keeps what it was sent.
final class ScriptedServer: Connector {
    /// What a script answers.
    enum Event: Hashable {
        case connection
        /// A group of statements without a mark or a fence.
        case reading
        /// A group with the mark of a transaction, and COMMIT.
        case commit
        /// A group with a fence.
        case settlement
    }

    /// An answer of the script.
    indirect enum Answer: Sendable {
        case success
        case fault(ServerFault)
        /// The time-out passes without an answer.
        case nothing
        /// COMMIT has a warning.
        case warning
        /// COMMIT is answered with ROLLBACK.
        case rollback
        /// The row of a statement with a name.
        case row(of: String, [[UInt8]?])
        /// An answer that takes some milliseconds.
        case after(milliseconds: Int, Answer)

        /// A statement is refused with an SQLSTATE.
        static func refusal(_ state: String) -> Answer {
            .fault(.refused(ServerError(state: state, message: "a message")))
        }
        static let loss = Answer.fault(.lost("the socket broke"))
        /// The answer to a settlement of a transaction that has committed, and of one that never will.
        static let committed = row(of: "is fenced", [[0]])
        static let fenced = row(of: "is fenced", [[1]])
    }

    /// A group of statements that was sent.
    struct Group: Equatable {
        /// The number of its connection, from 1 on.
        let connection: Int
        /// The names of the statements; the SQL of those without a name.
        let names: [String]
        /// The parameters of the statements.
        let parameters: [[[UInt8]?]]
        let isPosted: Bool

        /// The first parameter of the statement with a name.
        func parameter(of name: String) -> [UInt8]? {
            names.firstIndex(of: name).flatMap { parameters[$0].first ?? nil }
        }
    }

    private struct State {
        var script: [Event: [Answer]]
        var groups: [Group] = []
        var connections = 0
        var closed: [Int] = []
    }

    let clock = TestClock()
    private let state: Mutex<State>
    /// What `values` finds.
    private let entries: [StoreKey: String]
    /// Whether its connections have the settings of the session.
    fileprivate let hasSessionSettings: Bool

    /// - Parameter script: the answers to each kind of event, in order. Later events succeed, and settlements find a
    ///   fence.
    init(
        _ script: [Event: [Answer]] = [:],
        entries: [StoreKey: String] = [:],
        hasSessionSettings: Bool = false
    ) {
        self.hasSessionSettings = hasSessionSettings
        state = Mutex(State(script: script))
        self.entries = entries
    }

    /// All groups that were sent.
    var groups: [Group] { state.withLock { $0.groups } }
    /// How often a connection was asked for.
    var connections: Int { state.withLock { $0.connections } }
    /// The numbers of the connections that were closed.
    var closed: [Int] { state.withLock { $0.closed } }

    /// The groups that are an event.
    func groups(_ event: Event) -> [Group] { groups.filter { !$0.isPosted && Self.event(of: $0.names) == event } }

    func connect(before deadline: Int) throws(ServerFault) -> any ServerConnection {
        let (number, answer) = state.withLock { state in
            state.connections += 1
            return (state.connections, Self.take(.connection, from: &state))
        }
        try resolve(answer, before: deadline) { _ throws(ServerFault) in }
        return ScriptedConnection(number: number, server: self)
    }

    fileprivate func run(_ group: Group, before deadline: Int?) throws(ServerFault) -> [StatementResult] {
        let event = Self.event(of: group.names)
        let answer = state.withLock { state in
            state.groups.append(group)
            return Self.take(event, from: &state)
        }
        var results: [StatementResult] = []
        try resolve(answer, before: deadline ?? .max) { answer throws(ServerFault) in
            results = group.names.map { self.result(of: $0, answer) }
        }
        return results
    }

    fileprivate func keep(_ group: Group) { state.withLock { $0.groups.append(group) } }
    fileprivate func close(_ number: Int) { state.withLock { $0.closed.append(number) } }

    private static func event(of names: [String]) -> Event {
        if names.contains("fence") { .settlement } else if names.contains("mark") { .commit } else { .reading }
    }

    private static func take(_ event: Event, from state: inout State) -> Answer {
        guard let answers = state.script[event], let answer = answers.first else { return .success }
        state.script[event] = Array(answers.dropFirst())
        return answer
    }

    private func resolve(
        _ answer: Answer,
        before deadline: Int,
        _ body: (Answer) throws(ServerFault) -> Void
    ) throws(ServerFault) {
        switch answer {
        case .fault(let fault): throw fault
        case .nothing:
            clock.advance(milliseconds: max(0, deadline - clock.milliseconds))
            throw .timedOut
        case .after(let milliseconds, let answer):
            clock.advance(milliseconds: milliseconds)
            try resolve(answer, before: deadline, body)
        case .success, .warning, .rollback, .row: try body(answer)
        }
    }

    private func result(of name: String, _ answer: Answer) -> StatementResult {
        switch (name, answer) {
        case (_, .row(of: name, let row)): StatementResult(rows: [row], command: "SELECT", hasWarning: false)
        case ("commit", .warning): StatementResult(rows: [], command: "COMMIT", hasWarning: true)
        case ("commit", .rollback): StatementResult(rows: [], command: "ROLLBACK", hasWarning: false)
        case ("commit", _): StatementResult(rows: [], command: "COMMIT", hasWarning: false)
        default: StatementResult(rows: rows(of: name), command: "", hasWarning: false)
        }
    }

    private func rows(of name: String) -> [[[UInt8]?]] {
        let time = Parameter.number(clock.microseconds)
        return switch name {
        case "prologue": [[Parameter.number(Layout.format), time]]
        case "short prologue": [[Parameter.number(Layout.format)]]
        case "values": entries.map { [$0.key.bytes, Array($0.value.utf8)] }
        case "is fenced", "try lock": [[[1]]]
        // Opening the store.
        case _ where name.hasPrefix("SELECT relname"): ["meta", "entries", "commits"].map { [Array($0.utf8)] }
        case _ where name.hasPrefix("SELECT format"): [[Parameter.number(Layout.format)]]
        case _ where name.hasPrefix("SELECT is_test"): [[[0], time]]
        case _ where name.hasPrefix("SELECT current_setting"): [[Parameter.number(1 << 20)]]
        default: []
        }
    }
}

/// A connection to a `ScriptedServer`.
private final class ScriptedConnection: ServerConnection {
    private let number: Int
    private let server: ScriptedServer
    private var isClosed = false
    var hasSessionSettings: Bool { server.hasSessionSettings }

    init(number: Int, server: ScriptedServer) {
        (self.number, self.server) = (number, server)
    }

    func run(_ statements: [Statement], before deadline: Int?) throws(ServerFault) -> [StatementResult] {
        guard !isClosed else { throw .lost("the connection is closed") }
        do throws(ServerFault) {
            return try server.run(group(statements, isPosted: false), before: deadline)
        } catch {
            // As the protocol says of a connection that was lost.
            if error == .timedOut || error.isLoss { close() }
            throw error
        }
    }

    func post(_ statements: [Statement]) {
        if !isClosed { server.keep(group(statements, isPosted: true)) }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        server.close(number)
    }

    private func group(_ statements: [Statement], isPosted: Bool) -> ScriptedServer.Group {
        ScriptedServer.Group(
            connection: number,
            names: statements.map { $0.prepared.name.isEmpty ? $0.prepared.sql : $0.prepared.name },
            parameters: statements.map(\.parameters),
            isPosted: isPosted
        )
    }
}

extension ServerFault {
    fileprivate var isLoss: Bool { if case .lost = self { true } else { false } }
}
