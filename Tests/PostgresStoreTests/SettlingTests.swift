import Store
import Testing

@testable import PostgresStore

/// What a transaction comes to whose COMMIT was sent, and not answered.
struct SettlingTests {
    typealias Answer = ScriptedServer.Answer
    typealias Outcome = ScriptedStore.Outcome

    /// After these the outcome of a commit is not known.
    private static let unanswered: [Answer] = [.loss, .nothing, .refusal("40003")]

    /// The id of the mark of each commit, and that of the fence of each settlement.
    private static func ids(_ store: ScriptedStore) -> (marks: [[UInt8]?], fences: [[UInt8]?]) {
        (
            store.server.groups(.commit).map { $0.parameter(of: "mark") },
            store.server.groups(.settlement).map { $0.parameter(of: "fence") }
        )
    }

    @Test(arguments: unanswered)
    func returnsTheResultOfACommittedTransaction(answer: Answer) throws {
        let store = ScriptedStore([.commit: [answer], .settlement: [.committed]])
        #expect(store.write() == Outcome(runs: 1))
        let (marks, fences) = Self.ids(store)
        #expect(marks.count == 1 && fences == marks)
        #expect(
            store.server.groups(.settlement).first?.names
                == ["begin alone", "settling timeout", "fence", "is fenced", "touch", "commit"]
        )
        // On another connection than that of the transaction, which stays open.
        #expect(store.server.groups(.settlement).map(\.connection) == [2] && store.server.closed == [1])
    }

    /// The fence was inserted now, or by an earlier try to settle, whose answer was lost.
    @Test(arguments: unanswered, [[Answer.fenced], [.loss, .fenced]])
    func runsAFencedTransactionAgain(answer: Answer, settlements: [Answer]) {
        let store = ScriptedStore([.commit: [answer], .settlement: settlements])
        #expect(store.write() == Outcome(runs: 2))
        let (marks, fences) = Self.ids(store)
        #expect(marks.count == 2 && marks[0] != marks[1])
        #expect(fences == Array(repeating: marks[0], count: settlements.count))
    }

    /// The second run has the time that is left of the first.
    @Test func runsAgainEvenIfTheFirstRunTookLong() {
        let slow = Answer.after(milliseconds: ScriptedStore.timeoutMilliseconds - 100, .loss)
        let store = ScriptedStore([.commit: [slow]])
        #expect(store.write() == Outcome(runs: 2))
    }

    /// Each run that is cut is settled under its own id.
    @Test func settlesEachRun() {
        let store = ScriptedStore([.commit: [.loss, .loss, .loss], .settlement: [.fenced, .fenced, .committed]])
        #expect(store.write() == Outcome(runs: 3))
        let (marks, fences) = Self.ids(store)
        #expect(Set(marks).count == 3 && fences == marks)
    }

    /// After these a settlement is tried again, and its outcome holds. The transaction is not.
    @Test(arguments: [
        Answer.loss, .rollback, .refusal("57P01"), .refusal("25006"), .refusal("55P03"), .refusal("40P01"),
        .refusal("53300"),
    ])
    func settlesAgain(answer: Answer) {
        let store = ScriptedStore([.commit: [.loss], .settlement: [answer, answer, .committed]])
        #expect(store.write() == Outcome(runs: 1))
        let (marks, fences) = Self.ids(store)
        #expect(marks.count == 1 && fences == [marks[0], marks[0], marks[0]])
    }

    /// The server is away for a part of the time.
    @Test func waitsForTheServer() {
        let connections: [Answer] = [.success, .loss, .loss, .success]
        let store = ScriptedStore([.connection: connections, .commit: [.loss], .settlement: [.committed]])
        #expect(store.write() == Outcome(runs: 1))
        #expect(store.server.connections == 4)
    }

    /// The outcome stays unknown, and nothing is run again.
    private func expectUnknown(
        _ store: ScriptedStore,
        _ reason: String,
        settlements: Int,
        _ at: SourceLocation = #_sourceLocation
    ) {
        #expect(store.write() == Outcome(runs: 1, error: .outcomeUnknown(reason)), sourceLocation: at)
        #expect(store.server.groups(.commit).count == 1, sourceLocation: at)
        #expect(store.server.groups(.settlement).count == settlements, sourceLocation: at)
    }

    @Test func isUnknownIfNoServerCanBeReached() {
        let away = Array(repeating: Answer.loss, count: 1_000)
        let store = ScriptedStore([.connection: [.success] + away, .commit: [.loss]])
        expectUnknown(store, "the socket broke", settlements: 0)
        #expect(store.server.clock.milliseconds <= ScriptedStore.timeoutMilliseconds + 100)
    }

    @Test func isUnknownIfServersRefuseConnections() {
        let wrong = Array(repeating: Answer.fault(.unusable("a wrong host")), count: 1_000)
        let store = ScriptedStore([.connection: [.success] + wrong, .commit: [.loss]])
        expectUnknown(store, "a wrong host", settlements: 0)
    }

    @Test func isUnknownIfTheServerDoesNotAnswer() {
        let store = ScriptedStore([.commit: [.nothing], .settlement: [.nothing]])
        expectUnknown(store, "the server did not answer in time", settlements: 1)
        #expect(store.server.clock.milliseconds == 2 * ScriptedStore.timeoutMilliseconds)
    }

    /// An answer that comes when the mark may have been deleted already.
    private static func late(_ answer: Answer) -> Answer {
        .after(milliseconds: CommitID.retentionSeconds * 500 + 1_000, answer)
    }

    /// The transaction may have committed, and its mark may have been deleted since.
    @Test func isUnknownIfTheFenceIsTooLate() {
        let store = ScriptedStore([.commit: [.loss], .settlement: [Self.late(.fenced)]])
        expectUnknown(store, "the mark of the transaction may have been deleted already", settlements: 1)
    }

    /// A mark that is still there says the same at any age.
    @Test func findsAnOldMark() {
        let store = ScriptedStore([.commit: [.loss], .settlement: [Self.late(.committed)]])
        #expect(store.write() == Outcome(runs: 1))
        #expect(store.server.groups(.settlement).count == 1)
    }

    /// The age is that by the server's clock, which may be far from the own one.
    @Test func takesTheAgeFromTheServersClock() {
        let ahead = TestClock.start + 1_000_000_000_000
        let prologue = Answer.row(of: "prologue", [Parameter.number(Layout.format), Parameter.number(ahead)])
        let store = ScriptedStore([.reading: [prologue], .commit: [.loss], .settlement: [.committed]])
        #expect(store.write() == Outcome(runs: 1))
        let id = store.server.groups(.commit).first?.parameter(of: "mark")
        #expect(id?.prefix(6) == CommitID(atMicroseconds: ahead).bytes.prefix(6))
    }

    @Test func isUnknownIfNoStandbyHasConfirmed() {
        let warned = ScriptedStore([.commit: [.warning]])
        expectUnknown(warned, "the server has committed, but no standby has confirmed it", settlements: 0)
        let settled = ScriptedStore([.commit: [.loss], .settlement: [.warning]])
        expectUnknown(settled, "no standby has confirmed what was settled", settlements: 1)
    }
}
