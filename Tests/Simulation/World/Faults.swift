/// How often something goes wrong in a history: once in so many calls on average, or never if 0.
struct Faults {
    /// A system call fails with an error that it may have.
    var errors = 0
    /// A sync fails, and pages that it could not write are lost.
    var syncErrors = 0
    /// The disk gets full, and has room again after a while.
    var fullDisks = 0
    /// A process is killed.
    var kills = 0
    /// A process is stopped, and continued after a while.
    var stops = 0
    /// The system's clock is set.
    var clockJumps = 0
    /// The power is cut.
    var powerCuts = 0
    /// The disk at this moment is tried as if the power were cut; the history goes on.
    var trials = 0
    /// Another process gets its turn.
    var turns = 0

    /// Draws what happens in one history. Some have no faults at all, some only one kind.
    init(_ random: Randomness) {
        func rate(_ frequent: Int, _ rare: Int) -> Int { random.once(in: 3) ? random.number(in: frequent...rare) : 0 }
        turns = random.one(of: [2, 3, 8, 30])
        errors = rate(60, 2_000)
        syncErrors = rate(4, 100)
        fullDisks = random.once(in: 2) ? rate(100, 2_000) : 0
        kills = rate(100, 3_000)
        stops = rate(100, 3_000)
        clockJumps = rate(100, 3_000)
        powerCuts = rate(300, 5_000)
        trials = random.number(in: 4...20)
    }

    /// No faults, for the process that tries a disk.
    init() {}

    /// Whether system calls may fail.
    var canFail: Bool { errors > 0 || syncErrors > 0 || fullDisks > 0 }
}

/// What a run has done.
struct Counts {
    var histories = 0
    var calls = 0
    var transactions = 0
    var reads = 0
    /// The disks that were tried after a power cut, and those after a second cut while the first was recovered from.
    var crashPoints = 0
    var crashesInRecovery = 0
    var compactions = 0
    var powerCuts = 0
    var kills = 0
    var stops = 0
    var clockJumps = 0
    var fullDisks = 0
    var errors: [String: Int] = [:]

    static func += (left: inout Counts, right: Counts) {
        left.histories += right.histories
        left.calls += right.calls
        left.transactions += right.transactions
        left.reads += right.reads
        left.crashPoints += right.crashPoints
        left.crashesInRecovery += right.crashesInRecovery
        left.compactions += right.compactions
        left.powerCuts += right.powerCuts
        left.kills += right.kills
        left.stops += right.stops
        left.clockJumps += right.clockJumps
        left.fullDisks += right.fullDisks
        left.errors.merge(right.errors, uniquingKeysWith: +)
    }
}
