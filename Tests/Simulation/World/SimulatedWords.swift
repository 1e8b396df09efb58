import Platform

/// Words at the start of a simulated file. An access is a turn, so that another process may run between two of them.
final class SimulatedWords: SharedWords {
    private let node: Node
    private let calls: SimulatedCalls

    init(of node: Node, _ calls: SimulatedCalls) {
        (self.node, self.calls) = (node, calls)
    }

    func load(_ word: Int) -> UInt64 {
        calls.machine.endTurn()
        return value(word)
    }

    func store(_ value: UInt64, in word: Int) {
        calls.machine.endTurn()
        set(word, value)
    }

    func exchange(_ expected: UInt64, with value: UInt64, in word: Int) -> Bool {
        calls.machine.endTurn()
        guard self.value(word) == expected else { return false }
        set(word, value)
        return true
    }

    func increment(_ word: Int) {
        calls.machine.endTurn()
        set(word, value(word) &+ 1)
        // Words that only count things wake no one.
        if !calls.process.isDead, node.wordsWaitedFor.contains(word) { calls.process.wakesOwed += 1 }
    }

    func wait(for word: Int, while value: UInt32, milliseconds: Int) {
        calls.machine.endTurn()
        node.wordsWaitedFor.insert(word)
        guard UInt32(truncatingIfNeeded: self.value(word)) == value else { return }
        calls.machine.suspend(microseconds: milliseconds * 1_000, waitingFor: node)
    }

    func wake(_ word: Int) {
        calls.machine.endTurn()
        guard !calls.process.isDead else { return }
        calls.process.wakesOwed = 0
        calls.machine.wakeThreads(waitingFor: node)
    }

    private func value(_ word: Int) -> UInt64 {
        node.bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self) }
    }

    private func set(_ word: Int, _ value: UInt64) {
        guard !calls.process.isDead else { return }
        node.bytes.withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: word * 8, as: UInt64.self) }
        node.hasChangedWords = true
    }
}
