import DirectoryStore
import Platform
import Store

/// What one process does with the store: random transactions, and from time to time a tool.
///
/// Safe to send: only the thread whose turn it is uses it.
final class Worker: @unchecked Sendable {
    let machine: Machine
    let process: SimulatedProcess
    let ledger: Ledger
    let random: Randomness
    let calls: SimulatedCalls
    private let settings: StoreSettings
    private var engine: LocalEngine?
    private var store: Store?
    /// The transactions that this process has read, in their order.
    var known: [Int] = []
    /// How many of them it was told of. A group that fails has told nothing, and its lines may be dropped.
    private var toldCount = 0
    /// The transactions of this process that are not durable yet.
    var staged: [Int] = []
    /// Why the current group of transactions must not be acknowledged.
    var doubt: String?

    init(_ process: SimulatedProcess, on machine: Machine, _ ledger: Ledger) {
        (self.machine, self.process, self.ledger) = (machine, process, ledger)
        random = Randomness(seed: machine.random.next())
        calls = SimulatedCalls(of: process, on: machine)
        var settings = StoreSettings()
        settings.calls = calls
        settings.compactedJournalBytesMin = random.one(of: [500, 2_000, 10_000, 4 << 20])
        settings.erasureSeconds = random.one(of: [0, 1, 3_600])
        settings.mergeSeconds = 24 * max(1, settings.erasureSeconds)
        settings.personalCollections = { [Cell.collection] }
        settings.lockWaitMilliseconds = random.one(of: [1, 50, 5_000])
        settings.waitsInPlace = random.once(in: 2)
        self.settings = settings
    }

    /// Runs a number of operations, and ends the process.
    func run(operations: Int) {
        for _ in 0..<operations where !process.isDead && ledger.violation == nil {
            guard let store = openStore() else {
                calls.sleep(microseconds: 1_000)
                continue
            }
            process.hasFailedToUndo = false
            do {
                try operate(store)
            } catch {
                judge(error)
                discard(store)
                ledger.refuse(staged)
                staged = []
                // After some errors only a new engine can write.
                if !(error as? StoreError).isLocked, random.once(in: 2) { close() }
            }
        }
        close()
        process.hasEnded = true
        if !process.isDead, process.wakesOwed > 0 {
            ledger.fail("process \(process.number) did not wake those that wait for its sync")
        }
    }

    private func openStore() -> Store? {
        if let store { return store }
        do throws(StoreError) {
            let engine = try LocalEngine(directory: "/store", settings: settings, log: { _ in })
            self.engine = engine
            store = Store(engine: engine)
            (known, toldCount) = ([], 0)
        } catch {
            judge(error)
        }
        return store
    }

    /// Discards a group, with what it has read.
    private func discard(_ store: Store?) {
        store?.discardStaged()
        known.removeSubrange(toldCount...)
        doubt = nil
    }

    private func close() {
        store?.close()
        (store, engine) = (nil, nil)
    }

    private func operate(_ store: Store) throws {
        switch random.below(32) {
        case 0:
            if let engine, try engine.compact() { machine.counts.compactions += 1 }
        case 1: try backUp()
        case 2: try check()
        case 3: _ = store.maintain()
        case 4: try close(after: store)
        case 5: try exportAndImport()
        case 6: try count(store)
        case 7...13: try readGroup(store)
        default: try writeGroup(store)
        }
        if random.once(in: 4) { calls.sleep(microseconds: random.below(2_000)) }
    }

    private func close(after store: Store) throws {
        try readGroup(store)
        close()
    }

    // MARK: Groups

    private func readGroup(_ store: Store) throws {
        doubt = nil
        let promised = ledger.order.count
        for _ in 0...random.below(2) {
            try store.read { tx in
                let state = try readOrder(tx, atLeast: promised)
                check(try readings(tx), state)
            }
            machine.counts.reads += 1
        }
        try store.makeDurable()
        acknowledge(known)
    }

