import JSON

/// The slow work that is under way, and the waiting requests whose slow work can start ahead of their turn.
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

    /// Starts the slow work of candidates, up to the limit of work that is under way.
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

    /// Runs a request's first phase ahead of its turn, only to get its slow work. Its writes, result and error are
    /// discarded. Without slow work, the first phase runs again at the request's turn.
    private mutating func run(_ entry: LaneEntry, by handler: any RequestHandler) {
        guard let request = entry.request else { return }
        var discarded = JSONWriter()
        do throws(RPCError) {
            if let work = try handler.handle(request, from: nil, result: &discarded) { start(work, for: entry) }
        } catch {
            // The phase runs again at its turn and throws its error then.
        }
        handler.rollback()
    }
}
