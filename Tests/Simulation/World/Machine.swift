import Platform

/// A simulated machine: a disk, a clock, and processes that take turns. One thread runs at a time.
///
/// Each system call of a process is a turn: the machine may then let another process run, kill or stop one, set the
/// clock, or cut the power. What happens is drawn from a seed, so the same seed gives the same history.
///
/// Safe to send: only the thread whose turn it is uses it.
final class Machine: @unchecked Sendable {
    let disk: Disk
    let random: Randomness
    let faults: Faults
    var counts = Counts()
    let trace: Trace
    /// The time since the machine was switched on, in microseconds.
    private(set) var microseconds = 1_000_000
    /// The difference between the system's clock and that time.
    private var clockOffset = 1_700_000_000_000_000
    /// The time of the system's clock.
    var unixMicroseconds: Int { clockOffset + microseconds }
    private(set) var processes: [SimulatedProcess] = []
    private(set) var isOff = false
    /// The disk when the power was cut.
    private(set) var diskAfterPowerCut: Disk?
    /// A machine for one process without other threads, which makes no turns.
    private let isAlone: Bool
    /// The number of the system call at which the power is cut, in a machine for one process.
    var callOfPowerCut = Int.max
    /// Whether processes write long texts, so that the journal gets so long that it is read before the lock is taken.
    var hasLongTexts = false
    /// Whether processes may read other bytes than were written, because a sync has failed.
    var hasLostPages = false
    /// Called from time to time between two system calls.
    var onTrial: () -> Void = {}
    private var threads: [SimulatedThread] = []
    /// The thread whose turn it is; nil in a machine for one process.
    private var current: SimulatedThread?
    private var calls = 0
    private let ended = Mailbox<Void>()
    private var openFiles: [Int32: OpenFile] = [:]
    private var mappings: [UInt: UnsafeMutableRawBufferPointer] = [:]
    private var nextDescriptor: Int32 = 1_000_000
    private var fullUntil = 0

    /// - Parameter isAlone: whether only one process, with one thread, will run. It runs on the caller's thread.
    init(disk: Disk, random: Randomness, faults: Faults, trace: Trace, isAlone: Bool = false) {
        (self.disk, self.random, self.faults, self.trace, self.isAlone) = (disk, random, faults, trace, isAlone)
    }

    // MARK: Processes and threads

    func makeProcess() -> SimulatedProcess {
        let process = SimulatedProcess(number: processes.count + 1)
        processes.append(process)
        return process
    }

    /// Starts a thread, which runs when it gets a turn.
    ///
    /// - Returns: false, without running the body, in a machine for one process.
    @discardableResult
    func start(of process: SimulatedProcess, _ body: @escaping @Sendable () -> Void) -> Bool {
        guard !isAlone else { return false }
        let thread = SimulatedThread(of: process, body)
        threads.append(thread)
        let isStarted = Thread.start { [self] in
            thread.takeTurn()
            thread.run()
            end(thread)
        }
        precondition(isStarted, "the simulation needs threads")
        return true
    }

    /// Runs all threads until the last one has ended.
    func run() {
        guard let first = nextThread() else { return }
        current = first
        first.giveTurn()
        ended.take()
        current = nil
        threads = []
        if !isOff { disk.capacity = .max }
    }

    private func end(_ thread: SimulatedThread) {
        threads.removeAll { $0 === thread }
        guard let next = nextThread() else { return ended.post(()) }
        current = next
        next.giveTurn()
    }

    /// Ends a turn: something may happen, and another thread may run, before this returns.
    func endTurn() {
        calls += 1
        counts.calls += 1
        microseconds += 1 + random.below(20)
        guard let thread = current else {
            if calls >= callOfPowerCut { cutPower() }
            return
        }
        guard !isOff else { return }
        if !thread.process.isDead { makeEvents(thread) }
        if random.once(in: faults.turns) { pass(from: thread) }
    }

    /// Lets other threads run.
    func yield() {
        if let current { pass(from: current) }
    }

    /// Suspends the thread whose turn it is for a time, or until it is woken.
    ///
    /// - Parameter node: the file for whose shared words it waits.
    func suspend(microseconds duration: Int, waitingFor node: Node? = nil) {
        guard let thread = current else { return microseconds += duration }
        // The threads of a dead process only come to their ends.
        guard !thread.process.isDead else { return pass(from: thread) }
        (thread.wakeTime, thread.waitsFor) = (microseconds + duration, node)
        pass(from: thread)
        (thread.wakeTime, thread.waitsFor) = (0, nil)
    }

