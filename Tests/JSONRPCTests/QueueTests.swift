import Testing

@testable import JSONRPC

struct QueueTests {
    @Test func givesWhatItWasGivenInOrder() {
        var queue = Queue<Int>()
        var taken: [Int] = []
        for number in 0..<1_000 {
            queue.append(number)
            if number % 3 != 0, let first = queue.removeFirst() { taken.append(first) }
        }
        #expect(queue.first == taken.count)
        while let first = queue.removeFirst() { taken.append(first) }
        #expect(taken == Array(0..<1_000))
        #expect(queue.isEmpty && queue.first == nil)
    }

    /// An element once stayed until a thousand had been taken, with all that it held.
    @Test func letsGoOfWhatIsTakenAtOnce() {
        final class Load {}
        var queue = Queue<Load>()
        var load: Load? = Load()
        weak let held = load
        if let load { queue.append(load) }
        for _ in 0..<10 { queue.append(Load()) }
        load = nil
        #expect(held != nil)
        queue.removeFirst()
        #expect(held == nil)
    }

    /// Taking the first of an array moves all the others, so that twice as many once took four times as long.
    @Test func takesAsLongAsItIsLong() {
        var queue = Queue<Int>()
        for number in 0..<500_000 { queue.append(number) }
        let start = ContinuousClock.now
        while !queue.isEmpty { queue.removeFirst() }
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}
