import JSON

/// Slow work that is under way, and requests behind others whose slow work can be started ahead of their turn.
struct LookAhead {
    private let pool: WorkPool
    private var underWay: [Int: LaneEntry] = [:]
    private var lastTicket = 0
    private var candidates = Queue<LaneEntry>()

    init(pool: WorkPool) {
        self.pool = pool
    }

    /// Adds a request that waits for its turn and may need slow work.
    mutating func append(_ entry: LaneEntry) {
        candidates.append(entry)
    }

    /// Starts the slow work that a request waits for.
    mutating func start(_ work: @escaping SlowWork, for entry: LaneEntry) {
        lastTicket += 1
        entry.isWaiting = true
        underWay[lastTicket] = entry
        pool.start(lastTicket, work)
    }

    /// The requests whose slow work has ended since the last call.
    mutating func takeFinished() -> [LaneEntry] {
        pool.takeFinished().compactMap { ticket, phase in
            guard let entry = underWay.removeValue(forKey: ticket) else { return nil }
            entry.phase = phase
            entry.isWaiting = false
            return entry
        }
    }

    /// Starts the slow work of as many candidates as there is room for.
    mutating func run(by handler: any RequestHandler) {
        var room = Limits.workAheadMax - underWay.count
        while let entry = candidates.first {
            if !entry.isDone && !entry.isWaiting && !entry.isCancelled && entry.phase == nil {
                guard room > 0 else { return }
                room -= 1
                run(entry, by: handler)
            }
            candidates.removeFirst()
        }
    }

    /// Runs a request's first phase for the sake of the work that it asks for alone. What else comes of it is discarded: at
    /// its turn the request is begun anew.
    private mutating func run(_ entry: LaneEntry, by handler: any RequestHandler) {
        guard let request = entry.request else { return }
        var discarded = JSONWriter()
        do throws(RPCError) {
            if let work = try handler.handle(request, from: nil, result: &discarded) { start(work, for: entry) }
        } catch {
            // It is refused for good at its turn.
        }
        handler.rollback()
    }
}
