import Foundation
import PosternTesting
import Testing

@testable import PosternClient

/// The events of the audit trail, which the process sends on its own.
struct EventTests {
    private let folder = TemporaryDirectory()
    private static let flags = ["--no-email-confirmation"]

    private func open(_ events: EventStart?) throws -> Postern {
        try Postern(data: folder.path("data"), binary: Binaries.postern, arguments: Self.flags, events: events)
    }

    private static func take(_ count: Int, from postern: Postern) async throws -> [Event] {
        var events: [Event] = []
        for try await event in postern.events {
            events.append(event)
            if events.count == count { break }
        }
        return events
    }

    private func signIn(_ postern: Postern) async throws {
        _ = try await postern.operators.signin(email: "lasoren@bu.edu", password: "a long password")
    }

    /// Signs in with another process.
    private func signInElsewhere() throws {
        let params = #"{"email":"lasoren@bu.edu","password":"a long password"}"#
        let call = ["call", "operators.signin", params, "--data", folder.path("data")] + Self.flags
        #expect(try Binaries.run(call).status == 0)
    }

    /// Creates a store with so many events.
    private func fill(_ count: Int) async throws {
        let postern = try open(nil)
        let luke = try await postern.registerLuke()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1..<count {
                group.addTask {
                    let person = OperatorsPersonInput(firstName: "A", lastName: "B", email: "a\(number)@b.co")
                    _ = try await postern.operators.client.create(
                        userID: luke.id,
                        sessionID: luke.sessionID,
                        client: OperatorsClientInput(user: person, address: "x")
                    )
                }
            }
            try await group.waitForAll()
        }
        await postern.close(within: .seconds(300))
    }

    @Test func aSequenceHasOwnEventsAndThoseOfOtherProcesses() async throws {
        let postern = try open(.now)
        let luke = try await postern.registerLuke()
        try await signIn(postern)
        try signInElsewhere()
        let events = try await Self.take(3, from: postern)
        #expect(events.map(\.seq) == [1, 2, 3])
        #expect(events.map(\.kind) == [.registered, .signedIn, .signedIn])
        #expect(events.allSatisfy { $0.account == luke.id && $0.api == "operators" })
        #expect(events[1].detail?.session == 2)
        #expect(try await postern.system.info().events)
        await postern.close()
        // The cursor of the first of them: none is missing, and none comes twice.
        let next = try open(.after(1))
        #expect(try await Self.take(2, from: next) == Array(events[1...]))
        try signInElsewhere()
        #expect(try await Self.take(1, from: next).map(\.seq) == [4])
        await next.close()
    }

    @Test func fourClientsGetTheEventsOfAll() async throws {
        let clients = try (0..<4).map { _ in try open(.now) }
        for (number, client) in clients.enumerated() {
            let person = OperatorsPersonInput(firstName: "A", lastName: "B", email: "a\(number)@b.co")
            _ = try await client.operators.register(user: person, password: "p")
        }
        let first = try await Self.take(4, from: clients[0])
        #expect(first.map(\.seq) == [1, 2, 3, 4])
        for client in clients.dropFirst() { #expect(try await Self.take(4, from: client) == first) }
        for client in clients { await client.close() }
    }

    @Test func aClientThatTakesNoEventsGetsItsReplies() async throws {
        try await fill(1_800)
        let postern = try open(.after(0))
        try await Task.sleep(for: .milliseconds(300))
        for _ in 0..<20 { #expect(try await postern.system.info().name == "postern") }
        #expect(try await Self.take(1_800, from: postern).map(\.seq) == Array(1...1_800))
        try await signIn(postern)
        #expect(try await Self.take(1, from: postern).map(\.kind) == [.signedIn])
        await postern.close()
    }

    @Test func readingPausesWhileEventsAreNotTaken() async throws {
        let log = Lines()
        let postern = try Postern(
            binary: Binaries.fake("streams"),
            environment: ["TEST_EVENTS": "5000", "TEST_FLOOD": "1"],
            waitsUntilReady: false,
            onLog: log.add,
            events: .after(0)
        )
        _ = try await postern.call("x")
        try await Task.sleep(for: .milliseconds(500))
        #expect(log.all == [])
        #expect(try await Self.take(5_000, from: postern).map(\.seq) == Array(1...5_000))
        #expect(await log.next() == "sent")
        await postern.close()
    }

    @Test func eventsThatAreNeverTakenAreDroppedAndReported() async throws {
        let queue = EventQueue(after: 0, eventsMax: 5)
        func put(_ seq: Int) {
            let event = #"{"seq":\#(seq),"time":"2016-02-24T22:07:52.371513Z","api":"care","kind":"new","by":"admin"}"#
            queue.put(Array(event.utf8))
        }
        for seq in 1...7 { put(seq) }
        for seq in 1...3 { #expect(try await queue.next {}?.seq == seq) }
        // There is room again, but events are missing before this one.
        put(8)
        for seq in 4...5 { #expect(try await queue.next {}?.seq == seq) }
        for _ in 1...2 { #expect(await failure { try await queue.next {} } == .eventsLost(after: 5)) }
    }

    @Test func aCallIsAnsweredAfterMoreEventsThanAreKept() async throws {
        let postern = try Postern(
            binary: Binaries.fake("streams"),
            environment: ["TEST_EVENTS": "20100"],
            waitsUntilReady: false,
            onLog: { _ in },
            events: .after(0)
        )
        for _ in 1...2 { #expect(try await postern.call("x") == "null") }
        await postern.close()
    }

    @Test func aClientCanBeClosedWhileEventsWait() async throws {
        try await fill(2_000)
        let postern = try open(.after(0))
        try await Task.sleep(for: .milliseconds(100))
        await postern.close(within: .seconds(300))
        let rest = try await Self.take(3_000, from: postern).map(\.seq)
        #expect(rest.count < 2_000 && rest == Array(1..<rest.count + 1))
    }

    @Test func theEndEndsTheSequence() async throws {
        let closed = try open(.now)
        async let none = Self.take(1, from: closed)
        await closed.close()
        #expect(try await none == [])
        let killed = try Postern(data: ":memory:", binary: Binaries.postern, onLog: { _ in }, events: .now)
        kill(killed.processIdentifier, SIGKILL)
        #expect(await failure { try await Self.take(1, from: killed) }?.end != nil)
        let waiting = try open(.now)
        let task = Task { try await Self.take(1, from: waiting) }
        task.cancel()
        #expect(await failure { try await task.value } == .cancelled)
        await waiting.close()
    }

    @Test func aClientWithoutEventsHasNone() async throws {
        let postern = try Postern()
        #expect(await failure { try await Self.take(1, from: postern) } == .noEvents)
        await postern.close()
    }

    @Test func aCursorThatTheTrailDoesNotHaveIsRefused() {
        let error = #expect(throws: PosternError.self) {
            try Postern(data: folder.path("data"), binary: Binaries.postern, onLog: { _ in }, events: .after(7))
        }
        #expect(error?.end?.lastLogLines.last?.contains("has number 0") == true)
    }

    @Test(arguments: [
        (#"{"contract":"0.9.12"}"#, "version 0.9.12"), (#"{"contract":"2.0.0"}"#, "version 2.0.0"),
        ("{}", "no version"),
    ])
    func aServiceWithAnOlderContractOrAnotherMajorVersionIsRefused(_ result: String, _ has: String) async throws {
        let error = #expect(throws: PosternError.self) {
            try Postern(binary: Binaries.fake("old"), environment: ["TEST_RESULT": result], onLog: { _ in })
        }
        #expect("\(try #require(error))".hasPrefix("The contract of this Postern has \(has); this client needs 1."))
    }

    @Test func aServiceWithANewerContractOfTheSameMajorVersionIsAccepted() async throws {
        let environment = ["TEST_RESULT": #"{"contract":"1.10.0"}"#]
        let postern = try Postern(binary: Binaries.fake("old"), environment: environment, onLog: { _ in })
        await postern.close()
    }
}
