package import Store

/// The transaction under way.
extension PostgresEngine: EngineTransaction {
    package func value(of key: StoreKey) throws(StoreError) -> StoredValue? {
        if let value = view.value(of: key) { return value }
        view.want(key)
        _ = try fetch([])
        return view.value(of: key) ?? nil
    }

    package func prefetch(_ announce: (inout Prefetch) -> Void) {
        var announced = Prefetch()
        announce(&announced)
        view.announce(announced)
    }

    package func record(behind entry: StoreKey, prefix: [UInt8]) throws(StoreError) -> (StoreKey, StoredValue)? {
        if view.value(of: entry) == nil {
            if !view.announced.entries.contains(where: { $0.key == entry }) { view.want(entry, prefix: prefix) }
            _ = try fetch([])
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
            let rows = try fetch([statement(lower.bytes, upper.bytes, page.parameter)])[0].rows
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
        if view.announced.scans.contains(entries) { _ = try fetch([]) }
        guard let found = view.entries(of: entries) else { return try scanJoined(entries, visit) }
        for entry in found { try self.visit(entry, entries, visit) }
    }

    private func visit(
        _ entry: StoreKey,
        _ entries: IndexScan,
        _ visit: (StoreKey, StoredValue) throws -> Void
    ) throws {
        if let (key, value) = try recordInSteps(behind: entry, prefix: entries.recordPrefix) { try visit(key, value) }
    }

    /// Reads entries and their records with the same statement, in pages.
    private func scanJoined(_ entries: IndexScan, _ visit: (StoreKey, StoredValue) throws -> Void) throws {
        var (lower, upper, left) = (entries.bounds.lower, entries.bounds.upper, entries.limit)
        var offset = entries.offset
        var page = ScanPage(limit: entries.limit)
        let statement = Statements.scanRecords(descending: entries.descending)
        while left > 0, lower < upper {
            let group = [
                statement(lower.bytes, upper.bytes, page.parameter, Parameter.number(offset), entries.recordPrefix)
            ]
            let rows = try fetch(group)[0].rows
            offset = 0
            let found = try learnPairs(rows)
            for entry in found { try self.visit(entry, entries, visit) }
            left -= found.count
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
                view.want(try pointer.recordKey(prefix: entries.recordPrefix, behind: entry))
                found.append(entry)
            }
            return true
        }
        for entry in found { try self.visit(entry, entries, visit) }
    }

    /// Keeps the values of rows; a row without a value says that its key has none.
    func learnValues(_ rows: [[[UInt8]?]]) {
        for row in rows {
            guard let key = row[0] else { continue }
            view.learn(row[1].map { StoredValue(bytes: $0) }, of: StoreKey(bytes: key))
        }
    }

    /// Keeps the entries and records of rows. Returns the keys of the entries.
    func learnPairs(_ rows: [[[UInt8]?]]) throws(StoreError) -> [StoreKey] {
        var entries: [StoreKey] = []
        for row in rows {
            guard let bytes = row[0], let entry = row[1] else { continue }
            let key = StoreKey(bytes: bytes)
            guard let recordKey = row[2], let record = row[3] else { throw StoreError.noRecord(behind: key) }
            view.learn(StoredValue(bytes: record), of: StoreKey(bytes: recordKey))
            view.learn(StoredValue(bytes: entry), of: key)
            entries.append(key)
        }
        return entries
    }

    package func next(_ counter: Counter) throws(StoreError) -> Int {
        guard view.isWriting else { throw .writeInRead }
        if view.announced.numbers.contains(where: { $0.counter.key == counter.key }) { _ = try fetch([]) }
        var number = view.takeNumber(of: counter)
        if number == nil { number = try fetch([Statements.nextNumber(of: counter)])[0].rows.first?.number(0) }
        guard let number else {
            throw .damaged(file: counter.key.text, offset: 0, reason: "a counter is no whole number")
        }
        guard Key.numbers.contains(number) else { throw .usedUp(counter: counter.key.text) }
        return number
    }

    package func put(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) {
        try view.set(value, at: key)
    }

    package func insert(_ value: StoredValue, at key: StoreKey, isErasable: Bool) throws(StoreError) -> Bool {
        if view.announced.keys.contains(key) { _ = try fetch([]) }
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

/// How many entries each page of a scan has. The pages of a scan without a limit grow, because it may end with any
/// entry.
private struct ScanPage {
    private(set) var size: Int

    private static let sizes = (first: 500, last: 5_000)

    init(limit: Int) {
        size = limit == .max ? Self.sizes.first : min(limit, Self.sizes.last)
    }

    var parameter: [UInt8] { Parameter.number(size) }

    /// - Parameter left: how many entries the scan still visits at most.
    mutating func grow(left: Int) {
        size = max(1, min(left, size * 4, Self.sizes.last))
    }
}
