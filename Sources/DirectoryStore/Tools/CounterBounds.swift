import Store

/// Compares counters with the numbers in records. A counter must not be lower than a number that came from it.
struct CounterBounds {
    private var counters: [String: Int] = [:]
    /// The greatest number in records for each counter.
    private var greatest: [String: Int] = [:]

    /// The valid values of a counter. The next number must fit into a key too.
    static let values = 0..<Key.numbers.upperBound

    /// Records the numbers of a record.
    mutating func note(_ numbers: [(counter: String, number: Int)]) {
        for (counter, number) in numbers { greatest[counter] = max(number, greatest[counter] ?? 0) }
    }

    /// Records the value of a counter. Returns false if the counter already has a value.
    mutating func set(_ name: String, to value: Int) -> Bool {
        counters.updateValue(value, forKey: name) == nil
    }

    /// The counters that would give a number again that a record has, and the minimum of each.
    var behind: [(name: String, least: Int)] {
        greatest.filter { (counters[$0.key] ?? 0) < $0.value }.map { ($0.key, $0.value) }.sorted { $0.name < $1.name }
    }
}
