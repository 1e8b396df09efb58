/// Holds counters against the numbers that records have from them: a counter must not be behind any.
struct CounterBounds {
    private var counters: [String: Int] = [:]
    /// The greatest number that a record has from each.
    private var greatest: [String: Int] = [:]

    /// The values that a counter can have: the next number must fit into a key too.
    static let values = 0..<Key.numbers.upperBound

    /// Takes note of the numbers that a record has.
    mutating func note(_ numbers: [(counter: String, number: Int)]) {
        for (counter, number) in numbers { greatest[counter] = max(number, greatest[counter] ?? 0) }
    }

    /// Takes note of where a counter stands; false where that is known already.
    mutating func set(_ name: String, to value: Int) -> Bool {
        counters.updateValue(value, forKey: name) == nil
    }

    /// Counters that would give a number out that a record has, with the least that each must be.
    var behind: [(name: String, least: Int)] {
        greatest.filter { (counters[$0.key] ?? 0) < $0.value }.map { ($0.key, $0.value) }.sorted { $0.name < $1.name }
    }
}