    /// Wakes the threads that wait for a word of a file.
    func wakeThreads(waitingFor node: Node) {
        for thread in threads where thread.waitsFor === node { thread.wakeTime = 0 }
    }

    private func pass(from thread: SimulatedThread) {
        guard let next = nextThread(), next !== thread else { return }
        current = next
        next.giveTurn()
        thread.takeTurn()
    }

    /// The thread that runs next. If all of them wait, the time passes until one does not.
    private func nextThread() -> SimulatedThread? {
        guard !threads.isEmpty else { return nil }
        while true {
            let ready = threads.filter { $0.isReady(at: microseconds) }
            if !ready.isEmpty { return random.one(of: ready) }
            microseconds = threads.map(\.earliestTurn).min() ?? microseconds
        }
    }

    // MARK: Events

    private func makeEvents(_ thread: SimulatedThread) {
        if random.once(in: faults.trials) { onTrial() }
        if random.once(in: faults.powerCuts) { return cutPower() }
        if random.once(in: faults.kills) {
            // The thread that runs may be the one that dies.
            kill(random.once(in: 2) ? thread.process : random.one(of: processes))
        }
        if random.once(in: faults.stops) {
            let process = random.one(of: processes)
            process.stoppedUntil = microseconds + random.one(of: [1_000, 20_000, 300_000, 8_000_000])
            counts.stops += 1
            trace.note("stop process \(process.number)")
            if process === thread.process { pass(from: thread) }
        }
        if random.once(in: faults.clockJumps) {
            clockOffset += random.number(in: -4_000_000_000...4_000_000_000)
            counts.clockJumps += 1
            trace.note("set the clock")
        }
        if random.once(in: faults.fullDisks) {
            disk.capacity = disk.usedBytes + random.below(3_000)
            fullUntil = microseconds + random.below(50_000)
            counts.fullDisks += 1
            trace.note("full disk")
        } else if disk.capacity != .max, microseconds > fullUntil {
            disk.capacity = .max
        }
    }

    /// Kills a process: its files are closed and its locks released, and it changes nothing any more.
    func kill(_ process: SimulatedProcess) {
        guard !process.isDead, !process.hasEnded else { return }
        process.isDead = true
        counts.kills += 1
        trace.note("kill process \(process.number)")
        closeFiles(of: process)
    }

    private func cutPower() {
        guard !isOff else { return }
        isOff = true
        counts.powerCuts += 1
        trace.note("power cut")
        for process in processes { process.isDead = true }
        diskAfterPowerCut = disk.afterPowerCut(random)
    }

    /// Removes a directory with its files, as a person would.
    func removeDirectory(_ name: String) {
        disk.root.removeDurably(name)
    }

    // MARK: Open files

    func open(_ node: Node, by process: SimulatedProcess, writes: Bool) -> FileDescriptor {
        nextDescriptor += 1
        openFiles[nextDescriptor] = OpenFile(node: node, process: process, writes: writes)
        node.opens += 1
        return FileDescriptor(rawValue: nextDescriptor)
    }

    func file(_ descriptor: FileDescriptor) -> OpenFile? { openFiles[descriptor.rawValue] }

    func close(_ descriptor: FileDescriptor) {
        guard let file = openFiles.removeValue(forKey: descriptor.rawValue) else { return }
        file.node.opens -= 1
        if file.node.lockHolder == descriptor.rawValue { file.node.lockHolder = nil }
    }

    func closeFiles(of process: SimulatedProcess) {
        for descriptor in openFiles.keys.sorted() where openFiles[descriptor]?.process === process {
            close(FileDescriptor(rawValue: descriptor))
        }
    }

    /// The bytes of a file that no process changes any more, at an address that stays valid.
    func mapped(_ node: Node) -> UnsafeMutableRawBufferPointer {
        if let known = mappings[node.number] { return known }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: node.bytes.count, alignment: 64)
        copy.copyBytes(from: node.bytes)
        mappings[node.number] = copy
        return copy
    }

    deinit {
        for copy in mappings.values { copy.deallocate() }
    }

    /// The processes and inode numbers of the open files, for the report of a failure.
    var openFileTexts: [String] {
        openFiles.values.map { "\($0.process.number):\($0.node.number)" }.sorted()
    }
}
