/// A sequence of whole numbers that starts with 1. It never gives a number twice.
package struct Counter: Sendable, ExpressibleByStringLiteral {
    /// The name, which is part of the key: that of the collection whose records the counter numbers, or another one.
    package let name: String
    /// The key of the last number.
    package let key: StoreKey

    package init(_ name: String) {
        self.name = name
        key = .counter(name)
    }

    package init(stringLiteral name: String) {
        self.init(name)
    }

    /// The next number.
    ///
    /// - Parameter value: the stored last number; nil if there is none.
    package func next(after value: StoredValue?) throws(StoreError) -> Int {
        guard let value else { return 1 }
        guard let last = value.number else {
            throw .damaged(file: key.text, offset: 0, reason: "a counter is no whole number")
        }
        guard (0..<Key.numbers.upperBound).contains(last) else { throw .usedUp(counter: key.text) }
        return last + 1
    }
}

/// A counter from which a number in records comes.
package struct RecordCounter<R: Record>: Sendable {
    /// The counter.
    package let counter: Counter
    /// The number in a record that comes from the counter.
    package let number: @Sendable (R) -> Int

    package init(_ counter: Counter, number: @escaping @Sendable (R) -> Int) {
        self.counter = counter
        self.number = number
    }
}
