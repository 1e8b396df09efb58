package import Store

/// The transaction under way.
extension PostgresEngine: EngineTransaction {
    package func value(of key: StoreKey) throws(StoreError) -> StoredValue? {
        if let value = view.value(of: key) { return value }
        view.want(CollectionOfOne(key))
        _ = try fetch([])
        return view.value(of: key) ?? nil
    }

    package func prefetch(_ keys: () -> [StoreKey]) throws(StoreError) {
        view.want(keys())
    }

    package func record(behind entry: StoreKey, prefix: [UInt8]) throws(StoreError) -> (StoreKey, StoredValue)? {
        if view.value(of: entry) == nil {
            let result = try fetch([Statements.record(entry.bytes, prefix)])[0]
            view.learn(learnPair(result.rows.first), of: entry)
        }
        return try recordInSteps(behind: entry, prefix: prefix)
    }

    package func scan(
        from lower: StoreKey,
        upTo upper: StoreKey,
        descending: Bool,
        limit: Int,
        _ visit: (StoreKey, StoredValue) throws -> Bool
    ) throws {
        var (lower, upper, left) = (lower, upper, limit)
        var changes = view.changes(from: lower, upTo: upper, descending: descending)[...]
        var page = ScanPage(limit: limit)
        while left > 0, lower < upper {
            let statement = Statements.scan(descending: descending)
            let rows = try fetch([statement(lower.bytes, upper.bytes, Parameter.number(page.size))])[0].rows
            for row in rows {
                guard let bytes = row[0], let value = row[1] else { continue }
                let key = StoreKey(bytes: bytes)
                view.learn(StoredValue(bytes: value), of: key)
                while let next = changes.first, descending ? next.key > key : next.key < key {
                    changes.removeFirst()
                    guard try pass(next, to: visit, &left) else { return }
                }
                if changes.first?.key == key { changes.removeFirst() }
                if descending { upper = key } else { lower = StoreKey(bytes: bytes + [0]) }
                guard let value = view.value(of: key) ?? nil else { continue }
                left -= 1
                guard try visit(key, value), left > 0 else { return }
            }
            guard rows.count == page.size else { break }
            page.grow(left: left)
        }
        for change in changes where left > 0 {
            guard try pass(change, to: visit, &left) else { return }
        }
    }

    /// Calls `visit` with a value that the transaction has set. Returns whether the scan goes on.
    private func pass(
        _ change: (key: StoreKey, change: TransactionView.Change),
        to visit: (StoreKey, StoredValue) throws -> Bool,
        _ left: inout Int
    ) throws -> Bool {
        guard case .set(let value) = change.change else { return true }
        left -= 1
        return try visit(change.key, value) && left > 0
    }

    package func scanRecords(behind entries: IndexScan, _ visit: (StoreKey, StoredValue) throws -> Void) throws {
        let (lower, upper) = (entries.bounds.lower, entries.bounds.upper)
        guard entries.limit > 0, lower < upper else { return }
        guard view.changes(from: lower, upTo: upper, descending: false).isEmpty else {
            return try scanChangedRecords(behind: entries, visit)
        }
        try scanJoined(entries, visit)
    }

    /// Reads entries and their records with the same statement, in pages.
    private func scanJoined(_ entries: IndexScan, _ visit: (StoreKey, StoredValue) throws -> Void) throws {
        var (lower, upper, left) = (entries.bounds.lower, entries.bounds.upper, entries.limit)
        var offset = entries.offset
        var page = ScanPage(limit: entries.limit)
        let statement = Statements.scanRecords(descending: entries.descending)
        while left > 0, lower < upper {
            let parameters = [Parameter.number(page.size), Parameter.number(offset)]
            let group = [statement(lower.bytes, upper.bytes, parameters[0], parameters[1], entries.recordPrefix)]
            let rows = try fetch(group)[0].rows
            offset = 0
            var found: [StoreKey] = []
            for row in rows {
                guard let bytes = row[0] else { continue }
                let key = StoreKey(bytes: bytes)
                guard row[2] != nil else { throw StoreError.noRecord(behind: key) }
                view.learn(learnPair(row), of: key)
                found.append(key)
            }
            for entry in found {
                guard let record = try recordInSteps(behind: entry, prefix: entries.recordPrefix) else { continue }
                try visit(record.0, record.1)
                left -= 1
            }
            guard rows.count == page.size, let last = found.last else { return }
            if entries.descending { upper = last } else { lower = StoreKey(bytes: last.bytes + [0]) }
            page.grow(left: left)
        }
    }

    /// Reads the entries, some of which the transaction has changed, and then all records at once.
    private func scanChangedRecords(behind entries: IndexScan, _ visit: (StoreKey, StoredValue) throws -> Void) throws {
        var found: [StoreKey] = []
        var skipped = 0
        let limit = entries.limit.addingReportingOverflow(entries.offset)
        try scan(
            from: entries.bounds.lower,
            upTo: entries.bounds.upper,
            descending: entries.descending,
            limit: limit.overflow ? .max : limit.partialValue
        ) { entry, pointer in
            if skipped < entries.offset {
                skipped += 1
            } else {
                view.want(CollectionOfOne(try pointer.recordKey(prefix: entries.recordPrefix, behind: entry)))
                found.append(entry)
            }
            return true
        }
        for entry in found {
            guard let record = try recordInSteps(behind: entry, prefix: entries.recordPrefix) else { continue }
            try visit(record.0, record.1)
        }
    }

    /// Keeps the record of a row with an entry and its record. Returns the entry's value.
    private func learnPair(_ row: [[UInt8]?]?) -> StoredValue? {
        guard let row, let entry = row[1] else { return nil }
        if let key = row[2], let value = row[3] { view.learn(StoredValue(bytes: value), of: StoreKey(bytes: key)) }
        return StoredValue(bytes: entry)
    }

    package func next(_ counter: Counter) throws(StoreError) -> Int {
        guard view.isWriting else { throw .writeInRead }
        let sequence = Parameter.text(Layout.sequence(of: counter.name))
        guard let number = try fetch([Statements.nextNumber(sequence)])[0].rows.first?.number(0) else {
            throw .damaged(file: counter.key.text, offset: 0, reason: "a counter is no whole number")
        }
        guard Key.numbers.contains(number) else { throw .usedUp(counter: counter.key.text) }
        return number
    }

    package func put(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) {
        try view.set(value, at: key)
    }

    package func insert(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) -> Bool {
        if view.isWanted(key) { _ = try fetch([]) }
        switch view.value(of: key) {
        case .some(.some): return false
        case .some(nil): try view.set(value, at: key)
        case nil: try view.set(value, at: key, isGuess: true)
        }
        return true
    }

    package func change(
        _ key: StoreKey,
        isErasable: Bool,
        _ change: (StoredValue?) throws -> StoredValue
    ) throws {
        try view.set(change(value(of: key)), at: key)
    }

    package func remove(_ key: StoreKey) throws(StoreError) {
        if case .some(nil) = view.value(of: key) { return }
        try view.remove(key)
    }
}

/// How many entries each page of a scan has. Pages grow, because a scan may end with any entry.
private struct ScanPage {
    private(set) var size: Int

    private static let sizes = (first: 100, last: 5_000)

    init(limit: Int) {
        size = min(limit, Self.sizes.first)
    }

    /// - Parameter left: how many entries the scan still visits at most.
    mutating func grow(left: Int) {
        size = max(1, min(left, size * 4, Self.sizes.last))
    }
}
