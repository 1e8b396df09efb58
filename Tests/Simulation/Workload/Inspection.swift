import DirectoryStore
import Platform
import Store

/// Opens the store on a disk, as the first process after a crash does, and reads all of it.
struct Inspection {
    /// What was found.
    struct Contents {
        var links: [Link] = []
        var records = State.Reading.all([], [], [])
    }

    private let machine: Machine
    private let process: SimulatedProcess
    private let path: SystemString
    private let settings: StoreSettings
    private let random: Randomness

    /// - Parameters:
    ///   - disk: the disk, which the process changes.
    ///   - cutAfter: the number of the system call at which the power is cut.
    init(_ disk: Disk, at path: String = "/store", _ random: Randomness, cutAfter: Int = .max) {
        machine = Machine(disk: disk, random: random, faults: Faults(), trace: Trace(prints: false), isAlone: true)
        machine.callOfPowerCut = cutAfter
        process = machine.makeProcess()
        (self.path, self.random) = (SystemString(path), random)
        var settings = StoreSettings()
        settings.calls = SimulatedCalls(of: process, on: machine)
        settings.lockWaitMilliseconds = 10
        self.settings = settings
    }

    /// The disk when the power was cut during the inspection; nil if it was not cut.
    var diskAfterPowerCut: Disk? { machine.diskAfterPowerCut }

    /// The contents of the store.
    func contents() throws -> Contents {
        try withStore { try Self.contents(of: $0) }
    }

    /// The contents of the store, after one more transaction that writes.
    func contentsAfterWrite() throws -> Contents {
        try withStore { store in
            try store.write { tx in try tx.save(Cell(slot: 900, name: 900, rank: 0, transaction: 0, length: 9)) }
            try store.makeDurable()
            return try Self.contents(of: store)
        }
    }

    private func withStore<Value>(_ body: (Store) throws -> Value) throws -> Value {
        let store = Store(engine: try LocalEngine(directory: path, settings: settings, log: { _ in }))
        defer { store.close() }
        return try body(store)
    }

    private static func contents(of store: Store) throws -> Contents {
        let contents = try store.read { tx in
            Contents(
                links: try tx.all(Link.self),
                records: .all(try tx.all(Cell.self), try tx.all(Secret.self), try tx.all(Mail.self))
            )
        }
        try store.makeDurable()
        return contents
    }

    /// The faults that `postern check` reports.
    func faults() throws -> [String] {
        try StoreCheck.run(path, types: Workload.types, settings: settings, progress: { _ in }).faults
    }

    /// Salvages the store, and calls `visit` with the key and the value of each record that is saved.
    func salvaged(_ visit: (String, [UInt8]) -> Void) throws {
        let copy: SystemString = "/salvaged"
        _ = try StoreSalvage.run(path, to: copy, types: Workload.types, settings: settings, progress: { _ in })
        let engine = try LocalEngine(directory: copy, settings: settings, log: { _ in })
        defer { engine.close() }
        try engine.forEachEntry { key, value in
            guard let pieces = key.pieces, pieces.index == StoreKey.recordIndex else { return }
            if pieces.collection != StoreKey.counters { visit(key.text, value.bytes) }
        }
    }

    /// The secrets in the files of the store, except in those with the ends of incomplete writes, which nothing reads.
    func secrets() -> Set<String> {
        var found: Set<String> = []
        for (name, node) in machine.disk.files(in: "\(path)") where !name.hasPrefix(".torn-") {
            found.formUnion(Self.secrets(in: node.bytes))
        }
        return found
    }

    /// The number of files with the ends of incomplete writes.
    var tornEnds: Int { machine.disk.files(in: "\(path)").count { name, _ in name.hasPrefix(".torn-") } }

    /// The texts like `secret-17-of-3` in a file.
    private static func secrets(in bytes: [UInt8]) -> [String] {
        let mark = Array("secret-".utf8)
        var found: [String] = []
        var start = 0
        while let place = bytes[start...].firstIndex(of: mark[0]) {
            start = place + 1
            guard bytes[place...].starts(with: mark) else { continue }
            let text = bytes[place...].prefix { $0 != UInt8(ascii: "\"") }
            found.append(String(decoding: text, as: UTF8.self))
        }
        return found
    }
}

/// Tries what is left of a store after a crash, and compares it with what processes were told.
struct CrashTrial {
    let ledger: Ledger
    let random: Randomness

    /// What is left on a disk.
    ///
    /// - Parameter disk: the disk after the crash. It is changed.
    /// - Throws: `Violation` if a promise was broken.
    func contents(of disk: Disk, _ counts: inout Counts) throws -> Inspection.Contents {
        counts.crashPoints += 1
        var disk = disk
        // The power is cut again while the store is being opened, several times at most.
        while random.once(in: 3) {
            let interrupted = Inspection(disk, random, cutAfter: random.below(80))
            do {
                _ = try interrupted.contents()
            } catch {
                guard interrupted.diskAfterPowerCut != nil else { throw Self.violation(error) }
            }
            guard let next = interrupted.diskAfterPowerCut else { break }
            counts.crashesInRecovery += 1
            disk = next
        }
        do {
            return try verified(disk)
        } catch let violation as Violation {
            throw violation
        } catch {
            throw Self.violation(error)
        }
    }

    private static func violation(_ error: any Error) -> Violation {
        Violation("after a crash: \(error)")
    }

    private func verified(_ disk: Disk) throws -> Inspection.Contents {
        let inspection = Inspection(disk, random)
        let found = try inspection.contents()
        if let fault = ledger.fault(inFound: found.links, found.records) {
            throw Violation("after a crash: \(fault)")
        }
        if random.once(in: 8) {
            let faults = try Inspection(disk.synced(), random).faults()
            if !faults.isEmpty { throw Violation("after a crash, postern check reports: \(faults)") }
            // The end of an incomplete write is set aside as a whole, and once.
            let next = Inspection(disk.synced(), random)
            _ = try next.contents()
            let more = next.tornEnds - inspection.tornEnds
            if more != 0 { throw Violation("after a crash, the second opening sets \(more) more torn ends aside") }
        }
        if case .all(_, let secrets, _) = found.records {
            let left = inspection.secrets().subtracting(secrets.map(\.text))
            if !left.isEmpty { throw Violation("after a crash, the files have erased values: \(left.sorted())") }
        }
        // What the next process writes, and what it has read, survives the next crash.
        if random.once(in: 4) {
            let copy = disk.synced()
            _ = try Inspection(copy, random).contentsAfterWrite()
            let again = try Inspection(copy.afterPowerCut(random), random).contents()
            guard again.links == found.links, case .all(let cells, _, _) = again.records,
                cells.contains(where: { $0.slot == 900 })
            else { throw Violation("a transaction after a crash was lost in the next one") }
        }
        return found
    }
}