    private func writeGroup(_ store: Store) throws {
        doubt = nil
        let promised = ledger.order.count
        var claims: [Int] = []
        for _ in 0...random.below(3) {
            let (transaction, claim) = try retrying { try write(store, atLeast: promised) }
            if let transaction { staged.append(transaction) }
            if let claim { claims.append(claim) }
        }
        if random.once(in: 20) {
            discard(store)
            ledger.refuse(staged)
            staged = []
            return
        }
        let transactions = staged
        staged = []
        do throws(StoreError) {
            try store.makeDurable()
        } catch {
            if !process.isDead, !error.hasUnknownOutcome, !process.hasFailedToUndo {
                ledger.refuse(transactions)
            }
            throw error
        }
        guard !process.isDead else { return }
        acknowledge(known + transactions)
        machine.counts.transactions += transactions.count
        for claim in claims { ledger.deliver(claim) }
    }

    /// The current group of transactions was acknowledged.
    private func acknowledge(_ transactions: [Int]) {
        guard !process.isDead else { return }
        if let doubt { ledger.fail("process \(process.number) was told: \(doubt)") }
        ledger.promise(transactions)
        toldCount = known.count
    }

    /// Runs `body` again while another process holds the lock.
    private func retrying<Value>(_ body: () throws -> Value) throws -> Value {
        for _ in 0..<20 {
            do {
                return try body()
            } catch StoreError.locked where staged.isEmpty {
                discard(store)
                calls.sleep(microseconds: 500)
            }
        }
        return try body()
    }

    // MARK: Tools

    private func check() throws {
        let report = try StoreCheck.run("/store", types: Workload.types, settings: settings) { _ in }
        guard !process.isDead, !report.faults.isEmpty else { return }
        ledger.fail("postern check reports: \(report.faults)")
    }

    /// Writes a copy of the store, and compares it with what the store had when it began.
    private func backUp() throws {
        guard let engine else { return }
        try compareCopy("a backup") { path in
            try engine.backUp(to: path, progress: { _ in })
            return true
        }
    }

    /// Exports the store, and imports the export into a new one.
    private func exportAndImport() throws {
        guard let engine else { return }
        try compareCopy("an import of an export") { path in
            var lines: [[UInt8]] = []
            try StoreExport.write(engine) { lines.append($0) }
            let incoming = try StoreImport(Workload.types, to: path, settings: settings)
            for line in lines { try incoming.take(line[...]) }
            let isDone = try incoming.finish(progress: { _ in })
            if !incoming.faults.isEmpty, !process.isDead {
                ledger.fail("an import of an export reports: \(incoming.faults)")
            }
            return isDone
        }
    }

    /// Makes a copy, and compares it with what the store had at the start.
    private func compareCopy(_ name: String, _ make: (SystemString) throws -> Bool) throws {
        let promised = ledger.order.count
        let directory = "copy-\(random.next())"
        defer { machine.removeDirectory(directory) }
        guard try make(SystemString("/\(directory)")), !process.isDead else { return }
        // It must survive a power cut.
        let found = try Inspection(machine.disk.afterPowerCut(random), at: "/\(directory)", random).contents()
        if let fault = ledger.fault(inFound: found.links, found.records, promised: promised) {
            ledger.fail("in \(name): \(fault)")
        }
    }

    /// Compares the number of entries with what was read.
    private func count(_ store: Store) throws {
        try readGroup(store)
        let statistics = try store.statistics()
        try store.makeDurable()
        guard !process.isDead, statistics.transactions < known.count else { return }
        ledger.fail("the store counts \(statistics.transactions) transactions, and has \(known.count)")
    }

    // MARK: Errors

    private func judge(_ error: any Error) {
        guard !process.isDead, let fault = fault(in: error) else { return }
        ledger.fail("process \(process.number): \(fault)")
    }

    /// Why an error must not happen; nil if it may.
    private func fault(in error: any Error) -> String? {
        switch error as? StoreError {
        case .busy, .locked: nil
        case .diskFull, .systemCall: machine.faults.canFail ? nil : "\(error)"
        case .damaged: machine.hasLostPages ? nil : "\(error)"
        default: "\(error)"
        }
    }
}

extension StoreError {
    fileprivate var hasUnknownOutcome: Bool {
        if case .systemCall(_, _, outcomeUnknown: true) = self { true } else { false }
    }
}

extension Optional<StoreError> {
    /// Whether another process has the lock.
    fileprivate var isLocked: Bool {
        switch self {
        case .busy, .locked: true
        default: false
        }
    }
}
