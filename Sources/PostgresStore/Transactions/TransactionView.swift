internal import Store

/// What a transaction has read, and what it is going to write.
struct TransactionView {
    /// A write that is sent when the transaction commits.
    enum Change {
        case set(StoredValue)
        case removed
    }

    /// How the transaction is isolated from others.
    enum Kind {
        case reading, writing
        /// It may write, and no other process runs one of its kind.
        case alone
    }

    let kind: Kind
    /// Whether the transaction may write.
    var isWriting: Bool { kind != .reading }
    /// Until when it may wait, in milliseconds of `MonotonicClock`.
    let deadline: Int
    /// How far the server is with a transaction. It begins with the first read, or with the writes.
    enum Progress {
        case notBegun, underWay
        /// It only read, and has ended with the group that was taken for the last one.
        case ended
    }

    var progress = Progress.notBegun
    /// Whether a group of it may be taken for its last one.
    let mayEndEarly: Bool
    /// How many of its groups were looked at, and the kind of the last of them.
    var groups = 0
    var lastGroup: LastGroups.Kind?
    /// Whether it reads on after it has ended, so that it must be run again.
    var hasEndedEarly = false
    /// The fault of a statement. No result of the transaction can be used then; nil if there was none.
    var fault: ServerFault?
    /// What the next group of statements reads too.
    private(set) var announced: Prefetch
    /// The values that were read; nil for a key without one.
    private(set) var known: [StoreKey: StoredValue?] = [:]
    private(set) var changes: [StoreKey: Change] = [:]
    /// The keys of `changes` that were assumed to be free, and must not exist when the transaction commits.
    private(set) var guesses: Set<StoreKey> = []
    private var writtenBytes = 0

    /// The entries of parts of indexes that were read, and the numbers that were drawn.
    private var scanned: [(scan: IndexScan, entries: [StoreKey])] = []
    private var numbers: [(counter: StoreKey, number: Int)] = []

    /// - Parameters:
    ///   - wanted: the keys to read with the first statements.
    ///   - mayEndEarly: whether a group may be taken for the last one.
    init(_ kind: Kind, deadline: Int, wanted: Set<StoreKey> = [], mayEndEarly: Bool = false) {
        (self.kind, self.deadline, self.mayEndEarly) = (kind, deadline, mayEndEarly)
        announced = Prefetch()
        announced.add(keys: wanted)
    }

    /// The longest key: an entry of the server's index has at most 2,704 bytes.
    static let keyBytesMax = 2_500

    // MARK: Reading

    /// The value of a key as the transaction sees it; nil if it must be read first.
    func value(of key: StoreKey) -> StoredValue?? {
        switch changes[key] {
        case .set(let value): .some(value)
        case .removed: .some(nil)
        case nil: known[key]
        }
    }

    /// Takes what the next group of statements is to read.
    mutating func announce(_ prefetch: Prefetch) { announced.add(prefetch) }

    /// Takes a key to read with the next group of statements.
    mutating func want(_ key: StoreKey) {
        if value(of: key) == nil { announced.add(keys: CollectionOfOne(key)) }
    }

    /// Takes an entry to read with the record behind it.
    mutating func want(_ entry: StoreKey, prefix: [UInt8]) { announced.add(entry: entry, prefix: prefix) }

    /// Takes what was announced and is not known; nothing is announced any more.
    mutating func takeAnnounced() -> Prefetch {
        defer { announced = Prefetch() }
        return announced.filtered { known[$0] == nil }
    }

    /// Takes the entries of a part of an index that was read.
    mutating func learn(_ entries: [StoreKey], of scan: IndexScan) { scanned.append((scan, entries)) }

    /// The entries of a part of an index; nil if it was not read as a whole.
    func entries(of scan: IndexScan) -> [StoreKey]? { scanned.first { $0.scan == scan }?.entries }

    /// Takes a number that was drawn.
    mutating func learn(_ number: Int, of counter: Counter) { numbers.append((counter.key, number)) }

    /// A number that was drawn and is not used; nil if there is none.
    mutating func takeNumber(of counter: Counter) -> Int? {
        numbers.firstIndex { $0.counter == counter.key }.map { numbers.remove(at: $0).number }
    }

    /// Takes what was read. A value that was read before stays the same object, with the record that was decoded from
    /// it.
    mutating func learn(_ value: StoredValue?, of key: StoreKey) {
        if known[key] == nil { known[key] = .some(value) }
    }

    /// The keys that the transaction has changed, from `lower` up to, but not including, `upper`, in the order of a
    /// scan.
    func changes(from lower: StoreKey, upTo upper: StoreKey, descending: Bool) -> [(key: StoreKey, change: Change)] {
        let inRange = changes.filter { lower <= $0.key && $0.key < upper }
        return inRange.map { ($0.key, $0.value) }.sorted { descending ? $1.0 < $0.0 : $0.0 < $1.0 }
    }

    // MARK: Writing

    /// Sets a value.
    ///
    /// - Parameter isGuess: whether the key is assumed to be free.
    mutating func set(_ value: StoredValue, at key: StoreKey, isGuess: Bool = false) throws(StoreError) {
        guard isWriting else { throw .writeInRead }
        guard key.bytes.count <= Self.keyBytesMax else { throw .tooLarge(bytes: key.bytes.count) }
        writtenBytes = try WriteBounds.bytes(writtenBytes, adding: value, at: key)
        changes[key] = .set(value)
        if isGuess { guesses.insert(key) }
    }

    mutating func remove(_ key: StoreKey) throws(StoreError) {
        guard isWriting else { throw .writeInRead }
        if guesses.contains(key) {
            // Nothing would check the guess any more, so the transaction is run again and reads the key first.
            fault = .refused(ServerError(state: ServerError.conflict, message: "a guessed key is removed again"))
        } else if isKnownToBeFree(key) {
            changes[key] = nil
        } else {
            changes[key] = .removed
        }
    }

    /// Whether it was read that the server has no value of the key.
    private func isKnownToBeFree(_ key: StoreKey) -> Bool {
        if case .some(nil) = known[key] { true } else { false }
    }

    /// Undoes all writes.
    mutating func dropChanges() {
        changes = [:]
        guesses = []
        writtenBytes = 0
    }

    /// The statements that write the changes.
    var statements: [Statement] {
        var deletions: [[UInt8]] = []
        var (puts, insertions): ([(key: [UInt8], value: [UInt8])], [(key: [UInt8], value: [UInt8])]) = ([], [])
        for (key, change) in changes {
            switch change {
            case .removed: deletions.append(key.bytes)
            case .set(let value):
                if guesses.contains(key) || isKnownToBeFree(key) {
                    insertions.append((key.bytes, value.bytes))
                } else {
                    puts.append((key.bytes, value.bytes))
                }
            }
        }
        var statements: [Statement] = []
        if !deletions.isEmpty {
            statements.append(Statements.delete(Parameter.array(deletions.sorted(by: Self.order))))
        }
        for (statement, var rows) in [(Statements.put, puts), (Statements.insert, insertions)] where !rows.isEmpty {
            // In the same order in each transaction, so that two of them do not wait for each other.
            rows.sort { Self.order($0.key, $1.key) }
            statements.append(statement(Parameter.array(rows.map(\.key)), Parameter.array(rows.map(\.value))))
        }
        return statements
    }

    private static func order(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.lexicographicallyPrecedes(right) }
}
