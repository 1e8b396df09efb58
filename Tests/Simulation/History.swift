import DirectoryStore
import Platform

/// One history: processes use a store on a machine that fails, until they are done.
struct History {
    let seed: UInt64
    private let random: Randomness
    private let ledger = Ledger()
    private let trace: Trace
    private(set) var counts = Counts()

    init(seed: UInt64, prints: Bool = false) {
        self.seed = seed
        random = Randomness(seed: seed)
        trace = Trace(prints: prints)
    }

    /// The checksum of everything that has happened.
    var check: UInt64 { trace.check }

    /// Runs the history.
    ///
    /// - Returns: the first promise that was broken; nil if all were kept.
    mutating func run() -> Violation? {
        counts.histories = 1
        var faults = Faults(random)
        let processes = random.one(of: [1, 1, 2, 2, 2, 3, 3, 4, 5, 8])
        let operations = random.number(in: 3...40)
        let hasLongTexts = random.once(in: 30)
        // Trying a long journal takes long.
        if hasLongTexts { faults.trials *= 20 }
        var disk = Disk()
        for _ in 0..<8 {
            let machine = Machine(disk: disk, random: random, faults: faults, trace: trace)
            machine.hasLongTexts = hasLongTexts
            let trials = Randomness(seed: random.next())
            machine.onTrial = { [ledger] in
                guard ledger.violation == nil else { return }
                let trial = CrashTrial(ledger: ledger, random: trials)
                do {
                    _ = try trial.contents(of: machine.disk.afterPowerCut(trials), &machine.counts)
                } catch {
                    ledger.fail("\(error)")
                }
            }
            for _ in 0..<processes { Self.start(operations, on: machine, ledger) }
            machine.run()
            machine.onTrial = {}
            let open = machine.openFileTexts
            if !open.isEmpty { ledger.fail("files were left open (process:inode): \(open)") }
            counts += machine.counts
            if let violation = ledger.violation { return violation }
            let after = machine.diskAfterPowerCut ?? machine.disk
            do {
                let trial = CrashTrial(ledger: ledger, random: random)
                let found = try trial.contents(of: after.synced(), &counts)
                guard machine.diskAfterPowerCut != nil else { return nil }
                ledger.goOn(from: found.links)
            } catch {
                return Violation("\(error)")
            }
            disk = after
        }
        return nil
    }

    /// Starts a process. If it is killed, another one goes on.
    private static func start(_ operations: Int, on machine: Machine, _ ledger: Ledger) {
        let process = machine.makeProcess()
        let worker = Worker(process, on: machine, ledger)
        machine.start(of: process) {
            worker.run(operations: operations)
            if process.isDead, !machine.isOff, operations > 1 { start(operations / 2, on: machine, ledger) }
        }
    }
}
