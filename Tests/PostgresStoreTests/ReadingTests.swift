import Store
import Testing

@testable import PostgresStore

/// How the statements of a transaction that only reads are sent.
struct ReadingTests {
    typealias Outcome = ScriptedStore.Outcome

    private let keys = ["accounts/id/1", "people/id/1", "people/id/2"].map { StoreKey(bytes: Array($0.utf8)) }
    private let beginning = ["begin reading", "prologue", "values"]
    private let ended = ["begin reading", "prologue", "values", "commit"]
    /// How often a kind of group must be the last before it is taken for it.
    private let waits = LastGroups.waitsMax

    /// The transaction that ended too early is run again, and no snapshot is used after its end.
    @Test func runsAgainIfItReadsOnAfterTheGroupThatWasTakenForTheLast() {
        let store = ScriptedStore()
        #expect(store.read(keys[0], keys[1]) == Outcome(runs: 2))
        #expect(store.server.groups.map(\.names) == [ended, beginning, ["values"], ["commit"]])
        #expect(store.server.groups.map(\.isPosted) == [false, false, false, true])
        // The next one ends with its second group.
        #expect(store.read(keys[0], keys[1]) == Outcome(runs: 1))
        #expect(store.server.groups.suffix(2).map(\.names) == [beginning, ["values", "commit"]])
    }

    @Test func guessesWrongOnceIfItAlwaysReadsOn() {
        let store = ScriptedStore()
        let runs = (0...2 * waits).map { _ in store.read(keys[0], keys[1]).runs }
        #expect(runs == [2] + Array(repeating: 1, count: 2 * waits))
    }

    /// A kind of group that has become the last one is taken for it after a while.
    @Test func guessesAgainAfterAWhile() {
        let store = ScriptedStore()
        _ = store.read(keys[0], keys[1])
        for _ in 0..<waits {
            _ = store.read(keys[0])
            #expect(store.server.groups.last?.names == ["commit"])
        }
        _ = store.read(keys[0])
        #expect(store.server.groups.last?.names == ended)
        #expect(store.read(keys[0], keys[1]) == Outcome(runs: 2))
    }

    /// However many groups a transaction has, it is run again once, and later ones are not.
    @Test func guessesWrongOnceForManyGroups() {
        let store = ScriptedStore()
        let many = (0..<20).map { StoreKey(bytes: Array("people/id/\($0)".utf8)) }
        #expect(store.readAtOnce([], then: many) == Outcome(runs: 2))
        for _ in 0..<3 { #expect(store.readAtOnce([], then: many) == Outcome(runs: 1)) }
    }

    /// A group that was the last where it was taken for one that is not: COMMIT follows, without a wait.
    @Test func endsAfterAGroupThatIsTakenForAnEarlierOne() {
        let store = ScriptedStore()
        _ = store.read(keys[0], keys[1])
        #expect(store.read(keys[0]) == Outcome(runs: 1))
        #expect(store.server.groups.suffix(2).map(\.names) == [beginning, ["commit"]])
        #expect(store.server.groups.suffix(2).map(\.isPosted) == [false, true])
    }

    /// What another index is read for says nothing of a group.
    @Test func guessesForEachIndex() {
        let store = ScriptedStore()
        _ = store.read(keys[0], keys[1])
        #expect(store.read(keys[1]) == Outcome(runs: 1))
        #expect(store.server.groups.last?.names == ended)
        #expect(store.read(keys[1], keys[2]) == Outcome(runs: 2))
        #expect(store.read(keys[2], keys[1]) == Outcome(runs: 1))
    }

    /// However many keys a group reads, it is the same kind.
    @Test func guessesForAnyNumberOfKeys() {
        let store = ScriptedStore()
        _ = store.read(keys[0], keys[1])
        let outcome = store.readAtOnce([keys[0], StoreKey(bytes: Array("accounts/id/2".utf8))], then: [keys[1]])
        #expect(outcome == Outcome(runs: 1))
    }

    @Test func aReadThatConflictsIsRunAgain() {
        let store = ScriptedStore([.reading: [.refusal("40001")]])
        #expect(store.read(keys[0]) == Outcome(runs: 2))
        #expect(store.server.groups.map(\.names) == [ended, ["rollback"], ended])
    }

    /// The settings of a session need not travel with each read. The server's time does, once in a second.
    @Test func settingsOfTheSessionMakeReadsShort() {
        let store = ScriptedStore(hasSessionSettings: true)
        let short = ["begin reading", "short prologue", "values", "commit"]
        for expected in [ended, short, short] {
            _ = store.read()
            #expect(store.server.groups.last?.names == expected)
        }
        store.server.clock.advance(milliseconds: 999)
        _ = store.read()
        #expect(store.server.groups.last?.names == short)
        store.server.clock.advance(milliseconds: 1)
        _ = store.read()
        #expect(store.server.groups.last?.names == ended)
        // A transaction that goes on could be idle, and has its time-outs.
        for _ in 0..<2 { _ = store.read(keys[0], keys[1]) }
        #expect(store.server.groups.suffix(2).map(\.names) == [beginning, ["values", "commit"]])
    }

    /// A write sends the settings of its transaction each time: a time-out that another one has changed must not stay.
    @Test func aWriteSendsItsSettings() {
        let store = ScriptedStore(hasSessionSettings: true)
        for _ in 0..<2 { #expect(store.write() == Outcome(runs: 1)) }
        #expect(
            store.server.groups(.reading).map(\.names)
                == Array(repeating: ["begin writing", "prologue", "values"], count: 2)
        )
    }

    @Test func aShortReadAlsoFindsANewerFormat() {
        let newer = ScriptedServer.Answer.row(of: "short prologue", [Parameter.number(Layout.format + 1)])
        let store = ScriptedStore([.reading: [.success, newer]], hasSessionSettings: true)
        #expect(store.read() == Outcome(runs: 1))
        #expect(store.read() == Outcome(runs: 1, error: .newerFormat(Layout.format + 1)))
    }
}
