import Platform
import Store
import Testing

@testable import PostgresStore

/// Which faults make a transaction run again, and which end it.
struct RerunTests {
    typealias Answer = ScriptedServer.Answer
    typealias Outcome = ScriptedStore.Outcome

    private static let conflicts = ["40001", "40P01", "23505", "26000"]
    /// The server ends the connection, or cannot write.
    private static let endings = ["25006", "57P01", "57P02", "57P03", "57P05", "25P03", "08006"]

    @Test func readsInOneRoundTripAndWritesInTwo() {
        let store = ScriptedStore()
        #expect(store.read() == Outcome(runs: 1))
        #expect(store.write() == Outcome(runs: 1))
        #expect(
            store.server.groups.map(\.names) == [
                ["begin reading", "prologue", "values", "commit"],
                ["begin writing", "prologue", "values"], ["insert", "mark", "commit"],
            ]
        )
        #expect(store.server.groups.map(\.isPosted) == [false, false, false])
        #expect(store.server.connections == 1)
    }

    @Test(arguments: conflicts, [false, true])
    func runsAgainAfterAConflict(state: String, inCommit: Bool) {
        let store = ScriptedStore([inCommit ? .commit : .reading: [.refusal(state), .refusal(state)]])
        #expect(store.write() == Outcome(runs: 3))
        // On the same connection, each time from the beginning, under another id.
        #expect(store.server.connections == 1 && store.server.closed == [])
        #expect(store.server.groups.count { $0.isPosted && $0.names == ["rollback"] } == 2)
        #expect(store.server.groups.count { $0.names.first == "begin writing" } == 3)
        let ids = store.server.groups(.commit).map { $0.parameter(of: "mark") }
        #expect(ids.count == (inCommit ? 3 : 1) && Set(ids).count == ids.count)
        #expect(store.server.groups(.settlement) == [])
    }

    @Test(arguments: conflicts)
    func runsAReadAgainAfterAConflict(state: String) {
        let store = ScriptedStore([.reading: [.refusal(state)]])
        #expect(store.read() == Outcome(runs: 2))
        #expect(store.server.connections == 1)
    }

    @Test(arguments: conflicts)
    func isBusyAfterTenConflicts(state: String) {
        let store = ScriptedStore([.commit: Array(repeating: .refusal(state), count: 10)])
        #expect(store.write() == Outcome(runs: 10, error: .contended(runs: 10, retryAfterSeconds: 1)))
        #expect(store.server.groups(.commit).count == 10)
        // Nothing stays open, and the next transaction is not affected.
        #expect(store.server.groups.last?.names == ["rollback"])
        #expect(store.write() == Outcome(runs: 1))
    }

    /// Another thread has the turn for a while.
    @Test func waitsForItsTurnAfterTwoConflicts() {
        let store = ScriptedStore([.commit: [.refusal("40001"), .refusal("40001")]])
        let (process, server) = (store.process, store.server)
        #expect(process.rerunTurn.take(milliseconds: 0))
        let commits = Mailbox<Int>()
        let isStarted = Thread.start {
            Thread.sleep(microseconds: 100_000)
            commits.post(server.groups(.commit).count)
            process.rerunTurn.pass()
        }
        #expect(isStarted && store.write() == Outcome(runs: 3))
        #expect(commits.take() == 2)
        #expect(process.rerunTurn.take(milliseconds: 0))
    }

    @Test func isBusyAfterTheTimeout() {
        let slow = Answer.after(milliseconds: ScriptedStore.timeoutMilliseconds / 2, .refusal("40001"))
        let store = ScriptedStore([.commit: Array(repeating: slow, count: 9)])
        #expect(store.write() == Outcome(runs: 2, error: .contended(runs: 2, retryAfterSeconds: 1)))
    }

    /// A COMMIT that the server answers with ROLLBACK has not committed.
    @Test func runsAgainAfterARollback() {
        let store = ScriptedStore([.commit: [.rollback]])
        #expect(store.write() == Outcome(runs: 2))
        #expect(store.server.groups(.settlement) == [])
    }

    /// A key that was assumed to be free is read by the next run, which then finds it.
    @Test func readsAKeyThatExistsAfterAll() {
        let key = ScriptedStore.key
        let store = ScriptedStore([.commit: [.refusal("23505")]], entries: [key: #""b""#])
        #expect(store.insert() == Outcome(runs: 2, error: .duplicate(index: "id")))
        let readings = store.server.groups(.reading)
        #expect(readings.map { $0.names.contains("values") } == [false, true])
        #expect(readings.last?.parameter(of: "values") == Parameter.array([key.bytes]))
        #expect(store.server.groups(.commit).count == 1)
    }

    @Test(arguments: endings.map { Answer.refusal($0) } + [.loss])
    func runsAgainOnANewConnection(answer: Answer) {
        for store in [ScriptedStore([.reading: [answer]]), ScriptedStore([.reading: [.success, answer]])] {
            // The second reading is of the second transaction, on a connection that was in use before.
            let runs = [store.write().runs, store.write().runs]
            #expect(runs.sorted() == [1, 2])
            #expect(store.server.connections == 2 && store.server.closed == [1])
            #expect(store.server.groups(.commit).count == 2 && store.server.groups(.settlement) == [])
        }
    }

    /// The server has refused the commit, so that its outcome is known.
    @Test(arguments: endings)
    func runsARefusedCommitAgainOnANewConnection(state: String) {
        let store = ScriptedStore([.commit: [.refusal(state)]])
        #expect(store.write() == Outcome(runs: 2))
        #expect(store.server.groups(.commit).map(\.connection) == [1, 2])
        #expect(store.server.closed == [1] && store.server.groups(.settlement) == [])
    }

    @Test func isUnavailableIfConnectionsAreLostUntilTheTimeout() {
        let slow = Answer.after(milliseconds: ScriptedStore.timeoutMilliseconds / 4, .loss)
        let store = ScriptedStore([.reading: Array(repeating: slow, count: 9)])
        let outcome = store.write()
        #expect(outcome == Outcome(runs: 4, error: .unavailable("the socket broke", retryAfterSeconds: 1)))
        #expect(store.server.groups(.commit) == [])
    }

    @Test func isUnavailableIfTheServerDoesNotAnswer() {
        let store = ScriptedStore([.reading: [.nothing]])
        let reason = "the server did not answer in time"
        #expect(store.read() == Outcome(runs: 1, error: .unavailable(reason, retryAfterSeconds: 1)))
        #expect(store.server.clock.milliseconds == ScriptedStore.timeoutMilliseconds)
        #expect(store.server.closed == [1])
    }

    private static let refusals: [(String, StoreError)] = [
        ("53100", .serverDiskFull),
        ("53200", .unavailable("a message (SQLSTATE 53200)", retryAfterSeconds: 1)),
        ("57014", .unavailable("a message (SQLSTATE 57014)", retryAfterSeconds: 1)),
        ("55P03", .unavailable("a message (SQLSTATE 55P03)", retryAfterSeconds: 1)),
        ("42501", .serverFailed("a message (SQLSTATE 42501)")),
        ("42P01", .serverFailed("a message (SQLSTATE 42P01)")),
        ("XX000", .serverFailed("a message (SQLSTATE XX000)")),
    ]

    @Test(arguments: refusals, [ScriptedServer.Event.reading, .commit])
    func doesNotRunAgain(refusal: (state: String, error: StoreError), event: ScriptedServer.Event) {
        let store = ScriptedStore([event: [.refusal(refusal.state)]])
        #expect(store.write() == Outcome(runs: 1, error: refusal.error))
        // The transaction is undone, and the same connection serves the next one.
        #expect(store.server.groups.last?.names == ["rollback"])
        #expect(store.write() == Outcome(runs: 1))
        #expect(store.server.connections == 1 && store.server.groups(.settlement) == [])
    }

    @Test func writesNothingIntoANewerFormat() {
        let newer: Answer = .row(of: "prologue", [Parameter.number(Layout.format + 1), nil])
        let store = ScriptedStore([.reading: [newer, newer, newer]])
        let outcome = Outcome(runs: 1, error: .newerFormat(Layout.format + 1))
        #expect(store.read() == outcome && store.write() == outcome)
        // A transaction that reads nothing looks at the format too.
        #expect(store.insert() == outcome)
        #expect(store.server.groups(.commit) == [])
        // It works again once the format is its own.
        #expect(store.write() == Outcome(runs: 1))
    }

    /// The table that the prologue reads has no row.
    @Test func writesNothingIntoAnEmptiedStore() {
        let empty: Answer = .row(of: "prologue", [nil, nil])
        let store = ScriptedStore([.reading: [empty, empty, empty]])
        let outcome = Outcome(runs: 1, error: .unusable("the table postern.meta is empty"))
        #expect(store.read() == outcome && store.write() == outcome && store.insert() == outcome)
        #expect(store.server.groups(.commit) == [] && store.server.closed == [1, 2, 3])
        #expect(store.write() == Outcome(runs: 1))
    }
}
