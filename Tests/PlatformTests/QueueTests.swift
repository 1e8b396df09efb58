import Testing

@testable import Platform

struct QueueTests {
    @Test func returnsElementsInOrder() {
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

    /// A removed element, with everything it held, once stayed in memory until a thousand had been removed.
    @Test func releasesARemovedElementAtOnce() {
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

    /// Removing the first element of an array moves all the others, so twice as many once took four times as long.
    @Test func takesLinearTime() {
        var queue = Queue<Int>()
        for number in 0..<500_000 { queue.append(number) }
        let start = ContinuousClock.now
        while !queue.isEmpty { queue.removeFirst() }
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}
